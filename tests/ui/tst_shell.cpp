#include <QAbstractItemModelTester>
#include <QAccessible>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLineEdit>
#include <QMenu>
#include <QMutex>
#include <QPushButton>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QThread>
#include <QTimer>
#include <QTreeView>

#include "core/models/model_description.h"
#include "tests/ui/stage.h"
#include "ui/models_table.h"
#include "ui/shell/action_list_model.h"
#include "ui/shell/appearance.h"
#include "ui/shell/fuzzy.h"
#include "ui/shell/language.h"
#include "ui/shell/overlay.h"
#include "ui/shell/session.h"
#include "ui/shell/shortcut_model.h"
#include "ui/shell/stall_monitor.h"

using namespace polyptych;
using tests::Stage;
using Kind = backend::Command::Kind;

namespace {

QString ko(const char* text) { return QString::fromUtf8(text); }

/// What a person can meet with the keyboard or the pointer.
bool isInteractive(const QWidget* widget) {
  if (widget->focusProxy() != nullptr || widget->inherits("QScrollBar") || widget->inherits("QHeaderView")) {
    return false;
  }
  // Parts of other controls, which have the name.
  const QWidget* parent = widget->parentWidget();
  if (parent != nullptr &&
      (parent->inherits("QComboBox") || parent->inherits("QAbstractSpinBox") || parent->inherits("QLineEdit") ||
       parent->inherits("QAbstractScrollArea") || parent->inherits("QComboBoxPrivateContainer"))) {
    return false;
  }
  return widget->focusPolicy() != Qt::NoFocus || widget->inherits("QAbstractButton") || widget->inherits("QLineEdit") ||
         widget->inherits("QAbstractItemView");
}

QString nameOf(QWidget* widget) {
  QAccessibleInterface* interface = QAccessible::queryAccessibleInterface(widget);
  return interface == nullptr ? QString() : interface->text(QAccessible::Name);
}

QString described(const QWidget* widget) {
  return QString::fromLatin1(widget->metaObject()->className()) + u' ' + widget->objectName();
}

}  // namespace

/// What is around the work: actions, pages, panels, settings, closing.
class TestShell : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void cleanup() { QSettings().clear(); }

  // Finding by letters

  void fuzzyFindsLettersInOrder_data() {
    QTest::addColumn<QString>("query");
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("isFound");
    QTest::newRow("whole") << "settings"
                           << "Settings" << true;
    QTest::newRow("beginnings of words") << "sap"
                                         << "Show all panels" << true;
    QTest::newRow("letters apart") << "flsc"
                                   << "Full screen" << true;
    QTest::newRow("wrong order") << "cs"
                                 << "Settings" << false;
    QTest::newRow("blanks do not count") << "full  sc"
                                         << "Full screen" << true;
    QTest::newRow("nothing typed") << ""
                                   << "Settings" << true;
    QTest::newRow("nothing there") << "a"
                                   << "" << false;
    QTest::newRow("Korean syllables") << "단축"
                                      << "단축키" << true;
    QTest::newRow("initial consonants") << "ㄷㅊㅋ"
                                        << "단축키" << true;
    QTest::newRow("half typed") << "다추"
                                << "단축키" << true;
    QTest::newRow("double consonant is another") << "ㄸ"
                                                 << "단축키" << false;
    QTest::newRow("final has to be there") << "닭"
                                           << "단축키" << false;
  }
  void fuzzyFindsLettersInOrder() {
    QFETCH(QString, query);
    QFETCH(QString, text);
    QFETCH(bool, isFound);
    QCOMPARE(ui::fuzzyScore(query, text).has_value(), isFound);
  }
  void fuzzyPrefersBeginnings() {
    QVERIFY(*ui::fuzzyScore(u"mod", u"Models") > *ui::fuzzyScore(u"mod", u"Reduce my old"));
    QVERIFY(*ui::fuzzyScore(u"fs", u"Full screen") > *ui::fuzzyScore(u"fs", u"offset"));
  }

  // Actions

  void actionListRunsWhatIsTyped() {
    Stage stage;
    QTest::keyClick(stage.window.get(), Qt::Key_K, Qt::ControlModifier);
    auto* query = stage.find<QLineEdit>("actionQuery");
    QVERIFY(query->hasFocus());
    auto* list = stage.find<QListView>("actionList");
    QVERIFY(list->model()->rowCount() > 10);
    QTest::keyClicks(query, QStringLiteral("shortc"));
    QCOMPARE(list->currentIndex().data().toString(), QStringLiteral("Keyboard shortcuts"));
    QTest::keyClick(query, Qt::Key_Return);
    QVERIFY(!query->isVisible());
    QCOMPARE(stage.window->shell().pages().current(), QStringLiteral("shortcuts"));
    // What was used last comes first.
    QTest::keyClick(stage.window.get(), Qt::Key_K, Qt::ControlModifier);
    QCOMPARE(list->model()->index(0, 0).data(ui::ActionListModel::IdRole).toString(), QStringLiteral("program.shortcuts"));
    QTest::keyClicks(query, QStringLiteral("qqqq"));
    QCOMPARE(list->model()->rowCount(), 0);
    QTest::keyClick(query, Qt::Key_Return);
    QVERIFY(query->isVisible());
    QTest::keyClick(query, Qt::Key_Escape);
    QVERIFY(!query->isVisible());
  }

  void overlayKeepsTheFocusAndGivesItBack() {
    Stage stage;
    auto* prompts = stage.find<QPlainTextEdit>("prompts");
    QVERIFY(prompts->hasFocus());
    QTest::keyClick(prompts, Qt::Key_K, Qt::ControlModifier);
    auto* query = stage.find<QLineEdit>("actionQuery");
    for (int i = 0; i < 5; ++i) {
      QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
      QVERIFY(query->parentWidget()->isAncestorOf(QApplication::focusWidget()));
    }
    // The window's own keys are not heard.
    QTest::keyClick(query, Qt::Key_M, Qt::ControlModifier);
    QCOMPARE(stage.window->shell().pages().current(), QString());
    QTest::keyClick(query, Qt::Key_Escape);
    QVERIFY(prompts->hasFocus());
  }

  void disabledActionsAreNotOffered() {
    Stage stage;
    ui::ActionListModel model(stage.window->shell().actions());
    QAbstractItemModelTester tester(&model);
    const auto has = [&](const char* id) {
      return !model.match(model.index(0), ui::ActionListModel::IdRole, QLatin1String(id), 1, Qt::MatchExactly).isEmpty();
    };
    QVERIFY(has("run.start"));
    QVERIFY(!has("run.stopAll"));
    QVERIFY(stage.run({QStringLiteral("a")}));
    QVERIFY(has("run.stopAll"));
    model.setQuery(QStringLiteral("stop"));
    QVERIFY(has("run.stopWaiting"));
    QVERIFY(!has("run.start"));
  }

  void everyActionHasWordsAndNoKeysTwice() {
    Stage stage;
    const ui::Actions& actions = stage.window->shell().actions();
    for (const QString& id : actions.ids()) {
      QVERIFY2(!actions.text(id).isEmpty(), qPrintable(id));
      QCOMPARE(actions.keys(id), actions.defaultKeys(id));
      for (const QKeySequence& keys : actions.keys(id)) {
        QVERIFY2(actions.conflictOf(id, keys).isEmpty(), qPrintable(id));
      }
    }
  }

  void keysAreHeardWhereTheyAreMeant() {
    Stage stage;
    auto& actions = stage.window->shell().actions();
    int inGrid = 0;
    actions.add(
        QStringLiteral("test.grid"), "Test", ui::ActionCategory::Gallery, {Qt::Key_J}, [&] { ++inGrid; }, stage.grid());
    QTest::keyClicks(stage.find<QPlainTextEdit>("prompts"), QStringLiteral("j?"));
    QCOMPARE(inGrid, 0);
    QCOMPARE(stage.find<QPlainTextEdit>("prompts")->toPlainText(), QStringLiteral("j?"));
    QCOMPARE(stage.window->shell().pages().current(), QString());
    stage.grid()->setFocus();
    QTest::keyClick(stage.grid(), Qt::Key_J);
    QCOMPARE(inGrid, 1);
    QTest::keyClick(stage.grid(), Qt::Key_Question);
    QCOMPARE(stage.window->shell().pages().current(), QStringLiteral("shortcuts"));
    // The same key in another part of the window is no conflict; in the whole window it is.
    QCOMPARE(actions.conflictOf(QStringLiteral("view.fullScreen"), QKeySequence(Qt::Key_J)), QStringLiteral("test.grid"));
  }

  // Other keys

  void keysCanBeChanged() {
    const auto stored = [](ui::MainWindowOptions& options) { options.restoresSettings = true; };
    {
      Stage stage({tests::cpuDevice()}, {}, stored);
      QTest::keyClick(stage.window.get(), Qt::Key_F1);
      auto* query = stage.find<QLineEdit>("shortcutQuery");
      QVERIFY(query->hasFocus());
      QTest::keyClicks(query, QStringLiteral("full screen"));
      QTest::keyClick(query, Qt::Key_Down);
      auto* list = stage.find<QListView>("shortcuts");
      QCOMPARE(list->currentIndex().data(ui::ShortcutModel::IdRole).toString(), QStringLiteral("view.fullScreen"));
      QTest::keyClick(list, Qt::Key_Return);
      auto* recorder = stage.find<QWidget>("keyRecorder");
      QVERIFY(recorder->hasFocus());
      // Taken: says by whom, and leaves it.
      QTest::keyClick(recorder, Qt::Key_K, Qt::ControlModifier);
      QCOMPARE(stage.find<QLabel>("shortcutSentence")->text(), QStringLiteral("Ctrl+K belongs to “Find an action…”."));
      QVERIFY(stage.find<QPushButton>("keepKeys")->hasFocus());
      QTest::keyClick(stage.find<QPushButton>("keepKeys"), Qt::Key_Space);
      QTest::keyClick(list, Qt::Key_Return);
      QTest::keyClick(recorder, Qt::Key_F5);
      auto& actions = stage.window->shell().actions();
      QCOMPARE(actions.keysText(QStringLiteral("view.fullScreen")), QStringLiteral("F5"));
      QTest::keyClick(list, Qt::Key_Return);
      QTest::keyClick(recorder, Qt::Key_Escape);
      QCOMPARE(actions.keysText(QStringLiteral("view.fullScreen")), QStringLiteral("F5"));
      QVERIFY(list->hasFocus());
      // Taken over from another one.
      QTest::keyClick(list, Qt::Key_Return);
      QTest::keyClick(recorder, Qt::Key_M, Qt::ControlModifier);
      QTest::mouseClick(stage.find<QPushButton>("takeOverKeys"), Qt::LeftButton);
      QCOMPARE(actions.keysText(QStringLiteral("view.fullScreen")), QStringLiteral("Ctrl+M"));
      QCOMPARE(actions.keysText(QStringLiteral("program.models")), QString());
    }
    Stage again({tests::cpuDevice()}, {}, stored);
    auto& actions = again.window->shell().actions();
    QCOMPARE(actions.keysText(QStringLiteral("view.fullScreen")), QStringLiteral("Ctrl+M"));
    QCOMPARE(actions.keysText(QStringLiteral("program.models")), QString());
    again.window->shell().pages().open(QStringLiteral("shortcuts"));
    QTest::mouseClick(again.find<QPushButton>("resetAllKeys"), Qt::LeftButton);
    QCOMPARE(actions.keysText(QStringLiteral("view.fullScreen")), QStringLiteral("F11"));
    QCOMPARE(actions.keysText(QStringLiteral("program.models")), QStringLiteral("Ctrl+M"));
  }

  void shortcutModelIsAModel() {
    Stage stage;
    ui::ShortcutModel model(stage.window->shell().actions());
    QAbstractItemModelTester tester(&model);
    const int all = model.rowCount();
    model.setQuery(QStringLiteral("ctrl+k"));
    QCOMPARE(model.rowCount(), 2);  // with its heading
    model.setQuery({});
    QCOMPARE(model.rowCount(), all);
    stage.window->shell().actions().setKeys(QStringLiteral("program.about"), {Qt::Key_F8});
    QVERIFY(model.indexOf(QStringLiteral("program.about")).data(ui::ShortcutModel::IsChangedRole).toBool());
  }

  // Runs

  void startsInFront() {
    Stage stage;
    stage.type({QStringLiteral("a")});
    QTest::keyClick(stage.find<QPlainTextEdit>("prompts"), Qt::Key_Return, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    QVERIFY(stage.backend.commands.empty() || stage.backend.commands.back().kind != Kind::MoveToFront);
    stage.backend.start();
    QCOMPARE(stage.backend.commands.back().kind, Kind::MoveToFront);
    QCOMPARE(stage.backend.commands.back().jobs.runId, quint64(1));
  }

  void stopsAPartAndTakesItBack() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("a")}));
    stage.window->shell().actions().trigger(QStringLiteral("run.stopWaiting"));
    QCOMPARE(stage.backend.commands.back().kind, Kind::CancelWaiting);
    stage.backend.answer(7);
    QCOMPARE(stage.message(), QStringLiteral("1 picture stopped."));
    QTest::mouseClick(stage.find<QPushButton>("messageAction"), Qt::LeftButton);
    QCOMPARE(stage.backend.commands.back().kind, Kind::Undo);
    QCOMPARE(stage.backend.commands.back().undoId, qint64(7));
    stage.window->shell().actions().trigger(QStringLiteral("run.stopRun"));
    QCOMPARE(stage.backend.commands.back().kind, Kind::CancelAll);
    QCOMPARE(stage.backend.commands.back().jobs.runId, quint64(1));
  }

  // Pages

  void pagesLeaveWithEscAndGiveTheFocusBack_data() {
    QTest::addColumn<QString>("page");
    for (const char* const page : {"models", "settings", "shortcuts", "about"}) {
      QTest::newRow(page) << QString::fromLatin1(page);
    }
  }
  void pagesLeaveWithEscAndGiveTheFocusBack() {
    QFETCH(QString, page);
    Stage stage;
    QWidget* before = QApplication::focusWidget();
    stage.window->shell().actions().trigger(QStringLiteral("program.") + page);
    QCOMPARE(stage.window->shell().pages().current(), page);
    QVERIFY(QApplication::focusWidget() != before);
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    QCOMPARE(stage.window->shell().pages().current(), QString());
    QVERIFY(stage.grid()->isVisible());
    QCOMPARE(QApplication::focusWidget(), before);
  }

  // Models

  void modelsTellWhetherTheyFit() {
    auto small = tests::gpuDevice(2);
    small.totalBytes = 4'000'000'000;
    auto large = tests::gpuDevice(0);
    large.totalBytes = 24'000'000'000;
    ui::ModelsTable table;
    QAbstractItemModelTester tester(&table);
    ui::ModelEntry usable;
    usable.summary.name = usable.summary.reference = QStringLiteral("org/model");
    usable.summary.isUsable = true;
    usable.summary.bytes = 2'130'000'000;
    usable.shape = models::ModelShape{.parameters = 1'066'000'000};
    ui::ModelEntry broken;
    broken.summary.name = broken.summary.reference = QStringLiteral("org/broken");
    broken.summary.reason = QStringLiteral("A file is missing.");
    table.setEntries({usable, broken});
    const auto memory = [&](int row) { return table.index(row, ui::ModelsTable::Memory).data().toString(); };
    QCOMPARE(memory(0), QStringLiteral("no device is ticked"));
    table.setDevices({large});
    QCOMPARE(memory(0), QStringLiteral("3.4 GB · fits"));
    table.setDevices({large, small});
    QCOMPARE(memory(0), QStringLiteral("3.4 GB · tight: GPU 2 · fits: GPU 0"));
    QCOMPARE(table.index(0, ui::ModelsTable::Memory).data(ui::ModelsTable::FitRole).toInt(), int(models::Fit::Tight));
    small.totalBytes = 3'000'000'000;
    table.setDevices({small});
    QCOMPARE(memory(0), QStringLiteral("3.4 GB · does not fit"));
    QCOMPARE(memory(1), QString());
    QVERIFY(table.index(1, 0).data(ui::ModelsTable::NoteRole).toString().contains(QStringLiteral("A file is missing.")));
    table.setDefault(QStringLiteral("org/model"));
    QVERIFY(table.index(0, 0).data(ui::ModelsTable::DefaultRole).toBool());
  }

  void brokenModelsSayWhyInAFewWords() {
    // As models::listModels() says it of folders that are really so.
    const QTemporaryDir folder;
    const auto make = [&folder](const char* name, const QByteArray& index) {
      const QString path = folder.filePath(QLatin1String(name));
      QDir().mkpath(path);
      QFile file(path + QStringLiteral("/model_index.json"));
      QVERIFY(file.open(QIODevice::WriteOnly));
      file.write(index);
    };
    make("large", R"({"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.30.0"})");
    make("parts", R"({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0",
      "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
      "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
      "vae": ["diffusers", "AutoencoderKL"]})");
    ui::ModelsTable table;
    QStringList notes;
    for (const char* name : {"large", "parts"}) {
      const auto model = models::describeModel(folder.filePath(QLatin1String(name)));
      QVERIFY(!model.isOk());
      ui::ModelEntry broken;
      broken.summary.reason = QString::fromStdString(model.error().message);
      table.setEntries({broken});
      notes << table.index(0, 0).data(ui::ModelsTable::NoteRole).toString();
    }
    QCOMPARE(notes[0], QStringLiteral("This version does not run StableDiffusionXLPipeline"));
    QVERIFY2(notes[1].startsWith(QStringLiteral("Parts are missing: ")), qPrintable(notes[1]));
    ui::ModelEntry broken;
    broken.summary.reason = QStringLiteral("/a b/unet has its weights only as pickle files (x.bin), which can run code");
    table.setEntries({broken});
    QCOMPARE(table.index(0, 0).data(ui::ModelsTable::NoteRole).toString(),
             QStringLiteral("Its weights are pickle files, which are never opened"));
  }

  void chosenDefaultIsTakenAndKept() {
    Stage stage;
    stage.window->shell().pages().open(QStringLiteral("models"));
    auto* view = stage.find<QTreeView>("models");
    QTRY_COMPARE(view->model()->rowCount(), 1);
    stage.find<QComboBox>("model")->setEditText(QStringLiteral("other"));
    QTest::keyClick(view, Qt::Key_Return);
    QCOMPARE(stage.window->shell().preferences().values().defaultModel, QStringLiteral("test/small-model"));
    QCOMPARE(stage.find<QComboBox>("model")->currentText(), QStringLiteral("test/small-model"));
    QVERIFY(!stage.find<QPushButton>("useAsDefault")->isEnabled());
  }

  void foldersAreLookedThroughAtOnce() {
    QStringList asked;
    QMutex mutex;
    Stage stage({tests::cpuDevice()}, {}, [&](ui::MainWindowOptions& options) {
      options.modelFolders = {QStringLiteral("/given")};
      options.listModels = [&](const QStringList& folders) {
        const QMutexLocker lock(&mutex);
        asked = folders;
        return QVector<models::ModelSummary>();
      };
    });
    stage.window->shell().preferences().change([](auto& values) { values.modelFolders = {QStringLiteral("/own")}; });
    QTRY_COMPARE(
        [&] {
          const QMutexLocker lock(&mutex);
          return asked;
        }(),
        (QStringList{QStringLiteral("/given"), QStringLiteral("/own")}));
  }

  void menuHoldsTheActions() {
    Stage stage;
    QTest::keyClick(stage.window.get(), Qt::Key_F10);
    auto* menu = stage.find<QMenu>("mainMenu");
    QVERIFY(menu->isVisible());
    QStringList ids;
    for (const QAction* action : menu->actions()) {
      ids << action->objectName();
    }
    for (const char* const id : {"program.models", "program.settings", "program.shortcuts", "program.about", "program.quit"}) {
      QVERIFY2(ids.contains(QLatin1String(id)), id);
    }
    // Twice, and nothing stands there twice.
    const auto count = menu->actions().size();
    menu->close();
    QTest::mouseClick(stage.find<QPushButton>("appName"), Qt::LeftButton);
    QVERIFY(menu->isVisible());
    QCOMPARE(menu->actions().size(), count);
    menu->close();
  }

  // Settings

  void settingsTakeEffectAndAreKept() {
    const auto stored = [](ui::MainWindowOptions& options) { options.restoresSettings = true; };
    {
      Stage stage({tests::cpuDevice()}, {}, stored);
      QTest::keyClick(stage.window.get(), Qt::Key_Comma, Qt::ControlModifier);
      auto* previews = stage.find<QCheckBox>("previews");
      QTest::mouseClick(previews, Qt::LeftButton, {}, QPoint(8, previews->height() / 2));
      QVERIFY(!stage.window->shell().preferences().values().showsPreviews);
      QVERIFY(!stage.find<QSpinBox>("previewRate")->isEnabled());
      QVERIFY(stage.run({QStringLiteral("a")}));
      QVERIFY(!stage.backend.specs[0].wantsPreviews);
    }
    Stage again({tests::cpuDevice()}, {}, stored);
    QVERIFY(!again.find<QCheckBox>("previews")->isChecked());
  }

  void overriddenPreferencesAreNotStored() {
    {
      ui::Preferences preferences(true);
      preferences.override([](auto& values) { values.theme = ui::ThemeKind::Dark; });
      preferences.change([](auto& values) { values.language = ui::LanguageChoice::Korean; });
    }
    ui::Preferences again(true);
    QCOMPARE(again.values().theme, ui::ThemeKind::System);
    QCOMPARE(again.values().language, ui::LanguageChoice::Korean);
  }

  void limitsComeFromTheLibraryAndGoThere() {
    Stage stage;
    stage.window->shell().pages().open(QStringLiteral("settings"));
    auto* release = stage.find<QSpinBox>("releaseAfter");
    QVERIFY(!release->isEnabled());
    pool::SupervisionLimits limits;
    limits.stopAfter = std::chrono::minutes(60);
    Q_EMIT stage.backend.limitsChanged(limits);
    QVERIFY(release->isEnabled());
    QCOMPARE(release->value(), 0);
    QCOMPARE(stage.find<QSpinBox>("stopAfter")->value(), 60);
    const auto before = stage.backend.commands.size();
    release->setValue(10);
    release->setValue(11);
    QTRY_COMPARE(stage.backend.commands.size(), before + 1);
    const backend::Command& command = stage.backend.commands.back();
    QCOMPARE(command.kind, Kind::SetLimits);
    QVERIFY(command.limits->releaseAfter == std::chrono::minutes(11));
    QVERIFY(command.limits->stopAfter == std::chrono::minutes(60));
    QCOMPARE(command.limits->deviceBreaker, limits.deviceBreaker);
  }

  void anotherLibraryIsAskedFor() {
    Stage stage;
    QSignalSpy wanted(stage.window.get(), &ui::MainWindow::libraryWanted);
    Q_EMIT stage.window->shell().libraryWanted(QStringLiteral("/other"));
    QCOMPARE(wanted.size(), 1);
  }

  // Language and theme

  void languageChangesEveryWidget() {
    ui::Language language;
    language.apply(ui::LanguageChoice::English);
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    QVERIFY(stage.run({QStringLiteral("a")}));
    stage.backend.step(QStringLiteral("cuda:0"), 0, 3, 25);
    for (const char* const page : {"models", "settings", "shortcuts", "about"}) {
      stage.window->shell().pages().open(QLatin1String(page));
    }
    language.apply(ui::LanguageChoice::Korean);
    QCoreApplication::sendPostedEvents();
    static const QRegularExpression latin(QStringLiteral("[A-Za-z]{2,}"));
    static const QRegularExpression hangul(QStringLiteral("[가-힣]"));
    const QStringList kept{ko("Polyptych"),           ko("CPU"),          ko("GPU 0"),  ko("Fake CPU"), ko("Fake GPU 4090"),
                           ko("GPU 0 Fake GPU 4090"), ko("CPU Fake CPU"), ko("English")};
    const auto check = [&](const QString& text, const QWidget* widget) {
      return !text.contains(latin) || text.contains(hangul) || kept.contains(text) ||
             (qDebug() << described(widget) << text, false);
    };
    for (QWidget* widget : stage.window->findChildren<QWidget*>()) {
      const auto* label = qobject_cast<QLabel*>(widget);
      const auto* button = qobject_cast<QAbstractButton*>(widget);
      QVERIFY(button == nullptr || check(button->text(), widget));
      QVERIFY(label == nullptr || (label->textInteractionFlags() & Qt::TextSelectableByMouse) != 0 ||
              check(label->text(), widget));
      QVERIFY(check(widget->accessibleName(), widget));
      if (auto* field = qobject_cast<QLineEdit*>(widget)) {
        QVERIFY(check(field->placeholderText(), widget));
      }
    }
    QCOMPARE(stage.window->shell().actions().text(QStringLiteral("program.settings")), ko("설정"));
    QCOMPARE(stage.find<QLabel>("state-cuda:0")->text(), ko("생성 중 3 / 25"));
    // And finds by Korean letters, and by the English ones.
    ui::ActionListModel model(stage.window->shell().actions());
    model.setQuery(ko("ㄷㅊㅋ"));
    QCOMPARE(model.index(0).data(ui::ActionListModel::IdRole).toString(), QStringLiteral("program.shortcuts"));
    model.setQuery(QStringLiteral("shortcuts"));
    QCOMPARE(model.index(0).data(ui::ActionListModel::IdRole).toString(), QStringLiteral("program.shortcuts"));
    language.apply(ui::LanguageChoice::English);
    QCoreApplication::sendPostedEvents();
    QCOMPARE(stage.find<QPushButton>("stop")->text(), QStringLiteral("Stop"));
  }

  void themeFollowsTheDesktop() {
    ui::Appearance appearance(*qApp);
    appearance.apply(ui::ThemeKind::System);
    appearance.setSystemDark(true);
    QCOMPARE(ui::currentTokens().background, ui::tokensOf(true).background);
    appearance.setSystemDark(false);
    QCOMPARE(ui::currentTokens().background, ui::tokensOf(false).background);
    QCOMPARE(QApplication::palette().color(QPalette::Base), ui::tokensOf(false).background);
    // One that was chosen stays.
    appearance.apply(ui::ThemeKind::Light);
    appearance.setSystemDark(true);
    QCOMPARE(ui::currentTokens().background, ui::tokensOf(false).background);
    appearance.apply(ui::ThemeKind::Dark);
    QCOMPARE(ui::currentTokens().background, ui::tokensOf(true).background);
  }

  // Panels

  void narrowWindowsLayPanelsOverTheCentre() {
    Stage stage;
    auto& panels = stage.window->shell().panels();
    auto* left = stage.find<QWidget>("leftPanel");
    auto* right = stage.find<QWidget>("rightPanel");
    stage.window->resize(1280, 800);
    QVERIFY(left->isVisible() && right->isVisible());
    QVERIFY(!stage.find<QWidget>("rightStrip")->isVisible());
    stage.window->resize(1024, 640);
    QCOMPARE(stage.window->size(), QSize(1024, 640));
    QVERIFY(left->isVisible() && !right->isVisible());
    QVERIFY(stage.find<QWidget>("rightStrip")->isVisible());
    const QRect centre = stage.grid()->geometry();
    QTest::mouseClick(stage.find<QPushButton>("showRight"), Qt::LeftButton);
    QVERIFY(right->isVisible());
    QCOMPARE(stage.grid()->geometry(), centre);
    // A press in the gallery puts it away.
    stage.grid()->setFocus();
    QVERIFY(!right->isVisible());
    QVERIFY(panels.isShown(ui::SidePanels::Left));
    stage.window->resize(1280, 800);
    QVERIFY(right->isVisible());
  }

  void panelsHideComeBackAndAreKept() {
    const auto stored = [](ui::MainWindowOptions& options) { options.restoresSettings = true; };
    {
      Stage stage({tests::cpuDevice()}, {}, stored);
      stage.window->resize(1280, 800);
      auto* left = stage.find<QWidget>("leftPanel");
      QTest::keyClick(stage.window.get(), Qt::Key_B, Qt::ControlModifier);
      QVERIFY(!left->isVisible() && !stage.find<QWidget>("rightPanel")->isVisible());
      QVERIFY(!left->isAncestorOf(QApplication::focusWidget()));
      QVERIFY(stage.find<QWidget>("leftStrip")->isVisible());
      QTest::keyClick(stage.window.get(), Qt::Key_A, Qt::AltModifier);
      QVERIFY(left->isVisible());
      QVERIFY(stage.find<QPlainTextEdit>("prompts")->hasFocus());
      stage.window->shell().pages().open(QStringLiteral("settings"));
      QVERIFY(stage.window->close());
    }
    Stage again({tests::cpuDevice()}, {}, stored);
    QVERIFY(again.find<QWidget>("leftPanel")->isVisible());
    QVERIFY(!again.find<QWidget>("rightPanel")->isVisible());
    QCOMPARE(again.window->shell().pages().current(), QStringLiteral("settings"));
  }

  void windowsComeBackWhereTheyCanBeSeen() {
    const QRect screen(0, 0, 1920, 1080);
    const QRect second(1920, 0, 1920, 1080);
    const QRect there(2000, 100, 1280, 800);
    QCOMPARE(ui::onScreens(there, {screen, second}), there);
    const QRect moved = ui::onScreens(there, {screen});
    QVERIFY(screen.contains(moved));
    QCOMPARE(moved.size(), there.size());
    QCOMPARE(ui::onScreens(QRect(-5000, -5000, 4000, 3000), {screen}).size(), screen.size());
    // A corner is not enough to take hold of.
    QVERIFY(screen.contains(ui::onScreens(QRect(1900, 1070, 1280, 800), {screen})));
  }

  // Closing

  void closingOverWorkAsksOnce() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("a"), QStringLiteral("b")}));
    QVERIFY(!stage.window->close());
    auto* sheet = stage.find<QWidget>("closingSheet");
    QVERIFY(sheet->isVisible());
    QVERIFY(stage.find<QPushButton>("closing0")->hasFocus());
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    QVERIFY(!sheet->isVisible() && stage.window->isVisible());
    QVERIFY(!stage.window->close());
    QTest::mouseClick(stage.find<QPushButton>("closing0"), Qt::LeftButton);
    QVERIFY(!stage.window->isVisible());
    QVERIFY(std::none_of(stage.backend.commands.begin(), stage.backend.commands.end(),
                         [](const auto& command) { return command.kind == Kind::PauseQueue; }));
  }

  void closingFinishesWhatIsMade() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("a"), QStringLiteral("b")}));
    QVERIFY(!stage.window->close());
    QTest::mouseClick(stage.find<QCheckBox>("rememberClosing"), Qt::LeftButton, {}, QPoint(8, 8));
    QTest::mouseClick(stage.find<QPushButton>("closing1"), Qt::LeftButton);
    QCOMPARE(stage.backend.commands.back().kind, Kind::PauseQueue);
    QVERIFY(stage.window->isVisible());
    stage.backend.answer();
    QVERIFY(!stage.window->isVisible());
    QCOMPARE(stage.window->shell().preferences().values().closing, ui::ClosingChoice::FinishCurrent);
  }

  void closingStopsAndKeepsTheQueue() {
    Stage stage({tests::cpuDevice()}, {}, [](ui::MainWindowOptions&) {});
    stage.window->shell().preferences().change([](auto& values) { values.closing = ui::ClosingChoice::Stop; });
    QVERIFY(stage.run({QStringLiteral("a"), QStringLiteral("b")}));
    QVERIFY(!stage.window->close());
    QVERIFY(!stage.find<QWidget>("closingSheet")->isVisible());
    QCOMPARE(stage.backend.commands.back().kind, Kind::PauseQueue);
    stage.backend.answer();
    QCOMPARE(stage.backend.commands.back().kind, Kind::CancelInWork);
    stage.backend.answer(9);
    QCOMPARE(stage.backend.commands.back().kind, Kind::Undo);
    QCOMPARE(stage.backend.commands.back().undoId, qint64(9));
    QVERIFY(stage.window->isVisible());
    stage.backend.answer();
    QVERIFY(!stage.window->isVisible());
  }

  void closingWithoutWorkAsksNothing() {
    Stage stage;
    QVERIFY(stage.window->close());
    Stage paused;
    QVERIFY(paused.run({QStringLiteral("a")}));
    paused.backend.pause(backend::PauseReason::User);
    QVERIFY(paused.window->close());
  }

  // Everybody

  void everyControlHasAName() {
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    int count = 0;
    for (QWidget* widget : stage.window->findChildren<QWidget*>()) {
      // A message's own button is named by its message.
      if (isInteractive(widget) && widget->objectName() != QLatin1String("messageAction")) {
        ++count;
        QVERIFY2(!nameOf(widget).isEmpty(), qPrintable(described(widget)));
      }
    }
    QVERIFY(count > 40);
  }

  void tabReachesEveryControl_data() {
    QTest::addColumn<QString>("page");
    for (const char* const page : {"", "models", "settings", "shortcuts", "about"}) {
      QTest::addRow("page %s", page) << QString::fromLatin1(page);
    }
  }
  void tabReachesEveryControl() {
    QFETCH(QString, page);
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    Q_EMIT stage.backend.limitsChanged({});
    stage.window->shell().pages().open(page);
    QTRY_VERIFY(QApplication::focusWidget() != nullptr);
    QTest::qWait(20);
    QSet<QWidget*> met;
    QWidget* first = QApplication::focusWidget();
    for (int i = 0; i < 200; ++i) {
      QWidget* at = QApplication::focusWidget();
      met.insert(at);
      QTest::keyClick(at, Qt::Key_Tab);
      if (QApplication::focusWidget() == first) {
        break;
      }
    }
    QCOMPARE(QApplication::focusWidget(), first);
    for (QWidget* widget : stage.window->findChildren<QWidget*>()) {
      if (isInteractive(widget) && widget->isVisible() && widget->isEnabled() && (widget->focusPolicy() & Qt::TabFocus) != 0) {
        QVERIFY2(met.contains(widget), qPrintable(described(widget)));
      }
    }
  }

  // Stalls

  void stallsAreReported() {
    std::vector<ui::StallMonitor::Stall> stalls;
    ui::StallMonitor& monitor = static_cast<tests::Application*>(qApp)->monitor;
    monitor.report = [&](const auto& stall) { stalls.push_back(stall); };
    QObject planted;
    planted.setObjectName(QStringLiteral("planted"));
    bool isDone = false;
    QMetaObject::invokeMethod(
        &planted,
        [&] {
          for (const double until = tests::Application::milliseconds() + 80; tests::Application::milliseconds() < until;) {
          }
          isDone = true;
        },
        Qt::QueuedConnection);
    QTRY_VERIFY(isDone);
    QTRY_COMPARE(stalls.size(), std::size_t(1));
    QCOMPARE(stalls[0].receiver, QByteArray("QObject \"planted\""));
    QVERIFY(stalls[0].milliseconds >= 80);
    monitor.report = ui::StallMonitor::warn;
    QTest::ignoreMessage(QtWarningMsg,
                         QRegularExpression(QStringLiteral("^stall: QPushButton \"slow\" took \\d+ ms for event \\d+$")));
    ui::StallMonitor::warn({"QPushButton \"slow\"", QEvent::MouseButtonRelease, 81});
  }

  void nestedLoopsAreNoStall() {
    ui::StallMonitor monitor(ui::StallMonitor::Clock::Elapsed);
    int count = 0;
    monitor.report = [&](const auto&) { ++count; };
    QObject object;
    const QEvent event(QEvent::User);
    // What is sent while another event is delivered is a part of that one.
    monitor.measure(&object, &event, [&] {
      return monitor.measure(&object, &event, [] {
        QThread::msleep(60);
        return true;
      });
    });
    QCOMPARE(count, 1);
    QEventLoop outer;
    QMetaObject::invokeMethod(
        &object,
        [&] {
          monitor.measure(&object, &event, [&] {
            QEventLoop loop;
            QTimer::singleShot(80, &loop, &QEventLoop::quit);
            QTimer::singleShot(0, &loop, [&] { monitor.measure(&object, &event, [] { return true; }); });
            loop.exec();
            return true;
          });
          outer.quit();
        },
        Qt::QueuedConnection);
    outer.exec();
    QCOMPARE(count, 1);
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestShell>(argc, argv);
}

#include "tst_shell.moc"
