#include <QTemporaryDir>
#include <QtTest>

#include "core/gallery/upkeep/manifest_lines.h"

using namespace polyptych;
using base::ErrorCode;

class TestManifestLines : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsWhatItCan() {
    const auto lines = gallery::readManifestLines(
        "{\"file\":\"a.png\",\"status\":\"done\",\"seconds\":2}\n\n{\"file\":\"../a\",\"status\":\"done\"}\n{\"file\":\"b", 2);
    QCOMPARE(lines.size(), std::size_t(4));
    QVERIFY(lines[0].isReadable && lines[0].isDone);
    QCOMPARE(lines[0].file, "a.png");
    QCOMPARE(lines[0].origin.seconds, 2.0);
    for (const std::size_t i : {1, 2, 3}) {
      QVERIFY(!lines[i].isReadable);
    }
  }

  void refusesAFileAboveTheLimits() {
    const QTemporaryDir folder;
    const QString path = folder.filePath("manifest.jsonl");
    QVERIFY(gallery::readManifestFile(path, 1)->empty());
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    const QByteArray breaks(gallery::kMaxManifestLines + 1, '\n');
    QCOMPARE(file.write(breaks), breaks.size());
    file.close();
    QCOMPARE(gallery::readManifestFile(path, 1).error().code, ErrorCode::Corrupt);
    QVERIFY(QFile::resize(path, gallery::kMaxManifestBytes + 1));  // a hole; nothing of it is read
    QCOMPARE(gallery::readManifestFile(path, 1).error().code, ErrorCode::Corrupt);
  }
};

QTEST_APPLESS_MAIN(TestManifestLines)
#include "tst_manifest_lines.moc"
