#include <signal.h>

#include <cmath>

#include "core/picture/png.h"
#include "tests/app/cli_program.h"
#include "tests/distributed/processes.h"

using namespace polyptych;
using tests::Ended;
using tests::Json;

namespace {

constexpr int kRunMs = 120'000;

/// A pair's processes.
struct PairProcesses {
  qint64 leader = 0;
  qint64 helper = 0;
};

/// Those below the backend that works in a folder.
PairProcesses pairIn(const QByteArray& folder) {
  for (const qint64 pid : tests::allProcesses()) {
    const qint64 leader = tests::parentOf(pid);
    if (tests::commandLineOf(pid).contains("--partner-of") && tests::commandLineOf(tests::parentOf(leader)).contains(folder)) {
      return {leader, pid};
    }
  }
  return {};
}

}  // namespace

/// Whole runs on a pair: command line, backend, real workers, the demo model.
class TestPairRuns : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_cli = std::make_unique<tests::CliProgram>(); }

  void makesTheSamePictures() {
    const Ended pair = m_cli->run(words("pair", "cpu+cpu"));
    QVERIFY2(pair.code == 0 && pair.error.isEmpty(), pair.said.constData());
    QCOMPARE(pair.events("picture").size(), std::size_t(3));
    for (const Json& event : pair.events("picture")) {
      QCOMPARE(event["device"].get<std::string>(), std::string("cpu:0+cpu:1"));
    }
    compareWithOneDevice("pair");
  }

  /// Several workers keep their weights once, and the pictures are those of one worker that has its own.
  void workersShareTheirWeights() {
    QProcess process;
    m_cli->begin(process, words("two", "cpu:2"));
    QByteArray said;
    int most = 0;
    while (process.waitForReadyRead(kRunMs)) {
      said += process.readAllStandardOutput();
      int sharing = 0;
      for (const qint64 pid : tests::allProcesses()) {
        const bool isWorker = tests::commandLineOf(pid).startsWith(WORKER_PROGRAM) &&
                              tests::commandLineOf(tests::parentOf(pid)).contains(m_cli->path("two"));
        // One mapping is the index; the others are weights.
        sharing +=
            isWorker && m_cli->read("/proc/" + QByteArray::number(pid) + "/maps").count("memfd:polyptych-weights") > 1 ? 1 : 0;
      }
      most = std::max(most, sharing);
    }
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(kRunMs));
    QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());
    QCOMPARE(most, 2);
    QCOMPARE(m_cli->run(words("one", "cpu")).code, 0);
    for (const QByteArray& name : m_cli->pictures("one")) {
      QVERIFY(!m_cli->read(m_cli->path("one") + "/" + name).isEmpty());
      QCOMPARE(m_cli->read(m_cli->path("two") + "/" + name), m_cli->read(m_cli->path("one") + "/" + name));
    }
  }

  void finishesWhenTheSecondProcessIsKilled() { finishesWhenKilled(false); }
  void finishesWhenTheFirstProcessIsKilled() { finishesWhenKilled(true); }

 private:
  QByteArrayList words(const char* out, const char* devices) const {
    return {"generate",
            "--json",
            "--out",
            m_cli->path(out),
            "--devices",
            devices,
            "--worker",
            WORKER_PROGRAM,
            "--model",
            MODEL_FOLDER,
            "--steps",
            "30",
            "--seed",
            "7",
            "--threads",
            "1",
            "--width",
            "128",
            "--height",
            "128",
            "a red boat at sunset",
            "a blue house in the snow",
            "a green tree"};
  }

  void finishesWhenKilled(bool isLeader) {
    QProcess process;
    m_cli->begin(process, words("pair", "cpu+cpu"));
    QByteArray said;
    while (!said.contains("\"event\":\"progress\"") && !said.contains("\"event\": \"progress\"")) {
      QVERIFY2(process.waitForReadyRead(kRunMs), said.constData());
      said += process.readAllStandardOutput();
    }
    const PairProcesses pair = pairIn(m_cli->path("pair"));
    QVERIFY(pair.leader != 0 && pair.helper != 0);
    QCOMPARE(::kill(pid_t(isLeader ? pair.leader : pair.helper), SIGKILL), 0);
    QTRY_VERIFY_WITH_TIMEOUT(tests::isGone(pair.helper), kRunMs);
    QVERIFY(process.waitForFinished(kRunMs));
    said += process.readAllStandardOutput();
    const QByteArray errors = process.readAllStandardError();
    QVERIFY2(process.exitCode() == 0, errors.constData());
    QCOMPARE(said.count("\"picture\""), 3);
    QVERIFY2(isLeader || (said + errors).contains("lost in the middle of picture"), (said + errors).constData());
    compareWithOneDevice("pair");
  }

  /// Within 1/255 for 99.9 % of all values.
  void compareWithOneDevice(const char* folder) {
    const Ended one = m_cli->run(words("one", "cpu"));
    QVERIFY2(one.code == 0, one.said.constData());
    const QByteArrayList names = m_cli->pictures("one");
    QCOMPARE(names.size(), 3);
    QCOMPARE(m_cli->pictures(folder), names);
    for (const QByteArray& name : names) {
      const auto a = decoded(m_cli->path(folder) + "/" + name);
      const auto b = decoded(m_cli->path("one") + "/" + name);
      QCOMPARE(a.size(), std::size_t(3 * 128 * 128));
      QCOMPARE(a.size(), b.size());
      std::size_t far = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        far += std::abs(int(a[i]) - int(b[i])) > 1 ? 1 : 0;
      }
      QVERIFY2(far * 1000 <= a.size(), qPrintable(QString::number(far)));
    }
  }

  std::vector<std::uint8_t> decoded(const QByteArray& file) const {
    const QByteArray bytes = m_cli->read(file);
    const auto image = picture::decodePng(std::as_bytes(std::span(bytes.constData(), std::size_t(bytes.size()))));
    return image ? std::vector<std::uint8_t>(image->pixels.begin(), image->pixels.end()) : std::vector<std::uint8_t>();
  }

  std::unique_ptr<tests::CliProgram> m_cli;
};

QTEST_GUILESS_MAIN(TestPairRuns)
#include "tst_pair_runs.moc"
