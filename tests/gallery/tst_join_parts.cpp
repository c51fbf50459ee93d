#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>

#include "core/gallery/join_parts.h"
#include "core/library/run_file.h"
#include "core/picture/png.h"
#include "tests/gallery/open_run.h"
#include "tests/picture/sample_picture.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::FolderRun;
using tests::OpenRun;

namespace {

FolderRun runOf(int pictures, const std::string& prompt = "prompt ") {
  FolderRun run;
  for (int i = 0; i < pictures; ++i) {
    domain::PictureMetadata metadata = tests::sampleMetadata();
    metadata.request.index = i;
    metadata.request.prompt = prompt + std::to_string(i);
    run.pictures.push_back(metadata);
  }
  run.fingerprint = gallery::fingerprintOf(run);
  return run;
}

std::vector<std::byte> pngOf(const domain::PictureMetadata& metadata) {
  domain::Image image = tests::sampleImage();
  image.pixels[0] = static_cast<std::uint8_t>(metadata.request.index);
  return *picture::encodePng(image, metadata);
}

QByteArray read(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QList<int> indicesOf(const QString& folder) {
  QList<int> indices;
  for (const QByteArray& line : read(folder + "/manifest.jsonl").split('\n')) {
    if (!line.isEmpty()) {
      indices << int(gallery::rowFromLine(line)->metadata.request.index);
    }
  }
  return indices;
}

/// What one process leaves: a run of its own with some of the pictures. @param failed  gets a row and no picture
void leavePart(const QString& folder, const FolderRun& run, const QString& part, const QList<int>& indices, int failed = -1) {
  FolderRun own;
  for (const int index : indices) {
    own.pictures.push_back(run.pictures[std::size_t(index)]);
  }
  if (failed >= 0) {
    own.pictures.push_back(run.pictures[std::size_t(failed)]);
  }
  own.fingerprint = QStringLiteral("1234");
  const QString path =
      gallery::partsFolder(folder, run.fingerprint) + '/' + part + QStringLiteral("/pictures/2026-11-30/0001-prompt");
  QVERIFY(QDir().mkpath(path));
  auto opened = OpenRun::open(path, own);
  QVERIFY(opened.isOk());
  for (std::size_t i = 0; i < std::size_t(indices.size()); ++i) {
    QVERIFY((*opened)->save(i, pngOf(own.pictures[i]), {"cuda:1", "GPU", 2.5}).isOk());
  }
  if (failed >= 0) {
    QVERIFY((*opened)->saveFailure(own.pictures.size() - 1, {ErrorCode::OutOfMemory, "too large", {}}, {}).isOk());
  }
  library::RunRecord record;
  record.id = 1;
  record.fingerprint = run.fingerprint;
  const domain::PictureMetadata& first = run.pictures.front();
  record.plan.model.name = first.modelName;
  record.plan.model.hash = first.modelHash;
  record.plan.computeType = first.computeType;
  record.plan.noise = first.noise;
  record.plan.threads = first.threads;
  record.plan.batch = first.batch;
  record.plan.vaeSlicing = first.vaeSlicing;
  record.plan.vaeTiling = first.vaeTiling;
  for (const domain::PictureMetadata& picture : run.pictures) {
    record.requests.push_back(picture.request);
  }
  QFile list(gallery::partsFolder(folder, run.fingerprint) + "/run.jsonl");
  QVERIFY(list.open(QIODevice::WriteOnly));
  list.write(library::toRunFile(record));
}

}  // namespace

class TestJoinParts : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void joinsInTheOrderOfTheRun() {
    const QTemporaryDir folder;
    const FolderRun run = runOf(5);
    leavePart(folder.path(), run, "a-0", {3, 0});
    leavePart(folder.path(), run, "b-1", {4, 1}, 2);
    const auto joined = gallery::joinParts(folder.path(), run);
    QVERIFY2(joined.isOk(), joined ? "" : joined.error().message.c_str());
    QCOMPARE(joined->finished(), std::size_t(4));
    QCOMPARE(joined->joined, std::size_t(4));
    QCOMPARE(joined->failed, std::size_t(1));
    QVERIFY(!joined->isFinished[2]);
    QCOMPARE(joined->origins[3].device, QString("cuda:1"));
    QCOMPARE(indicesOf(folder.path()), QList<int>({0, 1, 2, 3, 4}));
    for (const int index : {0, 1, 3, 4}) {
      const auto png = pngOf(run.pictures[std::size_t(index)]);
      QCOMPARE(read(joined->paths[index]), QByteArray(reinterpret_cast<const char*>(png.data()), qsizetype(png.size())));
    }
    QVERIFY(!QFileInfo::exists(folder.path() + "/.polyptych/parts"));
    // The folder is now what one process would have made: the same run goes on in it.
    const auto opened = gallery::OutputFolder::open(folder.path(), run);
    QVERIFY(opened.isOk());
    QCOMPARE((*opened)->finishedCount(), std::size_t(4));
    QVERIFY(gallery::wholeRunOf(folder.path())->pictures == run.pictures);
  }

  void keepsAPictureOfTwoProcessesOnce() {
    const QTemporaryDir folder;
    const FolderRun run = runOf(3);
    leavePart(folder.path(), run, "a-0", {0, 1});
    QCOMPARE(gallery::joinParts(folder.path(), run)->finished(), std::size_t(2));
    leavePart(folder.path(), run, "a-1", {1, 2});
    leavePart(folder.path(), run, "a-2", {2, 0});
    const auto joined = gallery::joinParts(folder.path(), run);
    QCOMPARE(joined->joined, std::size_t(1));
    QCOMPARE(indicesOf(folder.path()), QList<int>({0, 1, 2}));
    QCOMPARE(QDir(folder.path()).entryList({"*.png"}).size(), 3);
  }

  void keepsTheLockOfWhoHoldsTheFolder() {
    const QTemporaryDir folder;
    const FolderRun run = runOf(2);
    leavePart(folder.path(), run, "a-0", {0});
    auto held = std::make_unique<gallery::FolderHandle>(*gallery::FolderHandle::open(folder.path()));
    QCOMPARE(gallery::joinParts(folder.path(), run).error().code, ErrorCode::AlreadyExists);
    for (const std::size_t finished : {1, 2}) {
      const auto joined = gallery::joinParts(held, run);
      QVERIFY2(joined.isOk(), joined ? "" : joined.error().message.c_str());
      QCOMPARE(joined->finished(), finished);
      QVERIFY(held != nullptr);
      QCOMPARE(gallery::FolderHandle::open(folder.path()).error().code, ErrorCode::AlreadyExists);
      leavePart(folder.path(), run, "b-1", {1});
    }
    QVERIFY(!gallery::joinParts(held, runOf(2, "other ")));
    QVERIFY(held == nullptr);
    QVERIFY(gallery::FolderHandle::open(folder.path()).isOk());
  }

  void takesAPictureWhoseRowIsMissing() {
    const QTemporaryDir folder;
    const FolderRun run = runOf(2);
    leavePart(folder.path(), run, "a-0", {0, 1});
    const QString manifest =
        gallery::partsFolder(folder.path(), run.fingerprint) + "/a-0/pictures/2026-11-30/0001-prompt/manifest.jsonl";
    QVERIFY(QFile::resize(manifest, read(manifest).indexOf('\n') + 20));  // a torn row
    const auto joined = gallery::joinParts(folder.path(), run);
    QCOMPARE(joined->finished(), std::size_t(2));
    QCOMPARE(indicesOf(folder.path()), QList<int>({0, 1}));
  }

  void leavesPicturesOfOthersAlone() {
    const QTemporaryDir folder;
    const FolderRun run = runOf(2);
    const FolderRun other = runOf(2, "other ");
    leavePart(folder.path(), other, "a-0", {0});
    const auto refused = gallery::joinParts(folder.path(), run);
    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::AlreadyExists);
    QVERIFY(gallery::joinParts(folder.path(), other).isOk());
    const auto stillRefused = gallery::joinParts(folder.path(), run);
    QVERIFY(!stillRefused);
    QCOMPARE(stillRefused.error().code, ErrorCode::AlreadyExists);
  }

  void copiesFromTheFoldersOfOtherMachines() {
    const QTemporaryDir first;
    const QTemporaryDir second;
    const QTemporaryDir target;
    const FolderRun run = runOf(4);
    leavePart(first.path(), run, "a-0", {0, 2});
    QVERIFY(gallery::joinParts(first.path(), run).isOk());
    leavePart(second.path(), run, "a-1", {1});
    QVERIFY(gallery::joinParts(second.path(), run).isOk());
    leavePart(second.path(), run, "b-1", {3});
    const auto joined = gallery::joinParts(target.path(), run, {first.path(), second.path()});
    QVERIFY2(joined.isOk(), joined ? "" : joined.error().message.c_str());
    QCOMPARE(joined->finished(), std::size_t(4));
    QCOMPARE(indicesOf(target.path()), QList<int>({0, 1, 2, 3}));
    QCOMPARE(indicesOf(first.path()), QList<int>({0, 2}));
    QVERIFY(QFileInfo::exists(gallery::partsFolder(second.path(), run.fingerprint)));
  }

  /// Ended at any moment, the same call finishes it.
  void goesOnAfterAnEndInTheMiddle() {
    const FolderRun run = runOf(6);
    for (int microseconds = 0; microseconds <= 12000; microseconds += 400) {
      const QTemporaryDir folder;
      leavePart(folder.path(), run, "a-0", {0, 4, 5});
      leavePart(folder.path(), run, "a-1", {1, 2, 3});
      const pid_t child = ::fork();
      if (child == 0) {
        (void)gallery::joinParts(folder.path(), run);
        ::_exit(0);
      }
      ::usleep(static_cast<useconds_t>(microseconds));
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      const auto joined = gallery::joinParts(folder.path(), run);
      QVERIFY2(joined.isOk(), joined ? "" : joined.error().message.c_str());
      QCOMPARE(joined->finished(), std::size_t(6));
      QCOMPARE(indicesOf(folder.path()), QList<int>({0, 1, 2, 3, 4, 5}));
    }
  }

  void saysWhatIsMissing() {
    const QTemporaryDir folder;
    const auto nothing = gallery::wholeRunOf(folder.path());
    QVERIFY(!nothing);
    QCOMPARE(nothing.error().code, ErrorCode::NotFound);
    leavePart(folder.path(), runOf(2), "a-0", {0});
    QVERIFY(gallery::wholeRunOf(folder.path()).isOk());
    leavePart(folder.path(), runOf(3), "a-0", {0});
    const auto two = gallery::wholeRunOf(folder.path());
    QVERIFY(!two);
    QCOMPARE(two.error().code, ErrorCode::InvalidArgument);
  }
};

QTEST_GUILESS_MAIN(TestJoinParts)
#include "tst_join_parts.moc"
