#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>

#include "core/picture/png.h"
#include "tests/gallery/open_run.h"
#include "tests/picture/sample_picture.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::FolderRun;
using tests::OpenRun;
using Saved = OpenRun::Saved;

namespace {

FolderRun runOf(int pictures) {
  FolderRun run;
  for (int i = 0; i < pictures; ++i) {
    domain::PictureMetadata metadata = tests::sampleMetadata();
    metadata.request.index = i;
    metadata.request.prompt = "prompt " + std::to_string(i);
    run.pictures.push_back(metadata);
  }
  return run;
}

std::vector<std::byte> pngOf(const domain::PictureMetadata& metadata, int shade = 0) {
  domain::Image image = tests::sampleImage();
  image.pixels[0] = static_cast<std::uint8_t>(metadata.request.index + shade);
  return *picture::encodePng(image, metadata);
}

base::Result<Saved> save(OpenRun& folder, int index) {
  return folder.save(std::size_t(index), pngOf(runOf(index + 1).pictures.back()), {"cpu:0", "CPU", 1.5});
}

QByteArray read(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void write(const QString& path, const QByteArray& bytes) {
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  QCOMPARE(file.write(bytes), bytes.size());
}

void writePng(const QString& path, const std::vector<std::byte>& png) {
  write(path, QByteArray(reinterpret_cast<const char*>(png.data()), qsizetype(png.size())));
}

/// Every name of a folder with its bytes.
QMap<QString, QByteArray> contentOf(const QString& folder) {
  QMap<QString, QByteArray> content;
  for (const QString& name : QDir(folder).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot)) {
    content[name] = read(folder + '/' + name);
  }
  return content;
}

QList<int> indicesOf(const QString& folder) {
  QList<int> indices;
  for (const QByteArray& line : read(folder + "/manifest.jsonl").split('\n')) {
    if (!line.isEmpty()) {
      const auto row = gallery::rowFromLine(line);
      indices << (row ? int(row->metadata.request.index) : -1);
    }
  }
  return indices;
}

/// Ends this process as SIGKILL does, at the n-th change on the disk.
gallery::FolderHandle::BeforeChange killAt(int n) {
  auto left = std::make_shared<int>(n);
  return [left] {
    if ((*left)-- == 0) {
      ::kill(::getpid(), SIGKILL);
    }
  };
}

/// A limit on the size of files that ends with its scope: what a full disk looks like to write().
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &m_before);
    const rlimit limit{bytes, m_before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &m_before); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit m_before{};
};

}  // namespace

class TestOutputFolder : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_temporary = std::make_unique<QTemporaryDir>(); }

  void writesPicturesThenRows() {
    auto folder = OpenRun::open(path(), runOf(3));
    QVERIFY(folder.isOk());
    QCOMPARE((*folder)->finishedCount(), std::size_t(0));
    QCOMPARE(contentOf(path()).size(), 0);
    for (const int index : {1, 0, 2}) {
      const auto saved = save(**folder, index);
      QVERIFY(saved.isOk() && *saved == Saved::Written);
      QVERIFY((*folder)->isFinished(std::size_t(index)));
    }
    QCOMPARE(contentOf(path()).keys(),
             QStringList({"00000-prompt-0.png", "00001-prompt-1.png", "00002-prompt-2.png", "manifest.jsonl"}));
    QCOMPARE(indicesOf(path()), QList<int>({1, 0, 2}));
    QCOMPARE((*folder)->pathOf(1), path() + "/00001-prompt-1.png");
  }

  void goesOnWhereItStopped() {
    makeSome(4, {0, 2});
    const auto before = contentOf(path());
    auto folder = OpenRun::open(path(), runOf(4));
    QVERIFY(folder.isOk());
    QVERIFY((*folder)->isFinished(0) && !(*folder)->isFinished(1) && (*folder)->isFinished(2) && !(*folder)->isFinished(3));
    QVERIFY(contentOf(path()) == before);
    QVERIFY(*save(**folder, 2) == Saved::Equal);
    const auto other = (*folder)->save(0, pngOf(runOf(1).pictures[0], 9), {});
    QVERIFY(other.isOk() && *other == Saved::Different);
    QVERIFY(contentOf(path()) == before);
  }

  void aFolderIsLockedWhileARunHasIt() {
    auto first = OpenRun::open(path(), runOf(1));
    QVERIFY(first.isOk());
    const auto second = OpenRun::open(path(), runOf(1));
    QVERIFY(!second.isOk());
    QCOMPARE(second.error().code, ErrorCode::AlreadyExists);
    QVERIFY(second.error().message.find("Another run") != std::string::npos);
    first->reset();
    QVERIFY(OpenRun::open(path(), runOf(1)).isOk());
  }

  void aTornLastLineIsRepaired() {
    makeSome(3, {0, 1});
    const QByteArray whole = read(manifest());
    const qsizetype firstEnd = whole.indexOf('\n') + 1;
    // The second row is cut at every byte: its picture is adopted, and the third can follow.
    for (qsizetype size = firstEnd; size < whole.size(); size += 7) {
      write(manifest(), whole.left(size));
      auto folder = OpenRun::open(path(), runOf(3));
      QVERIFY2(folder.isOk(), folder ? "" : folder.error().message.c_str());
      QCOMPARE((*folder)->finishedCount(), std::size_t(2));
      QCOMPARE(indicesOf(path()), QList<int>({0, 1}));
      QVERIFY(read(manifest()).endsWith('\n'));
    }
    // Only the line's end is missing: the row counts as it is.
    write(manifest(), whole.left(whole.size() - 1));
    QVERIFY(OpenRun::open(path(), runOf(3)).isOk());
    QCOMPARE(read(manifest()), whole);
    // What a power cut may leave.
    write(manifest(), whole + QByteArray(300, '\0'));
    QVERIFY(OpenRun::open(path(), runOf(3)).isOk());
    QCOMPARE(read(manifest()), whole);
  }

  void aPictureWithoutARowIsAdopted() {
    makeSome(3, {0, 1, 2});
    QVERIFY(QFile::remove(manifest()));
    auto folder = OpenRun::open(path(), runOf(3));
    QVERIFY(folder.isOk());
    QCOMPARE((*folder)->finishedCount(), std::size_t(3));
    QCOMPARE(indicesOf(path()), QList<int>({0, 1, 2}));
  }

  void aRowWithoutItsPictureIsTakenOut() {
    makeSome(3, {0, 1, 2});
    QVERIFY(QFile::remove(path() + "/00001-prompt-1.png"));
    auto folder = OpenRun::open(path(), runOf(3));
    QVERIFY(folder.isOk());
    QVERIFY(!(*folder)->isFinished(1));
    QCOMPARE(indicesOf(path()), QList<int>({0, 2}));
    QVERIFY(save(**folder, 1).isOk());
  }

  void failuresAreTriedAgain() {
    {
      auto folder = OpenRun::open(path(), runOf(2));
      QVERIFY((*folder)->saveFailure(0, {ErrorCode::OutOfMemory, "Too big.", {}}, {"cpu:0", "CPU", 0}).isOk());
      QVERIFY(save(**folder, 1).isOk());
      QVERIFY(read(manifest()).contains("\"status\":\"failed\""));
    }
    auto folder = OpenRun::open(path(), runOf(2));
    QVERIFY(folder.isOk());
    QVERIFY(!(*folder)->isFinished(0));
    QCOMPARE(indicesOf(path()), QList<int>({1}));
  }

  void anyOtherClashIsAnErrorAndChangesNothing_data() {
    QTest::addColumn<QString>("clash");
    QTest::addColumn<QString>("word");
    for (const auto& [clash, word] :
         std::initializer_list<std::pair<const char*, const char*>>{{"prompt", "prompt"},
                                                                    {"seed", "seed"},
                                                                    {"steps", "number of steps"},
                                                                    {"threads", "number of threads"},
                                                                    {"batch", "batch size"},
                                                                    {"model", "model"},
                                                                    {"version", "version of the program"},
                                                                    {"fewer pictures", "more pictures"},
                                                                    {"more pictures", "differ"},
                                                                    {"a later picture", "differ"},
                                                                    {"initial latents", "other latents"},
                                                                    {"foreign manifest", "line 1"},
                                                                    {"foreign manifest without an end", "line 1"},
                                                                    {"damaged line", "line 1"},
                                                                    {"manifest is a folder", "manifest.jsonl"},
                                                                    {"picture is no PNG", "00002-prompt-2.png"},
                                                                    {"picture is cut", "damaged"},
                                                                    {"picture of another run", "seed differs"},
                                                                    {"picture is a folder", "something else"}}) {
      QTest::newRow(clash) << QString(clash) << QString(word);
    }
  }
  void anyOtherClashIsAnErrorAndChangesNothing() {
    QFETCH(const QString, clash);
    QFETCH(const QString, word);
    makeSome(4, {0, 1});
    FolderRun run = runOf(4);
    const QString third = path() + "/00002-prompt-2.png";
    const auto setAll = [&run](auto set) { std::for_each(run.pictures.begin(), run.pictures.end(), set); };
    if (clash == "prompt") {
      run.pictures[1].request.prompt = "another";
    } else if (clash == "seed") {
      setAll([](auto& picture) { picture.request.seed += 1; });
    } else if (clash == "steps") {
      run.pictures[1].request.steps += 1;
    } else if (clash == "threads") {
      setAll([](auto& picture) { picture.threads += 1; });
    } else if (clash == "batch") {
      setAll([](auto& picture) { picture.batch += 1; });
    } else if (clash == "model") {
      setAll([](auto& picture) { picture.modelHash = "ff"; });
    } else if (clash == "version") {
      setAll([](auto& picture) { picture.programVersion = "99"; });
    } else if (clash == "fewer pictures") {
      run.pictures.resize(1);
    } else if (clash == "more pictures") {
      run = runOf(5);
    } else if (clash == "a later picture") {
      run.pictures[3].request.prompt = "another";
    } else if (clash == "initial latents") {
      run.initialLatents = "x";
    } else if (clash == "foreign manifest") {
      write(manifest(), "{\"name\":\"somebody else's\"}\n");
    } else if (clash == "foreign manifest without an end") {
      write(manifest(), "{\"name\":\"somebody else's\"}");
    } else if (clash == "damaged line") {
      write(manifest(), "{\"batch\":\n" + read(manifest()));
    } else if (clash == "manifest is a folder") {
      QVERIFY(QFile::remove(manifest()) && QDir().mkdir(manifest()));
    } else if (clash == "picture is no PNG") {
      write(third, "hello");
    } else if (clash == "picture is cut") {
      auto png = pngOf(run.pictures[2]);
      png.resize(png.size() - 3);
      writePng(third, png);
    } else if (clash == "picture of another run") {
      auto metadata = run.pictures[2];
      metadata.request.seed = 1;
      writePng(third, pngOf(metadata));
    } else if (clash == "picture is a folder") {
      QVERIFY(QDir().mkdir(third));
    }
    const auto before = contentOf(path());
    const auto folder = OpenRun::open(path(), run);
    QVERIFY(!folder.isOk());
    QCOMPARE(folder.error().code, ErrorCode::AlreadyExists);
    QVERIFY2(QString::fromStdString(folder.error().message).contains(word), folder.error().message.c_str());
    QVERIFY(contentOf(path()) == before);
  }

  void otherFilesAreLeftAlone() {
    QVERIFY(QDir().mkdir(path()));
    write(path() + "/holiday.png", "mine");
    auto folder = OpenRun::open(path(), runOf(1));
    QVERIFY(folder.isOk() && save(**folder, 0).isOk());
    QCOMPARE(read(path() + "/holiday.png"), QByteArray("mine"));
  }

  void aFileThatAppearsMeanwhileIsNotOverwritten() {
    auto folder = OpenRun::open(path(), runOf(1));
    write(path() + "/00000-prompt-0.png", "mine");
    const auto saved = save(**folder, 0);
    QVERIFY(!saved.isOk());
    QCOMPARE(saved.error().code, ErrorCode::AlreadyExists);
    QCOMPARE(contentOf(path()).size(), 1);
    QCOMPARE(read(path() + "/00000-prompt-0.png"), QByteArray("mine"));
  }

  void wrongBytesAreRefused() {
    auto folder = OpenRun::open(path(), runOf(2));
    const FolderRun run = runOf(2);
    auto cut = pngOf(run.pictures[0]);
    cut.pop_back();
    auto longer = pngOf(run.pictures[0]);
    longer.push_back(std::byte{0});
    const std::vector<std::vector<std::byte>> wrong{{}, cut, longer, pngOf(run.pictures[1])};
    for (const auto& bytes : wrong) {
      const auto saved = (*folder)->save(0, bytes, {});
      QVERIFY(!saved.isOk());
      QCOMPARE(saved.error().code, ErrorCode::Corrupt);
    }
    QCOMPARE(contentOf(path()).size(), 0);
  }

  void killedAnywhereNothingIsLostOrTwice() {
    constexpr int kPictures = 3;
    QMap<QString, QByteArray> expected;
    {
      QTemporaryDir reference;
      auto folder = OpenRun::open(reference.path(), runOf(kPictures));
      for (int i = 0; i < kPictures; ++i) {
        QVERIFY(save(**folder, i).isOk());
      }
      expected = contentOf(reference.path());
      expected.remove("manifest.jsonl");
    }
    bool isComplete = false;
    int points = 0;
    for (; !isComplete; ++points) {
      QTemporaryDir place;
      const pid_t child = ::fork();
      if (child == 0) {
        auto folder = OpenRun::open(place.path(), runOf(kPictures), killAt(points));
        for (int i = 0; i < kPictures; ++i) {
          (void)save(**folder, i);
        }
        ::_exit(0);
      }
      int status = 0;
      QCOMPARE(::waitpid(child, &status, 0), child);
      isComplete = WIFEXITED(status);
      auto folder = OpenRun::open(place.path(), runOf(kPictures));
      QVERIFY2(folder.isOk(), folder ? "" : folder.error().message.c_str());
      const std::size_t finished = (*folder)->finishedCount();
      QCOMPARE(finished == kPictures, contentOf(place.path()).size() == kPictures + 1);
      for (int i = 0; i < kPictures; ++i) {
        const auto saved = save(**folder, i);
        QVERIFY(saved.isOk());
        QVERIFY(*saved == (std::size_t(i) < finished ? Saved::Equal : Saved::Written));
      }
      auto content = contentOf(place.path());
      content.remove("manifest.jsonl");
      QVERIFY(content == expected);
      QCOMPARE(indicesOf(place.path()), QList<int>({0, 1, 2}));
    }
    QVERIFY2(points > 20, qPrintable(QString::number(points)));
  }

  void aFullDiskIsToldAndLeavesNoRubbish() {
    auto folder = OpenRun::open(path(), runOf(20));
    QVERIFY(save(**folder, 0).isOk());
    const auto before = contentOf(path());
    {
      const FileSizeLimit limit(100);
      const auto saved = save(**folder, 1);
      QVERIFY(!saved.isOk());
      QCOMPARE(saved.error().code, ErrorCode::DiskFull);
      QVERIFY(saved.error().message.find("no space") != std::string::npos);
    }
    QVERIFY(contentOf(path()) == before);
    QVERIFY(!(*folder)->isFinished(1));
  }

  void aDiskThatFillsUpBetweenPictureAndRowLosesNothing() {
    int made = 0;
    {
      auto folder = OpenRun::open(path(), runOf(20));
      const FileSizeLimit limit(rlim_t(pngOf(runOf(20).pictures.back()).size()) + 700);
      base::Result<Saved> saved = Saved::Written;
      while (saved.isOk() && made < 20) {
        saved = save(**folder, made);
        made += saved.isOk() ? 1 : 0;
      }
      QVERIFY2(made > 0 && made < 20, qPrintable(QString::number(made)));
      QCOMPARE(saved.error().code, ErrorCode::DiskFull);
    }
    QVERIFY(read(manifest()).endsWith('\n'));
    QCOMPARE(indicesOf(path()).size(), made);
    auto folder = OpenRun::open(path(), runOf(20));
    QVERIFY(folder.isOk());
    QCOMPARE((*folder)->finishedCount(), std::size_t(made) + 1);
  }

  void aFolderThatCannotBeWrittenIsToldBeforeWorkStarts() {
    const auto proc = OpenRun::open("/proc/polyptych", runOf(1));
    QVERIFY(!proc.isOk());
    QCOMPARE(proc.error().code, ErrorCode::Io);
    QVERIFY(QDir().mkdir(path()));
    write(path() + "/file", "");
    const auto below = OpenRun::open(path() + "/file/folder", runOf(1));
    QVERIFY(!below.isOk());
    const auto file = OpenRun::open(path() + "/file", runOf(1));
    QCOMPARE(file.error().code, ErrorCode::AlreadyExists);
    QCOMPARE(OpenRun::open(QString(), runOf(1)).error().code, ErrorCode::InvalidArgument);
    // The superuser may write everywhere, so that it becomes somebody else for a moment.
    constexpr uid_t kNobody = 65534;
    const bool isSuperuser = ::geteuid() == 0;
    QCOMPARE(::chmod(QFile::encodeName(m_temporary->path()).constData(), 0755), 0);
    QCOMPARE(::chmod(QFile::encodeName(path()).constData(), 0555), 0);
    QVERIFY(!isSuperuser || ::seteuid(kNobody) == 0);
    const auto readOnly = OpenRun::open(path(), runOf(1));
    QVERIFY(!isSuperuser || ::seteuid(0) == 0);
    QCOMPARE(::chmod(QFile::encodeName(path()).constData(), 0755), 0);
    QVERIFY(!readOnly.isOk());
    QCOMPARE(readOnly.error().code, ErrorCode::Io);
    QVERIFY(readOnly.error().message.find("not allowed") != std::string::npos);
  }

 private:
  QString path() const { return m_temporary->filePath("out"); }
  QString manifest() const { return path() + "/manifest.jsonl"; }

  void makeSome(int pictures, const QList<int>& indices) {
    auto folder = OpenRun::open(path(), runOf(pictures));
    QVERIFY(folder.isOk());
    for (const int index : indices) {
      QVERIFY(save(**folder, index).isOk());
    }
  }

  std::unique_ptr<QTemporaryDir> m_temporary;
};

QTEST_GUILESS_MAIN(TestOutputFolder)
#include "tst_output_folder.moc"
