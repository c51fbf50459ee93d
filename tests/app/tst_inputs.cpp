#include <sys/stat.h>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "app/polyptych-cli/inputs.h"
#include "core/checkpoint/safetensors.h"
#include "core/gallery/manifest_row.h"
#include "core/picture/png.h"
#include "tests/picture/sample_picture.h"

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
  QVERIFY(cli::readInitialLatents(good, {2, 4, 8, 16}).isOk());
  const auto mistaken = cli::readInitialLatents(good, {1, 4, 8, 16});
  QVERIFY(!mistaken.isOk());
  QCOMPARE(mistaken.error().code, base::ErrorCode::InvalidArgument);
  QVERIFY(mistaken.error().message.ends_with("is [2, 4, 8, 16]; for this run it must be [1, 4, 8, 16]."));
  QVERIFY(!cli::readInitialLatents(good, {2, 9, 8, 16}).isOk());
  QVERIFY(cli::readInitialLatents(write("other.safetensors", file("noise")), {2, 4, 8, 16})
              .error()
              .message.ends_with("has no tensor named latents."));
  QVERIFY(!cli::readInitialLatents(write("bad.safetensors", "nonsense"), {2, 4, 8, 16}).isOk());
  struct Bits {
    checkpoint::Dtype dtype;
    std::vector<unsigned char> number;
    const char* end;
  };
  for (const Bits& one :
       {Bits{checkpoint::Dtype::F32, {0x00, 0x00, 0x80, 0x7F}, "not finite."},
        Bits{checkpoint::Dtype::F32, {0x01, 0x00, 0xC0, 0xFF}, "not finite."},
        Bits{checkpoint::Dtype::F16, {0x00, 0xFC}, "not finite."}, Bits{checkpoint::Dtype::BF16, {0x80, 0x7F}, "not finite."},
        Bits{checkpoint::Dtype::I32, {0, 0, 0, 0}, "is I32; it must be F32, F16 or BF16."},
        Bits{checkpoint::Dtype::F16, {0x00, 0x7B}, nullptr}}) {
    const checkpoint::NamedTensor named{"latents", {one.dtype, {1, 1, 1, 1}, std::as_bytes(std::span(one.number))}};
    const auto bytes = checkpoint::writeSafetensors({&named, 1});
    QVERIFY(bytes.isOk());
    const auto path =
        write("odd.safetensors", QByteArray(reinterpret_cast<const char*>(bytes->data()), static_cast<qsizetype>(bytes->size())));
    const auto read = cli::readInitialLatents(path, {1, 1, 1, 1});
    QVERIFY(one.end == nullptr ? read.isOk() : !read.isOk() && read.error().message.ends_with(one.end));
  }
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
  // Killed between the first picture and its row.
  write("manifest.jsonl", "");
  write("00000-foreign.png", "no picture");
  domain::PictureMetadata metadata = row.metadata;
  metadata.request.width = 8;
  metadata.request.height = 8;
  metadata.request.seed = 45;
  const auto png = picture::encodePng(tests::sampleImage(8, 8), metadata);
  QVERIFY(png.isOk());
  write("00003-x.png", QByteArray(reinterpret_cast<const char*>(png->data()), static_cast<qsizetype>(png->size())));
  QVERIFY(cli::baseSeedOfFolder(folder) == std::uint64_t{42});
  // A pipe of that name is not waited for.
  QVERIFY(QFile::remove(folder + QStringLiteral("/manifest.jsonl")));
  QVERIFY(mkfifo(QFile::encodeName(folder + QStringLiteral("/manifest.jsonl")).constData(), 0600) == 0);
  QVERIFY(cli::baseSeedOfFolder(folder) == std::uint64_t{42});
}

void TestInputs::checksTraceFile() {
  const auto at = [this](const char* name) { return m_folder.filePath(QString::fromUtf8(name)).toStdString(); };
  const std::string out = at("pictures");
  QVERIFY(QDir().mkpath(QString::fromStdString(out)));
  QVERIFY(QFile::link(QString::fromStdString(out), QString::fromStdString(at("link"))));
  QVERIFY(QFile::link(QStringLiteral("gone"), QString::fromStdString(at("dangling"))));
  QVERIFY(cli::checkTraceFile(at("t.safetensors"), out).isOk());
  QVERIFY(cli::checkTraceFile(at("pictures.safetensors"), out).isOk());
  QVERIFY(!cli::checkTraceFile(m_folder.path().toStdString(), out).isOk());
  QVERIFY(!cli::checkTraceFile(at("nothing/t.safetensors"), out).isOk());
  QVERIFY(!cli::checkTraceFile(at("dangling"), out).isOk());
  QVERIFY(cli::checkTraceFile(write("there", "x"), out).error().message.ends_with("is not overwritten. Name a new file."));
  for (const char* inside : {"pictures/t", "link/t", "pictures/../pictures/t", "new/t"}) {
    const auto checked = cli::checkTraceFile(at(inside), inside == std::string("new/t") ? at("new") : out);
    QVERIFY2(!checked && checked.error().message.ends_with("Name a file outside of it."), inside);
  }
}

QTEST_GUILESS_MAIN(TestInputs)
#include "tst_inputs.moc"
