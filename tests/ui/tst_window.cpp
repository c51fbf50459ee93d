#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QCheckBox>
#include <QComboBox>
#include <QFile>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollBar>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QTranslator>
#include <cmath>
#include <ctime>
#include <memory>

#include "core/backend/backend.h"
#include "tests/ui/fake_backend.h"
#include "ui/elided.h"
#include "ui/error_text.h"
#include "ui/theme.h"

using namespace polyptych;
using tests::FakeBackend;
using ui::GalleryModel;

namespace {

/// Measures what each event costs the window's thread: its own processor time, so that other programs do not count.
class Application : public QApplication {
 public:
  using QApplication::QApplication;
  bool notify(QObject* receiver, QEvent* event) override {
    if (m_depth > 0) {
      return QApplication::notify(receiver, event);
    }
    ++m_depth;
    const double before = milliseconds();
    const bool result = QApplication::notify(receiver, event);
    longest = std::max(longest, milliseconds() - before);
    --m_depth;
    return result;
  }
  static double milliseconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  }
  double longest = 0;

 private:
  int m_depth = 0;
};

/// A window on a fake backend, with everything a test looks at.
struct Stage {
  explicit Stage(std::vector<domain::DeviceInfo> devices = {tests::cpuDevice()}, QString modelReference = {})
      : backend(std::move(devices)) {
    auto options = tests::windowOptions(folder.path());
    if (!modelReference.isNull()) {
      options.model = modelReference;
    }
    window = std::make_unique<ui::MainWindow>(backend, options);
    window->show();
    QApplication::setActiveWindow(window.get());
    QCoreApplication::processEvents();
  }
  template <typename Widget>
  Widget* find(const char* name) const {
    auto* widget = window->findChild<Widget*>(QLatin1String(name));
    if (widget == nullptr) {
      qFatal("no widget %s", name);
    }
    return widget;
  }
  void type(const QStringList& prompts) {
    auto* editor = find<QPlainTextEdit>("prompts");
    editor->setFocus();
    for (int i = 0; i < prompts.size(); ++i) {
      if (i > 0) {
        QTest::keyClick(editor, Qt::Key_Return);
      }
      QTest::keyClicks(editor, prompts[i]);
    }
  }
  /// Types, starts and waits for the run to reach the backend.
  bool run(const QStringList& prompts) {
    type(prompts);
    QTest::keyClick(find<QPlainTextEdit>("prompts"), Qt::Key_Return, Qt::ControlModifier);
    if (!QTest::qWaitFor([this] { return backend.specs.size() == 1; })) {
      return false;
    }
    backend.start();
    return true;
  }
  QString message() const { return find<QLabel>("message")->text(); }
  QListView* grid() const { return find<QListView>("gallery"); }
  QModelIndex tile(int row) const { return grid()->model()->index(row, 0); }
  GalleryModel::State stateOf(int row) const { return tile(row).data(GalleryModel::StateRole).value<GalleryModel::State>(); }
  QString makePicture(const QString& name, int side, QColor colour) const {
    QImage image(side, side, QImage::Format_RGB888);
    image.fill(colour);
    const QString path = folder.filePath(name);
    image.save(path);
    return path;
  }
  static QColor colourOf(const QPixmap& picture) {
    return picture.isNull() ? QColor() : picture.toImage().pixelColor(picture.rect().center());
  }

  QTemporaryDir folder;
  FakeBackend backend;
  std::unique_ptr<ui::MainWindow> window;
};

}  // namespace

class TestWindow : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void typedPromptsBecomeRequests() {
    Stage stage;
    stage.type({QStringLiteral("a red house"), QString(), QStringLiteral("a blue boat")});
    QCOMPARE(stage.find<QLabel>("forecast")->text().contains(QStringLiteral("2 prompts × 1 = 2 pictures")), true);
    auto* negative = stage.find<QLineEdit>("negative");
    QTest::keyClicks(negative, QStringLiteral("blurry"));
    stage.find<QLineEdit>("seed")->clear();
    QTest::keyClicks(stage.find<QLineEdit>("seed"), QStringLiteral("40"));
    stage.find<QSpinBox>("images")->setValue(3);
    stage.find<QSpinBox>("steps")->setValue(7);
    stage.find<QDoubleSpinBox>("guidance")->setValue(5.5);
    stage.find<QComboBox>("size")->setEditText(QStringLiteral("320x448"));
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("Generate 6"));
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    const auto& spec = stage.backend.specs[0];
    QCOMPARE(spec.requests.size(), std::size_t(6));
    for (std::size_t i = 0; i < 6; ++i) {
      const auto& request = spec.requests[i];
      QCOMPARE(request.index, std::int64_t(i));
      QCOMPARE(request.promptIndex, std::int64_t(i / 3));
      QCOMPARE(request.prompt, std::string(i < 3 ? "a red house" : "a blue boat"));
      QCOMPARE(request.seed, std::uint64_t(40 + i));
      QCOMPARE(request.negativePrompt.value_or(""), std::string("blurry"));
      QCOMPARE(request.width, 320);
      QCOMPARE(request.height, 448);
      QCOMPARE(request.steps, 7);
      QCOMPARE(request.guidanceScale, 5.5);
      QVERIFY(!request.scheduler.empty());
    }
    QCOMPARE(spec.plan.model.folder, std::string("/models/small"));
    QCOMPARE(spec.wantsPreviews, true);
    QCOMPARE(spec.outputFolder.startsWith(stage.folder.path() + u'/'), true);
    QCOMPARE(spec.slots.size(), std::size_t(1));
    QCOMPARE(spec.slots[0].kind, domain::DeviceKind::Cpu);
  }

  void emptyFieldsMeanTheModelsOwn() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    const auto& request = stage.backend.specs[0].requests[0];
    QCOMPARE(request.width, 256);
    QCOMPARE(request.height, 192);
    QCOMPARE(request.negativePrompt.has_value(), false);
  }

  void tickedDevicesMakeSlots() {
    Stage stage({tests::gpuDevice(0), tests::gpuDevice(1), tests::cpuDevice()});
    auto* first = stage.find<QCheckBox>("tick-cuda:0");
    QVERIFY(first->isChecked());
    QVERIFY(stage.find<QCheckBox>("tick-cuda:1")->isChecked());
    QVERIFY(!stage.find<QCheckBox>("tick-cpu")->isChecked());
    QTest::mouseClick(first, Qt::LeftButton, {}, QPoint(8, first->height() / 2));
    QVERIFY(!first->isChecked());
    auto* cpu = stage.find<QCheckBox>("tick-cpu");
    cpu->setFocus();
    QTest::keyClick(cpu, Qt::Key_Space);
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    const auto& slots_ = stage.backend.specs[0].slots;
    QCOMPARE(slots_.size(), std::size_t(2));
    QCOMPARE(slots_[0].id, std::string("cuda:1"));
    QCOMPARE(slots_[1].kind, domain::DeviceKind::Cpu);
  }

  void refusalsAreSentences_data() {
    QTest::addColumn<QString>("prompt");
    QTest::addColumn<QString>("field");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("sentence");
    QTest::newRow("no prompt") << "  "
                               << ""
                               << ""
                               << "There is no prompt yet";
    QTest::newRow("seed") << "a"
                          << "seed"
                          << "12a"
                          << "The seed is a whole number";
    QTest::newRow("seed too large") << "a"
                                    << "seed"
                                    << "18446744073709551616"
                                    << "The seed is a whole number";
    QTest::newRow("size") << "a"
                          << "size"
                          << "100 × 100"
                          << "multiples of 8";
    QTest::newRow("size in words") << "a"
                                   << "size"
                                   << "large"
                                   << "multiples of 8";
    QTest::newRow("folder") << "a"
                            << "folder"
                            << ""
                            << "Choose the folder";
    QTest::newRow("no model") << "a"
                              << "model"
                              << ""
                              << "No model is chosen";
    QTest::newRow("unknown model") << "a"
                                   << "model"
                                   << "nobody/nothing"
                                   << "There is no such model here.";
  }
  void refusalsAreSentences() {
    QFETCH(QString, prompt);
    QFETCH(QString, field);
    QFETCH(QString, value);
    QFETCH(QString, sentence);
    Stage stage;
    stage.type({prompt});
    if (field == QLatin1String("size") || field == QLatin1String("model")) {
      stage.find<QComboBox>(qPrintable(field))->setEditText(value);
    } else if (!field.isEmpty()) {
      stage.find<QLineEdit>(qPrintable(field))->setText(value);
    }
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_VERIFY2(stage.message().contains(sentence), qPrintable(stage.message()));
    QCOMPARE(stage.backend.specs.size(), std::size_t(0));
    QCOMPARE(QApplication::activeModalWidget(), nullptr);
  }

  void noDeviceIsRefused() {
    Stage stage;
    stage.type({QStringLiteral("a")});
    stage.find<QCheckBox>("tick-cpu")->setChecked(false);
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QVERIFY(stage.message().contains(QStringLiteral("No device is ticked")));
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("Idle: not ticked"));
  }

  void cardsSayWhatTheyDo() {
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    auto* state = stage.find<QLabel>("state-cuda:0");
    const QString slot = QStringLiteral("cuda:0");
    stage.backend.state(slot, backend::SlotState::LoadingModel, 1'200'000'000, 3'400'000'000);
    QCOMPARE(state->text(), QStringLiteral("Loading model 1.2 of 3.4 GB"));
    stage.backend.step(slot, 0, 17, 25);
    QCOMPARE(state->text(), QStringLiteral("Generating 17 / 25"));
    stage.backend.step(slot, 0, 1, 1, domain::Stage::Decoding);
    QCOMPARE(state->text(), QStringLiteral("Decoding"));
    stage.backend.failSlot(slot, base::ErrorCode::WorkerDied, QStringLiteral("It died."), true);
    QCOMPARE(state->text(), QStringLiteral("Restarting"));
    QCOMPARE(state->property("role").toString(), QStringLiteral("secondary"));
    stage.backend.failSlot(slot, base::ErrorCode::OutOfMemory, QStringLiteral("The device is full."), false);
    QCOMPARE(state->text(), QStringLiteral("Set aside: out of memory"));
    QCOMPARE(state->property("role").toString(), QStringLiteral("bad"));
    QVERIFY(state->toolTip().contains(QStringLiteral("The device is full.")));
    stage.backend.state(slot, backend::SlotState::Idle);
    QCOMPARE(state->text(), QStringLiteral("Idle: nothing waiting"));
    QVERIFY(state->toolTip().isEmpty());
    stage.find<QCheckBox>("tick-cuda:0")->setChecked(false);
    stage.backend.state(slot, backend::SlotState::Idle);
    QCOMPARE(state->text(), QStringLiteral("Idle: not ticked"));
    // A worker that no work was left to start again for.
    stage.find<QCheckBox>("tick-cuda:0")->setChecked(true);
    stage.backend.failSlot(slot, base::ErrorCode::WorkerDied, QStringLiteral("It died."), true);
    stage.backend.finish(1);
    QCOMPARE(state->text(), QStringLiteral("Idle: nothing waiting"));
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("Idle: not ticked"));
  }

  void picturesArriveInTheirPlaces() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one"), QStringLiteral("two"), QStringLiteral("three")}));
    QCOMPARE(stage.grid()->model()->rowCount(), 3);
    const QString slot = QStringLiteral("cpu:0");
    stage.backend.step(slot, 1, 5, 20);
    QCOMPARE(stage.stateOf(1), GalleryModel::State::Working);
    QCOMPARE(stage.stateOf(0), GalleryModel::State::Waiting);
    QCOMPARE(stage.tile(1).data(GalleryModel::PartRole).toDouble(), 0.25);
    stage.backend.preview(slot, 1, tests::plainImage(8, 200));
    QCOMPARE(Stage::colourOf(stage.tile(1).data(Qt::DecorationRole).value<QPixmap>()), QColor(200, 200, 200));
    stage.backend.picture(1, stage.makePicture(QStringLiteral("1.png"), 64, Qt::red));
    QCOMPARE(stage.stateOf(1), GalleryModel::State::Done);
    QTRY_COMPARE(Stage::colourOf(stage.tile(1).data(Qt::DecorationRole).value<QPixmap>()), QColor(Qt::red));
    // A preview that is late does not go over the picture.
    stage.backend.preview(slot, 1, tests::plainImage(8, 100));
    QCOMPARE(Stage::colourOf(stage.tile(1).data(Qt::DecorationRole).value<QPixmap>()), QColor(Qt::red));
    QVERIFY(stage.find<QLabel>("progress")->text().startsWith(QStringLiteral("1 of 3")));
    QVERIFY(stage.find<QLabel>("progress")->text().contains(QStringLiteral("estimating")));
    stage.backend.fail(2, {base::ErrorCode::OutOfMemory, "The device ran out of memory.", {}});
    QCOMPARE(stage.stateOf(2), GalleryModel::State::Failed);
    QVERIFY(stage.message().contains(QStringLiteral("ran out of memory")));
    stage.backend.picture(0, stage.makePicture(QStringLiteral("0.png"), 64, Qt::green));
    QVERIFY(stage.find<QLabel>("progress")->text().contains(QStringLiteral("done at")));
    stage.backend.finish(2, 1);
    QCOMPARE(stage.message(), QStringLiteral("1 picture failed; the others are there. The device ran out of memory."));
    QVERIFY(!stage.find<QPushButton>("stop")->isEnabled());
    QCOMPARE(QApplication::activeModalWidget(), nullptr);
  }

  void aRunWithoutAPictureDoesNotSpeakOfOthers() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one")}));
    stage.backend.fail(0, {base::ErrorCode::OutOfMemory, "The device ran out of memory.", {}});
    stage.backend.finish(0, 1);
    QCOMPARE(stage.message(), QStringLiteral("1 picture failed. The device ran out of memory."));
  }

  void theRateCountsFromTheFirstStep() {
    using namespace std::chrono_literals;
    const ui::RunProgress::Clock::time_point begin;
    ui::RunProgress progress;
    progress.add(200, 0);
    progress.workBegan(begin);
    progress.workBegan(begin + 20s);
    progress.pictureDone(begin + 30s);
    QVERIFY(!progress.ratePerMinute().has_value());
    QVERIFY(!progress.remaining().has_value());
    // Two devices end at almost the same moment.
    progress.pictureDone(begin + 30s + 50ms);
    QVERIFY(progress.ratePerMinute().has_value());
    QVERIFY2(std::abs(*progress.ratePerMinute() - 4.0) < 0.1, qPrintable(QString::number(*progress.ratePerMinute())));
    QVERIFY(std::abs(progress.remaining()->count() - 198 * 15) < 20);
    // Later only the last pictures count: the rate follows a device that became slower.
    for (int i = 1; i <= 100; ++i) {
      progress.pictureDone(begin + 30s + i * 60s);
    }
    QVERIFY(std::abs(*progress.ratePerMinute() - 1.0) < 0.02);
  }

  void theRateWaitsWhereNoStepWasSeen() {
    using namespace std::chrono_literals;
    const ui::RunProgress::Clock::time_point begin;
    ui::RunProgress progress;
    progress.add(10, 0);
    progress.pictureDone(begin + 10s);
    progress.pictureDone(begin + 20s);
    QVERIFY(!progress.ratePerMinute().has_value());
    progress.pictureDone(begin + 30s);
    QVERIFY(std::abs(*progress.ratePerMinute() - 6.0) < 0.01);
  }

  void spaceOnGenerateKeepsTheFocus() {
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    stage.type({QStringLiteral("a tree")});
    auto* generate = stage.find<QPushButton>("generate");
    auto* tick = stage.find<QCheckBox>("tick-cuda:0");
    generate->setFocus();
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Space);
    QCOMPARE(QApplication::focusWidget(), generate);
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Space);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    QCOMPARE(QApplication::focusWidget(), generate);
    QVERIFY(tick->isChecked());
    // Stop goes grey under the finger: the next Space must not press its neighbour.
    stage.backend.start();
    auto* stop = stage.find<QPushButton>("stop");
    stop->setFocus();
    QTest::keyClick(stop, Qt::Key_Space);
    QCOMPARE(stage.backend.cancelled.size(), std::size_t(1));
    QCOMPARE(QApplication::focusWidget(), stage.grid());
  }

  void linesOfWhiteSpaceAreNoPrompts() {
    Stage stage;
    auto* editor = stage.find<QPlainTextEdit>("prompts");
    const auto forecast = [&] { return stage.find<QLabel>("forecast")->text(); };
    editor->setPlainText(QStringLiteral("one\n\u3000\n\u00a0 \t\n\ntwo\nthree"));
    QVERIFY2(forecast().startsWith(QStringLiteral("3 prompts")), qPrintable(forecast()));
    QTest::keyClick(editor, Qt::Key_End, Qt::ControlModifier);
    QTest::keyClick(editor, Qt::Key_Return);
    QTest::keyClicks(editor, QStringLiteral("four"));
    QVERIFY2(forecast().startsWith(QStringLiteral("4 prompts")), qPrintable(forecast()));
    for (int i = 0; i < 5; ++i) {
      QTest::keyClick(editor, Qt::Key_Backspace);
    }
    QVERIFY2(forecast().startsWith(QStringLiteral("3 prompts")), qPrintable(forecast()));
    // The line's end comes back, then its letters.
    editor->undo();
    editor->undo();
    QVERIFY2(forecast().startsWith(QStringLiteral("4 prompts")), qPrintable(forecast()));
    // One prompt cut in two, and made one again.
    QTest::keyClick(editor, Qt::Key_Home, Qt::ControlModifier);
    QTest::keyClick(editor, Qt::Key_Right);
    QTest::keyClick(editor, Qt::Key_Return);
    QVERIFY2(forecast().startsWith(QStringLiteral("5 prompts")), qPrintable(forecast()));
    QTest::keyClick(editor, Qt::Key_Backspace);
    QVERIFY2(forecast().startsWith(QStringLiteral("4 prompts")), qPrintable(forecast()));
    QTest::keyClick(editor, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClick(editor, Qt::Key_Delete);
    QCOMPARE(forecast(), QStringLiteral("Type a prompt to begin."));
    editor->undo();
    QVERIFY2(forecast().startsWith(QStringLiteral("4 prompts")), qPrintable(forecast()));
    editor->setPlainText(QStringLiteral("one"));
    QVERIFY2(forecast().startsWith(QStringLiteral("1 prompt ")), qPrintable(forecast()));
  }

  void veryManyPromptsAreCountedRightly() {
    Stage stage;
    auto* editor = stage.find<QPlainTextEdit>("prompts");
    editor->setPlainText(QStringLiteral("a\n").repeated(250'000));
    stage.find<QSpinBox>("images")->setValue(10'000);
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("Generate 2,500,000,000"));
    QVERIFY(stage.find<QLabel>("forecast")->text().endsWith(QStringLiteral("2,500,000,000 pictures")));
    const double before = Application::milliseconds();
    QTest::keyClick(editor, Qt::Key_X);
    const double cost = Application::milliseconds() - before;
    QVERIFY(editor->toPlainText().startsWith(u'x'));
    qInfo("a key in 250 000 prompts: %.1f ms of processor time", cost);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    QVERIFY2(cost < 50, qPrintable(QString::number(cost)));
#endif
  }

  void placeholdersAreReadable() {
    for (const auto kind : {ui::ThemeKind::Light, ui::ThemeKind::Dark}) {
      ui::applyTheme(*qApp, kind);
      Stage stage({tests::cpuDevice()}, QString(QLatin1String("")));
      const auto t = ui::currentTokens();
      const QWidgetList fields{stage.find<QPlainTextEdit>("prompts"), stage.find<QLineEdit>("seed"),
                               stage.find<QComboBox>("model")->lineEdit()};
      for (const QWidget* field : fields) {
        QCOMPARE(field->palette().color(QPalette::PlaceholderText), t.faint);
        QCOMPARE(field->palette().color(QPalette::Text), t.text);
      }
    }
  }

  void fieldsBesideEachOtherAreInLine() {
    Stage stage;
    auto* size = stage.find<QComboBox>("size");
    auto* scheduler = stage.find<QComboBox>("scheduler");
    for (const auto& text : {QStringLiteral("Model"), QStringLiteral("모델")}) {
      size->setEditText(text);
      scheduler->setItemText(0, text);
      QCOMPARE(size->height(), scheduler->height());
      QCOMPARE(stage.find<QSpinBox>("steps")->height(), size->height());
      const auto ink = [](QComboBox* box) {
        const QImage image = box->grab(QRect(4, 4, 60, box->height() - 8)).toImage();
        QRect all;
        for (int y = 0; y < image.height(); ++y) {
          for (int x = 0; x < image.width(); ++x) {
            if (ui::contrast(image.pixelColor(x, y), ui::currentTokens().background) > 3) {
              all |= QRect(x, y, 1, 1);
            }
          }
        }
        return all;
      };
      QVERIFY(!ink(size).isEmpty());
      QCOMPARE(ink(scheduler), ink(size));
    }
  }

  void nothingToScrollShowsNoHandle() {
    Stage stage;
    stage.window->resize(1280, 800);
    QCoreApplication::processEvents();
    auto* bar = stage.grid()->verticalScrollBar();
    const auto middle = [&] {
      return stage.window->grab().toImage().pixelColor(bar->mapTo(stage.window.get(), bar->rect().center()));
    };
    const int width = bar->width();
    QVERIFY(bar->isVisible());
    QCOMPARE(middle(), ui::currentTokens().background);
    stage.find<QSpinBox>("images")->setValue(50);
    QVERIFY(stage.run({QStringLiteral("many")}));
    QTRY_VERIFY(bar->maximum() > 0);
    QTest::keyClick(stage.grid(), Qt::Key_Home);
    const auto top = [&] {
      return stage.window->grab().toImage().pixelColor(bar->mapTo(stage.window.get(), QPoint(bar->width() / 2, 12)));
    };
    QTRY_COMPARE(top(), ui::currentTokens().line);
    QCOMPARE(bar->width(), width);
  }

  void aFolderIsShownOnceItIsThere() {
    Stage stage;
    auto* place = stage.find<QPushButton>("showFolder");
    stage.type({QStringLiteral("a")});
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    stage.backend.refuse({base::ErrorCode::Io, "The folder cannot be made.", {}});
    QVERIFY(!place->isVisible());
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(2));
    stage.backend.start(2);
    QVERIFY(place->isVisible());
  }

  void longTextsEndInAnEllipsis() {
    auto device = tests::gpuDevice(0);
    device.name = "A graphics card with a name that is longer than any card is wide";
    Stage stage({device});
    QVERIFY(stage.run({QStringLiteral("a")}));
    stage.backend.warn(domain::WarningCode::Other, QStringLiteral("A very long warning. ").repeated(30).toStdString());
    QCoreApplication::processEvents();
    int cut = 0;
    for (auto* label : stage.window->findChildren<ui::ElidedLabel*>()) {
      if (!label->isVisible()) {
        continue;
      }
      QVERIFY2(label->isCut(), qPrintable(label->text()));
      ++cut;
      // The same picture as the text with its ellipsis gives.
      const QImage whole = label->grab().toImage();
      label->setText(label->fontMetrics().elidedText(label->text(), Qt::ElideRight, label->contentsRect().width()));
      QVERIFY(label->text().endsWith(u'…'));
      QVERIFY(!label->isCut());
      QCOMPARE(label->grab().toImage(), whole);
    }
    QCOMPARE(cut, 2);
  }

  void aFirstStartHasSomethingToGenerate() {
    QSettings().clear();
    QTemporaryDir folder;
    FakeBackend backend({tests::cpuDevice()});
    auto options = tests::windowOptions(folder.path());
    options.restoresSettings = true;
    {
      ui::MainWindow window(backend, options);
      window.show();
      QCoreApplication::processEvents();
      auto* generate = window.findChild<QPushButton*>(QStringLiteral("generate"));
      QCOMPARE(generate->text(), QStringLiteral("Generate 3"));
      QTest::mouseClick(generate, Qt::LeftButton);
      QTRY_COMPARE(backend.specs.size(), std::size_t(1));
      QCOMPARE(backend.specs[0].requests[0].prompt, std::string("a red sailing boat on the sea at sunset"));
      // Whoever clears the list wants it empty the next time too.
      window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"))->clear();
      window.close();
    }
    ui::MainWindow window(backend, options);
    QCOMPARE(window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"))->toPlainText(), QString());
  }

  void aLongRunShowsItsBeginning() {
    Stage stage;
    stage.window->resize(1280, 800);
    stage.find<QSpinBox>("images")->setValue(60);
    QVERIFY(stage.run({QStringLiteral("many")}));
    QTRY_VERIFY(stage.grid()->viewport()->rect().intersects(stage.grid()->visualRect(stage.tile(0))));
    QVERIFY(!stage.grid()->viewport()->rect().intersects(stage.grid()->visualRect(stage.tile(59))));
    // A second run leads to its own beginning.
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(2));
    QTRY_VERIFY(stage.grid()->viewport()->rect().contains(stage.grid()->visualRect(stage.tile(60)).center()));
  }

  void tilesFillTheWidth_data() {
    QTest::addColumn<int>("width");
    for (const int width : {1280, 1440, 1920, 2560}) {
      QTest::addRow("%d", width) << width;
    }
  }
  void tilesFillTheWidth() {
    QFETCH(int, width);
    Stage stage;
    stage.window->resize(width, 800);
    stage.find<QSpinBox>("images")->setValue(60);
    QVERIFY(stage.run({QStringLiteral("many")}));
    QTRY_VERIFY(stage.grid()->visualRect(stage.tile(0)).isValid());
    const int top = stage.grid()->visualRect(stage.tile(0)).top();
    int right = 0;
    for (int row = 0; row < 60 && stage.grid()->visualRect(stage.tile(row)).top() == top; ++row) {
      right = stage.grid()->visualRect(stage.tile(row)).right();
    }
    const int unused = stage.grid()->viewport()->width() - right;
    QVERIFY2(unused >= 0 && unused < 24, qPrintable(QString::number(unused)));
  }

  void stopCancelsAndKeepsWhatIsThere() {
    Stage stage;
    QVERIFY(!stage.find<QPushButton>("stop")->isEnabled());
    QVERIFY(stage.run({QStringLiteral("one"), QStringLiteral("two"), QStringLiteral("three")}));
    stage.backend.picture(1, stage.makePicture(QStringLiteral("1.png"), 64, Qt::red));
    QTest::mouseClick(stage.find<QPushButton>("stop"), Qt::LeftButton);
    QCOMPARE(stage.backend.cancelled, std::vector<quint64>{1});
    stage.backend.finish(1, 0, true);
    QCOMPARE(stage.grid()->model()->rowCount(), 1);
    QCOMPARE(stage.tile(0).data(GalleryModel::PromptRole).toString(), QStringLiteral("two"));
    QCOMPARE(stage.message(), QStringLiteral("Stopped. 1 picture kept."));
  }

  void aSecondRunWaitsBehindTheFirst() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one"), QStringLiteral("two")}));
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(2));
    QVERIFY(stage.backend.specs[0].outputFolder != stage.backend.specs[1].outputFolder);
    stage.backend.start(2);
    QCOMPARE(stage.grid()->model()->rowCount(), 4);
    QVERIFY(stage.find<QLabel>("progress")->text().startsWith(QStringLiteral("0 of 4")));
    stage.backend.picture(1, stage.makePicture(QStringLiteral("second.png"), 64, Qt::red), QStringLiteral("cpu:0"), 2);
    QCOMPARE(stage.stateOf(3), GalleryModel::State::Done);
    QCOMPARE(stage.stateOf(1), GalleryModel::State::Waiting);
    stage.backend.finish(0, 0, true, 1);
    QCOMPARE(stage.grid()->model()->rowCount(), 2);
    QVERIFY2(stage.find<QPushButton>("stop")->isEnabled(), "the second run is still there to be stopped");
    QTest::mouseClick(stage.find<QPushButton>("stop"), Qt::LeftButton);
    QCOMPARE(stage.backend.cancelled, std::vector<quint64>{2});
  }

  void aRunThatCannotStartSaysWhy() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one")}));
    stage.backend.refuse({base::ErrorCode::DiskFull, "The disk is full.", {}});
    QCOMPARE(stage.message(), QStringLiteral("The disk is full."));
    QCOMPARE(stage.grid()->model()->rowCount(), 0);
    QVERIFY(stage.find<QWidget>("empty")->isVisible());
  }

  void doubleClickOpensTheLoupe() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one"), QStringLiteral("two"), QStringLiteral("three")}));
    stage.backend.picture(0, stage.makePicture(QStringLiteral("0.png"), 600, Qt::red));
    stage.backend.picture(2, stage.makePicture(QStringLiteral("2.png"), 600, Qt::blue));
    auto* loupe = stage.window->findChild<ui::Loupe*>();
    QVERIFY(!loupe->isVisible());
    const auto doubleClick = [&](int row) {
      const QPoint point = stage.grid()->visualRect(stage.tile(row)).center();
      QTest::mouseClick(stage.grid()->viewport(), Qt::LeftButton, {}, point);
      QTest::mouseDClick(stage.grid()->viewport(), Qt::LeftButton, {}, point);
    };
    doubleClick(1);
    QVERIFY2(!loupe->isVisible(), "a picture that is not there was opened");
    doubleClick(0);
    QVERIFY(loupe->isVisible());
    const auto centre = [&] { return loupe->grab().toImage().pixelColor(loupe->rect().center()); };
    QTRY_COMPARE(centre(), QColor(Qt::red));
    QTest::keyClick(loupe, Qt::Key_Right);
    QTRY_COMPARE(centre(), QColor(Qt::blue));
    QTest::keyClick(loupe, Qt::Key_Right);
    QVERIFY(loupe->isVisible());
    QTest::keyClick(loupe, Qt::Key_Left);
    QTRY_COMPARE(centre(), QColor(Qt::red));
    QVERIFY(loupe->isFit());
    QTest::keyClick(loupe, Qt::Key_Space);
    QVERIFY(!loupe->isFit());
    // Rows that leave before it do not make it lose its picture.
    QTest::keyClick(loupe, Qt::Key_Right);
    stage.backend.finish(2, 0, true);
    QTest::keyClick(loupe, Qt::Key_Escape);
    QVERIFY(!loupe->isVisible());
    QCOMPARE(stage.grid()->currentIndex().data(GalleryModel::PromptRole).toString(), QStringLiteral("three"));
    // And a way out by mouse.
    QTest::keyClick(stage.grid(), Qt::Key_Return);
    QVERIFY(loupe->isVisible());
    QTest::mouseClick(stage.find<QPushButton>("closeLoupe"), Qt::LeftButton);
    QVERIFY(!loupe->isVisible());
    QCOMPARE(QApplication::focusWidget(), stage.grid());
  }

  void everyControlHasANameAndAKey() {
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    const auto widgets = stage.window->findChildren<QWidget*>();
    int controls = 0;
    for (QWidget* widget : widgets) {
      const bool isButton = qobject_cast<QAbstractButton*>(widget) != nullptr;
      const bool isField = widget->isVisible() &&
                           (qobject_cast<QComboBox*>(widget) != nullptr || qobject_cast<QAbstractSpinBox*>(widget) != nullptr ||
                            qobject_cast<QPlainTextEdit*>(widget) != nullptr || widget == stage.grid());
      if (!widget->isVisible() || (!isButton && !isField)) {
        continue;
      }
      ++controls;
      const QString name = isButton ? qobject_cast<QAbstractButton*>(widget)->text() : widget->accessibleName();
      QVERIFY2(!name.isEmpty(), qPrintable(widget->objectName() + QLatin1String(widget->metaObject()->className())));
      QVERIFY2((widget->focusPolicy() & Qt::TabFocus) != 0, qPrintable(name));
    }
    QVERIFY(controls >= 12);
  }

  void whatWasChosenIsRemembered() {
    QSettings().clear();
    QTemporaryDir folder;
    FakeBackend backend({tests::gpuDevice(0), tests::gpuDevice(1), tests::cpuDevice()});
    auto options = tests::windowOptions(folder.path());
    options.restoresSettings = true;
    {
      ui::MainWindow window(backend, options);
      window.show();
      QCoreApplication::processEvents();
      window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"))->setPlainText(QStringLiteral("등대\nа boat"));
      window.findChild<QSpinBox*>(QStringLiteral("steps"))->setValue(11);
      window.findChild<QCheckBox*>(QStringLiteral("tick-cuda:0"))->setChecked(false);
      window.close();
    }
    ui::MainWindow window(backend, options);
    window.show();
    QCoreApplication::processEvents();
    QCOMPARE(window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"))->toPlainText(), QStringLiteral("등대\nа boat"));
    QCOMPARE(window.findChild<QSpinBox*>(QStringLiteral("steps"))->value(), 11);
    QVERIFY(!window.findChild<QCheckBox*>(QStringLiteral("tick-cuda:0"))->isChecked());
    QVERIFY(window.findChild<QCheckBox*>(QStringLiteral("tick-cuda:1"))->isChecked());
  }

  void koreanShowsKorean() {
    QTranslator korean;
    QVERIFY(korean.load(QLocale(QStringLiteral("ko")), QStringLiteral("polyptych"), QStringLiteral("_"),
                        QStringLiteral(":/translations")));
    QVERIFY(QCoreApplication::installTranslator(&korean));
    Stage stage;
    stage.type({QStringLiteral("a"), QStringLiteral("b")});
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("2장 만들기"));
    QCOMPARE(stage.find<QPushButton>("stop")->text(), QStringLiteral("중지"));
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("쉬는 중: 기다리는 일 없음"));
    QVERIFY(stage.find<QLabel>("forecast")->text().startsWith(QStringLiteral("프롬프트 2개 × 1 = 그림 2장")));
    // Trouble speaks Korean too; what the backend said stands in the tool tips.
    QTest::keyClick(stage.find<QPlainTextEdit>("prompts"), Qt::Key_Return, Qt::ControlModifier);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    stage.backend.start();
    stage.backend.fail(0, {base::ErrorCode::OutOfMemory, "The device ran out of memory.", {}});
    QCOMPARE(stage.message(), QStringLiteral("메모리가 부족합니다. 더 작은 크기나 다른 장치를 고르면 됩니다."));
    QVERIFY(stage.find<QLabel>("message")->toolTip().contains(QStringLiteral("The device ran out of memory.")));
    QCOMPARE(stage.tile(0).data(GalleryModel::ReasonRole).toString(), stage.message());
    stage.backend.failSlot(QStringLiteral("cpu:0"), base::ErrorCode::WorkerDied, QStringLiteral("The worker died."), false);
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("사용 중지됨: 작업 프로세스가 거듭 끝남"));
    QSet<QString> told;
    for (int code = 0; code <= static_cast<int>(domain::WarningCode::CoresNotPinned); ++code) {
      stage.backend.warn(static_cast<domain::WarningCode>(code), "In English.");
      QVERIFY2(!stage.message().contains(QRegularExpression(QStringLiteral("[A-Za-z]"))), qPrintable(stage.message()));
      QVERIFY(stage.find<QLabel>("message")->toolTip().contains(QStringLiteral("In English.")));
      told.insert(stage.message());
    }
    QCOMPARE(told.size(), int(domain::WarningCode::CoresNotPinned) + 1);
    stage.backend.finish(1, 1);
    QCOMPARE(stage.message(), QStringLiteral("그림 1장을 만들지 못했습니다. 나머지는 모두 있습니다. "
                                             "메모리가 부족합니다. 더 작은 크기나 다른 장치를 고르면 됩니다."));
    for (int code = 0; code <= static_cast<int>(base::ErrorCode::Internal); ++code) {
      const auto text = ui::textOf({static_cast<base::ErrorCode>(code), "In English.", {}});
      QVERIFY2(!text.sentence.contains(QRegularExpression(QStringLiteral("[A-Za-z]"))), qPrintable(text.sentence));
      QCOMPARE(text.detail, QStringLiteral("In English."));
      QVERIFY(!ui::fewWords(static_cast<base::ErrorCode>(code)).contains(QRegularExpression(QStringLiteral("[A-Za-z]"))));
    }
    // Product names and key names stay; every other label has Hangul in it.
    static const QRegularExpression latin(QStringLiteral("[A-Za-z]{2,}"));
    static const QRegularExpression hangul(QStringLiteral("[가-힣]"));
    const QStringList kept{QStringLiteral("Polyptych"), QStringLiteral("CPU"), QStringLiteral("Fake CPU")};
    for (const QLabel* label : stage.window->findChildren<QLabel*>()) {
      const QString text = label->text();
      QVERIFY2(!text.contains(latin) || text.contains(hangul) || kept.contains(text), qPrintable(text));
    }
    QCoreApplication::removeTranslator(&korean);
  }

  void tokensAreReadable() {
    QCOMPARE(ui::contrast(Qt::white, Qt::black), 21.0);
    for (const bool isDark : {false, true}) {
      const auto t = ui::tokensOf(isDark);
      for (const QColor& ground : {t.background, t.surface, t.raised}) {
        for (const QColor& text : {t.text, t.secondary, t.faint}) {
          QVERIFY2(ui::contrast(text, ground) >= 4.5,
                   qPrintable(text.name() + QStringLiteral(" on ") + ground.name() + QStringLiteral(": ") +
                              QString::number(ui::contrast(text, ground))));
        }
      }
      for (const QColor& ground : {t.surface, t.raised}) {
        for (const QColor& text : {t.accent, t.good, t.warning, t.bad}) {
          QVERIFY2(ui::contrast(text, ground) >= 4.5, qPrintable(text.name() + QStringLiteral(" on ") + ground.name()));
        }
      }
      QVERIFY(ui::contrast(t.onAccent, t.accent) >= 4.5);
    }
  }

  void aSlowDiskDoesNotStopTheWindow() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one"), QStringLiteral("two")}));
    // Whoever opens this waits until somebody writes.
    const QString path = stage.folder.filePath(QStringLiteral("slow.png"));
    QCOMPARE(::mkfifo(path.toLocal8Bit().constData(), 0600), 0);
    stage.backend.picture(0, path);
    stage.backend.picture(1, stage.makePicture(QStringLiteral("1.png"), 64, Qt::red));
    QTRY_COMPARE(Stage::colourOf(stage.tile(1).data(Qt::DecorationRole).value<QPixmap>()), QColor(Qt::red));
    QTest::mouseClick(stage.find<QPushButton>("stop"), Qt::LeftButton);
    QCOMPARE(stage.backend.cancelled.size(), std::size_t(1));
    // Opened once: a second writer would keep the reader waiting for ever.
    int writer = -1;
    QVERIFY(QTest::qWaitFor([&] {
      writer = writer >= 0 ? writer : ::open(path.toLocal8Bit().constData(), O_WRONLY | O_NONBLOCK);
      return writer >= 0;
    }));
    QFile::remove(path);
    ::close(writer);
  }

  void aThousandPicturesDoNotBlock() {
    Stage stage;
    stage.window->resize(1280, 800);
    stage.type({QStringLiteral("many")});
    stage.find<QSpinBox>("images")->setValue(1000);
    auto* application = static_cast<Application*>(qApp);
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    stage.backend.start();
    const QString path = stage.makePicture(QStringLiteral("many.png"), 512, Qt::yellow);
    QCoreApplication::processEvents();
    application->longest = 0;
    int index = 0;
    QTimer arrival;
    connect(&arrival, &QTimer::timeout, this, [&] {
      stage.backend.step(QStringLiteral("cpu:0"), index, 5, 20);
      stage.backend.preview(QStringLiteral("cpu:0"), index, tests::plainImage(64, 90));
      stage.backend.picture(index, path);
      if (++index == 1000) {
        arrival.stop();
      }
    });
    arrival.start(0);
    QTRY_VERIFY_WITH_TIMEOUT(!arrival.isActive(), 60000);
    const auto last = [&] { return stage.tile(999).data(Qt::DecorationRole).value<QPixmap>().width() > 64; };
    QTRY_VERIFY_WITH_TIMEOUT(last(), 60000);
    stage.backend.finish(1000);
    QCoreApplication::processEvents();
    qInfo("longest event: %.1f ms of processor time", application->longest);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr double kLimit = 500;
#else
    constexpr double kLimit = 50;
#endif
    QVERIFY2(application->longest <= kLimit, qPrintable(QString::number(application->longest)));
  }
};

int main(int argc, char** argv) {
  Application application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("polyptych-test"));
  QApplication::setOrganizationName(QStringLiteral("polyptych-test"));
  QLocale::setDefault(QLocale(QStringLiteral("en_US")));
  backend::registerMetaTypes();
  QTranslator english;
  if (!english.load(QStringLiteral("polyptych_en"), QStringLiteral(":/translations"))) {
    qFatal("the English plural forms are not in the program");
  }
  QCoreApplication::installTranslator(&english);
  ui::applyTheme(application, ui::ThemeKind::Dark);
  TestWindow test;
  QTEST_SET_MAIN_SOURCE_PATH
  return QTest::qExec(&test, argc, argv);
}

#include "tst_window.moc"
