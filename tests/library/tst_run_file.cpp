#include <QElapsedTimer>
#include <QtTest>

#include "core/library/run_file.h"

using namespace polyptych;
using base::ErrorCode;
using library::RunRecord;

namespace {

RunRecord sampleRecord(int requests) {
  RunRecord record;
  record.id = (quint64(1) << 48) - 1;
  record.number = 7;
  record.createdMs = 1764041234567;
  record.folder = QStringLiteral("2025-11-25/007-등대");
  record.fingerprint = QStringLiteral("0123456789abcdef");
  record.plan.model = {"/models/a b", "org/name", "00ff", "fp16"};
  record.plan.computeType = domain::ComputeType::Bf16;
  record.plan.noise = domain::NoiseKind::Model;
  record.plan.threads = 3;
  record.plan.batch = 4;
  record.plan.vaeTiling = true;
  record.wantsPreviews = true;
  record.hasLatents = true;
  for (int i = 0; i < requests; ++i) {
    domain::GenerationRequest request;
    request.index = i;
    request.promptIndex = i / 2;
    request.prompt = "prompt " + std::to_string(i / 2);
    request.seed = 0xFFFFFFFFFFFFFFF0ULL + static_cast<std::uint64_t>(i);
    request.scheduler = "DPM++ 2M";
    record.requests.push_back(request);
  }
  return record;
}

void verifyEqual(const RunRecord& read, const RunRecord& written) {
  QCOMPARE(read.id, written.id);
  QCOMPARE(read.number, written.number);
  QCOMPARE(read.createdMs, written.createdMs);
  QCOMPARE(read.folder, written.folder);
  QCOMPARE(read.fingerprint, written.fingerprint);
  QVERIFY(read.plan == written.plan);
  QCOMPARE(read.wantsTrace, written.wantsTrace);
  QCOMPARE(read.wantsPreviews, written.wantsPreviews);
  QCOMPARE(read.hasLatents, written.hasLatents);
  QVERIFY(read.requests == written.requests);
}

}  // namespace

class TestRunFile : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsWhatItWrote() {
    RunRecord record = sampleRecord(40);
    auto& requests = record.requests;
    requests[1].prompt = "한국어 프롬프트 😀, \"quoted\" \\ \n\r\t\x01\x7f";
    requests[2].prompt = std::string("nul \0 inside", 12);
    requests[3].prompt.clear();
    requests[4].negativePrompt = "";
    requests[5].negativePrompt = "blurry";
    requests[7].negativePrompt.reset();
    requests[8].clipSkip = 0;
    requests[9].clipSkip = 2;
    requests[10].clipSkip.reset();
    requests[11].seed = 0xFFFFFFFFFFFFFFFFULL;
    requests[12].seed = 0;
    requests[13].width = 8;
    requests[13].height = 8192;
    requests[14].steps = 1000;
    requests[15].guidanceScale = 0.1 + 0.2;
    requests[16].guidanceRescale = 1e-17;
    requests[17].scheduler = "Euler a";
    const auto read = library::fromRunFile(library::toRunFile(record));
    QVERIFY2(read.isOk(), read ? "" : read.error().detail.c_str());
    verifyEqual(*read, record);
  }

  void writesOnlyWhatDiffers() {
    const QList<QByteArray> lines = library::toRunFile(sampleRecord(3)).split('\n');
    QCOMPARE(lines.size(), 6);
    QVERIFY(lines[0].startsWith("{\"format\":1,\"id\":281474976710655,"));
    QCOMPARE(lines[2], QByteArray("{\"seed\":18446744073709551601}"));
    QCOMPARE(lines[3], QByteArray("{\"promptIndex\":1,\"prompt\":\"prompt 1\",\"seed\":18446744073709551602}"));
    QVERIFY(lines[4].startsWith("{\"requests\":3,"));
  }

  void keepsTheNumbersOfAPartOfARun() {
    RunRecord record = sampleRecord(4);
    QVERIFY(record.isWhole());
    for (const auto& [position, index] : {std::pair(0, 3), std::pair(1, 4), std::pair(2, 7), std::pair(3, 1'000'000)}) {
      record.requests[std::size_t(position)].index = index;
    }
    QVERIFY(!record.isWhole());
    const QByteArray bytes = library::toRunFile(record);
    QVERIFY(bytes.startsWith("{\"format\":2,"));  // an older program must not take them for 0 to 3
    const auto read = library::fromRunFile(bytes);
    QVERIFY(read.isOk());
    verifyEqual(*read, record);
    record.requests[2].index = 4;
    const auto refused = library::fromRunFile(library::toRunFile(record));
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::Corrupt);
  }

  void ignoresKeysOfTheSameFormatThatItDoesNotKnow() {
    // The checksum stands behind them: a writer with more to say makes it of what it wrote.
    QByteArray bytes = library::toRunFile(sampleRecord(1));
    bytes = bytes.left(bytes.lastIndexOf('{'));
    bytes.replace("{\"format\":1,", "{\"colour\":\"red\",\"format\":1,\"more\":null,");
    const QByteArray checksum = QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex();
    const auto read = library::fromRunFile(bytes + "{\"requests\":1,\"sha256\":\"" + checksum + "\"}\n");
    QVERIFY(read.isOk());
    verifyEqual(*read, sampleRecord(1));
  }

  void refusesAFileThatIsCutAnywhere() {
    const QByteArray bytes = library::toRunFile(sampleRecord(5));
    for (qsizetype size = 0; size < bytes.size(); ++size) {
      const auto read = library::fromRunFile(bytes.left(size));
      QVERIFY2(!read, qPrintable(QString::number(size)));
      QCOMPARE(read.error().code, ErrorCode::Corrupt);
    }
  }

  void refusesAFileWithoutOneOfItsLines() {
    QList<QByteArray> lines = library::toRunFile(sampleRecord(5)).split('\n');
    for (qsizetype i = 0; i + 1 < lines.size(); ++i) {
      QList<QByteArray> some = lines;
      some.removeAt(i);
      QVERIFY(!library::fromRunFile(some.join('\n')));
    }
  }

  void refusesEveryChangedByte() {
    const QByteArray bytes = library::toRunFile(sampleRecord(3));
    const qsizetype behindFormat = bytes.indexOf(',');
    for (qsizetype at = behindFormat; at < bytes.size(); ++at) {
      QByteArray damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 4);
      QVERIFY2(!library::fromRunFile(damaged), qPrintable(QString::number(at)));
    }
  }

  void refusesValuesOutOfRange_data() {
    QTest::addColumn<QByteArray>("from");
    QTest::addColumn<QByteArray>("to");
    QTest::newRow("no JSON") << QByteArray("{\"seed\"") << QByteArray("[\"seed\"");
    QTest::newRow("seed above 64 bits") << QByteArray("18446744073709551601") << QByteArray("18446744073709551616");
    QTest::newRow("negative seed") << QByteArray("18446744073709551601") << QByteArray("-1");
    QTest::newRow("seed as text") << QByteArray("18446744073709551601") << QByteArray("\"1\"");
    QTest::newRow("odd width") << QByteArray("\"scheduler\"") << QByteArray("\"width\":511,\"scheduler\"");
    QTest::newRow("unknown scheduler") << QByteArray("DPM++ 2M") << QByteArray("none");
    QTest::newRow("NaN") << QByteArray("\"scheduler\"") << QByteArray("\"guidance\":nan,\"scheduler\"");
    QTest::newRow("invalid UTF-8") << QByteArray("prompt 0") << QByteArray("prompt \xC3");
    QTest::newRow("half a surrogate") << QByteArray("prompt 0") << QByteArray("prompt \\uD800");
    QTest::newRow("bad escape") << QByteArray("prompt 0") << QByteArray("prompt \\x");
    QTest::newRow("batch 0") << QByteArray("\"batch\":4") << QByteArray("\"batch\":0");
    QTest::newRow("auto compute type") << QByteArray("bf16") << QByteArray("auto");
    QTest::newRow("no id") << QByteArray("\"id\":281474976710655") << QByteArray("\"id\":0");
    QTest::newRow("folder above the library") << QByteArray("2025-11-25/") << QByteArray("a/../../");
    QTest::newRow("absolute folder") << QByteArray("2025-11-25/") << QByteArray("/etc/");
    QTest::newRow("more behind the object") << QByteArray("01}\n") << QByteArray("01}{}\n");
  }

  void refusesValuesOutOfRange() {
    QFETCH(QByteArray, from);
    QFETCH(QByteArray, to);
    QByteArray bytes = library::toRunFile(sampleRecord(2));
    bytes = bytes.left(bytes.lastIndexOf('{'));
    QVERIFY(bytes.contains(from));
    bytes.replace(from, to);
    const QByteArray checksum = QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex();
    const auto read = library::fromRunFile(bytes + "{\"requests\":2,\"sha256\":\"" + checksum + "\"}\n");
    QVERIFY(!read);
    QCOMPARE(read.error().code, ErrorCode::Corrupt);
  }

  void refusesMoreThanItsLimits() {
    const QByteArray bytes = library::toRunFile(sampleRecord(3));
    QVERIFY(library::fromRunFile(bytes, {.pictures = 3, .repeatedTextBytes = 0}).isOk());
    QVERIFY(!library::fromRunFile(bytes, {.pictures = 2, .repeatedTextBytes = 0}));

    RunRecord repeated = sampleRecord(100);
    for (domain::GenerationRequest& request : repeated.requests) {
      request.prompt = std::string(10000, 'a');
      request.negativePrompt = std::string(10000, 'b');
    }
    const QByteArray few = library::toRunFile(repeated);
    QVERIFY(library::fromRunFile(few, {.pictures = 100, .repeatedTextBytes = 99 * 20000}).isOk());
    const auto refused =
        library::fromRunFile(few, {.pictures = 100, .repeatedTextBytes = std::size_t(99) * 20000 - std::size_t(few.size())});
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::Corrupt);
  }

  void saysThatAFormatIsNewer() {
    QByteArray bytes = library::toRunFile(sampleRecord(1));
    bytes.replace("\"format\":1,", "\"format\":3,");
    const auto read = library::fromRunFile(bytes);
    QVERIFY(!read);
    QCOMPARE(read.error().code, ErrorCode::Unsupported);
  }

  /// The fuzz target begins with these. POLYPTYCH_RENEW_CORPUS=1 writes them anew.
  void theCorpusIsOfThisFormat() {
    RunRecord record = sampleRecord(3);
    record.requests[1].negativePrompt = "\n";
    record.requests[2].clipSkip = 1;
    const QByteArray whole = library::toRunFile(record);
    const QList<std::pair<QString, QByteArray>> expected{{"whole", 'f' + whole},
                                                         {"lines", 'l' + whole.left(whole.lastIndexOf('{'))}};
    for (const auto& [name, content] : expected) {
      QFile file(QDir(QStringLiteral(CORPUS_FOLDER)).filePath(name));
      if (qEnvironmentVariableIntValue("POLYPTYCH_RENEW_CORPUS") == 1) {
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
        continue;
      }
      QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.fileName()));
      QCOMPARE(file.readAll(), content);
    }
  }

  void doesAHundredThousandInWellUnderASecond() {
    const RunRecord record = sampleRecord(100000);
    QElapsedTimer timer;
    timer.start();
    const QByteArray bytes = library::toRunFile(record);
    const qint64 written = timer.restart();
    const auto read = library::fromRunFile(bytes);
    qInfo("%lld bytes, written in %lld ms, read in %lld ms", qlonglong(bytes.size()), qlonglong(written),
          qlonglong(timer.elapsed()));
    QVERIFY(read.isOk());
    QVERIFY(read->requests == record.requests);
  }
};

QTEST_APPLESS_MAIN(TestRunFile)
#include "tst_run_file.moc"
