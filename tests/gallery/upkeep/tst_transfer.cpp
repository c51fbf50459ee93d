#include <QtTest>

#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/check.h"
#include "core/gallery/upkeep/manifest_lines.h"
#include "core/gallery/upkeep/rebuild.h"
#include "core/gallery/upkeep/transfer.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using library::Location;
using tests::SampleLibrary;

namespace {

struct Filled : SampleLibrary {
  Filled() {
    addRun(record);
    addPictures(record);
    [&] { QVERIFY(gallery::writeMarks(*database, 2, {4, 1, {"sea"}, {"Best"}, {}}).isOk()); }();
    [&] { QVERIFY(gallery::saveSidecar(*database, location.picturesFolder(), 2).isOk()); }();
  }
  base::Result<gallery::Exported> exportTo(const QString& folder, const gallery::ExportOptions& options = {}) {
    gallery::PictureReader reader(*database, location);
    return gallery::exportPictures(reader, folder, options);
  }
  base::Result<gallery::Imported> import(const QString& folder) {
    return gallery::importPictures(location, folder, queue::insertRun);
  }
  QStringList check() {
    gallery::CheckOptions options;
    QStringList kinds;
    const auto found = gallery::check(location, options);
    for (const auto& finding : *found) {
      kinds << gallery::nameOf(finding.kind);
    }
    return kinds;
  }

  library::RunRecord record = tests::recordOf(7, {"a lighthouse", "등대", "a cat"}, "2024-01-01/007-a");
};

QStringList namesIn(const QString& folder) { return QDir(folder).entryList(QDir::Files, QDir::Name); }

}  // namespace

class TestTransfer : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void exportsPicturesWithAllThatIsKnown() {
    Filled library;
    const QString out = library.temporary.filePath("out");
    const auto exported = library.exportTo(out);
    QVERIFY2(exported.isOk(), exported ? "" : exported.error().message.c_str());
    QCOMPARE(exported->pictures, qint64(3));
    QVERIFY(exported->missing.empty());
    QCOMPARE(namesIn(out), (QStringList{"007-00000-a-lighthouse.png", "007-00001-등대.png", "007-00001-등대.png.xmp",
                                        "007-00002-a-cat.png", "manifest.jsonl"}));
    QCOMPARE(tests::readFile(out + "/007-00000-a-lighthouse.png"), tests::readFile(library.pathOf(library.record, 0)));
    const auto lines = gallery::readManifestFile(out + "/manifest.jsonl", 1);
    QVERIFY(lines && lines->size() == 3);
    QCOMPARE((*lines)[1].file, QString("007-00001-등대.png"));
    QCOMPARE((*lines)[1].origin.deviceName, QString("Card"));
    QCOMPARE(gallery::readSidecar(out + "/007-00001-등대.png")->stars, 4);
  }

  void exportsTheChosenOnesUnderChosenNames() {
    Filled library;
    gallery::ExportOptions options;
    options.filter.text = "cat";
    options.nameTemplate = "{date} {stars}/{seed}_{scheduler}";
    const QString out = library.temporary.filePath("out");
    QCOMPARE(library.exportTo(out, options)->pictures, qint64(1));
    QCOMPARE(namesIn(out).front(), QString("2023-11-14 0-18446744073709551362_dpm-2m.png"));
  }

  void overwritesNothing() {
    Filled library;
    const QString out = library.temporary.filePath("out");
    tests::writeFile(out + "/same.png", "mine");
    gallery::ExportOptions options;
    options.nameTemplate = "same";
    QVERIFY(library.exportTo(out, options).isOk());
    QCOMPARE(tests::readFile(out + "/same.png"), QByteArray("mine"));
    QCOMPARE(namesIn(out).filter(".png").size(), 5);
    const auto again = library.exportTo(out, options);
    QVERIFY(!again);
    QCOMPARE(again.error().code, ErrorCode::AlreadyExists);
  }

  void refusesNamesThatCannotBe_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"", "{nothing}", "{index", ".hidden", " "}) {
      QTest::newRow(name) << QString(name);
    }
  }

  void refusesNamesThatCannotBe() {
    QFETCH(QString, name);
    Filled library;
    gallery::ExportOptions options;
    options.nameTemplate = name;
    const auto exported = library.exportTo(library.temporary.filePath("out"), options);
    QVERIFY(!exported);
    QCOMPARE(exported.error().code, ErrorCode::InvalidArgument);
    QVERIFY(!QFileInfo::exists(library.temporary.filePath("out")));
  }

  void tellsOfFilesThatAreGone() {
    Filled library;
    QFile::remove(library.pathOf(library.record, 1));
    const auto exported = library.exportTo(library.temporary.filePath("out"));
    QVERIFY(exported.isOk());
    QCOMPARE(exported->pictures, qint64(2));
    QCOMPARE(exported->missing.size(), std::size_t(1));
  }

  void takesInAnotherLibrarysPictures() {
    Filled source;
    Filled target;
    // One that both have, byte by byte, and two that differ.
    for (const int index : {0, 1}) {
      auto metadata = tests::metadataOf(source.record, std::size_t(index));
      metadata.request.seed = 5;
      tests::writeFile(source.pathOf(source.record, std::size_t(index)), tests::pngOf(metadata));
    }
    const QString folder = source.location.picturesFolder();
    tests::writeFile(folder + "/cut.png", tests::pngOf(tests::metadataOf(source.record, 2)).chopped(3));
    tests::writeFile(folder + "/other.png", "no picture of ours");
    tests::writeFile(folder + "/again.png", tests::readFile(source.pathOf(source.record, 0)));
    const auto imported = target.import(folder);
    QVERIFY2(imported.isOk(), imported ? "" : imported.error().message.c_str());
    QCOMPARE(imported->pictures, qint64(2));
    QCOMPARE(imported->doubles.size(), std::size_t(2));
    QCOMPARE(imported->refused.size(), std::size_t(1));
    gallery::PictureReader reader(*target.database, target.location);
    gallery::PictureFilter filter;
    filter.runId = imported->runId;
    const auto page = reader.page(filter, gallery::PictureOrder::Run, 10);
    QVERIFY(page && page->size() == 2);
    const auto korean = std::find_if(page->begin(), page->end(), [](const auto& row) { return row.prompt == "등대"; });
    QVERIFY(korean != page->end());
    QCOMPARE(korean->stars, 4);
    QCOMPARE(korean->madeMs, source.record.createdMs + 10);
    QCOMPARE(tests::readFile(korean->path), tests::readFile(source.pathOf(source.record, 1)));
    QCOMPARE(target.number("SELECT state FROM runs WHERE id = ?", {imported->runId}), qint64(1));
    QCOMPARE(target.check(), QStringList());

    const auto again = target.import(folder);
    QVERIFY(again.isOk());
    QCOMPARE(again->pictures, qint64(0));
    QCOMPARE(again->runId, quint64(0));

    gallery::RebuildOptions options;
    options.insertRun = queue::insertRun;
    const auto rebuilt = gallery::rebuild(target.location, options);
    QVERIFY(rebuilt.isOk());
    QCOMPARE(rebuilt->pictures, qint64(5));
    QVERIFY(rebuilt->findings.empty());
    QCOMPARE(rebuilt->waiting, qint64(0));
  }

  void takesInWhatWasExported() {
    Filled source;
    const QString out = source.temporary.filePath("out");
    QVERIFY(source.exportTo(out).isOk());
    SampleLibrary target;
    const auto imported = gallery::importPictures(target.location, out, queue::insertRun);
    QVERIFY(imported.isOk());
    QCOMPARE(imported->pictures, qint64(3));
    QCOMPARE(target.number("SELECT count(*) FROM pictures WHERE seconds = 1.5"), qint64(3));
    QCOMPARE(target.number("SELECT count(*) FROM picture_tags"), qint64(1));
  }

  void takesNothingFromNowhere() {
    Filled library;
    QCOMPARE(library.import(library.temporary.filePath("nowhere")).error().code, ErrorCode::NotFound);
    QTemporaryDir empty;
    QCOMPARE(library.import(empty.path())->pictures, qint64(0));
    QCOMPARE(gallery::importPictures(library::locationAt(empty.path(), Location::Layout::Flat), empty.path(), queue::insertRun)
                 .error()
                 .code,
             ErrorCode::Unsupported);
  }
};

QTEST_GUILESS_MAIN(TestTransfer)
#include "tst_transfer.moc"
