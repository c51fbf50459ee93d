#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "core/gallery/picture_reader.h"
#include "core/gallery/sidecar.h"
#include "tests/backend/library_faults.h"
#include "tests/backend/local_backends.h"

using namespace polyptych;
using namespace polyptych::tests;
using backend::Backend;
using backend::Command;
using backend::CommandResult;

/// Marks, limits and readings through a whole backend.
class TestMarks : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_location = library::locationAt(m_folder->path(), library::Location::Layout::Dated);
  }

  void marksAreInRowsAndFilesAndAreTakenBack() {
    LocalBackends backends;
    Backend& backend = backends.backend(m_location);
    backend.submit(sampleRun({}, 3));
    QVERIFY(backends.waitForEnd());
    const std::vector<qint64> pictures = ids();
    QCOMPARE(pictures.size(), std::size_t(3));
    QSignalSpy marked(&backend, &Backend::picturesMarked);
    Command mark;
    mark.kind = Command::Kind::Mark;
    mark.marks.pictures = {pictures[0], pictures[2]};
    mark.marks.stars = 4;
    mark.marks.addedTags = {"boat"};
    const CommandResult done = run(backend, mark);
    QVERIFY(!done.error);
    QCOMPARE(done.changed, 2);
    QVERIFY(done.undoId != 0);
    QCOMPARE(marked.size(), 1);
    QCOMPARE(marked[0][0].value<std::vector<qint64>>(), (std::vector<qint64>{pictures[0], pictures[2]}));
    QTRY_COMPARE(sidecarOf(pictures[0]).stars, 4);
    QTRY_COMPARE(sidecarOf(pictures[2]).tags, QStringList{"boat"});
    QVERIFY(sidecarOf(pictures[1]).isEmpty());
    Command undo;
    undo.kind = Command::Kind::Undo;
    undo.undoId = done.undoId;
    QVERIFY(!run(backend, undo).error);
    QCOMPARE(marked.size(), 2);
    QTRY_VERIFY(sidecarOf(pictures[0]).isEmpty() && sidecarOf(pictures[2]).isEmpty());
    QVERIFY(run(backend, undo).error);  // once
    mark.marks.stars = 6;
    const CommandResult refused = run(backend, mark);
    QVERIFY(refused.error && refused.error->code == base::ErrorCode::InvalidArgument);
  }

  /// The next backend writes what the one before it could not.
  void sidecarsThatAreBehindAreWrittenByTheNextBackend() {
    std::vector<qint64> pictures;
    {
      LocalBackends backends;
      backends.backend(m_location).submit(sampleRun({}, 1));
      QVERIFY(backends.waitForEnd());
      pictures = ids();
    }
    {
      auto database = library::Database::open(m_location.databaseFile(), library::Database::Mode::ReadWrite);
      QVERIFY((*database)->change("INSERT INTO ratings(picture, stars) VALUES (?, 5)", {pictures[0]}).isOk());
      QVERIFY((*database)->change("INSERT INTO stale_sidecars(picture, revision) VALUES (?, 1)", {pictures[0]}).isOk());
    }
    LocalBackends backends;
    backends.backend(m_location);
    QTRY_COMPARE(sidecarOf(pictures[0]).stars, 5);
  }

  void manyPicturesAtOnce() {
    LocalBackends backends({"--step-ms", "0"});
    Backend& backend = backends.backend(m_location);
    backend.submit(sampleRun({}, 300, 2, 4));
    QVERIFY(backends.waitForEnd());
    Command mark;
    mark.kind = Command::Kind::Mark;
    mark.marks.pictures = ids();
    mark.marks.pick = 1;
    QCOMPARE(run(backend, mark).changed, 300);
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
          for (const qint64 picture : mark.marks.pictures) {
            if (sidecarOf(picture).pick != 1) {
              return false;
            }
          }
          return true;
        }(),
        kPatienceMs);
  }

  void limitsAreKept() {
    {
      LocalBackends backends;
      Backend& backend = backends.backend(m_location);
      QSignalSpy changed(&backend, &Backend::limitsChanged);
      Command command;
      command.kind = Command::Kind::SetLimits;
      command.limits = quickLimits();
      command.limits->deviceBreaker = 17;
      QVERIFY(!run(backend, command).error);
      QCOMPARE(changed.size(), 1);
      command.limits->restartFactor = 0.1;
      QVERIFY(run(backend, command).error);
      QCOMPARE(changed.size(), 1);
    }
    LocalBackends later;
    later.limits().deviceBreaker = 3;
    Backend& backend = later.backend(m_location);
    QSignalSpy told(&backend, &Backend::limitsChanged);
    backend.refresh();
    QCOMPARE(told.size(), 1);
    QCOMPARE(told[0][0].value<pool::SupervisionLimits>().deviceBreaker, 17);
    LocalBackends fixed;
    fixed.limits().deviceBreaker = 3;
    fixed.options().areLimitsFixed = true;
    later.destroy();
    Backend& other = fixed.backend(m_location);
    QSignalSpy asGiven(&other, &Backend::limitsChanged);
    other.refresh();
    QCOMPARE(asGiven[0][0].value<pool::SupervisionLimits>().deviceBreaker, 3);
  }

  void devicesAreMeasuredWhileSomebodyWantsIt() {
    LocalBackends backends;
    Backend& backend = backends.backend(m_location);
    QSignalSpy measured(&backend, &Backend::devicesMeasured);
    backend.submit(sampleRun({}, 1));
    QVERIFY(backends.waitForEnd());
    QVERIFY(measured.isEmpty());
    backend.watchDevices(true);
    QTRY_VERIFY_WITH_TIMEOUT(measured.size() >= 2, kPatienceMs);
    const auto readings = measured.back()[0].value<std::vector<backend::DeviceReading>>();
    QCOMPARE(readings[0].deviceId, QString("cpu"));
    QVERIFY(readings[0].usedBytes > 0 && readings[0].usedBytes <= readings[0].totalBytes);
    QVERIFY(readings[0].oursBytes > 0);
    backend.watchDevices(false);
    QTest::qWait(0);
    measured.clear();
    QTest::qWait(1500);  // longer than a period
    QVERIFY(measured.isEmpty());
  }

 private:
  CommandResult run(Backend& backend, const Command& command) {
    QSignalSpy done(&backend, &Backend::commandDone);
    backend.control(command);
    return QTest::qWaitFor([&] { return !done.isEmpty(); }, kPatienceMs) ? done[0][0].value<CommandResult>() : CommandResult{};
  }
  std::vector<qint64> ids() const {
    std::vector<qint64> list;
    const auto reader = gallery::PictureReader::open(m_location);
    const auto page = (*reader)->page({}, gallery::PictureOrder::Oldest, 1000);
    for (const gallery::PictureRow& row : *page) {
      list.push_back(row.id);
    }
    return list;
  }
  gallery::PictureMarks sidecarOf(qint64 picture) const {
    const auto reader = gallery::PictureReader::open(m_location);
    const auto details = (*reader)->details(picture);
    const auto marks = gallery::readSidecar((**details).row.path);
    return marks ? *marks : gallery::PictureMarks{-1, 0, {}, {}, {}};
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  library::Location m_location;
};

QTEST_GUILESS_MAIN(TestMarks)
#include "tst_marks.moc"
