#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "app/polyptych-cli/inputs.h"
#include "core/checkpoint/safetensors.h"
#include "core/gallery/manifest_row.h"

using namespace polyptych;

class TestInputs : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void joinsArgumentsAndList();
  void refusesLists_data();
  void refusesLists();
  void checksInitialLatents();
  void preparesFolders();
  void findsSeedOfFolder();
  void checksTraceFile();

 private:
  std::string write(const char* name, const QByteArray& bytes) {
    QFile file(m_folder.filePath(QString::fromUtf8(name)));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
      qFatal("cannot write %s", name);
    }
    return file.fileName().toStdString();
  }

  QTemporaryDir m_folder;
};

void TestInputs::joinsArgumentsAndList() {
  cli::GenerateArguments arguments;
  arguments.prompts = {"first"};
  QVERIFY(*cli::readPrompts(arguments) == (std::vector<std::string>{"first"}));
  arguments.promptsFile = write("목록.txt", "second\r\n\nthird\n");
  QVERIFY(*cli::readPrompts(arguments) == (std::vector<std::string>{"first", "second", "third"}));
}

void TestInputs::refusesLists_data() {
  QTest::addColumn<QByteArray>("bytes");
  QTest::addColumn<QByteArray>("sentence");
  QTest::newRow("Latin-1") << QByteArray("ok\ncaf\xE9\n") << QByteArray("Line 2 of '");
  QTest::newRow("empty") << QByteArray() << QByteArray("has no prompt in it");
}

void TestInputs::refusesLists() {
  QFETCH(QByteArray, bytes);
  QFETCH(QByteArray, sentence);
  cli::GenerateArguments arguments;
  arguments.promptsFile = write("bad.txt", bytes);
  auto prompts = cli::readPrompts(arguments);
  QVERIFY(!prompts.isOk());
  QCOMPARE(prompts.error().code, base::ErrorCode::InvalidArgument);
  QVERIFY2(QByteArray::fromStdString(prompts.error().message).contains(sentence), prompts.error().message.c_str());
  arguments.promptsFile = m_folder.filePath(QStringLiteral("nothing")).toStdString();
  prompts = cli::readPrompts(arguments);
  QVERIFY(!prompts.isOk() && prompts.error().message.starts_with("--prompts: there is no file"));
  arguments.promptsFile = m_folder.path().toStdString();
  prompts = cli::readPrompts(arguments);
  QVERIFY(!prompts.isOk() && prompts.error().message.ends_with("is a folder, not a file."));
}

void TestInputs::checksInitialLatents() {
  const std::vector<std::byte> values(2 * 4 * 8 * 16 * 4);
  const auto file = [&](const char* tensor) {
    const checkpoint::NamedTensor named{tensor, {checkpoint::Dtype::F32, {2, 4, 8, 16}, values}};
    const auto bytes = checkpoint::writeSafetensors({&named, 1});
    return QByteArray(reinterpret_cast<const char*>(bytes->data()), static_cast<qsizetype>(bytes->size()));
  };
  const std::string good = write("latents.safetensors", file("latents"));
  QVERIFY(cli::readInitialLatents(good, 2, 128, 64).isOk());
  const auto mistaken = cli::readInitialLatents(good, 1, 128, 64);
  QVERIFY(!mistaken.isOk());
  QCOMPARE(mistaken.error().code, base::ErrorCode::InvalidArgument);
  QVERIFY(mistaken.error().message.ends_with("is [2, 4, 8, 16]; for this run it must be [1, channels, 8, 16]."));
  QVERIFY(!cli::readInitialLatents(good, 2, 64, 128).isOk());
  QVERIFY(cli::readInitialLatents(write("other.safetensors", file("noise")), 2, 128, 64)
              .error()
              .message.ends_with("has no tensor named latents."));
  QVERIFY(!cli::readInitialLatents(write("bad.safetensors", "nonsense"), 2, 128, 64).isOk());
}

void TestInputs::preparesFolders() {
  const QString inner = m_folder.filePath(QStringLiteral("a/나"));
  const auto made = cli::prepareFolder(inner.toStdString());
  QVERIFY(made.isOk());
  QCOMPARE(*made, inner);
  QVERIFY(QDir(inner).exists());
  QVERIFY(QDir(inner).isEmpty(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot));
  const auto file = cli::prepareFolder(write("file", "x"));
  QVERIFY(!file.isOk());
  QVERIFY(file.error().message.ends_with("is a file. Name a folder."));
  const auto forbidden = cli::prepareFolder("/proc/polyptych");
  QVERIFY(!forbidden.isOk());
  QCOMPARE(forbidden.error().code, base::ErrorCode::InvalidArgument);
}

void TestInputs::findsSeedOfFolder() {
  const QString folder = m_folder.path();
  QVERIFY(!cli::baseSeedOfFolder(folder));
  gallery::ManifestRow row;
  row.metadata.request.index = 3;
  row.metadata.request.seed = 18446744073709551615u;
  row.metadata.request.scheduler = "DPM++ 2M";
  row.file = QStringLiteral("00003-x.png");
  write("manifest.jsonl", "nonsense\n" + gallery::toLine(row) + "{\"index\": 4, \"se");
  QVERIFY(cli::baseSeedOfFolder(folder) == std::uint64_t{18446744073709551612u});
  row.metadata.request.seed = 1;
  write("manifest.jsonl", gallery::toLine(row));
  QVERIFY(cli::baseSeedOfFolder(folder) == std::uint64_t{18446744073709551614u});
}

void TestInputs::checksTraceFile() {
  QVERIFY(cli::checkTraceFile(m_folder.filePath(QStringLiteral("t.safetensors")).toStdString()).isOk());
  QVERIFY(!cli::checkTraceFile(m_folder.path().toStdString()).isOk());
  QVERIFY(!cli::checkTraceFile(m_folder.filePath(QStringLiteral("nothing/t.safetensors")).toStdString()).isOk());
}

QTEST_GUILESS_MAIN(TestInputs)
#include "tst_inputs.moc"
