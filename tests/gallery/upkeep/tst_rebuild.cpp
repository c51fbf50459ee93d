#include <QtTest>

#include "core/gallery/picture_reader.h"
#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/rebuild.h"
#include "core/queue/jobs.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::FindingKind;
using gallery::PictureMarks;
using library::Location;
using tests::SampleLibrary;

namespace {

gallery::RebuildOptions options() {
  gallery::RebuildOptions options;
  options.insertRun = queue::insertRun;
  return options;
}

/// Everything that a library tells of its pictures, but for row ids.
QStringList contentOf(SampleLibrary& library) {
  gallery::PictureReader reader(*library.database, library.location);
  gallery::PictureFilter all;
  all.trash = gallery::PictureFilter::Trash::With;
  const auto rows = reader.page(all, gallery::PictureOrder::Run, 10000);
  QStringList content;
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    const auto details = reader.details((*rows)[i].id);
    [&] { QVERIFY(details && *details); }();
    const auto& one = **details;
    content << QStringList{QString::number(one.row.runId),
                           one.row.path,
                           QString::number(one.row.bytes),
                           QString::number(one.row.madeMs),
                           one.origin.device,
                           one.origin.deviceName,
                           QString::number(one.origin.seconds),
                           QString::fromUtf8(gallery::toXmp(one.marks)),
                           QString::fromStdString(one.metadata.request.prompt),
                           QString::number(one.metadata.request.seed),
                           QString::number(one.metadata.request.index),
                           QString::number(one.metadata.batch),
                           QString::fromStdString(one.metadata.modelName)}
                   .join(u'|');
  }
  return content;
}

}  // namespace

class TestRebuild : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void makesTheSameIndexAgain() {
    SampleLibrary library;
    const auto whole = tests::recordOf(1, {"a lighthouse", "등대", ""}, "2024-01-01/001-a");
    auto begun = tests::recordOf(2, {"one", "two", "three", "four"}, "2024-01-01/002-b");
    begun.requests[1].negativePrompt = "";
    begun.requests[3].clipSkip = 1;
    library.addRun(whole);
    library.addRun(begun);
    library.addPictures(whole);
    library.addPicture(begun, 0);
    const qint64 last = library.addPicture(begun, 3);
    QVERIFY(gallery::writeMarks(*library.database, last, {2, -1, {"sea", "바다"}, {"Best"}, 99}).isOk());
    QVERIFY(gallery::saveSidecar(*library.database, library.location.picturesFolder(), last).isOk());
    const QStringList before = contentOf(library);
    QCOMPARE(before.size(), 5);

    const auto rebuilt = gallery::rebuild(library.location, options());
    QVERIFY2(rebuilt.isOk(), rebuilt ? "" : rebuilt.error().detail.c_str());
    QCOMPARE(rebuilt->runs, qint64(2));
    QCOMPARE(rebuilt->pictures, qint64(5));
    QCOMPARE(rebuilt->waiting, qint64(2));
    QVERIFY(rebuilt->findings.empty());
    QVERIFY(QFileInfo::exists(rebuilt->setAside));
    QVERIFY(!QFileInfo::exists(library.location.databaseFile() + ".new"));
    library.open();
    QCOMPARE(contentOf(library), before);
    QCOMPARE(library.number("SELECT count(*) FROM jobs WHERE state = 0"), qint64(2));
    QCOMPARE(library.number("SELECT made FROM runs WHERE id = 2"), qint64(2));
    QCOMPARE(library.number("SELECT state FROM runs WHERE id = 1"), qint64(1));
    gallery::PictureReader reader(*library.database, library.location);
    gallery::PictureFilter filter;
    filter.text = "등";
    QCOMPARE(*reader.count(filter), qint64(1));
  }

  void makesAFlatOneAgain() {
    SampleLibrary library(Location::Layout::Flat);
    const auto record = tests::recordOf(1, {"a", "b", "c"}, "");
    library.addRun(record);
    library.addPicture(record, 1);
    const QStringList before = contentOf(library);
    library.database.reset();
    QVERIFY(gallery::rebuild(library.location, options()).isOk());
    library.open();
    QCOMPARE(contentOf(library), before);
    QCOMPARE(before.size(), 1);
  }

  void needsNoOldIndex() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a"}, "d/r");
    library.addRun(record);
    library.addPictures(record);
    const QStringList before = contentOf(library);
    library.database.reset();
    for (const char* end : {"", "-wal", "-shm"}) {
      QFile::remove(library.location.databaseFile() + end);
    }
    const auto rebuilt = gallery::rebuild(library.location, options());
    QVERIFY(rebuilt.isOk());
    QVERIFY(rebuilt->setAside.isEmpty());
    library.open();
    QCOMPARE(contentOf(library), before);
  }

  void neverTakesTheLogOfAnotherIndex() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a"}, "d/r");
    library.addRun(record);
    library.addPictures(record);
    const QByteArray log = tests::readFile(library.location.databaseFile() + "-wal");
    QVERIFY(!log.isEmpty());
    library.database.reset();
    QFile::remove(library.location.databaseFile());
    tests::writeFile(library.location.databaseFile() + "-wal", log);
    QVERIFY(gallery::rebuild(library.location, options()).isOk());
    library.open();
    QCOMPARE(contentOf(library).size(), 1);
  }

  /// Without an old index the manifest says what could not be made: it is not tried again unasked.
  void whatCouldNotBeMadeHasFailed() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a", "b", "c", "d", "e", "f"}, "d/r");  // units of two
    library.addRun(record);
    library.addPicture(record, 0);
    QFile manifest(library.folderOf(record) + '/' + gallery::kManifestName);
    QVERIFY(manifest.open(QIODevice::Append));
    for (const std::size_t index : {0, 2, 3, 5}) {
      manifest.write(gallery::toLine({tests::metadataOf(record, index),
                                      {"cuda:0", "Card", 0},
                                      "f.png",
                                      record.fingerprint,
                                      QDateTime::currentDateTimeUtc(),
                                      base::Error{ErrorCode::WorkerDied, "It ended two workers.", {}}}));
    }
    manifest.close();
    library.database.reset();
    QVERIFY(QFile::remove(library.location.databaseFile()));
    const auto rebuilt = gallery::rebuild(library.location, options());
    QVERIFY2(rebuilt.isOk(), rebuilt ? "" : rebuilt.error().detail.c_str());
    QCOMPARE(rebuilt->waiting, qint64(1 + 2));  // picture 1, whose partner is there, and the unit of 4 and 5
    library.open();
    QCOMPARE(library.number("SELECT state FROM jobs WHERE id = 2"), qint64(3));
    QCOMPARE(library.number("SELECT count(*) FROM jobs WHERE state = 0"), qint64(2));
    QCOMPARE(library.number("SELECT failed FROM runs"), qint64(2));
    QCOMPARE(library.number("SELECT count(*) FROM jobs WHERE error_message = 'It ended two workers.'"), qint64(1));
  }

  void usesTheFilesTimeWithoutAManifest() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a"}, "d/r");
    library.addRun(record);
    library.addPictures(record);
    QFile::remove(library.folderOf(record) + "/manifest.jsonl");
    QVERIFY(gallery::rebuild(library.location, options()).isOk());
    library.open();
    const qint64 modified = QFileInfo(library.pathOf(record, 0)).lastModified().toMSecsSinceEpoch();
    QCOMPARE(library.number("SELECT made FROM pictures"), modified);
  }

  void followsAFolderThatWasMoved() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a"}, "d/r");
    library.addRun(record);
    library.addPictures(record);
    QVERIFY(QDir().rename(library.folderOf(record), library.location.picturesFolder() + "/elsewhere"));
    QVERIFY(gallery::rebuild(library.location, options()).isOk());
    library.open();
    gallery::PictureReader reader(*library.database, library.location);
    const auto page = reader.page({}, gallery::PictureOrder::Run, 10);
    QVERIFY(page && page->size() == 1);
    QVERIFY(QFileInfo::exists(page->front().path));
  }

  void givesACopyOfARunAnIdOfItsOwn() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a"}, "d/r");
    library.addRun(record);
    library.addPictures(record);
    const QString copy = library.location.picturesFolder() + "/e";
    for (const QString& name : QDir(library.folderOf(record)).entryList(QDir::Files)) {
      tests::writeFile(copy + '/' + name, tests::readFile(library.folderOf(record) + '/' + name));
    }
    for (int i = 0; i < 2; ++i) {
      const auto rebuilt = gallery::rebuild(library.location, options());
      QVERIFY(rebuilt.isOk());
      QCOMPARE(rebuilt->runs, qint64(2));
      QCOMPARE(rebuilt->pictures, qint64(2));
      QCOMPARE(rebuilt->findings.size(), std::size_t(i == 0 ? 1 : 0));
    }
  }

  void gathersPicturesWhoseRunIsLost_data() {
    QTest::addColumn<QByteArray>("runFile");
    QTest::newRow("missing") << QByteArray();
    QTest::newRow("damaged") << QByteArray("{\"format\":1,");
  }

  void gathersPicturesWhoseRunIsLost() {
    QFETCH(QByteArray, runFile);
    SampleLibrary library;
    const auto record = tests::recordOf(5, {"a", "b", "c", "d"}, "d/r");
    library.addRun(record);
    library.addPicture(record, 1);
    library.addPicture(record, 3);
    QFile::remove(library.runFileOf(record));
    if (!runFile.isEmpty()) {
      tests::writeFile(library.runFileOf(record), runFile);
    }
    for (int i = 0; i < 2; ++i) {
      const auto rebuilt = gallery::rebuild(library.location, options());
      QVERIFY(rebuilt.isOk());
      QCOMPARE(rebuilt->pictures, qint64(2));
      QCOMPARE(rebuilt->waiting, qint64(0));
      // From now on the folder has a list.
      QCOMPARE(rebuilt->findings.size(), std::size_t(i == 0 ? 1 : 0));
    }
    library.open();
    QCOMPARE(library.number("SELECT count(*) FROM pictures p JOIN prompts t ON t.id = p.prompt WHERE t.text IN ('b', 'd')"),
             qint64(2));
    QCOMPARE(library.number("SELECT state FROM runs"), qint64(1));
  }

  void tellsOfWhatItCannotTakeIn() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a", "b", "c"}, "d/r");
    library.addRun(record);
    library.addPictures(record);
    const QString folder = library.folderOf(record);
    const QByteArray whole = tests::readFile(library.pathOf(record, 0));
    tests::writeFile(library.pathOf(record, 0), whole.chopped(5));
    tests::writeFile(folder + "/copy.png", tests::readFile(library.pathOf(record, 1)));
    tests::writeFile(folder + "/sheet.png", "no picture of ours");
    tests::writeFile(library.pathOf(record, 2) + ".xmp", "damaged");
    const auto rebuilt = gallery::rebuild(library.location, options());
    QVERIFY(rebuilt.isOk());
    QCOMPARE(rebuilt->pictures, qint64(2));
    QCOMPARE(rebuilt->waiting, qint64(1));
    QList<FindingKind> kinds;
    for (const auto& finding : rebuilt->findings) {
      kinds << finding.kind;
    }
    std::sort(kinds.begin(), kinds.end());
    QVERIFY((kinds == QList<FindingKind>{FindingKind::DamagedPicture, FindingKind::ForeignPicture, FindingKind::SidecarDamaged}));
    for (const auto& finding : rebuilt->findings) {
      QVERIFY(QFileInfo::exists(finding.path));
      QVERIFY(!finding.sentence.isEmpty());
    }
  }

  void leavesANewerIndexAlone() {
    SampleLibrary library;
    QVERIFY(library.database->run("PRAGMA user_version=999").isOk());
    library.database.reset();
    const QByteArray before = tests::readFile(library.location.databaseFile());
    const auto rebuilt = gallery::rebuild(library.location, options());
    QVERIFY(!rebuilt);
    QCOMPARE(rebuilt.error().code, ErrorCode::Unsupported);
    QCOMPARE(tests::readFile(library.location.databaseFile()), before);
  }

  void leavesANewerRunAlone() {
    SampleLibrary library;
    const auto record = tests::recordOf(1, {"a"}, "d/r");
    QByteArray file = library::toRunFile(record);
    file.replace("\"format\":1", "\"format\":3");
    tests::writeFile(library.runFileOf(record), file);
    const auto rebuilt = gallery::rebuild(library.location, options());
    QVERIFY(rebuilt.isOk());
    QCOMPARE(rebuilt->runs, qint64(0));
    QVERIFY(rebuilt->findings.size() == 1 && rebuilt->findings[0].kind == FindingKind::NewerRun);
    QCOMPARE(tests::readFile(library.runFileOf(record)), file);
  }

  void ofNothingIsAnEmptyIndex() {
    SampleLibrary library;
    const auto rebuilt = gallery::rebuild(library.location, options());
    QVERIFY(rebuilt.isOk());
    QCOMPARE(rebuilt->pictures, qint64(0));
  }
};

QTEST_GUILESS_MAIN(TestRebuild)
#include "tst_rebuild.moc"
