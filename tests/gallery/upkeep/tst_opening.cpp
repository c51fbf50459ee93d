#include <QtTest>

#include "core/gallery/upkeep/opening.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::Opening;
using library::Location;
using tests::SampleLibrary;

namespace {

base::Result<Opening> open(const Location& location) {
  gallery::RebuildOptions options;
  options.insertRun = queue::insertRun;
  return gallery::openOrRebuild(location, options);
}

struct Filled : SampleLibrary {
  Filled() {
    addRun(record);
    addPicture(record, 0);
    addPicture(record, 2);
  }
  library::RunRecord record = tests::recordOf(1, {"a", "b", "c", "d"}, "2024-01-01/001-a");
};

}  // namespace

class TestOpening : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void makesANewOne() {
    QTemporaryDir folder;
    const Location location = library::locationAt(folder.filePath("new"), Location::Layout::Dated);
    const auto made = open(location);
    QVERIFY(made.isOk());
    QCOMPARE(made->kind, Opening::Kind::Made);
    QCOMPARE(open(location)->kind, Opening::Kind::Opened);
  }

  void opensAWholeOne() {
    Filled library;
    const auto opened = open(library.location);
    QVERIFY(opened.isOk());
    QCOMPARE(opened->kind, Opening::Kind::Opened);
    QVERIFY(opened->sentence.isEmpty());
  }

  void refusesANewerOneUnharmed() {
    Filled library;
    QVERIFY(library.database->run("PRAGMA user_version=999").isOk());
    library.database.reset();
    const QByteArray before = tests::readFile(library.location.databaseFile());
    const auto opened = open(library.location);
    QVERIFY(!opened);
    QCOMPARE(opened.error().code, ErrorCode::Unsupported);
    QCOMPARE(tests::readFile(library.location.databaseFile()), before);
  }

  void remakesAnIndexThatIsDamaged_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("no SQLite") << QByteArray(10000, 'x');
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("short") << QByteArray("SQLite format 3\0", 16);
  }

  void remakesAnIndexThatIsDamaged() {
    QFETCH(QByteArray, bytes);
    Filled library;
    library.database.reset();
    tests::writeFile(library.location.databaseFile(), bytes);
    const auto opened = open(library.location);
    QVERIFY2(opened.isOk(), opened ? "" : opened.error().detail.c_str());
    QCOMPARE(opened->kind, Opening::Kind::Rebuilt);
    QVERIFY(opened->sentence.contains("2 pictures of 1 runs"));
    library.open();
    QCOMPARE(library.number("SELECT count(*) FROM pictures"), qint64(2));
    QCOMPARE(open(library.location)->kind, Opening::Kind::Opened);
  }

  void remakesAnIndexWithATornPage() {
    Filled library;
    // Kept open as by a process that was killed.
    QTemporaryDir copy;
    const Location location = library::locationAt(copy.filePath("copy"), Location::Layout::Dated);
    QDir().mkpath(location.picturesFolder());
    tests::writeFile(location.databaseFile() + "-wal", tests::readFile(library.location.databaseFile() + "-wal"));
    QByteArray torn = tests::readFile(library.location.databaseFile());
    for (qsizetype at = 8192; at < torn.size(); ++at) {
      torn[at] = 'x';
    }
    tests::writeFile(location.databaseFile(), torn);
    for (const QString& name : QDir(library.folderOf(library.record)).entryList(QDir::Files)) {
      tests::writeFile(location.picturesFolder() + "/2024-01-01/001-a/" + name,
                       tests::readFile(library.folderOf(library.record) + '/' + name));
    }
    const auto opened = open(location);
    QVERIFY(opened.isOk());
    QVERIFY(opened->kind == Opening::Kind::Rebuilt || opened->kind == Opening::Kind::Opened);
    QCOMPARE(open(location)->kind, Opening::Kind::Opened);
  }

  void takesInWhatALostLogKnew() {
    Filled library;
    library.open();
    const QByteArray older = tests::readFile(library.location.databaseFile());
    library.addPicture(library.record, 1);
    const auto second = tests::recordOf(2, {"x"}, "2024-01-02/002-x");
    library.addRun(second);
    library.addPictures(second);
    library.database.reset();
    tests::writeFile(library.location.databaseFile(), older);
    const auto opened = open(library.location);
    QVERIFY2(opened.isOk(), opened ? "" : opened.error().detail.c_str());
    QCOMPARE(opened->kind, Opening::Kind::Mended);
    QVERIFY(!opened->sentence.isEmpty());
    library.open();
    QCOMPARE(library.number("SELECT count(*) FROM pictures"), qint64(4));
    QCOMPARE(library.number("SELECT count(*) FROM runs"), qint64(2));
    QCOMPARE(library.number("SELECT made FROM runs WHERE id = 1"), qint64(3));
    QCOMPARE(open(library.location)->kind, Opening::Kind::Opened);
  }

  void leavesAFileOfAnAttemptThatEndedBeforeItsRow() {
    Filled library;
    QVERIFY(library.database->change("UPDATE jobs SET state = 1 WHERE id = 1").isOk());
    tests::writeFile(library.pathOf(library.record, 1), tests::pngOf(tests::metadataOf(library.record, 1)));
    QCOMPARE(open(library.location)->kind, Opening::Kind::Opened);
    QCOMPARE(library.number("SELECT state FROM jobs WHERE id = 1"), qint64(1));
  }
};

QTEST_GUILESS_MAIN(TestOpening)
#include "tst_opening.moc"
