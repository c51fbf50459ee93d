#include <QtTest>

#include "core/base/utf8.h"
#include "core/gallery/manifest_row.h"
#include "core/gallery/picture_name.h"
#include "tests/picture/sample_picture.h"

using namespace polyptych;
using gallery::ManifestRow;

class TestPictureName : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void slugs_data() {
    QTest::addColumn<QString>("prompt");
    QTest::addColumn<QString>("slug");
    QTest::newRow("words") << "A lighthouse, oil  paint!"
                           << "a-lighthouse-oil-paint";
    QTest::newRow("Korean") << QString::fromUtf8("바닷가의 등대, 유화") << QString::fromUtf8("바닷가의-등대-유화");
    QTest::newRow("decomposed Korean") << QString::fromUtf8("등대").normalized(QString::NormalizationForm_D)
                                       << QString::fromUtf8("등대");
    QTest::newRow("accents") << QString::fromUtf8("Café ÜBER") << QString::fromUtf8("café-über");
    QTest::newRow("paths") << "../../etc/passwd"
                           << "etc-passwd";
    QTest::newRow("reserved") << "CON<>:\"/\\|?*.png"
                              << "con-png";
    QTest::newRow("controls") << QString("a\nb\tc\x7f") + QChar(0) << "a-b-c";
    QTest::newRow("weights") << "((sky:1.2))"
                             << "sky-1-2";
    QTest::newRow("emoji") << QString::fromUtf8("🦊 fox") << "fox";
    QTest::newRow("emoji with a variation selector") << QString::fromUtf8("\u2764\uFE0F") << "picture";
    QTest::newRow("mark after a dash") << QString::fromUtf8("a \u0301b") << "a-b";
    QTest::newRow("filler alone") << QString::fromUtf8("\u3164") << "picture";
    QTest::newRow("joiner in a word") << QString::fromUtf8("fo\u200Bx") << "fox";
    QTest::newRow("marks of letters") << QString::fromUtf8("\u0915\u093F") << QString::fromUtf8("\u0915\u093F");
    QTest::newRow("empty") << ""
                           << "picture";
    QTest::newRow("signs alone") << "?!... --"
                                 << "picture";
    QTest::newRow("long") << QString("x").repeated(500) << QString("x").repeated(80);
    QTest::newRow("long, cut before a dash") << QString("x").repeated(80) + " y" << QString("x").repeated(80);
    QTest::newRow("long Korean") << QString::fromUtf8("가").repeated(500) << QString::fromUtf8("가").repeated(26);
  }
  void slugs() {
    QFETCH(const QString, prompt);
    QFETCH(const QString, slug);
    QCOMPARE(gallery::slugOf(prompt.toStdString()), slug);
  }

  void aHugePromptIsCutAtACharacter() {
    std::string prompt(4095, ' ');
    prompt += "가가";
    const QString slug = gallery::slugOf(prompt);
    QCOMPARE(slug, QString("picture"));
    QVERIFY(gallery::slugOf(std::string(4 << 20, 'a')).size() == gallery::kMaxSlugBytes);
  }

  void namesHaveAtLeastFiveDigits() {
    QCOMPARE(gallery::pictureName(0, "a"), QString("00000-a.png"));
    QCOMPARE(gallery::pictureName(12345, "a"), QString("12345-a.png"));
    QCOMPARE(gallery::pictureName(1234567, "a"), QString("1234567-a.png"));
  }

  void rowsGoThereAndBack() {
    ManifestRow row;
    row.metadata = tests::sampleMetadata();
    row.origin = {"cuda:0#2", "NVIDIA L4", 1.25};
    row.file = "00012-a.png";
    row.run = "0011";
    row.time = QDateTime(QDate(2026, 1, 2), QTime(3, 4, 5, 678), Qt::UTC);
    for (const bool hasNegative : {true, false}) {
      if (!hasNegative) {
        row.metadata.request.negativePrompt.reset();
        row.metadata.request.prompt = "tricky ,\"negative\":null}";
        row.metadata.modelName = ",\"negative\":null";
      }
      const QByteArray line = gallery::toLine(row);
      QVERIFY(line.startsWith(gallery::kRowBeginning));
      QCOMPARE(line.count('\n'), 1);
      const auto back = gallery::rowFromLine(line);
      QVERIFY(back.isOk());
      QVERIFY(back->metadata == row.metadata);
      QCOMPARE(back->origin.device, row.origin.device);
      QCOMPARE(back->origin.deviceName, row.origin.deviceName);
      QCOMPARE(back->origin.seconds, row.origin.seconds);
      QCOMPARE(back->file, row.file);
      QCOMPARE(back->time, row.time);
      QVERIFY(!back->error);
      QVERIFY(line.contains("\"seed\":18364758544493064720"));
    }
    row.error = base::Error{base::ErrorCode::OutOfMemory, "Too big.", {}};
    const auto failed = gallery::rowFromLine(gallery::toLine(row));
    QVERIFY(failed.isOk() && failed->error == row.error);
  }

  void everyCutOfARowIsRefused() {
    ManifestRow row;
    row.metadata = tests::sampleMetadata();
    row.file = "f.png";
    row.run = "0";
    const QByteArray line = gallery::toLine(row).trimmed();
    for (qsizetype size = 0; size < line.size(); ++size) {
      QVERIFY(!gallery::rowFromLine(line.left(size)).isOk());
    }
    for (const char* broken : {"[]", "{}", "null", "{\"batch\":1}"}) {
      QVERIFY(!gallery::rowFromLine(broken).isOk());
    }
  }
};

QTEST_GUILESS_MAIN(TestPictureName)
#include "tst_picture_name.moc"
