#include "core/gallery/mark_changes.h"
#include "core/gallery/sidecar.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using gallery::MarkChange;
using gallery::PictureMarks;
using tests::SampleLibrary;

/// Marks of many pictures at once, taken back, and how their sidecars follow.
class TestMarkChanges : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_library = std::make_unique<SampleLibrary>();
    const auto record = tests::recordOf(1, {"a cat", "a dog", "a boat"}, "2026/1");
    m_library->addRun(record);
    m_pictures.clear();
    for (std::size_t i = 0; i < 3; ++i) {
      m_pictures.push_back(m_library->addPicture(record, i));
    }
  }

  void changesAndGivesBack() {
    MarkChange first;
    first.pictures = {m_pictures[0], m_pictures[1], 999'999};  // the last is gone
    first.stars = 3;
    first.addedTags = {"  night   sky ", "boat"};
    first.addedAlbum = "Best";
    const qint64 undo = change(first);
    QCOMPARE(m_changed, (std::vector<qint64>{m_pictures[0], m_pictures[1]}));
    QVERIFY(marks(0) == (PictureMarks{3, 0, {"boat", "night sky"}, {"Best"}, {}}));
    MarkChange second;
    second.pictures = {m_pictures[0]};
    second.stars = 5;
    second.pick = -1;
    second.removedTags = {"boat", "never there"};
    second.removedAlbum = "Best";
    second.isTrashed = true;
    const qint64 later = change(second);
    QVERIFY(marks(0) == (PictureMarks{5, -1, {"night sky"}, {}, 77}));
    QVERIFY(takeBack(later));
    QVERIFY(marks(0) == (PictureMarks{3, 0, {"boat", "night sky"}, {"Best"}, {}}));
    QVERIFY(takeBack(undo));
    QVERIFY(marks(0) == PictureMarks());
    QVERIFY(marks(1) == PictureMarks());
    QVERIFY(!takeBack(undo));  // once
  }

  void whatIsSoAlreadyIsNoChange() {
    MarkChange wanted;
    wanted.pictures = m_pictures;
    wanted.stars = 0;
    wanted.removedTags = {"x"};
    wanted.isTrashed = false;
    (void)change(wanted);
    QVERIFY(m_changed.empty());
    QVERIFY(gallery::staleSidecars(*m_library->database, 10)->empty());
  }

  void refusesNamesThatCannotBe() {
    MarkChange wanted;
    wanted.pictures = m_pictures;
    wanted.addedTags = {QString(201, QLatin1Char('x'))};
    std::vector<qint64> changed;
    const auto result = gallery::changeMarks(*m_library->database, wanted, 77, changed);
    QVERIFY(!result.isOk());
    QCOMPARE(result.error().code, base::ErrorCode::InvalidArgument);
  }

  void aSidecarStaysStaleUntilItsLastMarkIsWritten() {
    MarkChange wanted;
    wanted.pictures = {m_pictures[2]};
    wanted.stars = 1;
    (void)change(wanted);
    const auto first = gallery::staleSidecars(*m_library->database, 10);
    QCOMPARE(first->size(), std::size_t(1));
    QCOMPARE(first->front().picture, m_pictures[2]);
    QCOMPARE(first->front().marks.stars, 1);
    QVERIFY(QFile::exists(m_library->location.picturesFolder() + '/' + first->front().path));
    wanted.stars = 2;  // while the first is being written
    (void)change(wanted);
    QVERIFY(gallery::noteWritten(*m_library->database, first->front()).isOk());
    const auto second = gallery::staleSidecars(*m_library->database, 10);
    QCOMPARE(second->size(), std::size_t(1));
    QCOMPARE(second->front().marks.stars, 2);
    QVERIFY(gallery::noteWritten(*m_library->database, second->front()).isOk());
    QVERIFY(gallery::staleSidecars(*m_library->database, 10)->empty());
  }

  void oldChangesAreForgotten() {
    MarkChange wanted;
    wanted.pictures = {m_pictures[0]};
    std::vector<qint64> numbers;
    for (int i = 0; i < 205; ++i) {
      wanted.stars = i % 2 + 1;
      numbers.push_back(change(wanted));
    }
    QVERIFY(!takeBack(numbers.front()));
    QVERIFY(takeBack(numbers.back()));
    QVERIFY(takeBack(numbers[10]));
  }

 private:
  qint64 change(const MarkChange& wanted) {
    const auto done = gallery::changeMarks(*m_library->database, wanted, 77, m_changed);
    return done ? *done : -1;
  }
  bool takeBack(qint64 number) {
    const auto done = gallery::undoMarks(*m_library->database, number, m_changed);
    return done && *done;
  }
  PictureMarks marks(std::size_t picture) { return *gallery::readMarks(*m_library->database, m_pictures[picture]); }

  std::unique_ptr<SampleLibrary> m_library;
  std::vector<qint64> m_pictures;
  std::vector<qint64> m_changed;
};

QTEST_GUILESS_MAIN(TestMarkChanges)
#include "tst_mark_changes.moc"
