#include "core/queue/changes.h"

#include "core/queue/jobs.h"
#include "core/queue/queue_reader.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using queue::Changed;
using queue::JobState;
using tests::SampleLibrary;

namespace {

QStringList prompts(int count, const QString& word = "a cat") {
  QStringList list;
  for (int i = 0; i < count; ++i) {
    list << QStringLiteral("%1, %2").arg(word).arg(i);
  }
  return list;
}

}  // namespace

/// Changes of the queue's rows, and the queue as readers see it. Units of two pictures: jobs 1, 2, 3... in their order.
class TestQueueChanges : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_library = std::make_unique<SampleLibrary>();
    m_library->addRun(tests::recordOf(1, prompts(6), "2026/1"));
    m_library->addRun(tests::recordOf(2, prompts(4, "a dog"), "2026/2"));
  }

  void cancelAndUndoOfAllOfSomeAndOfARun_data() {
    QTest::addColumn<QList<qint64>>("jobs");
    QTest::addColumn<quint64>("run");
    QTest::addColumn<QString>("states");     // of jobs 1 to 5
    QTest::addColumn<QString>("cancelled");  // of runs 1 and 2
    QTest::newRow("all") << QList<qint64>() << quint64(0) << "5 5 5 5 5"
                         << "6 4";
    QTest::newRow("a run") << QList<qint64>() << quint64(2) << "0 0 0 5 5"
                           << "0 4";
    QTest::newRow("some") << QList<qint64>{4, 2, 2, 777} << quint64(0) << "0 5 0 5 0"
                          << "2 2";
    QTest::newRow("none of those") << QList<qint64>{777} << quint64(0) << "0 0 0 0 0"
                                   << "0 0";
  }
  void cancelAndUndoOfAllOfSomeAndOfARun() {
    QFETCH(QList<qint64>, jobs);
    QFETCH(quint64, run);
    QFETCH(QString, states);
    QFETCH(QString, cancelled);
    const auto done = queue::cancelWaiting(*m_library->database, {{jobs.begin(), jobs.end()}, run}, 5);
    QVERIFY2(done.isOk(), done ? "" : done.error().detail.c_str());
    QCOMPARE(this->states(), states);
    QCOMPARE(column("SELECT cancelled FROM runs ORDER BY id"), cancelled);
    QCOMPARE(done->pictures, cancelled.split(' ')[0].toInt() + cancelled.split(' ')[1].toInt());
    const auto back = queue::undo(*m_library->database, done->undoId);
    QCOMPARE(back.isOk(), done->pictures > 0);
    QCOMPARE(this->states(), QString("0 0 0 0 0"));
    QCOMPARE(column("SELECT cancelled FROM runs ORDER BY id"), QString("0 0"));
    QVERIFY(!queue::undo(*m_library->database, done->undoId).isOk());
  }

  void picturesThatAreThereAreNotCountedAgain() {
    const auto record = tests::recordOf(1, prompts(6), "2026/1");
    m_library->addPicture(record, 0);
    run("UPDATE runs SET already_there = 1 WHERE id = 1");
    const auto done = queue::cancelWaiting(*m_library->database, {{1}, 0}, 5);
    QCOMPARE(done->pictures, 1);
    QCOMPARE(queue::undo(*m_library->database, done->undoId)->pictures, 1);
  }

  void failedJobsAreDismissedAndComeBackAsFailed() {
    run("UPDATE jobs SET state = 3 WHERE id = 1");
    run("UPDATE jobs SET state = 4 WHERE id = 4");
    run("UPDATE runs SET failed = 2, state = id - 1");  // the second is over
    const auto done = queue::dismiss(*m_library->database, {}, 5);
    QCOMPARE(done->pictures, 4);
    QCOMPARE(states(), QString("5 0 0 5 0"));
    QCOMPARE(column("SELECT failed || '/' || cancelled FROM runs ORDER BY id"), QString("0/2 0/2"));
    QVERIFY(queue::undo(*m_library->database, done->undoId).isOk());
    QCOMPARE(states(), QString("3 0 0 4 0"));
    QCOMPARE(column("SELECT failed || '/' || cancelled FROM runs ORDER BY id"), QString("2/0 2/0"));
  }

  void retryOpensARunThatWasOver() {
    run("UPDATE jobs SET state = CASE id WHEN 1 THEN 3 WHEN 2 THEN 4 WHEN 3 THEN 5 ELSE state END, deaths = 2, error_code = 'x'");
    run("UPDATE runs SET failed = 4, cancelled = 2, state = 1 WHERE id = 1");
    QCOMPARE(queue::retry(*m_library->database, {})->pictures, 4);  // cancelled ones only if they are named
    QCOMPARE(states(), QString("0 0 5 0 0"));
    QCOMPARE(column("SELECT state || '/' || failed || '/' || cancelled FROM runs WHERE id = 1"), QString("0/0/2"));
    QCOMPARE(column("SELECT deaths FROM jobs WHERE id = 1"), QString("0"));
    QCOMPARE(queue::retry(*m_library->database, {{3}, 0})->pictures, 2);
    QCOMPARE(states(), QString("0 0 0 0 0"));
  }

  void moves_data() {
    QTest::addColumn<QList<qint64>>("jobs");
    QTest::addColumn<quint64>("run");
    QTest::addColumn<qint64>("before");  // 0: to the end; -1: to the front
    QTest::addColumn<QString>("order");
    QTest::newRow("to the front, in their order") << QList<qint64>{5, 3} << quint64(0) << qint64(-1) << "3 5 1 2 4";
    QTest::newRow("a run to the front") << QList<qint64>() << quint64(2) << qint64(-1) << "4 5 1 2 3";
    QTest::newRow("to the end, in their order") << QList<qint64>{3, 1} << quint64(0) << qint64(0) << "2 4 5 1 3";
    QTest::newRow("a run to the end") << QList<qint64>() << quint64(1) << qint64(0) << "4 5 1 2 3";
    QTest::newRow("before another") << QList<qint64>{5, 1} << quint64(0) << qint64(3) << "2 1 5 3 4";
    QTest::newRow("before one of themselves") << QList<qint64>{5, 3, 1} << quint64(0) << qint64(3) << "2 1 5 3 4";
    QTest::newRow("before the first") << QList<qint64>{4} << quint64(0) << qint64(1) << "4 1 2 3 5";
  }
  void moves() {
    QFETCH(QList<qint64>, jobs);
    QFETCH(quint64, run);
    QFETCH(qint64, before);
    QFETCH(QString, order);
    const queue::Selection selection{{jobs.begin(), jobs.end()}, run};
    const auto done = before < 0 ? queue::moveToFront(*m_library->database, selection, 5)
                                 : queue::moveBefore(*m_library->database, selection, before, 5);
    QVERIFY(done.isOk());
    QCOMPARE(column("SELECT id FROM jobs ORDER BY rank"), order);
    QVERIFY(done->pictures > 0);
    const auto back = queue::undo(*m_library->database, done->undoId);
    QVERIFY(back.isOk());
    QCOMPARE(back->pictures, done->pictures);
    QCOMPARE(column("SELECT id FROM jobs ORDER BY rank"), QString("1 2 3 4 5"));
    QVERIFY(!queue::undo(*m_library->database, done->undoId).isOk());
    // And where there is no room between neighbours.
    this->run("UPDATE jobs SET rank = id");
    const auto tight = queue::moveBefore(*m_library->database, {{5}, 0}, 2, 5);
    QVERIFY(tight.isOk());
    QCOMPARE(column("SELECT id FROM jobs ORDER BY rank"), QString("1 5 2 3 4"));
    QVERIFY(queue::undo(*m_library->database, tight->undoId).isOk());
    QCOMPARE(column("SELECT id FROM jobs ORDER BY rank"), QString("1 2 3 4 5"));
    QVERIFY(!queue::moveBefore(*m_library->database, {{1}, 0}, 777, 5).isOk());
  }

  void aMoveOfNothingCannotBeUndone() {
    const auto done = queue::moveToFront(*m_library->database, {{777}, 0}, 5);
    QCOMPARE(done->undoId, 0);
    QCOMPARE(column("SELECT count(*) FROM undos"), QString("0"));
  }

  void undoOfAMoveTouchesOnlyWhatStillWaits() {
    const auto done = queue::moveToFront(*m_library->database, {{4, 5}, 0}, 5);
    run("UPDATE jobs SET state = 2 WHERE id = 4");
    const auto back = queue::undo(*m_library->database, done->undoId);
    QCOMPARE(back->pictures, 2);
    QCOMPARE(column("SELECT id FROM jobs WHERE state = 0 ORDER BY rank"), QString("1 2 3 5"));
    const auto again = queue::moveToFront(*m_library->database, {{5}, 0}, 5);
    run("UPDATE jobs SET state = 2 WHERE id = 5");
    QVERIFY(!queue::undo(*m_library->database, again->undoId).isOk());
  }

  void nobodyComesBackToThePlaceOfAnother() {
    // The middle of the gap that a cancelled job leaves is its own place.
    const auto cancelled = queue::cancelWaiting(*m_library->database, {{2}, 0}, 5);
    QVERIFY(queue::moveBefore(*m_library->database, {{5}, 0}, 3, 5).isOk());
    QVERIFY(queue::undo(*m_library->database, cancelled->undoId).isOk());
    QCOMPARE(column("SELECT count(DISTINCT rank) FROM jobs"), QString("5"));
    QCOMPARE(column("SELECT id FROM jobs WHERE id <> 5 ORDER BY rank"), QString("1 2 3 4"));
  }

  void cancelledJobsMoveUpWithTheirNeighbours() {
    run("UPDATE jobs SET rank = id");
    const auto cancelled = queue::cancelWaiting(*m_library->database, {{3}, 0}, 5);
    QVERIFY(queue::moveBefore(*m_library->database, {{5}, 0}, 2, 5).isOk());
    QVERIFY(queue::undo(*m_library->database, cancelled->undoId).isOk());
    QCOMPARE(column("SELECT id FROM jobs ORDER BY rank"), QString("1 5 2 3 4"));
  }

  void readersSeePagesCountsAndWhatWasAskedFor() {
    run("UPDATE jobs SET state = CASE id WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 4 THEN 4 ELSE 0 END");
    const auto reader = queue::QueueReader::open(m_library->location);
    QVERIFY(reader.isOk());
    const auto first = (*reader)->jobs({}, {}, 2);
    QCOMPARE(first->size(), std::size_t(2));
    QCOMPARE((*first)[0].id, 2);
    QCOMPARE((*first)[0].prompt, QString("a cat, 2"));
    QCOMPARE((*first)[1].id, 3);
    const auto second = (*reader)->jobs({}, first->back().rank, 10);
    QCOMPARE(second->size(), std::size_t(2));
    QCOMPARE((*reader)->jobs({0, JobState::Done}, {}, 10)->size(), std::size_t(1));
    QCOMPARE((*reader)->jobs({2, {}}, {}, 10)->size(), std::size_t(2));
    const auto counts = (*reader)->counts(0);
    QCOMPARE(counts->waiting, 2);
    QCOMPARE(counts->done, 1);
    QCOMPARE(counts->failed, 1);
    QCOMPARE(counts->parked, 1);
    QCOMPARE((*reader)->counts(2)->parked, 1);
    QCOMPARE((*reader)->runs(0, 10)->size(), std::size_t(2));
    const auto asked = (*reader)->requestsOf({}, {JobState::Failed, JobState::Parked});
    QCOMPARE(asked->size(), std::size_t(4));
    const auto record = tests::recordOf(1, prompts(6), "2026/1");
    QVERIFY((*asked)[0] == record.requests[2] && (*asked)[1] == record.requests[3]);
    QCOMPARE((*asked)[2].prompt, std::string("a dog, 0"));
    QCOMPARE((*reader)->requestsOf({{2}, 0}, {JobState::Failed})->size(), std::size_t(2));
    QCOMPARE((*reader)->requestsOf({{}, 2}, {JobState::Failed})->size(), std::size_t(0));
    QCOMPARE((*reader)->requestsOf({{2}, 1}, {JobState::Failed})->size(), std::size_t(2));
    QCOMPARE((*reader)->requestsOf({{2}, 2}, {JobState::Failed})->size(), std::size_t(0));
  }

  void readersSeeWhatDevicesDid() {
    run("INSERT INTO attempts(job, lease, device, started, ended, outcome) VALUES (1, 1, 'cuda:0', 1000, 3000, 0), "
        "(2, 1, 'cuda:0', 3000, 9000, 0), (3, 1, 'cuda:0', 9000, 10000, 0), (4, 1, 'cpu:0', 1500, 1600, 2), "
        "(4, 2, 'cpu:0', 2000, NULL, NULL), (5, 1, 'cpu:0', NULL, NULL, NULL)");
    const auto reader = queue::QueueReader::open(m_library->location);
    const auto all = (*reader)->attempts(1500, 10);
    QCOMPARE(all->size(), std::size_t(4));
    QCOMPARE((*all)[0].device, QString("cpu:0"));
    QCOMPARE((*all)[0].outcome, std::optional(queue::AttemptOutcome::Failed));
    QVERIFY(!(*all)[1].endedMs && !(*all)[1].outcome);
    QCOMPARE((*all)[2].startedMs, 3000);
    QCOMPARE((*reader)->attempts(0, 2)->size(), std::size_t(2));
    QCOMPARE((*reader)->attemptsOf(4)->size(), std::size_t(2));
    const auto speeds = (*reader)->speeds();
    QCOMPARE(speeds->size(), std::size_t(1));
    QCOMPARE(speeds->front().device, QString("cuda:0"));
    QCOMPARE(speeds->front().modelName, QString("org/tiny"));
    QCOMPARE(speeds->front().attempts, 3);
    const auto request = tests::recordOf(1, {"x"}, {}).requests[0];
    QCOMPARE(speeds->front().secondsPerWork, 2.0 / (16.0 * 8 * request.steps * 2));
  }

 private:
  void run(const char* sql) {
    const auto done = m_library->database->change(sql);
    QVERIFY2(done.isOk(), done ? "" : done.error().detail.c_str());
  }
  QString column(const char* sql) {
    auto rows = m_library->database->queryOnce(QString::fromLatin1(sql));
    QStringList values;
    while (rows && rows->next()) {
      values << rows->value(0).toString();
    }
    return values.join(' ');
  }
  QString states() { return column("SELECT state FROM jobs ORDER BY id"); }

  std::unique_ptr<SampleLibrary> m_library;
};

QTEST_GUILESS_MAIN(TestQueueChanges)
#include "tst_queue_changes.moc"
