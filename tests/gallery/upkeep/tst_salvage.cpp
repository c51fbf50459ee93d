#include "core/gallery/upkeep/salvage.h"

#include <QSqlRecord>
#include <QtTest>

#include "core/gallery/mark_changes.h"
#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/opening.h"
#include "core/gallery/upkeep/rebuild.h"
#include "core/queue/changes.h"
#include "core/queue/jobs.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using queue::AttemptOutcome;
using queue::JobState;
using tests::SampleLibrary;

namespace {

gallery::RebuildOptions options() {
  gallery::RebuildOptions options;
  options.insertRun = queue::insertRun;
  return options;
}

QStringList prompts(int count) {
  QStringList list;
  for (int i = 0; i < count; ++i) {
    list << QStringLiteral("a cat, %1").arg(i);
  }
  return list;
}

}  // namespace

/// What a rebuild takes over from the index before it. Units of two pictures: run 1 has the jobs 1 to 5, run 2 6 to 8.
class TestSalvage : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_library = std::make_unique<SampleLibrary>();
    m_first = tests::recordOf(1, prompts(10), "2026-01-01/0001-a");
    m_second = tests::recordOf(2, prompts(6), "2026-01-02/0002-a");
    m_library->addRun(m_first);
    m_library->addRun(m_second);
  }

  void theQueueIsWhatItWas() {
    auto& database = *m_library->database;
    attempt(1, AttemptOutcome::Done, JobState::Done);
    m_library->addPicture(m_first, 0);
    m_library->addPicture(m_first, 1);
    attempt(2, AttemptOutcome::WorkerLost, JobState::Waiting, "The worker died.");
    attempt(2, AttemptOutcome::WorkerLost, JobState::Parked, "It ended two workers; it is set aside.");
    attempt(3, AttemptOutcome::Failed, JobState::Failed, "It could not be made.");
    QVERIFY(queue::cancelWaiting(database, {{7}, 0}, 5).isOk());
    QVERIFY(queue::moveToFront(database, {{8}, 0}, 5).isOk());
    QVERIFY(queue::setRunPaused(database, 2, true).isOk());
    QVERIFY(database.setMeta("limits", "{}").isOk() && database.setMeta("paused", 1).isOk() &&
            database.setMeta("clean", 0).isOk());
    const QString before = queueOf();
    QCOMPARE(before.section('\n', 0, 0), QString("1/1 made 2 failed 4 cancelled 0 of 10 state 0 paused 0"));

    const auto rebuilt = gallery::rebuild(m_library->location, options());
    QVERIFY2(rebuilt.isOk(), rebuilt ? "" : rebuilt.error().detail.c_str());
    QVERIFY(rebuilt->isQueueKnown);
    QCOMPARE(rebuilt->waiting, qint64(4 + 4));
    m_library->open();
    QCOMPARE(queueOf(), before);
    QCOMPARE(m_library->database->meta("limits")->toString(), QString("{}"));
    QCOMPARE(m_library->database->meta("paused")->toInt(), 1);
    QVERIFY(m_library->database->meta("clean")->isNull());
    // What was cancelled and what failed can be asked for again.
    const auto retried = queue::retry(*m_library->database, {{2, 3, 7}, 0});
    QVERIFY(retried.isOk());
    QCOMPARE(retried->pictures, qint64(6));
  }

  /// An attempt that was going on ended with its backend: a death of the job, unless it had made the pictures.
  void whatWasInWorkWaits() {
    lease(1);
    lease(4);
    m_library->addPicture(m_first, 0);
    m_library->addPicture(m_first, 1);
    QVERIFY(m_library->database->change("UPDATE jobs SET state = 1 WHERE id = 1").isOk());  // killed between file and row
    QVERIFY(m_library->database->change("DELETE FROM pictures").isOk());
    QVERIFY(gallery::rebuild(m_library->location, options()).isOk());
    m_library->open();
    QCOMPARE(column("SELECT state, lease, deaths FROM jobs WHERE id IN (1, 4) ORDER BY id"), QString("2 1 0;0 1 1"));
    QCOMPARE(column("SELECT job, outcome FROM attempts ORDER BY job"), QString("1 0;4 4"));
  }

  /// Files stay the truth.
  void aPictureThatIsGoneIsMadeAgain() {
    attempt(1, AttemptOutcome::Done, JobState::Done);
    m_library->addPicture(m_first, 0);
    m_library->addPicture(m_first, 1);
    QVERIFY(QFile::remove(m_library->pathOf(m_first, 1)));
    QVERIFY(gallery::rebuild(m_library->location, options()).isOk());
    m_library->open();
    QCOMPARE(column("SELECT state, lease FROM jobs WHERE id = 1"), QString("0 0"));
    QCOMPARE(column("SELECT count(*) FROM attempts"), QString("0"));
    QCOMPARE(column("SELECT made FROM runs WHERE id = 1"), QString("1"));
  }

  void marksWithoutASidecarAreKept() {
    const qint64 picture = m_library->addPicture(m_first, 3);
    gallery::MarkChange change;
    change.pictures = {picture};
    change.stars = 4;
    change.addedTags = QStringList{"바다"};
    std::vector<qint64> changed;
    QVERIFY(gallery::changeMarks(*m_library->database, change, 5, changed).isOk());
    QVERIFY(!QFileInfo::exists(m_library->pathOf(m_first, 3) + gallery::kSidecarEnd));
    QVERIFY(gallery::rebuild(m_library->location, options()).isOk());
    m_library->open();
    const auto id = m_library->number("SELECT id FROM pictures WHERE run = 1 AND idx = 3");
    const auto marks = gallery::readMarks(*m_library->database, id);
    QVERIFY(marks && marks->stars == 4 && marks->tags == QStringList{"바다"});
    QCOMPARE(m_library->number("SELECT count(*) FROM stale_sidecars"), qint64(1));
  }

  void aRunThatHadFailedStaysSo() {
    QVERIFY(queue::failRun(*m_library->database, 2, {ErrorCode::ModelUnusable, "It lacks tensors.", {}}).isOk());
    const QString before = queueOf();
    QVERIFY(gallery::rebuild(m_library->location, options()).isOk());
    m_library->open();
    QCOMPARE(queueOf(), before);
    QCOMPARE(column("SELECT state, error_message FROM runs WHERE id = 2"), QString("3 It lacks tensors."));
  }

  /// Runs that the old index does not know, or knows otherwise, wait behind the others.
  void whatTheOldIndexDoesNotKnowWaitsBehind() {
    QVERIFY(queue::moveToFront(*m_library->database, {{8}, 0}, 5).isOk());
    const auto third = tests::recordOf(3, prompts(2), "2025-01-01/0003-early");
    tests::writeFile(m_library->runFileOf(third), library::toRunFile(third));
    QVERIFY(gallery::rebuild(m_library->location, options()).isOk());
    m_library->open();
    QCOMPARE(column("SELECT run FROM jobs WHERE state = 0 ORDER BY rank"), QString("2;1;1;1;1;1;2;2;3"));
  }

  /// An index with pages that are lost: whatever can be read is kept, nothing of it is believed against the files, and a new
  /// index is whole.
  void aDamagedIndexGivesWhatItCan() {
    attempt(2, AttemptOutcome::Failed, JobState::Failed, "It could not be made.");
    QVERIFY(queue::cancelWaiting(*m_library->database, {{7}, 0}, 5).isOk());
    QVERIFY(m_library->database->value("PRAGMA wal_checkpoint(TRUNCATE)").isOk());
    m_library->database.reset();
    const QByteArray whole = tests::readFile(m_library->location.databaseFile());
    constexpr qsizetype kPage = 4096;
    int known = 0;
    int rebuilt = 0;
    int withFailure = 0;
    for (qsizetype page = 0; page < whole.size() / kPage; ++page) {
      QByteArray damaged = whole;
      damaged.replace(page * kPage, kPage, QByteArray(kPage, '\x5a'));
      for (const char* end : {"-wal", "-shm"}) {
        QFile::remove(m_library->location.databaseFile() + end);
      }
      tests::writeFile(m_library->location.databaseFile(), damaged);
      const auto again = gallery::rebuild(m_library->location, options());
      QVERIFY2(again.isOk(), again ? "" : again.error().detail.c_str());
      ++rebuilt;
      known += again->isQueueKnown ? 1 : 0;
      m_library->open();
      QVERIFY(m_library->database->check().isOk());
      QCOMPARE(m_library->number("SELECT count(*) FROM jobs"), qint64(8));
      QCOMPARE(m_library->number("SELECT count(*) FROM jobs WHERE state NOT IN (0, 3, 5)"), qint64(0));
      QCOMPARE(m_library->number("SELECT sum(total - made - failed - cancelled) FROM runs"),
               m_library->number("SELECT sum(count) FROM jobs WHERE state = 0"));
      withFailure += m_library->number("SELECT count(*) FROM jobs WHERE id = 2 AND state = 3") == 1 ? 1 : 0;
      m_library->database.reset();
    }
    // Most pages are of other tables.
    QVERIFY2(withFailure > rebuilt / 2 && known > rebuilt / 2 && known < rebuilt,
             qPrintable(QStringLiteral("%1 pages, %2 known, %3 with the failure").arg(rebuilt).arg(known).arg(withFailure)));
  }

  void withoutAnOldIndexNothingIsKnown() {
    m_library->database.reset();
    QVERIFY(QFile::remove(m_library->location.databaseFile()));
    const auto rebuilt = gallery::rebuild(m_library->location, options());
    QVERIFY(rebuilt && !rebuilt->isQueueKnown);
    QCOMPARE(rebuilt->waiting, qint64(16));
  }

  /// What takes long is told before it begins.
  void anIndexThatWasNotClosedIsReadThrough() {
    QStringList told;
    gallery::RebuildOptions opening = options();
    opening.doing = [&](const QString& doing) { told << doing; };
    QVERIFY(m_library->database->setMeta("clean", 1).isOk());
    m_library->database.reset();
    QCOMPARE(gallery::openOrRebuild(m_library->location, opening)->kind, gallery::Opening::Kind::Opened);
    QCOMPARE(told, QStringList());
    m_library->open();
    QVERIFY(m_library->database->setMeta("clean", 0).isOk());
    // An index of a table that lacks a row: what a quick look does not find.
    QVERIFY(m_library->database->run("PRAGMA writable_schema=ON").isOk());
    QVERIFY(m_library->database
                ->run("UPDATE sqlite_master SET sql = 'CREATE INDEX jobs_failed ON jobs(rank) WHERE state = 0' WHERE name = "
                      "'jobs_failed'")
                .isOk());
    m_library->database.reset();
    const auto opened = gallery::openOrRebuild(m_library->location, opening);
    QVERIFY2(opened.isOk(), opened ? "" : opened.error().detail.c_str());
    QCOMPARE(opened->kind, gallery::Opening::Kind::Rebuilt);
    QVERIFY(opened->isQueueKnown);
    QCOMPARE(told.size(), 2);
    QVERIFY(told[0].contains("not closed") && told[1].contains("being made again"));
  }

 private:
  queue::Lease lease(qint64 job) {
    const auto given = queue::lease(*m_library->database, job, "cpu:0", true, 10);
    [&] { QVERIFY(given && *given); }();
    return **given;
  }
  void attempt(qint64 job, AttemptOutcome outcome, JobState next, const char* why = nullptr) {
    queue::AttemptEnd end;
    end.jobId = job;
    end.lease = lease(job).number;
    end.outcome = outcome;
    end.next = next;
    end.nowMs = 20;
    if (why != nullptr) {
      end.error = base::Error{ErrorCode::WorkerDied, why, {}};
    }
    const auto ended = queue::endAttempt(*m_library->database, end);
    QVERIFY(ended && *ended);
  }

  /// Rows with ";" between them, values with blanks.
  QString column(const char* sql) {
    auto rows = m_library->database->queryOnce(QString::fromUtf8(sql));
    QStringList list;
    while (rows && rows->next()) {
      QStringList values;
      for (int i = 0; i < rows->record().count(); ++i) {
        values << rows->value(i).toString();
      }
      list << values.join(' ');
    }
    return list.join(';');
  }

  /// Runs, jobs in their order, attempts.
  QString queueOf() {
    QStringList lines;
    auto rows = m_library->database->queryOnce(
        QStringLiteral("SELECT id, number, made, failed, cancelled, total, state, is_paused FROM runs ORDER BY id"));
    while (rows && rows->next()) {
      lines << QStringLiteral("%1/%2 made %3 failed %4 cancelled %5 of %6 state %7 paused %8")
                   .arg(rows->value(0).toString(), rows->value(1).toString(), rows->value(2).toString(),
                        rows->value(3).toString(), rows->value(4).toString(), rows->value(5).toString(),
                        rows->value(6).toString(), rows->value(7).toString());
    }
    lines << column("SELECT id, run, state, lease, deaths, error_code, error_message FROM jobs WHERE state <> 2 ORDER BY rank");
    lines << column(
        "SELECT job, lease, device, started, ended, outcome, error_code, error_message FROM attempts ORDER BY job, lease");
    return lines.join('\n');
  }

  std::unique_ptr<SampleLibrary> m_library;
  library::RunRecord m_first;
  library::RunRecord m_second;
};

QTEST_GUILESS_MAIN(TestSalvage)
#include "tst_salvage.moc"
