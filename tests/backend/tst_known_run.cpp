#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "core/backend/known_run.h"
#include "core/gallery/run_folder.h"
#include "core/library/run_file.h"

using namespace polyptych;
using base::ErrorCode;

namespace {

library::RunRecord sampleRecord(int count) {
  library::RunRecord record;
  record.id = 3;
  record.plan.batch = 4;
  for (int i = 0; i < count; ++i) {
    domain::GenerationRequest request;
    request.index = request.promptIndex = i;
    request.prompt = i == 1 ? "등대" : "prompt " + std::to_string(i);
    request.scheduler = "Euler";
    record.requests.push_back(request);
  }
  return record;
}

void write(const QString& path, const QByteArray& bytes) {
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size());
}

}  // namespace

class TestKnownRun : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void tellsPromptsAndWhichPicturesAreThere() {
    const QTemporaryDir folder;
    const library::RunRecord record = sampleRecord(3);
    write(folder.filePath(QLatin1String(library::kRunFileName)), library::toRunFile(record));
    domain::PictureMetadata picture;
    picture.request = record.requests[1];
    const QString file = folder.filePath(gallery::RunFolder::nameOf(picture));
    write(file, "png");
    write(folder.filePath(QStringLiteral("00002-of-somebody-else.png")), "png");
    QVERIFY(QDir(folder.path()).mkdir(QStringLiteral("00000-prompt-0.png")));
    const auto run = backend::readKnownRun(folder.path());
    QVERIFY2(run, run ? "" : run.error().message.c_str());
    QCOMPARE(run->batch, 4);
    QVERIFY(run->requests == record.requests);
    QCOMPARE(run->pictures, (std::vector<QString>{QString(), file, QString()}));
  }

  void refusesWhatItCannotRead() {
    const QTemporaryDir folder;
    QCOMPARE(backend::readKnownRun(folder.path()).error().code, ErrorCode::NotFound);
    const QString file = folder.filePath(QLatin1String(library::kRunFileName));
    write(file, library::toRunFile(sampleRecord(3)).chopped(40));
    QCOMPARE(backend::readKnownRun(folder.path()).error().code, ErrorCode::Corrupt);
  }
};

QTEST_GUILESS_MAIN(TestKnownRun)
#include "tst_known_run.moc"
