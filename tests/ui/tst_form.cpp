#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFile>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>

#include "core/models/bundled_models.h"
#include "tests/ui/stage.h"

using namespace polyptych;
using tests::Application;
using tests::FakeBackend;
using tests::Stage;

/// What is typed and chosen, and what the backend is asked for.
class TestForm : public QObject {
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

  void theModelThatCameWithTheProgramIsChosenFirst() {
    QStringList described;
    Stage stage({tests::cpuDevice()}, {}, [&described](ui::MainWindowOptions& options) {
      options.model.clear();
      options.listModels = [](const QStringList&) {
        QVector<models::ModelSummary> list(2);
        list[0].name = list[0].reference = QStringLiteral("a/model");
        list[1].name = list[1].reference = QLatin1String(models::kDemoModelName);
        list[0].isUsable = list[1].isUsable = true;
        return list;
      };
      options.describeModel = [&described](const QString& reference) -> base::Result<models::ModelDescription> {
        described << reference;
        models::ModelDescription model;
        model.summary.name = reference;
        model.summary.path = QStringLiteral("/models/") + reference;
        model.width = model.height = 256;
        return model;
      };
    });
    auto* box = stage.find<QComboBox>("model");
    QTRY_COMPARE(box->currentText(), QStringLiteral("demo"));
    QVERIFY(stage.run({QStringLiteral("a red boat")}));
    QVERIFY(described.contains(QStringLiteral("demo")));
    QCOMPARE(stage.backend.specs[0].plan.model.folder, std::string("/models/demo"));
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
    QCOMPARE(stage.backend.commands.size(), std::size_t(1));
    QCOMPARE(QApplication::focusWidget(), stage.grid());
  }

  void linesOfWhiteSpaceAreNoPrompts() {
    Stage stage;
    auto* field = stage.find<QPlainTextEdit>("prompts");
    const auto forecast = [&] { return stage.find<QLabel>("forecast")->text(); };
    QApplication::clipboard()->setText(QStringLiteral("one\n\u3000\n\u00a0 \t\n\ntwo\nthree"));
    QTest::keyClick(field, Qt::Key_V, Qt::ControlModifier);
    QVERIFY2(forecast().startsWith(QStringLiteral("3 prompts")), qPrintable(forecast()));
    QCOMPARE(stage.prompts(), (QStringList{QStringLiteral("one"), QStringLiteral("two"), QStringLiteral("three")}));
    // What is being typed counts already.
    QTest::keyClicks(field, QStringLiteral(" f"));
    QVERIFY2(forecast().startsWith(QStringLiteral("4 prompts")), qPrintable(forecast()));
    QTest::keyClick(field, Qt::Key_Backspace);
    QVERIFY2(forecast().startsWith(QStringLiteral("3 prompts")), qPrintable(forecast()));
    field->clear();
    QTest::keyClick(field, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(forecast(), QStringLiteral("Type a prompt to begin."));
    QTest::keyClick(field, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY2(forecast().startsWith(QStringLiteral("3 prompts")), qPrintable(forecast()));
  }

  void veryManyPromptsAreCountedRightly() {
    Stage stage;
    auto* field = stage.find<QPlainTextEdit>("prompts");
    QApplication::clipboard()->setText(QStringLiteral("a\n").repeated(250'000));
    QTest::keyClick(field, Qt::Key_V, Qt::ControlModifier);
    stage.find<QSpinBox>("images")->setValue(10'000);
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("Generate 2,500,000,000"));
    QVERIFY(stage.find<QLabel>("forecast")->text().contains(QStringLiteral("2,500,000,000 pictures")));
    QCoreApplication::processEvents();
    const double before = Application::milliseconds();
    QTest::keyClick(field, Qt::Key_X);
    const double cost = Application::milliseconds() - before;
    QCOMPARE(field->toPlainText(), QStringLiteral("x"));
    qInfo("a key beside 250 000 prompts: %.1f ms of processor time", cost);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    QVERIFY2(cost < 50, qPrintable(QString::number(cost)));
#endif
  }

  void aFirstStartHasSomethingToGenerate() {
    QSettings().clear();
    FakeBackend backend({tests::cpuDevice()});
    auto options = tests::windowOptions();
    options.restoresSettings = true;
    {
      ui::MainWindow window(backend, options);
      window.show();
      QCoreApplication::processEvents();
      auto* generate = window.findChild<QPushButton*>(QStringLiteral("generate"));
      QTRY_COMPARE(generate->text(), QStringLiteral("Generate 3"));
      QTest::mouseClick(generate, Qt::LeftButton);
      QTRY_COMPARE(backend.specs.size(), std::size_t(1));
      QCOMPARE(backend.specs[0].requests[0].prompt, std::string("a red sailing boat on the sea at sunset"));
      // Whoever clears the list wants it empty the next time too.
      window.shell().actions().trigger(QStringLiteral("prompts.clear"));
      window.close();
    }
    ui::MainWindow window(backend, options);
    QSignalSpy restored(window.findChild<ui::RunForm*>(QStringLiteral("leftPanel")), &ui::RunForm::restored);
    QVERIFY(restored.wait());
    QCOMPARE(Stage::promptsOf(window), QStringList());
  }

  void theFirstSentenceTakesThePlaceOfTheSamples() {
    QSettings().clear();
    QFile::remove(QFileInfo(QSettings().fileName()).absolutePath() + QStringLiteral("/prompts.jsonl"));
    FakeBackend backend({tests::cpuDevice()});
    auto options = tests::windowOptions();
    options.restoresSettings = true;
    ui::MainWindow window(backend, options);
    window.show();
    QApplication::setActiveWindow(&window);
    auto* generate = window.findChild<QPushButton*>(QStringLiteral("generate"));
    QTRY_COMPARE(generate->text(), QStringLiteral("Generate 3"));
    // No GPU, and one sentence.
    auto* field = window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"));
    QVERIFY(field->hasFocus());
    QTest::keyClicks(field, QStringLiteral("my cat on the moon"));
    QCOMPARE(generate->text(), QStringLiteral("Generate 1"));
    QTRY_VERIFY(
        window.findChild<QLabel*>(QStringLiteral("forecast"))->text().startsWith(QStringLiteral("1 prompt × 1 = 1 picture")));
    QTest::keyClick(field, Qt::Key_Return, Qt::ControlModifier);
    QTRY_COMPARE(backend.specs.size(), std::size_t(1));
    QCOMPARE(backend.specs[0].requests.size(), std::size_t(1));
    QCOMPARE(backend.specs[0].requests[0].prompt, std::string("my cat on the moon"));
    QCOMPARE(Stage::promptsOf(window), QStringList{QStringLiteral("my cat on the moon")});
    // The samples can be had back; then they are a list like any other.
    auto& list = window.findChild<ui::RunForm*>(QStringLiteral("leftPanel"))->prompts().list();
    list.undoStack().undo();
    QCOMPARE(Stage::promptsOf(window).size(), 3);
    list.undoStack().redo();
    QTest::keyClicks(field, QStringLiteral("another"));
    QCOMPARE(generate->text(), QStringLiteral("Generate 2"));
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
      const QString text = isButton ? qobject_cast<QAbstractButton*>(widget)->text() : QString();
      const QString name = text.isEmpty() ? widget->accessibleName() : text;
      QVERIFY2(!name.isEmpty(), qPrintable(widget->objectName() + QLatin1String(widget->metaObject()->className())));
      QVERIFY2((widget->focusPolicy() & Qt::TabFocus) != 0, qPrintable(name));
    }
    QVERIFY(controls >= 12);
  }

  void whatWasChosenIsRemembered() {
    QSettings().clear();
    FakeBackend backend({tests::gpuDevice(0), tests::gpuDevice(1), tests::cpuDevice()});
    auto options = tests::windowOptions();
    options.restoresSettings = true;
    {
      ui::MainWindow window(backend, options);
      QSignalSpy restored(window.findChild<ui::RunForm*>(QStringLiteral("leftPanel")), &ui::RunForm::restored);
      window.show();
      QVERIFY(restored.wait());
      window.shell().actions().trigger(QStringLiteral("prompts.clear"));
      window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"))->setPlainText(QStringLiteral("등대\nа boat"));
      window.findChild<QSpinBox*>(QStringLiteral("steps"))->setValue(11);
      window.findChild<QCheckBox*>(QStringLiteral("together"))->setChecked(true);
      window.findChild<QCheckBox*>(QStringLiteral("tick-cuda:0"))->setChecked(false);
      window.close();
    }
    ui::MainWindow window(backend, options);
    window.show();
    QCoreApplication::processEvents();
    const QStringList prompts{QStringLiteral("등대"), QStringLiteral("а boat")};
    QTRY_COMPARE(Stage::promptsOf(window), prompts);
    QCOMPARE(window.findChild<QSpinBox*>(QStringLiteral("steps"))->value(), 11);
    QVERIFY(!window.findChild<QCheckBox*>(QStringLiteral("tick-cuda:0"))->isChecked());
    QVERIFY(window.findChild<QCheckBox*>(QStringLiteral("tick-cuda:1"))->isChecked());
    QVERIFY(window.findChild<QCheckBox*>(QStringLiteral("together"))->isChecked());
  }

  void aRunKeepsItsSettingsThoughTheWindowIsNotClosed() {
    QSettings().clear();
    FakeBackend backend({tests::gpuDevice(0), tests::gpuDevice(1), tests::cpuDevice()});
    auto options = tests::windowOptions();
    options.restoresSettings = true;
    ui::MainWindow window(backend, options);
    QSignalSpy restored(window.findChild<ui::RunForm*>(QStringLiteral("leftPanel")), &ui::RunForm::restored);
    window.show();
    QVERIFY(restored.wait());
    window.findChild<QSpinBox*>(QStringLiteral("steps"))->setValue(13);
    window.findChild<QCheckBox*>(QStringLiteral("tick-cuda:0"))->setChecked(false);
    window.findChild<QPushButton*>(QStringLiteral("generate"))->click();
    // Another window finds them, as it would after a power cut.
    QTRY_COMPARE(QSettings().value(QStringLiteral("devices")).toStringList(), QStringList{QStringLiteral("GPU-00000001")});
    QCOMPARE(QSettings().value(QStringLiteral("run/steps")).toInt(), 13);
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestForm>(argc, argv);
}

#include "tst_form.moc"
