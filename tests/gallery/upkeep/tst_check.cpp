#include <QtTest>

#include "core/gallery/prompt_grams.h"
#include "core/gallery/sidecar.h"
#include "core/gallery/thumbnail_store.h"
#include "core/gallery/upkeep/check.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::FindingKind;
using library::Location;
using tests::SampleLibrary;

namespace {

using Findings = std::vector<gallery::Finding>;

QStringList kindsOf(const base::Result<Findings>& findings) {
  QStringList kinds;
  if (!findings) {
    return {QString::fromStdString(findings.error().message + findings.error().detail)};
  }
  for (const auto& finding : *findings) {
    kinds << gallery::nameOf(finding.kind);
    if (finding.path.isEmpty() || finding.sentence.isEmpty()) {
      kinds << "without words";
    }
  }
  kinds.sort();
  return kinds;
}

/// A library with a finished run (3 pictures), a begun one (1 of 4), and marks on the first picture.
struct Planted : SampleLibrary {
  explicit Planted(Location::Layout layout = Location::Layout::Dated) : SampleLibrary(layout) {
    addRun(done);
    addPictures(done);
    addRun(begun);
    addPicture(begun, 0);
    change("UPDATE runs SET already_there = 1 WHERE id = 2");
    [&] { QVERIFY(gallery::writeMarks(*database, 1, {3, 1, {"sea"}, {"Best"}, {}}).isOk()); }();
    [&] { QVERIFY(gallery::saveSidecar(*database, location.picturesFolder(), 1).isOk()); }();
    cache = temporary.filePath("cache");
  }

  base::Result<Findings> check(bool repair) {
    gallery::CheckOptions options;
    options.repair = repair;
    options.insertRun = queue::insertRun;
    options.thumbnailCache = cache;
    return gallery::check(location, options);
  }
  void change(const char* sql, const QVariantList& values = {}) { QVERIFY(database->change(sql, values).isOk()); }
  QString pathOf(int index) const { return SampleLibrary::pathOf(done, std::size_t(index)); }
  QString manifest() const { return folderOf(done) + "/manifest.jsonl"; }

  library::RunRecord done = tests::recordOf(1, {"a lighthouse", "등대", "a cat"}, "2024-01-01/001-a");
  library::RunRecord begun = tests::recordOf(2, {"one", "two", "three", "four"}, "2024-01-01/002-b");
  QString cache;
};

using Plant = std::function<void(Planted&)>;

}  // namespace

Q_DECLARE_METATYPE(Plant)

class TestCheck : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void findsNothingInAWholeLibrary_data() {
    QTest::addColumn<int>("layout");
    QTest::newRow("dated") << int(Location::Layout::Dated);
  }

  void findsNothingInAWholeLibrary() {
    QFETCH(int, layout);
    Planted library{static_cast<Location::Layout>(layout)};
    QCOMPARE(kindsOf(library.check(false)), QStringList());
    QCOMPARE(kindsOf(library.check(true)), QStringList());
  }

  void findsNothingInAFlatOne() {
    SampleLibrary library(Location::Layout::Flat);
    const auto record = tests::recordOf(1, {"a", "b", "c"}, "");
    library.addRun(record);
    library.addPicture(record, 2);
    gallery::CheckOptions options;
    options.insertRun = queue::insertRun;
    QCOMPARE(kindsOf(gallery::check(library.location, options)), QStringList());
    QFile::remove(library.runFileOf(record));
    options.repair = true;
    QCOMPARE(kindsOf(gallery::check(library.location, options)), QStringList{"run_file_missing"});
    QVERIFY(library::fromRunFile(tests::readFile(library.runFileOf(record))).isOk());
    QCOMPARE(kindsOf(gallery::check(library.location, options)), QStringList());
  }

  void findsAndMends_data() {
    QTest::addColumn<Plant>("plant");
    QTest::addColumn<QStringList>("kinds");  // of the check that mends; one that looks alone must find the first of them
    const auto row = [](const char* name, const QStringList& kinds, Plant plant) { QTest::newRow(name) << plant << kinds; };
    row("missing picture", {"missing_picture", "manifest_extra_row"}, [](Planted& p) { QFile::remove(p.pathOf(1)); });
    row("missing picture with marks", {"missing_picture", "manifest_extra_row"}, [](Planted& p) { QFile::remove(p.pathOf(0)); });
    row("missing picture in the trash", {"missing_picture", "manifest_extra_row", "sidecar_missing"}, [](Planted& p) {
      QFile::remove(p.pathOf(1));
      p.change("UPDATE pictures SET trashed = 5 WHERE id IN (2, 3)");
    });
    row("cut picture", {"damaged_picture", "manifest_extra_row"},
        [](Planted& p) { tests::writeFile(p.pathOf(1), tests::readFile(p.pathOf(1)).chopped(7)); });
    row("changed byte", {"damaged_picture", "manifest_extra_row"}, [](Planted& p) {
      QByteArray bytes = tests::readFile(p.pathOf(1));
      bytes[bytes.size() - 20] = char(bytes[bytes.size() - 20] ^ 1);
      tests::writeFile(p.pathOf(1), bytes);
    });
    row("empty picture", {"damaged_picture", "manifest_extra_row"}, [](Planted& p) { tests::writeFile(p.pathOf(1), ""); });
    row("another picture under its name", {"damaged_picture", "manifest_extra_row"},
        [](Planted& p) { tests::writeFile(p.pathOf(1), tests::readFile(p.pathOf(2))); });
    row("wrong size", {"wrong_size"}, [](Planted& p) { p.change("UPDATE pictures SET bytes = bytes + 1 WHERE id = 2"); });
    row("picture without row", {"picture_without_row"}, [](Planted& p) {
      tests::writeFile(static_cast<SampleLibrary&>(p).pathOf(p.begun, 1), tests::pngOf(tests::metadataOf(p.begun, 1)));
      QFile manifest(p.folderOf(p.begun) + "/manifest.jsonl");
      QVERIFY(manifest.open(QIODevice::Append));
      manifest.write(gallery::toLine({tests::metadataOf(p.begun, 1),
                                      {"cpu:0", "CPU", 1},
                                      "00001-two.png",
                                      p.begun.fingerprint,
                                      QDateTime::currentDateTimeUtc(),
                                      std::nullopt}));
    });
    row("renamed picture", {"missing_picture", "picture_without_row", "manifest_extra_row", "manifest_missing_row"},
        [](Planted& p) { QVERIFY(QFile::rename(p.pathOf(1), p.folderOf(p.done) + "/mine.png")); });
    row("damaged file without row", {"damaged_picture"}, [](Planted& p) {
      tests::writeFile(static_cast<SampleLibrary&>(p).pathOf(p.begun, 1), tests::pngOf(tests::metadataOf(p.begun, 1)).left(40));
    });
    row("empty file without row", {"damaged_picture"},
        [](Planted& p) { tests::writeFile(static_cast<SampleLibrary&>(p).pathOf(p.begun, 1), ""); });
    row("temporary file", {"temporary_file"},
        [](Planted& p) { tests::writeFile(p.folderOf(p.done) + "/.polyptych-0123abcd.tmp", "half"); });
    row("manifest gone", {"manifest_missing_row", "manifest_missing_row", "manifest_missing_row"},
        [](Planted& p) { QFile::remove(p.manifest()); });
    row("manifest cut", {"manifest_damaged_row", "manifest_missing_row"},
        [](Planted& p) { tests::writeFile(p.manifest(), tests::readFile(p.manifest()).chopped(9)); });
    row("manifest row doubled", {"manifest_extra_row"}, [](Planted& p) {
      const QByteArray text = tests::readFile(p.manifest());
      tests::writeFile(p.manifest(), text + text.left(text.indexOf('\n') + 1));
    });
    row("failure of a picture that was made", {"manifest_extra_row"}, [](Planted& p) {
      tests::writeFile(p.manifest(), gallery::toLine({tests::metadataOf(p.done, 1),
                                                      {},
                                                      QFileInfo(p.pathOf(1)).fileName(),
                                                      p.done.fingerprint,
                                                      QDateTime::currentDateTimeUtc(),
                                                      base::Error{ErrorCode::WorkerDied, "It died.", {}}}) +
                                         tests::readFile(p.manifest()));
    });
    row("run file gone", {"run_file_missing"}, [](Planted& p) { QFile::remove(p.runFileOf(p.begun)); });
    row("run file cut", {"run_file_damaged"},
        [](Planted& p) { tests::writeFile(p.runFileOf(p.begun), tests::readFile(p.runFileOf(p.begun)).chopped(3)); });
    row("run file of another run", {"run_file_damaged"},
        [](Planted& p) { tests::writeFile(p.runFileOf(p.begun), tests::readFile(p.runFileOf(p.done))); });
    row("run without rows", {"run_without_rows", "temporary_file", "manifest_missing_row"}, [](Planted& p) {
      const auto record = tests::recordOf(3, {"x", "y"}, "2024-01-01/003-c");
      tests::writeFile(p.runFileOf(record), library::toRunFile(record));
      tests::writeFile(static_cast<SampleLibrary&>(p).pathOf(record, 1), tests::pngOf(tests::metadataOf(record, 1)));
      tests::writeFile(p.folderOf(record) + "/.polyptych-01.tmp", "half");
    });
    row("pictures without run", {"pictures_without_run", "manifest_missing_row"}, [](Planted& p) {
      tests::writeFile(p.location.picturesFolder() + "/x/picture.png", tests::pngOf(tests::metadataOf(p.begun, 3)));
    });
    row("copy of a run's folder", {"run_without_rows"}, [](Planted& p) {
      for (const QString& name : QDir(p.folderOf(p.begun)).entryList(QDir::Files)) {
        tests::writeFile(p.location.picturesFolder() + "/copy/" + name, tests::readFile(p.folderOf(p.begun) + '/' + name));
      }
    });
    row("moved run", {"run_moved"},
        [](Planted& p) { QVERIFY(QDir().rename(p.folderOf(p.done), p.location.picturesFolder() + "/moved")); });
    row("run counters", {"run_counters"}, [](Planted& p) { p.change("UPDATE runs SET made = 7 WHERE id = 1"); });
    row("run that is not closed", {"run_counters"}, [](Planted& p) { p.change("UPDATE runs SET state = 0 WHERE id = 1"); });
    row("job that waits for nothing", {"job_state"}, [](Planted& p) { p.change("UPDATE jobs SET state = 0 WHERE id = 1"); });
    row("orphan ratings", {"orphan_rows"}, [](Planted& p) { p.change("INSERT INTO ratings(picture, stars) VALUES (99, 3)"); });
    row("orphan tags", {"orphan_rows", "orphan_rows"}, [](Planted& p) {
      p.change("INSERT INTO picture_tags(picture, tag) VALUES (99, 1)");
      p.change("INSERT INTO album_pictures(album, picture, position) VALUES (99, 1, 1)");
    });
    row("orphan jobs", {"orphan_rows", "orphan_rows", "orphan_rows"}, [](Planted& p) {
      p.change("INSERT INTO jobs(id, run, first_request, count, state, rank) VALUES (500, 99, 1, 1, 0, 1)");
      p.change("INSERT INTO attempts(job, lease, device) VALUES (501, 1, 'cpu')");
      p.change("INSERT INTO requests(id, idx, prompt_index, prompt, settings, seed) VALUES (700, 0, 0, 1, 1, 1)");
    });
    row("orphan attempts of orphan jobs", {"orphan_rows", "orphan_rows"}, [](Planted& p) {
      p.change("INSERT INTO jobs(id, run, first_request, count, state, rank) VALUES (500, 1, 1, 1, 0, 1)");
      p.change("UPDATE jobs SET run = 99 WHERE id = 500");
      p.change("INSERT INTO attempts(job, lease, device) VALUES (500, 1, 'cpu')");
    });
    row("picture of no run", {"orphan_rows"}, [](Planted& p) {
      p.change(
          "INSERT INTO pictures(run, idx, prompt_index, file, bytes, prompt, settings, plan, seed, made, device, device_name, "
          "seconds) VALUES (99, 0, 0, 'x', 1, 1, 1, 1, 1, 1, '', '', 0)");
    });
    row("picture without its prompt", {"orphan_rows", "picture_without_row"},
        [](Planted& p) { p.change("UPDATE pictures SET prompt = 9999 WHERE id = 2"); });
    row("orphan prompt", {"orphan_rows"}, [](Planted& p) {
      const auto prompt = p.database->insert("INSERT INTO prompts(text) VALUES ('nobody''s')");
      QVERIFY(prompt && gallery::indexPrompt(*p.database, *prompt, "nobody's").isOk());
    });
    row("prompt not indexed", {"prompt_not_indexed"}, [](Planted& p) {
      p.change("INSERT INTO prompt_grams(prompt_grams, rowid, grams) VALUES ('delete', ?, ?)",
               {p.number("SELECT prompt FROM pictures WHERE id = 1"), gallery::promptGrams("a lighthouse")});
    });
    row("prompt not marked as indexed", {"orphan_rows"},
        [](Planted& p) { p.change("UPDATE prompts SET is_indexed = 0 WHERE id = 1"); });
    row("text index gone", {"prompt_not_indexed", "prompt_not_indexed", "prompt_not_indexed", "prompt_not_indexed"},
        [](Planted& p) { p.change("INSERT INTO prompt_grams(prompt_grams) VALUES ('delete-all')"); });
    row("index of a prompt that is gone", {"orphan_rows"},
        [](Planted& p) { p.change("INSERT INTO prompt_grams(rowid, grams) VALUES (999, 'ab')"); });
    row("sidecar missing", {"sidecar_missing"}, [](Planted& p) { QFile::remove(p.pathOf(0) + ".xmp"); });
    row("sidecar differs", {"sidecar_differs"}, [](Planted& p) { QVERIFY(gallery::setStars(*p.database, 1, 5).isOk()); });
    row("marks in the sidecar alone", {"sidecar_differs"}, [](Planted& p) {
      tests::writeFile(p.pathOf(1) + ".xmp", gallery::toXmp({5, 0, {"x"}, {}, {}}));
    });
    row("sidecar damaged", {"sidecar_damaged"}, [](Planted& p) { tests::writeFile(p.pathOf(0) + ".xmp", "<x"); });
    row("sidecar without picture", {"sidecar_without_picture"}, [](Planted& p) {
      tests::writeFile(p.folderOf(p.done) + "/00000-gone.png.xmp", gallery::toXmp({5, 0, {}, {}, {}}));
    });
    row("thumbnail without picture", {"thumbnail_without_picture"}, [](Planted& p) {
      gallery::ThumbnailStore store(p.cache, p.location, 1 << 20);
      QVERIFY(store.write(*store.keyOf(p.pathOf(0), 128), "kept").isOk());
      QVERIFY(store.write("00ff", "of nobody").isOk());
    });
  }

  void findsAndMends() {
    QFETCH(Plant, plant);
    QFETCH(QStringList, kinds);
    Planted library;
    plant(library);
    const auto seen = library.check(false);
    QVERIFY2(kindsOf(seen).contains(kinds.front()), qPrintable(kindsOf(seen).join(u' ')));
    for (const auto& finding : *seen) {
      QVERIFY(!finding.isRepaired);
    }
    QCOMPARE(kindsOf(library.check(false)), kindsOf(seen));
    const auto mended = library.check(true);
    QStringList expected = kinds;
    expected.sort();
    QCOMPARE(kindsOf(mended), expected);
    for (const auto& finding : *mended) {
      QVERIFY2(finding.isRepaired, qPrintable(finding.sentence));
    }
    QCOMPARE(kindsOf(library.check(true)), QStringList());
  }

  void makesLostPicturesAgain() {
    Planted library;
    QFile::remove(library.pathOf(1));
    QVERIFY(library.check(true).isOk());
    QCOMPARE(library.number("SELECT count(*) FROM pictures WHERE run = 1"), qint64(2));
    QCOMPARE(library.number("SELECT count(*) FROM jobs WHERE run = 1 AND state = 0"), qint64(1));
    QCOMPARE(library.number("SELECT state FROM runs WHERE id = 1"), qint64(0));
    QCOMPARE(library.number("SELECT made FROM runs WHERE id = 1"), qint64(2));
    QCOMPARE(library.number("SELECT already_there FROM runs WHERE id = 1"), qint64(2));
  }

  void keepsDamagedBytes() {
    Planted library;
    tests::writeFile(library.pathOf(1), "precious");
    QVERIFY(library.check(true).isOk());
    QVERIFY(!QFileInfo::exists(library.pathOf(1)));
    QCOMPARE(tests::readFile(library.pathOf(1) + ".damaged"), QByteArray("precious"));
  }

  void takesMarksFromASidecar() {
    Planted library;
    tests::writeFile(library.pathOf(1) + ".xmp", gallery::toXmp({5, 0, {"x"}, {}, {}}));
    QVERIFY(library.check(true).isOk());
    QCOMPARE(gallery::readMarks(*library.database, 2)->stars, 5);
  }

  void leavesWhatIsNotOurs() {
    Planted library;
    const QString folder = library.folderOf(library.done);
    const QMap<QString, QByteArray> others = {{"contact-sheet.png", "x"}, {"notes.txt", "y"}, {"IMG_1.png.xmp", "<x"}};
    for (auto it = others.begin(); it != others.end(); ++it) {
      tests::writeFile(folder + '/' + it.key(), it.value());
    }
    tests::writeFile(folder + "/foreign.png", tests::pngOf(tests::metadataOf(library.begun, 2)));
    const auto found = library.check(true);
    QCOMPARE(kindsOf(found), (QStringList{"foreign_picture", "sidecar_without_picture"}));
    QCOMPARE(kindsOf(library.check(true)), kindsOf(found));
    for (auto it = others.begin(); it != others.end(); ++it) {
      QCOMPARE(tests::readFile(folder + '/' + it.key()), it.value());
    }
    QVERIFY(QFileInfo::exists(folder + "/foreign.png"));
  }

  void tellsOfLatentsThatAreGone() {
    Planted library;
    library.change("UPDATE runs SET has_latents = 1 WHERE id = 2");
    QVERIFY(kindsOf(library.check(false)).contains("latents_missing"));
  }

  void refusesADamagedIndex() {
    Planted library;
    library.database.reset();
    QByteArray bytes = tests::readFile(library.location.databaseFile());
    for (qsizetype at = 4096; at < bytes.size(); at += 64) {
      bytes[at] = char(0xAA);
    }
    tests::writeFile(library.location.databaseFile(), bytes);
    const auto found = library.check(true);
    QVERIFY(!found);
    QCOMPARE(found.error().code, ErrorCode::Corrupt);
    QCOMPARE(tests::readFile(library.location.databaseFile()), bytes);
  }

  void needsAnIndex() {
    const auto found = gallery::check(library::locationAt("nowhere", Location::Layout::Dated), {});
    QVERIFY(!found);
    QCOMPARE(found.error().code, ErrorCode::NotFound);
  }
};

QTEST_GUILESS_MAIN(TestCheck)
#include "tst_check.moc"
