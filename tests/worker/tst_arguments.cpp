#include <unistd.h>

#include <QtTest>
#include <array>

#include "core/worker/worker.h"

using namespace polyptych;

namespace {

std::vector<std::string> listOf(const QStringList& words) {
  std::vector<std::string> list;
  for (const QString& word : words) {
    list.push_back(word.toStdString());
  }
  return list;
}

base::Result<std::string> tokenFrom(const std::string& input) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0 || ::write(ends[1], input.data(), input.size()) != ssize_t(input.size())) {
    return base::Error{base::ErrorCode::Internal, "no pipe", {}};
  }
  ::close(ends[1]);
  auto token = worker::readToken(ends[0], std::chrono::milliseconds(1000));
  ::close(ends[0]);
  return token;
}

}  // namespace

class TestArguments : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsAllArguments() {
    const auto options =
        worker::parseArguments(listOf({"--socket", "/run/x", "--device", "cuda", "--threads", "8", "--cores", "0,3,12"}));
    QVERIFY(options.isOk());
    QCOMPARE(options->socketPath, std::string("/run/x"));
    QCOMPARE(options->kind, domain::DeviceKind::Cuda);
    QCOMPARE(options->threads, 8);
    QCOMPARE(options->cores, (std::vector<int>{0, 3, 12}));
  }

  void onlyTheSocketIsRequired() {
    const auto options = worker::parseArguments(listOf({"--socket", "s"}));
    QVERIFY(options.isOk());
    QCOMPARE(options->kind, domain::DeviceKind::Cpu);
    QCOMPARE(options->threads, 1);
    QVERIFY(options->cores.empty());
  }

  void readsTheSharedMemory() {
    const auto options = worker::parseArguments(listOf({"--socket", "s", "--shared-memory", "7"}));
    QVERIFY(options.isOk());
    QCOMPARE(options->sharedMemoryFd, 7);
    QCOMPARE(worker::parseArguments(listOf({"--socket", "s"}))->sharedMemoryFd, -1);
  }

  void readsThoseOfAPair() {
    const auto first = worker::parseArguments(listOf({"--socket", "s", "--partner-cores", "2,3", "--partner", "cpu"}));
    QVERIFY(first.isOk());
    QVERIFY(first->partner == (worker::PartnerOptions{"", {2, 3}}));
    QVERIFY(!first->isPartner);
    const auto onGpu = worker::parseArguments(listOf({"--socket", "s", "--device", "cuda", "--partner", "GPU-1234"}));
    QVERIFY(onGpu.isOk());
    QVERIFY(onGpu->partner == (worker::PartnerOptions{"GPU-1234", {}}));
    const auto second = worker::parseArguments(listOf({"--partner-of", "3"}));
    QVERIFY(second.isOk());
    QVERIFY(second->isPartner && !second->partner);
    QCOMPARE(second->socketFd, 3);
  }

  void readsThoseOfSharedWeights() {
    const std::vector<std::string> words = listOf({"--socket", "s", "--weights", "broadcast", "--weights-store", "::1:29500",
                                                   "--weights-prefix", "p/", "--weights-rank", "1", "--weights-size", "3"});
    const auto options = worker::parseArguments(words);
    QVERIFY(options.isOk());
    QVERIFY(options->sharedLoad == (worker::SharedLoadOptions{false, "::1", 29500, "p/", 1, 3}));
    QVERIFY(!worker::parseArguments(listOf({"--socket", "s"}))->sharedLoad);
    for (std::size_t left = 2; left < words.size(); left += 2) {  // all or none
      std::vector<std::string> fewer = words;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(left), fewer.begin() + static_cast<std::ptrdiff_t>(left) + 2);
      const auto refused = worker::parseArguments(fewer);
      QVERIFY(!refused.isOk());
      QVERIFY(refused.error().message.starts_with(words[left] + " is missing"));
    }
  }

  void refusesWrongArguments_data() {
    QTest::addColumn<QStringList>("words");
    QTest::newRow("nothing") << QStringList{};
    QTest::newRow("unknown") << QStringList{"--socket", "s", "--speed", "9"};
    QTest::newRow("no value") << QStringList{"--socket"};
    QTest::newRow("empty socket") << QStringList{"--socket", ""};
    QTest::newRow("partner of another kind") << QStringList{"--socket", "s", "--partner", "GPU-1"};
    QTest::newRow("CPU as the partner of a GPU") << QStringList{"--socket", "s", "--device", "cuda", "--partner", "cpu"};
    QTest::newRow("cores of no partner") << QStringList{"--socket", "s", "--partner-cores", "1"};
    QTest::newRow("partner of a partner") << QStringList{"--partner-of", "3", "--partner", "cpu"};
    QTest::newRow("memory that is no number") << QStringList{"--socket", "s", "--shared-memory", "-1"};
    QTest::newRow("weights from nowhere") << QStringList{"--socket", "s", "--weights", "files"};
    QTest::newRow("store without a port") << QStringList{"--socket", "s", "--weights-store", "host"};
    QTest::newRow("rank above the ranks") << QStringList{"--socket",        "s",   "--weights",        "measured",
                                                         "--weights-store", "h:1", "--weights-prefix", "p",
                                                         "--weights-rank",  "2",   "--weights-size",   "2"};
    QTest::newRow("partner of no socket") << QStringList{"--partner-of", "x"};
    QTest::newRow("device") << QStringList{"--socket", "s", "--device", "tpu"};
    QTest::newRow("no threads") << QStringList{"--socket", "s", "--threads", "0"};
    QTest::newRow("many threads") << QStringList{"--socket", "s", "--threads", "1025"};
    QTest::newRow("threads with text") << QStringList{"--socket", "s", "--threads", "2x"};
    QTest::newRow("no cores") << QStringList{"--socket", "s", "--cores", ""};
    QTest::newRow("core missing") << QStringList{"--socket", "s", "--cores", "1,,2"};
    QTest::newRow("core missing at the end") << QStringList{"--socket", "s", "--cores", "1,"};
    QTest::newRow("negative core") << QStringList{"--socket", "s", "--cores", "-1"};
    QTest::newRow("core too high") << QStringList{"--socket", "s", "--cores", "4096"};
  }
  void refusesWrongArguments() {
    QFETCH(QStringList, words);
    const auto options = worker::parseArguments(listOf(words));
    QVERIFY(!options);
    QCOMPARE(options.error().code, base::ErrorCode::InvalidArgument);
  }

  void readsOneLineAsToken() {
    QCOMPARE(*tokenFrom("secret-1\nrest"), std::string("secret-1"));
    QCOMPARE(*tokenFrom("closed-without-newline"), std::string("closed-without-newline"));
  }

  void refusesWrongTokens() {
    QVERIFY(!tokenFrom(""));
    QVERIFY(!tokenFrom("\n"));
    QVERIFY(!tokenFrom("two words\n"));
    QVERIFY(!tokenFrom("caf\xC3\xA9\n"));
    QVERIFY(!tokenFrom(std::string(257, 'x') + "\n"));
    QVERIFY(tokenFrom(std::string(256, 'x') + "\n").isOk());
  }

  void doesNotWaitForEverForAToken() {
    std::array<int, 2> ends{};
    QCOMPARE(::pipe(ends.data()), 0);
    const auto token = worker::readToken(ends[0], std::chrono::milliseconds(20));
    QVERIFY(!token);
    QCOMPARE(token.error().code, base::ErrorCode::Timeout);
    ::close(ends[0]);
    ::close(ends[1]);
  }
};

QTEST_APPLESS_MAIN(TestArguments)
#include "tst_arguments.moc"
