#include <QtTest>

#include "core/backend/recorder.h"
#include "core/queue/jobs.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using backend::Recorded;
using backend::Recorder;
using queue::AttemptOutcome;
using queue::JobState;
using tests::SampleLibrary;

/// A job belongs to one attempt at a time; what an older one brings late is refused. Units of two pictures: jobs 1, 2, 3.
class TestFencing : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_library = std::make_unique<SampleLibrary>();
    m_record = tests::recordOf(1, {"a", "b", "c", "d", "e", "f"}, "2026/1");
    m_library->addRun(m_record);
  }

  void aLeasedJobIsNotGivenAgain() {
    const queue::Lease first = lease(1);
    QCOMPARE(first.number, 1);
    QCOMPARE(first.requests.size(), std::size_t(2));
    const auto second = queue::lease(*m_library->database, 1, "cpu:1", true, 20);
    QVERIFY(second && !*second);
    QCOMPARE(m_library->number("SELECT count(*) FROM attempts"), 1);
  }

  void anOldAttemptEndsNothing_data() {
    QTest::addColumn<int>("outcome");
    QTest::addColumn<int>("next");
    QTest::newRow("done") << int(AttemptOutcome::Done) << int(JobState::Done);
    QTest::newRow("failed") << int(AttemptOutcome::Failed) << int(JobState::Failed);
    QTest::newRow("lost") << int(AttemptOutcome::WorkerLost) << int(JobState::Waiting);
    QTest::newRow("cancelled") << int(AttemptOutcome::Cancelled) << int(JobState::Cancelled);
  }
  void anOldAttemptEndsNothing() {
    QFETCH(const int, outcome);
    QFETCH(const int, next);
    const queue::Lease old = lease(1);
    QVERIFY(queue::recover(*m_library->database, 0, 30).isOk());
    const queue::Lease current = lease(1);
    QVERIFY(current.number > old.number);
    queue::AttemptEnd end;
    end.jobId = 1;
    end.lease = old.number;
    end.outcome = static_cast<AttemptOutcome>(outcome);
    end.next = static_cast<JobState>(next);
    end.error = base::Error{base::ErrorCode::Internal, "Too late.", {}};
    const auto late = queue::endAttempt(*m_library->database, end);
    QVERIFY(late && !*late);
    QCOMPARE(m_library->number("SELECT state FROM jobs WHERE id = 1"), int(JobState::Leased));
    QCOMPARE(m_library->number("SELECT deaths FROM jobs WHERE id = 1"), 1);  // the end of the backend
    QCOMPARE(m_library->number("SELECT failed + cancelled FROM runs"), 0);
    // The attempt's own end stands as it was told first.
    QCOMPARE(m_library->number("SELECT outcome FROM attempts WHERE lease = ?", {old.number}), int(AttemptOutcome::BackendLost));
    end.lease = current.number;
    const auto inTime = queue::endAttempt(*m_library->database, end);
    QVERIFY(inTime && *inTime);
    QCOMPARE(m_library->number("SELECT state FROM jobs WHERE id = 1"), next);
    QVERIFY(!*queue::endAttempt(*m_library->database, end));  // once
  }

  void whatWasOnlyReservedIsNoDeath() {
    QVERIFY(queue::lease(*m_library->database, 1, "cpu:0", false, 10).isOk());
    lease(2);
    const auto recovered = queue::recover(*m_library->database, 1, 30);
    QVERIFY(recovered.isOk());
    QCOMPARE(recovered->interrupted, 1);
    QCOMPARE(recovered->parked, 1);
    QCOMPARE(m_library->number("SELECT state FROM jobs WHERE id = 1"), int(JobState::Waiting));
    QCOMPARE(m_library->number("SELECT state FROM jobs WHERE id = 2"), int(JobState::Parked));
  }

  /// The pictures of an old attempt come when another has the job: no row, no count; the file is what the other will make too.
  void picturesOfAnOldAttemptAreRefused() {
    const queue::Lease old = lease(1);
    QVERIFY(queue::recover(*m_library->database, 0, 30).isOk());
    const queue::Lease current = lease(1);
    library::Writer writer(m_library->location.databaseFile());
    Recorder recorder(writer, std::chrono::seconds(20));
    auto files = std::make_shared<backend::RunFiles>();
    files->path = m_library->folderOf(m_record);
    files->fingerprint = m_record.fingerprint;
    files->runId = m_record.id;
    const auto save = [&](const queue::Lease& of) {
      backend::UnitRecord unit;
      unit.files = files;
      unit.jobId = of.jobId;
      unit.lease = of.number;
      for (std::size_t i = 0; i < 2; ++i) {
        unit.pictures.push_back(tests::metadataOf(m_record, i));
        const QByteArray png = tests::pngOf(unit.pictures.back());
        const auto* bytes = reinterpret_cast<const std::byte*>(png.constData());
        unit.pngs.emplace_back(bytes, bytes + png.size());
        unit.isPresent.push_back(false);
        unit.promptRows.push_back(of.promptRows[i]);
        unit.settingsRows.push_back(of.settingsRows[i]);
      }
      std::optional<base::Result<Recorded>> answer;
      recorder.saveUnit(std::move(unit), [&](const base::Result<Recorded>& recorded) { answer = recorded; });
      [&] { QTRY_VERIFY(answer.has_value()); }();
      return *answer;
    };
    const auto late = save(old);
    QVERIFY(late.isOk());
    QVERIFY(late->isRefused);
    QCOMPARE(m_library->number("SELECT count(*) FROM pictures"), 0);
    QCOMPARE(m_library->number("SELECT made FROM runs"), 0);
    QVERIFY(tests::readFile(files->path + "/manifest.jsonl").isEmpty());
    const auto inTime = save(current);
    QVERIFY(inTime.isOk());
    QVERIFY(!inTime->isRefused);
    QVERIFY(inTime->saved == std::vector<gallery::RunFolder::Saved>(2, gallery::RunFolder::Saved::Equal));
    QCOMPARE(m_library->number("SELECT count(*) FROM pictures"), 2);
    QCOMPARE(m_library->number("SELECT made FROM runs"), 2);
    QCOMPARE(tests::readFile(files->path + "/manifest.jsonl").count('\n'), 2);
    QVERIFY(recorder.finish());
  }

 private:
  queue::Lease lease(qint64 job) {
    const auto given = queue::lease(*m_library->database, job, "cpu:0", true, 10);
    [&] { QVERIFY(given && *given); }();
    return **given;
  }

  std::unique_ptr<SampleLibrary> m_library;
  library::RunRecord m_record;
};

QTEST_GUILESS_MAIN(TestFencing)
#include "tst_fencing.moc"
