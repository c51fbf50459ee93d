#include <QtTest>

#include "core/gallery/picture_reader.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::PictureFilter;
using gallery::PictureOrder;
using gallery::PictureReader;
using tests::SampleLibrary;

namespace {

QList<qint64> idsOf(const base::Result<std::vector<gallery::PictureRow>>& rows) {
  QList<qint64> ids;
  if (!rows) {
    return {-1};
  }
  for (const auto& row : *rows) {
    ids << row.id;
  }
  return ids;
}

/// All pages of `size`, one after the other.
QList<qint64> allPages(PictureReader& reader, const PictureFilter& filter, PictureOrder order, int size) {
  QList<qint64> ids;
  std::optional<gallery::PictureKey> after;
  for (;;) {
    const auto rows = reader.page(filter, order, size, after);
    ids << idsOf(rows);
    if (!rows || int(rows->size()) < size) {
      return ids;
    }
    after = rows->back().key();
  }
}

QList<qint64> reversed(QList<qint64> list) {
  std::reverse(list.begin(), list.end());
  return list;
}

}  // namespace

class TestPictureReader : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() {
    m_first = tests::recordOf(1, {"a lighthouse", "등대 그림", "A LIGHTHOUSE at night", "a cat"}, "2024-01-01/001-a");
    m_second = tests::recordOf(2, {"a dog", "a cat and a dog"}, "2024-01-02/002-b");
    m_second.plan.model.name = "org/other";
    m_second.requests[1].width = 24;
    m_second.requests[1].scheduler = "Euler a";
    m_second.requests[1].clipSkip = 1;
    m_second.requests[1].negativePrompt = "";
    for (const auto* record : {&m_first, &m_second}) {
      m_library.addRun(*record);
      for (std::size_t i = 0; i < record->requests.size(); ++i) {
        m_ids << m_library.addPicture(*record, i);
      }
    }
    auto& database = *m_library.database;
    QVERIFY(gallery::setStars(database, m_ids[1], 5).isOk());
    QVERIFY(gallery::setStars(database, m_ids[4], 3).isOk());
    QVERIFY(gallery::setPick(database, m_ids[4], -1).isOk());
    QVERIFY(gallery::addTag(database, m_ids[0], " sea  side ").isOk());
    QVERIFY(gallery::addTag(database, m_ids[1], "sea side").isOk());
    QVERIFY(gallery::addTag(database, m_ids[1], "바다").isOk());
    QVERIFY(gallery::addToAlbum(database, m_ids[2], "Best").isOk());
    QVERIFY(gallery::setTrashed(database, m_ids[3], 5).isOk());
    auto reader = PictureReader::open(m_library.location);
    QVERIFY(reader.isOk());
    m_reader = *std::move(reader);
  }

  void filters_data() {
    QTest::addColumn<PictureFilter>("filter");
    QTest::addColumn<QList<int>>("expected");
    const auto row = [](const char* name, const QList<int>& expected, auto set) {
      PictureFilter filter;
      set(filter);
      QTest::newRow(name) << filter << expected;
    };
    row("everything", {0, 1, 2, 4, 5}, [](auto&) {});
    row("text", {0, 2}, [](auto& f) { f.text = "Lighthouse"; });
    row("Korean", {1}, [](auto& f) { f.text = "대 그"; });
    row("one letter", {4, 5}, [](auto& f) { f.text = "d"; });
    row("nowhere", {}, [](auto& f) { f.text = "zebra"; });
    row("only trash", {3}, [](auto& f) { f.trash = PictureFilter::Trash::Only; });
    row("with trash", {3, 5}, [](auto& f) {
      f.trash = PictureFilter::Trash::With;
      f.text = "cat";
    });
    row("stars", {1, 4}, [](auto& f) { f.minStars = 3; });
    row("rejected", {4}, [](auto& f) { f.pick = -1; });
    row("neither", {0, 1, 2, 5}, [](auto& f) { f.pick = 0; });
    row("tag", {0, 1}, [](auto& f) { f.tags = QStringList{"sea side"}; });
    row("tags", {1}, [](auto& f) { f.tags = QStringList{"sea side", "바다"}; });
    row("unknown tag", {}, [](auto& f) { f.tags = QStringList{"none"}; });
    row("album", {2}, [](auto& f) { f.album = "Best"; });
    row("run", {4, 5}, [](auto& f) { f.runId = 2; });
    row("model", {0, 1, 2}, [](auto& f) { f.model = "org/tiny"; });
    row("scheduler", {5}, [](auto& f) { f.scheduler = "Euler a"; });
    row("size", {5}, [](auto& f) {
      f.width = 24;
      f.height = 8;
    });
    row("text and stars", {4}, [](auto& f) {
      f.text = "dog";
      f.minStars = 1;
    });
    row("since", {4, 5}, [](auto& f) { f.sinceMs = 1700000002000; });
    row("until", {0, 1}, [](auto& f) { f.untilMs = 1700000001020; });
  }

  void filters() {
    QFETCH(PictureFilter, filter);
    QFETCH(QList<int>, expected);
    QList<qint64> ids;
    for (const int i : expected) {
      ids << m_ids[i];
    }
    QCOMPARE(allPages(*m_reader, filter, PictureOrder::Oldest, 2), ids);
    QCOMPARE(allPages(*m_reader, filter, PictureOrder::Newest, 2), reversed(ids));
    QCOMPARE(allPages(*m_reader, filter, PictureOrder::Run, 1), ids);
    QList<qint64> starred = allPages(*m_reader, filter, PictureOrder::Stars, 1);
    std::sort(starred.begin(), starred.end());
    QCOMPARE(starred, ids);
    const auto count = m_reader->count(filter);
    QVERIFY(count.isOk());
    QCOMPARE(*count, qint64(ids.size()));
  }

  void sortsByStars() {
    QCOMPARE(idsOf(m_reader->page({}, PictureOrder::Stars, 3)), (QList<qint64>{m_ids[1], m_ids[4], m_ids[5]}));
  }

  void tellsEverythingAboutOne() {
    const auto details = m_reader->details(m_ids[5]);
    QVERIFY(details && *details);
    domain::PictureMetadata expected = tests::metadataOf(m_second, 1);
    QVERIFY((*details)->metadata == expected);
    QCOMPARE((*details)->row.path, m_library.pathOf(m_second, 1));
    QVERIFY(QFileInfo::exists((*details)->row.path));
    QCOMPARE((*details)->row.seed, quint64(0xFFFFFFFFFFFFFF01ULL));
    QCOMPARE((*details)->row.runNumber, qint64(2));
    QCOMPARE((*details)->origin.deviceName, QString("Card"));
    QCOMPARE(m_reader->details(m_ids[1])->value().marks.tags, (QStringList{"sea side", "바다"}));
    QVERIFY(!*m_reader->details(999999));
    QCOMPARE(m_reader->find(2, 1)->value_or(0), m_ids[5]);
    QVERIFY(!*m_reader->find(2, 7));
  }

  void countsNames() {
    const auto tags = m_reader->tags();
    QVERIFY(tags.isOk());
    QCOMPARE(tags->size(), std::size_t(2));
    QCOMPARE(tags->front().name, QString("sea side"));
    QCOMPARE(tags->front().count, qint64(2));
    QCOMPARE(m_reader->albums()->front().count, qint64(1));
    QCOMPARE(m_reader->models()->front().name, QString("org/tiny"));
    QCOMPARE(m_reader->models()->front().count, qint64(3));
    QCOMPARE(m_reader->schedulers()->back().name, QString("Euler a"));
  }

  void refusesMarksThatCannotBe() {
    auto& database = *m_library.database;
    QCOMPARE(gallery::setStars(database, m_ids[0], 6).error().code, ErrorCode::InvalidArgument);
    QCOMPARE(gallery::setPick(database, m_ids[0], 2).error().code, ErrorCode::InvalidArgument);
    QCOMPARE(gallery::addTag(database, m_ids[0], " ").error().code, ErrorCode::InvalidArgument);
    QCOMPARE(gallery::addTag(database, m_ids[0], QString(300, 'x')).error().code, ErrorCode::InvalidArgument);
    QCOMPARE(gallery::setStars(database, 999999, 1).error().code, ErrorCode::NotFound);
  }

  void writesAndTakesMarksBack() {
    auto& database = *m_library.database;
    const gallery::PictureMarks marks{2, 1, {"x", "y"}, {"One", "Two"}, 77};
    QVERIFY(gallery::writeMarks(database, m_ids[0], marks).isOk());
    QVERIFY(*gallery::readMarks(database, m_ids[0]) == marks);
    QVERIFY(gallery::writeMarks(database, m_ids[0], {}).isOk());
    QVERIFY(gallery::readMarks(database, m_ids[0])->isEmpty());
    QCOMPARE(m_library.number("SELECT count(*) FROM ratings WHERE picture = ?", {m_ids[0]}), qint64(0));
    QCOMPARE(m_library.number("SELECT count(*) FROM tags WHERE name IN ('x', 'y')"), qint64(0));
  }

  void refusesASecondPictureOfTheSameIndex() {
    gallery::NewPicture picture;
    picture.runId = 1;
    picture.metadata = tests::metadataOf(m_first, 0);
    picture.file = "other.png";
    const auto added = gallery::addPicture(*m_library.database, picture);
    QVERIFY(!added);
    QCOMPARE(added.error().code, ErrorCode::AlreadyExists);
  }

  void forgetsAPictureWithItsMarks() {
    auto& database = *m_library.database;
    QVERIFY(gallery::removePicture(database, m_ids[1]).isOk());
    QVERIFY(!*m_reader->details(m_ids[1]));
    for (const char* sql :
         {"SELECT count(*) FROM ratings WHERE picture = ?", "SELECT count(*) FROM picture_tags WHERE picture = ?"}) {
      QCOMPARE(m_library.number(sql, {m_ids[1]}), qint64(0));
    }
    QCOMPARE(gallery::removePicture(database, m_ids[1]).error().code, ErrorCode::NotFound);
  }

  void findsAmongMany() {
    // More than are sorted at once; what is rare, common, and only at the far end.
    SampleLibrary many;
    QStringList prompts;
    for (int i = 0; i < 9000; ++i) {
      prompts << QStringLiteral("picture %1%2%3").arg(i).arg(i < 4000 ? " early" : "", i % 1000 == 0 ? " 드문" : "");
    }
    const auto record = tests::recordOf(1, prompts, "run");
    QVERIFY(many.database->change("BEGIN").isOk());
    QVERIFY(queue::insertRun(*many.database, record, {}).isOk());
    for (std::size_t i = 0; i < record.requests.size(); ++i) {
      gallery::NewPicture picture;
      picture.runId = 1;
      picture.metadata = tests::metadataOf(record, i);
      picture.file = QString::number(i);
      picture.madeMs = qint64(i) / 7;
      QVERIFY(gallery::addPicture(*many.database, picture).isOk());
    }
    QVERIFY(many.database->change("COMMIT").isOk());
    PictureReader reader(*many.database, many.location);
    for (const char* text : {"picture", "early", "드문", "e", "7", "드", "nowhere"}) {
      PictureFilter filter;
      filter.text = QString::fromUtf8(text);
      QList<qint64> expected;
      for (qsizetype i = 0; i < prompts.size(); ++i) {
        if (prompts[i].contains(filter.text)) {
          expected << i + 1;
        }
      }
      for (const auto order : {PictureOrder::Oldest, PictureOrder::Newest}) {
        const QList<qint64> sorted = order == PictureOrder::Newest ? reversed(expected) : expected;
        QCOMPARE(allPages(reader, filter, order, 2000), sorted);
        QCOMPARE(idsOf(reader.page(filter, order, 5)), sorted.mid(0, 5));
      }
      QCOMPARE(*reader.count(filter), qint64(expected.size()));
    }
  }

  void keepsTextsAsTheyAre() {
    SampleLibrary library;
    auto record = tests::recordOf(1, {QStringLiteral("\uFEFFmark first"), QStringLiteral("a") + QChar(0) + "b", ""}, "d/r");
    record.requests[1].negativePrompt = "\xEF\xBB\xBF";
    library.addRun(record);
    PictureReader reader(*library.database, library.location);
    for (std::size_t i = 0; i < record.requests.size(); ++i) {
      const auto details = reader.details(library.addPicture(record, i));
      QVERIFY(details && *details);
      QVERIFY((*details)->metadata.request == record.requests[i]);
    }
  }

  void saysThatThereIsNoLibrary() {
    const auto reader = PictureReader::open(library::locationAt("nowhere", library::Location::Layout::Dated));
    QVERIFY(!reader);
    QCOMPARE(reader.error().code, ErrorCode::NotFound);
  }

 private:
  SampleLibrary m_library;
  library::RunRecord m_first;
  library::RunRecord m_second;
  QList<qint64> m_ids;
  std::unique_ptr<PictureReader> m_reader;
};

QTEST_GUILESS_MAIN(TestPictureReader)
#include "tst_picture_reader.moc"
