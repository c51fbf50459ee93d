#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

class TestTranslations : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  /// Brings a copy of the file up to date with the sources: whatever is new, gone or empty then shows.
  void everyStringIsTranslated_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QStringList>("options");
    QTest::newRow("Korean") << "polyptych_ko.ts" << QStringList();
    QTest::newRow("English plurals") << "polyptych_en.ts" << QStringList{QStringLiteral("-pluralonly")};
  }
  void everyStringIsTranslated() {
    QFETCH(QString, file);
    QFETCH(QStringList, options);
    QTemporaryDir folder;
    const QString copy = folder.filePath(file);
    QVERIFY(QFile::copy(QStringLiteral(SOURCE_FOLDER "/resources/translations/") + file, copy));
    QFile::setPermissions(copy, QFile::ReadOwner | QFile::WriteOwner);
    QProcess lupdate;
    lupdate.setWorkingDirectory(QStringLiteral(SOURCE_FOLDER));
    lupdate.setProcessChannelMode(QProcess::MergedChannels);
    lupdate.start(QStringLiteral(LUPDATE), QStringList{QStringLiteral("-no-ui-lines"), QStringLiteral("-locations"),
                                                       QStringLiteral("none"), QStringLiteral("-I"), QStringLiteral(".")} +
                                               options + QStringList{QStringLiteral("ui"), QStringLiteral("-ts"), copy});
    QVERIFY(lupdate.waitForFinished(60000));
    QVERIFY2(lupdate.exitCode() == 0, lupdate.readAll().constData());

    QFile updated(copy);
    QVERIFY(updated.open(QIODevice::ReadOnly));
    QXmlStreamReader xml(&updated);
    QString source;
    int count = 0;
    while (!xml.atEnd()) {
      if (xml.readNext() != QXmlStreamReader::StartElement) {
        continue;
      }
      if (xml.name() == QLatin1String("source")) {
        source = xml.readElementText();
      } else if (xml.name() == QLatin1String("translation")) {
        ++count;
        QVERIFY2(xml.attributes().value(QLatin1String("type")).isEmpty(),
                 qPrintable(source + QStringLiteral(": ") + xml.attributes().value(QLatin1String("type")).toString()));
        QVERIFY2(!xml.readElementText(QXmlStreamReader::IncludeChildElements).trimmed().isEmpty(), qPrintable(source));
      }
    }
    QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
    QVERIFY(count > 0);
  }
};

QTEST_GUILESS_MAIN(TestTranslations)
#include "tst_translations.moc"
