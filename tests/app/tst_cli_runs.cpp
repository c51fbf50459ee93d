#include <signal.h>
#include <unistd.h>

#include <QElapsedTimer>

#include "tests/app/cli_program.h"

using namespace polyptych;
using tests::Ended;
using tests::Json;
using tests::kPatienceMs;

/// Whole runs: what they make, how they end, and how they go on.
class TestCliRuns : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_cli = std::make_unique<tests::CliProgram>(); }
  void makesPictures();
  void makesEqualFilesWithAnyNumberOfWorkers();
  void takesLongestPromptsFromAFile();
  void goesOnWhereItStopped();
  void refusesTheFolderOfAnotherRun();
  void endsWithThreeWhenAWorkerCannotUseTheModel();
  void endsWithOneWhenPicturesFail_data();
  void endsWithOneWhenPicturesFail();
  void survivesAWorkerThatDiesOnce();
  void goesOnWithARunThatOutlivedItsFace();
  void refusesAMissingWorker();
  void stopsOnTheFirstSignal_data();
  void stopsOnTheFirstSignal();
  void leavesWhatIsNotItsOwn();
  void diesOnTheSecondInterrupt();
  void stopsWhenNobodyReads();

 private:
  std::unique_ptr<tests::CliProgram> m_cli;
};

void TestCliRuns::makesPictures() {
  const Ended ended =
      m_cli->run(m_cli->generate({"--devices", "cpu:2", "--images-per-prompt", "2", "a cat", "고양이 / 밤", "--", "-dash"}));
  QVERIFY2(ended.code == 0, ended.said.constData());
  for (const Json& event : ended.events()) {
    QVERIFY2(event.is_object() && event.contains("event"), event.dump().c_str());
  }
  QCOMPARE(ended.events("started").size(), std::size_t{1});
  QCOMPARE(ended.events("started")[0]["total"].get<int>(), 6);
  QCOMPARE(ended.events("picture").size(), std::size_t{6});
  QCOMPARE(ended.events("finished").size(), std::size_t{1});
  QCOMPARE(ended.events("finished")[0]["made"].get<int>(), 6);
  std::map<int, std::vector<int>> steps;
  for (const Json& progress : ended.events("progress")) {
    QCOMPARE(progress["stage"].get<std::string>(), std::string("denoising"));
    QCOMPARE(progress["steps"].get<int>(), 4);
    steps[progress["index"].get<int>()].push_back(progress["step"].get<int>());
  }
  QCOMPARE(steps.size(), std::size_t{6});
  for (const auto& [index, seen] : steps) {
    QVERIFY2(seen == (std::vector<int>{1, 2, 3, 4}), qPrintable(QString::number(index)));
  }
  const auto names = m_cli->pictures("out");
  QCOMPARE(names.size(), 6);
  QVERIFY(names[0].startsWith("00000-") && names[5].startsWith("00005-"));
  QVERIFY2(names[2].contains("고양이"), names[2].constData());
  const auto lines = m_cli->manifest("out");
  std::map<int, std::uint64_t> seeds;
  for (const Json& line : lines) {
    if (line.contains("index")) {
      seeds[line["index"].get<int>()] = line["seed"].get<std::uint64_t>();
    }
  }
  QCOMPARE(seeds.size(), std::size_t{6});
  for (const auto& [index, seed] : seeds) {
    QCOMPARE(seed, std::uint64_t{7} + static_cast<std::uint64_t>(index));
  }
}

void TestCliRuns::makesEqualFilesWithAnyNumberOfWorkers() {
  const QByteArrayList prompts = {"one", "two", "three", "four", "five", "--batch", "2"};
  const Ended first = m_cli->run(m_cli->generate(QByteArrayList{"--devices", "cpu", "--out", m_cli->path("first")} + prompts));
  QVERIFY2(first.code == 0, first.said.constData());
  for (const char* devices : {"cpu:2", "cpu:3"}) {
    const Ended ended =
        m_cli->run(m_cli->generate(QByteArrayList{"--devices", devices, "--out", m_cli->path(devices)} + prompts));
    QVERIFY2(ended.code == 0, ended.said.constData());
    QCOMPARE(m_cli->pictures(devices), m_cli->pictures("first"));
    for (const QByteArray& name : m_cli->pictures("first")) {
      QVERIFY(!m_cli->read(m_cli->path("first") + "/" + name).isEmpty());
      QCOMPARE(m_cli->read(m_cli->path(devices) + "/" + name), m_cli->read(m_cli->path("first") + "/" + name));
    }
  }
}

void TestCliRuns::takesLongestPromptsFromAFile() {
  m_cli->write("list.txt", "\xEF\xBB\xBF" + QByteArray(1 << 20, 'x') + "\r\n\r\na dog\r\n");
  const Ended ended = m_cli->run(m_cli->generate({"--prompts", "list.txt"}));
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(m_cli->pictures("out").size(), 2);
}

void TestCliRuns::goesOnWhereItStopped() {
  const QByteArrayList words = m_cli->generate({"one", "two", "three"});
  {
    const Ended ended = m_cli->run(words);
    QVERIFY2(ended.code == 0, ended.said.constData());
  }
  const auto names = m_cli->pictures("out");
  QCOMPARE(names.size(), 3);
  const QByteArray kept = m_cli->read(m_cli->path("out") + "/" + names[0]);
  const Ended complete = m_cli->run(words);
  QVERIFY2(complete.code == 0, complete.said.constData());
  QCOMPARE(complete.events("finished")[0]["already_there"].get<int>(), 3);
  QVERIFY(complete.events("progress").empty());
  QVERIFY(QFile::remove(QString::fromUtf8(m_cli->path("out") + "/" + names[1])));
  const Ended again = m_cli->run(words);
  QVERIFY2(again.code == 0, again.said.constData());
  QCOMPARE(again.events("finished")[0]["made"].get<int>(), 1);
  QCOMPARE(m_cli->pictures("out"), names);
  QCOMPARE(m_cli->read(m_cli->path("out") + "/" + names[0]), kept);
}

void TestCliRuns::refusesTheFolderOfAnotherRun() {
  const Ended made = m_cli->run(m_cli->generate({"one"}));
  QVERIFY2(made.code == 0, made.said.constData());
  const auto names = m_cli->pictures("out");
  const QByteArray before = m_cli->read(m_cli->path("out") + "/" + names[0]);
  const QByteArray lines = m_cli->read(m_cli->path("out") + "/manifest.jsonl");
  const Ended other = m_cli->run(m_cli->generate({"another"}));
  QVERIFY2(other.code == 2, other.error.constData());
  QCOMPARE(m_cli->pictures("out"), names);
  QCOMPARE(m_cli->read(m_cli->path("out") + "/" + names[0]), before);
  QCOMPARE(m_cli->read(m_cli->path("out") + "/manifest.jsonl"), lines);
}

void TestCliRuns::endsWithThreeWhenAWorkerCannotUseTheModel() {
  const Ended ended = m_cli->run(m_cli->generate({"one", "two"}, {"--behave=model-unusable"}));
  QVERIFY2(ended.code == 3, ended.error.constData());
  QVERIFY(ended.error.contains("polyptych-cli: "));
  QVERIFY(!ended.events("failed").empty());
  QVERIFY(m_cli->pictures("out").isEmpty());
}

void TestCliRuns::endsWithOneWhenPicturesFail_data() {
  QTest::addColumn<QByteArray>("behave");
  QTest::addColumn<QByteArray>("code");
  QTest::newRow("failed unit") << QByteArray("fail-unit") << QByteArray("internal");
  QTest::newRow("out of memory") << QByteArray("out-of-memory") << QByteArray("out_of_memory");
  QTest::newRow("died") << QByteArray("crash") << QByteArray("worker_died");
}

void TestCliRuns::endsWithOneWhenPicturesFail() {
  QFETCH(QByteArray, behave);
  QFETCH(QByteArray, code);
  const Ended ended = m_cli->run(m_cli->generate({"one", "two", "three"}, {"--behave=" + behave, "--only-index=1"}));
  QVERIFY2(ended.code == 1, ended.error.constData());
  const auto failed = ended.events("failed");
  QVERIFY(!failed.empty());
  QCOMPARE(failed[0]["index"].get<int>(), 1);
  QCOMPARE(QByteArray::fromStdString(failed[0]["code"].get<std::string>()), code);
  QVERIFY(!failed[0]["message"].get<std::string>().empty());
  QCOMPARE(m_cli->pictures("out").size(), 2);
}

void TestCliRuns::survivesAWorkerThatDiesOnce() {
  const Ended ended = m_cli->run(
      m_cli->generate({"--devices", "cpu:2", "one", "two", "three"}, {"--behave=crash-once", "--state=" + m_cli->path("state")}));
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(m_cli->pictures("out").size(), 3);
}

void TestCliRuns::goesOnWithARunThatOutlivedItsFace() {
  const QByteArrayList words =
      m_cli->generate({"--devices", "cpu:2", "one", "two", "three", "four", "five", "six"}, {"--step-ms=40"});
  for (int round = 0; round < 3; ++round) {
    QProcess face;
    m_cli->begin(face, words);
    QTRY_VERIFY_WITH_TIMEOUT(m_cli->pictures("out").size() > round || face.state() == QProcess::NotRunning, kPatienceMs);
    face.kill();
    face.waitForFinished();
  }
  const Ended ended = m_cli->run(words);
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(m_cli->pictures("out").size(), 6);
  QCOMPARE(m_cli->manifest("out").size(), std::size_t{6});
  QCOMPARE(ended.events("picture").size(), std::size_t{6});
}

void TestCliRuns::refusesAMissingWorker() {
  QByteArrayList words = m_cli->generate({"one"});
  words.replace(words.indexOf(POLYPTYCH_FAKE_WORKER_PATH), m_cli->path("no-worker"));
  const Ended ended = m_cli->run(words);
  QVERIFY2(ended.code == 2, ended.error.constData());
  QVERIFY2(ended.error.contains("no-worker"), ended.error.constData());
}

void TestCliRuns::stopsOnTheFirstSignal_data() {
  QTest::addColumn<int>("signal");
  QTest::addColumn<bool>("isForTheGroup");
  QTest::newRow("SIGINT") << SIGINT << false;
  QTest::newRow("SIGTERM") << SIGTERM << false;
  QTest::newRow("SIGHUP") << SIGHUP << false;
  QTest::newRow("Ctrl-C in a terminal") << SIGINT << true;  // reaches the workers too
}

void TestCliRuns::stopsOnTheFirstSignal() {
  QFETCH(int, signal);
  QFETCH(bool, isForTheGroup);
  const QByteArrayList words = m_cli->generate({"one", "two", "three"}, {"--step-ms=150"});
  QProcess process;
  process.setChildProcessModifier([] { ::setpgid(0, 0); });
  m_cli->begin(process, words);
  QByteArray output;
  QTRY_VERIFY_WITH_TIMEOUT((output += process.readAllStandardOutput()).contains("\"progress\""), kPatienceMs);
  const auto pid = static_cast<pid_t>(process.processId());
  ::kill(isForTheGroup ? -pid : pid, signal);
  const Ended ended = m_cli->finish(process);
  QVERIFY2(ended.code == 130, ended.error.constData());
  QVERIFY(ended.error.contains("Stopping"));
  QVERIFY(ended.events("finished")[0]["cancelled"].get<bool>());
  QVERIFY(m_cli->pictures("out").size() < 3);
  const Ended rest = m_cli->run(words);
  QVERIFY2(rest.code == 0, rest.error.constData());
  QCOMPARE(m_cli->pictures("out").size(), 3);
}

void TestCliRuns::leavesWhatIsNotItsOwn() {
  const QByteArrayList words = m_cli->generate({"one", "two", "three"});
  const Ended made = m_cli->run(words);
  QVERIFY2(made.code == 0, made.said.constData());
  const auto names = m_cli->pictures("out");
  const QByteArray second = m_cli->read(m_cli->path("out") + "/" + names[1]);
  QByteArray rows = m_cli->read(m_cli->path("out") + "/manifest.jsonl");
  // Killed in the middle of a row: the row is mended, and the picture that has none is taken in.
  m_cli->write("out/manifest.jsonl", rows.left(rows.indexOf('\n') + 20));
  QVERIFY(QFile::remove(QString::fromUtf8(m_cli->path("out") + "/" + names[2])));
  const Ended again = m_cli->run(words);
  QVERIFY2(again.code == 0, again.said.constData());
  QCOMPARE(again.events("finished")[0]["made"].get<int>(), 1);
  QCOMPARE(m_cli->read(m_cli->path("out") + "/" + names[1]), second);
  QCOMPARE(m_cli->manifest("out").size(), std::size_t{3});
  // A file of somebody else in a picture's place: nothing is made and nothing changes.
  QVERIFY(QDir(QString::fromUtf8(m_cli->path("other"))).mkpath(QStringLiteral(".")));
  m_cli->write(("other/" + names[0]).constData(), "mine");
  const Ended refused = m_cli->run(m_cli->generate({"one", "two", "three", "--out", m_cli->path("other")}));
  QVERIFY2(refused.code == 2, refused.said.constData());
  QCOMPARE(m_cli->read(m_cli->path("other") + "/" + names[0]), QByteArray("mine"));
  QCOMPARE(m_cli->pictures("other").size(), 1);
}

void TestCliRuns::diesOnTheSecondInterrupt() {
  QProcess process;
  m_cli->begin(process, m_cli->generate({"one"}, {"--behave=ignore-cancel", "--step-ms=20000"}));
  QByteArray output;
  QTRY_VERIFY_WITH_TIMEOUT((output += process.readAllStandardOutput()).contains("\"busy\""), kPatienceMs);
  ::kill(static_cast<pid_t>(process.processId()), SIGINT);
  QByteArray error;
  QTRY_VERIFY_WITH_TIMEOUT((error += process.readAllStandardError()).contains("Stopping"), kPatienceMs);
  QElapsedTimer clock;
  clock.start();
  ::kill(static_cast<pid_t>(process.processId()), SIGINT);
  QCOMPARE(m_cli->finish(process).code, 130);
  QVERIFY2(clock.elapsed() < 2000, qPrintable(QString::number(clock.elapsed())));
}

void TestCliRuns::stopsWhenNobodyReads() {
  QProcess process;
  const QByteArrayList words = {"-c", "{ \"$0\" \"$@\"; echo $? >code; } | head -n 3", POLYPTYCH_CLI_PATH};
  m_cli->begin(process, words + m_cli->generate({"one", "two", "three"}, {"--step-ms=300"}), "/bin/sh");
  const Ended ended = m_cli->finish(process);
  QCOMPARE(ended.events().size(), std::size_t{3});
  QCOMPARE(m_cli->read(m_cli->path("code")), QByteArray("130\n"));
  QVERIFY(m_cli->pictures("out").size() < 3);
}

QTEST_GUILESS_MAIN(TestCliRuns)
#include "tst_cli_runs.moc"
