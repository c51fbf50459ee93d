#include <QAbstractItemModelTester>
#include <QTemporaryDir>
#include <QTest>

#include "tests/ui/fake_backend.h"
#include "ui/gallery/gallery_model.h"

using namespace polyptych;
using ui::GalleryModel;

namespace {

std::vector<domain::GenerationRequest> requests(int count) {
  std::vector<domain::GenerationRequest> list(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i].index = static_cast<std::int64_t>(i);
    list[i].prompt = "prompt " + std::to_string(i);
    list[i].seed = 100 + i;
  }
  return list;
}

}  // namespace

class TestGalleryModel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void keepsTheRulesOfModels() {
    GalleryModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.addRun(1, requests(5));
    model.addRun(2, requests(3));
    model.setProgress(1, 0, 2, 0.5);
    model.setPreview(1, 1, tests::plainImage(8, 10));
    model.setDone(1, 3, QStringLiteral("/nowhere/3.png"));
    model.setFailed(2, 1, {QStringLiteral("no"), {}});
    model.dropUnfinished(1);
    QCOMPARE(model.rowCount(), 4);
    model.dropUnfinished(2);
    QCOMPARE(model.rowCount(), 2);
    // The newest run stands first.
    QCOMPARE(model.index(0).data(GalleryModel::ReasonRole).toString(), QStringLiteral("no"));
    QCOMPARE(model.index(1).data(GalleryModel::PromptRole).toString(), QStringLiteral("prompt 3"));
  }

  void whatIsMissingComesBackInItsPlace() {
    GalleryModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.addRun(1, requests(6));
    model.addRun(2, requests(2));
    model.setDone(1, 1, QStringLiteral("/1"));
    model.setDone(1, 4, QStringLiteral("/4"));
    model.dropUnfinished(1);
    QCOMPARE(model.rowCount(), 4);
    std::vector<QString> pictures(6);
    pictures[2] = QStringLiteral("/2");
    pictures[4] = QStringLiteral("/other");
    model.addRun(1, requests(6), pictures);
    QCOMPARE(model.rowCount(), 8);
    const auto stateOf = [&](int row) { return model.index(row).data(GalleryModel::StateRole).value<GalleryModel::State>(); };
    for (int i = 0; i < 6; ++i) {
      const int row = model.rowOf(1, i);
      QCOMPARE(row, 2 + i);
      QCOMPARE(model.index(row).data(GalleryModel::SeedRole).toInt(), 100 + i);
      QCOMPARE(stateOf(row), i == 1 || i == 2 || i == 4 ? GalleryModel::State::Done : GalleryModel::State::Waiting);
    }
    QCOMPARE(model.index(model.rowOf(1, 4)).data(GalleryModel::PathRole).toString(), QStringLiteral("/4"));
    model.setProgress(2, 1, 1, 0.5);
    QCOMPARE(stateOf(1), GalleryModel::State::Working);
    model.setNothingInWork();
    QCOMPARE(stateOf(1), GalleryModel::State::Waiting);
  }

  void strangersChangeNothing() {
    GalleryModel model;
    model.addRun(1, requests(2));
    model.setDone(9, 0, QStringLiteral("/x"));
    model.setDone(1, 2, QStringLiteral("/x"));
    model.setDone(1, -1, QStringLiteral("/x"));
    model.setProgress(1, 1, 100, 0.5);
    model.dropUnfinished(9);
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(model.index(0).data(GalleryModel::StateRole).value<GalleryModel::State>(), GalleryModel::State::Waiting);
    QCOMPARE(model.index(1).data(GalleryModel::StateRole).value<GalleryModel::State>(), GalleryModel::State::Working);
  }

  void aUnitShowsAllItsPicturesInWork() {
    GalleryModel model;
    model.addRun(1, requests(4));
    model.setProgress(1, 2, 2, 0.25);
    const auto stateOf = [&](int row) { return model.index(row).data(GalleryModel::StateRole).value<GalleryModel::State>(); };
    QCOMPARE(stateOf(1), GalleryModel::State::Waiting);
    QCOMPARE(stateOf(2), GalleryModel::State::Working);
    QCOMPARE(stateOf(3), GalleryModel::State::Working);
  }

  void thumbnailsStayWithinTheirMemory() {
    QTemporaryDir folder;
    // Room for two thumbnails of 64 x 64 and a bit.
    constexpr qsizetype kLimit = 2 * 64 * 64 * 4 + 100;
    GalleryModel model(nullptr, kLimit);
    model.tiles().setTile(64, 1);
    model.addRun(1, requests(4));
    for (int i = 0; i < 4; ++i) {
      QImage image(64, 64, QImage::Format_RGB888);
      image.fill(QColor(10 + i, 0, 0));
      const QString path = folder.filePath(QString::number(i) + QStringLiteral(".png"));
      QVERIFY(image.save(path));
      model.setDone(1, i, path);
    }
    QCOMPARE(model.thumbnailBytes(), qsizetype(0));
    const auto colourOf = [&](int row) {
      const auto picture = model.index(row).data(Qt::DecorationRole).value<QPixmap>();
      return picture.isNull() ? -1 : picture.toImage().pixelColor(32, 32).red();
    };
    for (const int row : {0, 1, 2, 3, 0}) {
      QTRY_COMPARE(colourOf(row), 10 + row);
      QVERIFY2(model.thumbnailBytes() <= kLimit, qPrintable(QString::number(model.thumbnailBytes())));
    }
  }

  void nextDoneSkipsWhatIsNotThere() {
    GalleryModel model;
    model.addRun(1, requests(5));
    model.setDone(1, 1, QStringLiteral("/1"));
    model.setDone(1, 4, QStringLiteral("/4"));
    QCOMPARE(model.nextDone(0, 1), 1);
    QCOMPARE(model.nextDone(2, 1), 4);
    QCOMPARE(model.nextDone(5, 1), -1);
    QCOMPARE(model.nextDone(3, -1), 1);
    QCOMPARE(model.nextDone(-1, -1), -1);
  }
};

QTEST_MAIN(TestGalleryModel)
#include "tst_gallery_model.moc"
