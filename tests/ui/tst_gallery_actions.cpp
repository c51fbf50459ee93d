#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QDragEnterEvent>
#include <QLineEdit>
#include <QMimeData>
#include <QSpinBox>

#include "tests/gallery/foreign_png.h"
#include "tests/ui/gallery_desk.h"
#include "ui/gallery/info_panel.h"

using namespace polyptych;
using tests::Desk;
using tests::Stage;
using ui::GalleryModel;

namespace {

/// As the window system gives it: to whatever stands at that place of the window.
bool drop(ui::MainWindow& window, const QWidget& target, const QString& path) {
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(path)});
  const QPoint at = target.mapTo(&window, target.rect().center());
  QDragEnterEvent enter(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(window.windowHandle(), &enter);
  QDragMoveEvent move(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(window.windowHandle(), &move);
  QDropEvent event(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(window.windowHandle(), &event);
  return enter.isAccepted() && event.isAccepted();
}

}  // namespace

/// What leaves the gallery and what comes back from pictures.
class TestGalleryActions : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // What leaves the gallery

  void promptsAreCopied() {
    Desk desk;
    desk.click(1);
    desk.click(5, Qt::ControlModifier);
    // The same prompt twice is one line.
    desk.click(4, Qt::ControlModifier);
    desk.key(Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("2 prompts copied."));
    QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("a red boat\n바다 위의 달"));
    desk.key(Qt::Key_I);
    desk.click(7);
    QTRY_VERIFY(desk.find<QPushButton>("copyPrompt")->isVisible());
    desk.press("copyPrompt");
    QTRY_COMPARE(QApplication::clipboard()->text(), QStringLiteral("a yellow house"));
  }

  void aChoiceThatIsLongerThanTheScreenIsWhole() {
    constexpr int kMany = 400;
    QStringList prompts;
    for (int i = 0; i < kMany; ++i) {
      prompts << QStringLiteral("prompt %1").arg(i);
    }
    Desk desk({tests::recordOf(1, prompts, "2023-11-14/001-a")});
    bool isRead = false;
    connect(desk.model(), &QAbstractItemModel::dataChanged, desk.grid(),
            [&](const QModelIndex&, const QModelIndex& to) { isRead = isRead || to.row() == kMany - 1; });
    desk.key(Qt::Key_A, Qt::ControlModifier);
    desk.key(Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("400 prompts copied."));
    QCOMPARE(QApplication::clipboard()->text(), prompts.join(u'\n'));
    desk.key(Qt::Key_C, Qt::ControlModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("400 pictures copied."));
    QCOMPARE(QApplication::clipboard()->mimeData()->urls().size(), kMany);
    // And is dragged whole, without being asked twice.
    QTRY_VERIFY(isRead);
    const std::unique_ptr<QMimeData> dragged(desk.model()->mimeData(desk.grid()->selectionModel()->selectedIndexes()));
    QCOMPARE(dragged->urls().size(), kMany);
  }

  void picturesAreCopied() {
    Desk desk;
    desk.click(4);
    desk.key(Qt::Key_C, Qt::ControlModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("1 picture copied."));
    const QMimeData* copied = QApplication::clipboard()->mimeData();
    QCOMPARE(copied->urls(), QList<QUrl>{QUrl::fromLocalFile(desk.data(4, GalleryModel::PathRole).toString())});
    QCOMPARE(qvariant_cast<QImage>(copied->imageData()).size(), QSize(64, 48));
    desk.click(6, Qt::ShiftModifier);
    desk.key(Qt::Key_C, Qt::ControlModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("3 pictures copied."));
    QCOMPARE(QApplication::clipboard()->mimeData()->urls().size(), 3);
  }

  void theChosenOnesAreSavedAsThePageSays() {
    Desk desk;
    const QTemporaryDir folder;
    desk.click(1);
    desk.click(4, Qt::ControlModifier);
    desk.key(Qt::Key_E, Qt::ControlModifier);
    auto* page = desk.find<QWidget>("exportPage");
    QVERIFY(page->isVisible());
    auto* start = desk.find<QPushButton>("exportStart");
    auto* example = desk.find<QLabel>("exportExample");
    desk.press("exportZip");
    auto* place = desk.find<QLineEdit>("exportPlace");
    QVERIFY2(place->text().endsWith(QStringLiteral(".zip")), qPrintable(place->text()));
    typeOver(place, folder.filePath(QStringLiteral("mine.zip")));
    auto* name = desk.find<QLineEdit>("exportName");
    typeOver(name, QStringLiteral("{promt}"));
    QVERIFY(!start->isEnabled());
    QCOMPARE(example->text(), QStringLiteral("There is no {promt}. Take one of the words above."));
    typeOver(name, QStringLiteral("{prompt}"));
    QTRY_COMPARE(example->text(), QStringLiteral("Becomes a-red-boat.png, a-red-boat-2.png"));
    desk.find<QComboBox>("exportFormat")->setFocus();
    desk.key(Qt::Key_Down);
    QTRY_COMPARE(example->text(), QStringLiteral("Becomes a-red-boat.jpg, a-red-boat-2.jpg"));
    QVERIFY(desk.find<QSpinBox>("exportQuality")->isVisible());
    QTest::mouseClick(start, Qt::LeftButton);
    QTRY_COMPARE(desk.message(), QStringLiteral("2 pictures exported."));
    QVERIFY(!page->isVisible());
    QVERIFY(desk.grid()->hasFocus());
    const QByteArray zip = tests::readFile(folder.filePath(QStringLiteral("mine.zip")));
    QVERIFY(zip.contains("a-red-boat.jpg") && zip.contains("a-red-boat-2.jpg"));
    // A place that cannot be is told in the window, and what was typed is still there.
    desk.key(Qt::Key_E, Qt::ControlModifier);
    typeOver(place, folder.filePath(QStringLiteral("mine.zip/below.zip")));
    QTest::mouseClick(start, Qt::LeftButton);
    QTRY_VERIFY2(desk.message().contains(QStringLiteral("cannot be written. Choose another place.")), qPrintable(desk.message()));
    QVERIFY(page->isVisible());
    QCOMPARE(name->text(), QStringLiteral("{prompt}"));
    desk.key(Qt::Key_Escape);
    QVERIFY(!page->isVisible());
  }

  void allThatIsShownIsSavedWhereNothingIsChosen() {
    Desk desk;
    const QTemporaryDir folder;
    desk.choose("filter", {"Model", "org/other"});
    QTRY_COMPARE(desk.count(), 3);
    desk.grid()->setFocus();
    desk.press("exportButton");
    desk.press("exportFolder");
    typeOver(desk.find<QLineEdit>("exportPlace"), folder.filePath(QStringLiteral("all")));
    desk.find<QCheckBox>("exportMetadata")->setFocus();
    desk.key(Qt::Key_Space);
    QTest::mouseClick(desk.find<QPushButton>("exportStart"), Qt::LeftButton);
    QTRY_COMPARE(desk.message(), QStringLiteral("3 pictures exported."));
    const QDir made(folder.filePath(QStringLiteral("all")));
    QCOMPARE(made.entryList(QDir::Files), (QStringList{"001-a-dog.png", "002-a-red-boat.png", "003-a-dog-a-cat.png"}));
    QVERIFY(!tests::readFile(made.filePath(QStringLiteral("001-a-dog.png"))).contains("a dog"));
  }

  void settingsAndSeedAreTakenOver() {
    Desk desk;
    desk.find<QPlainTextEdit>("prompts")->setFocus();
    QTest::keyClicks(desk.find<QPlainTextEdit>("prompts"), QStringLiteral("what stood here"));
    desk.key(Qt::Key_Return);
    desk.click(5);
    desk.key(Qt::Key_I);
    QTRY_VERIFY(desk.window->findChild<QWidget*>("facts") != nullptr);
    desk.press("useSeed");
    QCOMPARE(desk.find<QLineEdit>("seed")->text(), QStringLiteral("18446744073709551362"));
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{"what stood here"});
    desk.click(1);
    QTRY_COMPARE(desk.window->findChild<ui::InfoPanel*>()->picture(), desk.data(1, GalleryModel::IdRole).toLongLong());
    desk.press("useSettings");
    checkForm(desk, "a red boat", "18446744073709551361", 22);
    // The list that stood there comes back.
    desk.find<QAbstractItemView>("promptList")->setFocus();
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{"what stood here"});
    // All of it does by the message.
    desk.find<QSpinBox>("steps")->setValue(9);
    desk.find<QLineEdit>("seed")->clear();
    desk.press("useSettings");
    QCOMPARE(desk.message(), QStringLiteral("The picture's settings are taken over."));
    checkForm(desk, "a red boat", "18446744073709551361", 22);
    desk.act();
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{"what stood here"});
    QCOMPARE(desk.find<QSpinBox>("steps")->value(), 9);
    QCOMPARE(desk.find<QLineEdit>("seed")->text(), QString());
    QCOMPARE(desk.find<QComboBox>("seedRule")->currentIndex(), 0);
    // By the action list, without the panel.
    desk.click(5);
    desk.window->shell().actions().trigger(QStringLiteral("gallery.useSettings"));
    QTRY_COMPARE(Stage::promptsOf(*desk.window), QStringList{"바다 위의 달"});
    QCOMPARE(desk.find<QSpinBox>("steps")->value(), 21);
  }

  // Drops

  void droppedPicturesGiveTheirSettings_data() {
    QTest::addColumn<QByteArray>("chunk");  // that keeps A1111's text; nothing: a picture of ours
    QTest::addColumn<QString>("place");
    for (const char* place : {"gallery", "promptList", "settingsBox", "rightPanel", "topBar"}) {
      QTest::addRow("ours on %s", place) << QByteArray() << QString::fromLatin1(place);
      QTest::addRow("A1111's on %s", place) << QByteArray("tEXt") << QString::fromLatin1(place);
    }
    QTest::newRow("A1111's, packed") << QByteArray("zTXt") << QStringLiteral("gallery");
    QTest::newRow("ours on the loupe") << QByteArray() << QStringLiteral("loupe");
  }
  void droppedPicturesGiveTheirSettings() {
    QFETCH(QByteArray, chunk);
    QFETCH(QString, place);
    Desk desk;
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("picture.png"));
    if (chunk.isEmpty()) {
      QVERIFY(QFile::copy(desk.data(1, GalleryModel::PathRole).toString(), path));
    } else {
      const QByteArray text(
          "a red boat\nNegative prompt: blurry\nSteps: 22, Sampler: DPM++ 2M, CFG scale: 6.5, "
          "Seed: 18446744073709551361, Size: 1200x900, Model: other, Version: v1.9");
      // qCompress() puts the length in front of the stream.
      tests::writeFile(path, tests::pngWithChunk(chunk, QByteArray("parameters") + '\0' +
                                                            (chunk == "zTXt" ? '\0' + qCompress(text).mid(4) : text)));
    }
    if (place == QLatin1String("loupe")) {
      desk.click(0);
      desk.key(Qt::Key_E);
    }
    QVERIFY(drop(*desk.window, *desk.window->findChild<QWidget*>(place), path));
    QTRY_COMPARE(desk.message(), QStringLiteral("Settings taken over from picture.png."));
    checkForm(desk, "a red boat", "18446744073709551361", 22);
    QVERIFY(!desk.find<QPushButton>("stop")->isEnabled());
    QCOMPARE(desk.find<QPushButton>("messageAction")->text(), QStringLiteral("Undo"));
  }

  void droppedPicturesWithoutSettingsSaySo() {
    Desk desk;
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("holiday.png"));
    QImage image(8, 8, QImage::Format_RGB888);
    image.fill(Qt::red);
    QVERIFY(image.save(path));
    const QStringList before = Stage::promptsOf(*desk.window);
    const QString steps = desk.find<QSpinBox>("steps")->text();
    QVERIFY(drop(*desk.window, *desk.grid(), path));
    QTRY_COMPARE(desk.message(), QStringLiteral("holiday.png has no settings in it that can be read."));
    QCOMPARE(Stage::promptsOf(*desk.window), before);
    QCOMPARE(desk.find<QSpinBox>("steps")->text(), steps);
    // And other files are not taken at all.
    QVERIFY(!drop(*desk.window, *desk.grid(), folder.filePath(QStringLiteral("film.mkv"))));
  }

 private:
  static void typeOver(QLineEdit* field, const QString& text) {
    field->setFocus();
    field->selectAll();
    QTest::keyClicks(field, text);
  }
  static void checkForm(const Desk& desk, const char* prompt, const char* seed, int steps) {
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{QLatin1String(prompt)});
    QCOMPARE(desk.find<QLineEdit>("seed")->text(), QLatin1String(seed));
    QCOMPARE(desk.find<QSpinBox>("steps")->value(), steps);
    QCOMPARE(desk.find<QLineEdit>("negative")->text(), QStringLiteral("blurry"));
    QCOMPARE(desk.find<QDoubleSpinBox>("guidance")->value(), 6.5);
    QCOMPARE(desk.find<QComboBox>("scheduler")->currentText(), QStringLiteral("DPM++ 2M"));
    QVERIFY2(desk.find<QComboBox>("size")->currentText().startsWith(QStringLiteral("1200")),
             qPrintable(desk.find<QComboBox>("size")->currentText()));
    QCOMPARE(desk.find<QSpinBox>("images")->value(), 1);
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestGalleryActions>(argc, argv);
}

#include "tst_gallery_actions.moc"
