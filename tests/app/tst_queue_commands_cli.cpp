#include <QTest>

#include "tests/app/cli_program.h"

using namespace polyptych;
using tests::Ended;
using tests::Json;

/// `queue requeue`, `queue dismiss` and `limits`, beside a library whose run has failed pictures.
class TestQueueCommandsCli : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    qputenv("POLYPTYCH_WORKER", POLYPTYCH_FAKE_WORKER_PATH);
    m_cli = std::make_unique<tests::CliProgram>();
    // Picture 1 fails on the only device.
    const Ended made = m_cli->run({"generate",
                                   "--library",
                                   m_cli->path("library"),
                                   "--model",
                                   m_cli->path("모델"),
                                   "--worker",
                                   POLYPTYCH_FAKE_WORKER_PATH,
                                   "--width",
                                   "64",
                                   "--height",
                                   "64",
                                   "--steps",
                                   "4",
                                   "--devices",
                                   "cpu",
                                   "--seed",
                                   "5",
                                   "--json",
                                   "--worker-argument=--behave=fail-unit",
                                   "--worker-argument=--only-index=1",
                                   "a cat",
                                   "a dog",
                                   "a boat"});
    QVERIFY2(made.code == 1, made.said.constData());
  }

  void asksAgainForWhatFailedWithChanges() {
    const Ended asked = queue({"requeue", "--steps", "7", "--seed", "100", "--width", "128"});
    QVERIFY2(asked.code == 0, asked.said.constData());
    const Json answer = Json::parse(asked.output.toStdString());
    QVERIFY(answer["changed"] == 1);
    QVERIFY(answer["runs"] == 1);
    QTRY_VERIFY_WITH_TIMEOUT(runs()[0]["state"] == "finished", tests::kPatienceMs);
    const Json all = runs();
    QVERIFY(all.size() == 2);
    QVERIFY(all[0]["made"] == 1);
    QVERIFY2(all[1]["failed"] == 0 && all[1]["cancelled"] == 1 && all[1]["made"] == 2, all.dump().c_str());
    const Json pictures =
        Json::parse(m_cli->run({"pictures", "--library", m_cli->path("library"), "--run", "2", "--json"}).output.toStdString());
    QVERIFY(pictures.size() == 1);
    QVERIFY(pictures[0]["prompt"] == "a dog");
    QVERIFY(pictures[0]["seed"] == 100);
    QVERIFY(pictures[0]["width"] == 128 && pictures[0]["height"] == 64);
    // What was asked for again is not asked for a third time; taking it back is possible.
    QCOMPARE(queue({"requeue"}).code, 2);
    QCOMPARE(queue({"undo", QByteArray::number(answer["undo"].get<int>())}).code, 0);
    QVERIFY(runs()[1]["failed"] == 1);
  }

  void dismissesWhatFailed() {
    const Ended dismissed = queue({"dismiss", "--run", "1"});
    QVERIFY2(dismissed.code == 0, dismissed.said.constData());
    QVERIFY(runs()[0]["failed"] == 0 && runs()[0]["cancelled"] == 1);
  }

  void movesToTheEndWhereNoPlaceIsNamed() {
    QCOMPARE(queue({"move"}).code, 2);
    const Ended moved = queue({"move", "1"});
    QVERIFY2(moved.code == 0, moved.said.constData());
    const Json answer = Json::parse(moved.output.toStdString());
    // It waits no more: nothing was moved, and there is nothing to take back.
    QVERIFY(answer["changed"] == 0 && !answer.contains("undo"));
  }

  void showsAndChangesLimits() {
    const auto limits = [&](QByteArrayList words) {
      return m_cli->run(QByteArrayList{"limits", "--library", m_cli->path("library"), "--json"} + words);
    };
    const Json before = Json::parse(limits({}).output.toStdString());
    QVERIFY(before["stopAfter"].is_null());
    const Ended changed = limits({"stopAfter=60000", "deviceBreaker=9"});
    QVERIFY2(changed.code == 0, changed.said.constData());
    const Json after = Json::parse(limits({}).output.toStdString());
    QVERIFY(after["stopAfter"] == 60000 && after["deviceBreaker"] == 9);
    QVERIFY(after["overallBreaker"] == before["overallBreaker"]);
    QCOMPARE(limits({"deviceBreaker=-1"}).code, 2);
    QCOMPARE(limits({"nothing=1"}).code, 2);
    QCOMPARE(limits({"deviceBreaker"}).code, 2);
    QVERIFY(m_cli->run({"limits", "--library", m_cli->path("library")}).output.contains("deviceBreaker=9\n"));
  }

  void refusesEditsElsewhere() {
    QCOMPARE(queue({"retry", "--steps", "3"}).code, 2);
    QCOMPARE(queue({"requeue", "--run", "77"}).code, 2);
  }

 private:
  Ended queue(const QByteArrayList& words) {
    return m_cli->run(QByteArrayList{"queue"} + words + QByteArrayList{"--library", m_cli->path("library"), "--json"});
  }
  Json runs() { return Json::parse(m_cli->run({"runs", "--library", m_cli->path("library"), "--json"}).output.toStdString()); }

  std::unique_ptr<tests::CliProgram> m_cli;
};

QTEST_GUILESS_MAIN(TestQueueCommandsCli)
#include "tst_queue_commands_cli.moc"
