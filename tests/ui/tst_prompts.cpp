#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDragEnterEvent>
#include <QInputMethodEvent>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QScrollBar>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <atomic>

#include "core/tokenizer/bpe.h"
#include "tests/ui/stage.h"
#include "ui/prompts/prompt_view.h"
#include "ui/run_cost.h"

using namespace polyptych;
using prompt::PromptEntry;
using tests::Application;
using tests::Stage;
using ui::PromptListModel;
using ui::PromptView;

namespace {

PromptListModel::Entries named(const QStringList& prompts) {
  PromptListModel::Entries entries;
  for (const QString& prompt : prompts) {
    entries.emplace_back().prompt = prompt.toStdString();
  }
  return entries;
}

QString textsOf(const PromptListModel& list) {
  QString texts;
  for (const PromptEntry& entry : list.entries()) {
    texts += QString::fromStdString(entry.prompt);
  }
  return texts;
}

/// Words are tokens of this one: letters, each with the end of the word behind it.
base::Result<tokenizer::ClipTokenizer> smallTokenizer() {
  tokenizer::TokenizerFiles files;
  QString vocabulary = QStringLiteral("{");
  int id = 0;
  for (int byte = 0; byte < 256; ++byte) {
    for (const char* const end : {"", "</w>"}) {
      const QString character =
          QString(QChar(static_cast<char16_t>(tokenizer::characterOfByte(static_cast<std::uint8_t>(byte)))));
      QString spelling = character == QLatin1String("\"") || character == QLatin1String("\\") ? u'\\' + character : character;
      vocabulary += QStringLiteral("\"%1%2\": %3, ").arg(spelling, QLatin1String(end)).arg(id++);
    }
  }
  vocabulary += QStringLiteral("\"<|startoftext|>\": %1, \"<|endoftext|>\": %2}").arg(id).arg(id + 1);
  files.vocabJson = vocabulary.toStdString();
  files.mergesTxt = "#version: 0.2\n";
  files.configJson = R"({"model_max_length": 12})";
  return tokenizer::ClipTokenizer::fromFiles(files);
}

}  // namespace

/// The list of prompts: model, view, field, sheets, files.
class TestPrompts : public QObject {
  Q_OBJECT

 private:
  static PromptView* viewOf(const Stage& stage) { return stage.find<PromptView>("promptList"); }
  static PromptListModel& listOf(const Stage& stage) { return stage.find<ui::RunForm>("leftPanel")->prompts().list(); }
  static void paste(const Stage& stage, const QString& text) {
    QApplication::clipboard()->setText(text);
    auto* field = stage.find<QPlainTextEdit>("prompts");
    field->setFocus();
    QTest::keyClick(field, Qt::Key_V, Qt::ControlModifier);
  }
  static QString writeFile(const Stage& stage, const QString& name, const QByteArray& text) {
    const QString path = stage.folder.filePath(name);
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size()) {
      qFatal("no file");
    }
    return path;
  }
  static void drop(const Stage& stage, const QString& path) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    QDragEnterEvent enter(QPoint(400, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(stage.window.get(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent event(QPointF(400, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(stage.window.get(), &event);
  }

 private Q_SLOTS:
  void everyChangeCanBeUndone() {
    PromptListModel list;
    QAbstractItemModelTester tester(&list, QAbstractItemModelTester::FailureReportingMode::QtTest);
    list.insert(0, named({"a", "b", "c", "d", "e"}));
    QStringList states{textsOf(list)};
    list.move({0, 3}, 5);
    states << textsOf(list);
    QCOMPARE(states.back(), QStringLiteral("bcead"));
    list.remove({1, 3});
    states << textsOf(list);
    QCOMPARE(states.back(), QStringLiteral("bed"));
    list.duplicate({0, 2});
    states << textsOf(list);
    QCOMPARE(states.back(), QStringLiteral("bedbd"));
    list.change({0, 1}, QStringLiteral("Edit"), [](PromptEntry& entry) { entry.prompt += '1'; });
    states << textsOf(list);
    list.replaceAll(named({"z"}));
    states << textsOf(list);
    for (qsizetype i = states.size() - 2; i >= 0; --i) {
      list.undoStack().undo();
      QCOMPARE(textsOf(list), states[i]);
    }
    for (qsizetype i = 1; i < states.size(); ++i) {
      list.undoStack().redo();
      QCOMPARE(textsOf(list), states[i]);
    }
    list.undoStack().setIndex(0);
    QCOMPARE(list.rowCount(), 0);
  }

  void manyPlacesAtOnceComeBack() {
    PromptListModel list;
    QAbstractItemModelTester tester(&list, QAbstractItemModelTester::FailureReportingMode::QtTest);
    PromptListModel::Entries entries;
    QList<int> odd;
    for (int i = 0; i < 1000; ++i) {
      entries.emplace_back().prompt = std::to_string(i);
      if (i % 2 == 1) {
        odd << i;
      }
    }
    list.restore(entries);
    list.remove(odd);
    QCOMPARE(list.rowCount(), 500);
    QCOMPARE(list.at(1).prompt, std::string("2"));
    list.undoStack().undo();
    QVERIFY(list.entries() == entries);
  }

  void picturesAreCountedWithWhatDiffers() {
    PromptListModel list;
    list.insert(0, named({"a", "b", "c"}));
    QCOMPARE(list.pictureCount(4), qint64(12));
    list.change({1}, {}, [](PromptEntry& entry) { entry.images = 10; });
    QCOMPARE(list.pictureCount(4), qint64(18));
    QVERIFY(list.hasOwnPictures());
    list.setData(list.index(1), Qt::Unchecked, Qt::CheckStateRole);
    QCOMPARE(list.pictureCount(4), qint64(8));
    QVERIFY(!list.hasOwnPictures());
    list.undoStack().undo();
    list.remove({0});
    QCOMPARE(list.pictureCount(4), qint64(14));
  }

  void fiveThousandLinesArePastedAtOnce() {
    Stage stage;
    QStringList lines;
    for (int i = 0; i < 5000; ++i) {
      lines << QStringLiteral("a lighthouse number %1 by the sea at dusk, oil on canvas, soft rim light").arg(i);
    }
    stage.find<QPlainTextEdit>("prompts")->setFocus();
    const double before = Application::milliseconds();
    paste(stage, lines.join(u'\n'));
    const double cost = Application::milliseconds() - before;
    qInfo("5 000 lines pasted: %.1f ms", cost);
    QCOMPARE(stage.prompts(), lines);
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("Generate 5,000"));
    QCOMPARE(viewOf(stage)->selectedRows().size(), 5000);
    QTest::keyClick(stage.find<QPlainTextEdit>("prompts"), Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(listOf(stage).rowCount(), 0);
  }

  void enterAddsAPromptAndArrowsLeadIntoTheList() {
    Stage stage;
    stage.type({QStringLiteral("a"), QStringLiteral("b")});
    auto* field = stage.find<QPlainTextEdit>("prompts");
    QTest::keyClick(field, Qt::Key_Return);
    QCOMPARE(stage.prompts(), (QStringList{QStringLiteral("a"), QStringLiteral("b")}));
    QVERIFY(field->hasFocus());
    QTest::keyClick(field, Qt::Key_Up);
    PromptView* view = viewOf(stage);
    QVERIFY(view->hasFocus());
    QCOMPARE(view->selectedRows(), QList<int>{1});
    QTest::keyClick(view, Qt::Key_Up);
    QCOMPARE(view->selectedRows(), QList<int>{0});
    QTest::keyClick(view, Qt::Key_Down);
    QTest::keyClick(view, Qt::Key_Down);
    QVERIFY(field->hasFocus());
  }

  void rowsAreEditedWhereTheyStand() {
    Stage stage;
    paste(stage, QStringLiteral("a\nb\nc"));
    PromptView* view = viewOf(stage);
    view->setFocus();
    view->select(1, 1);
    QTest::keyClick(view, Qt::Key_Return);
    auto* editor = stage.find<QPlainTextEdit>("promptEditor");
    QVERIFY(editor->hasFocus());
    // Keys of the list are letters here.
    QTest::keyClick(editor, Qt::Key_Backspace);
    QTest::keyClicks(editor, QStringLiteral("x y"));
    QTest::keyClick(editor, Qt::Key_Return);
    QCOMPARE(stage.prompts(), (QStringList{QStringLiteral("a"), QStringLiteral("x y"), QStringLiteral("c")}));
    QVERIFY(view->hasFocus());
    QTest::keyClick(view, Qt::Key_F2);
    QVERIFY(view->isEditing());
    QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("zzz"));
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    QCOMPARE(stage.prompts()[1], QStringLiteral("x y"));
    QTest::keyClick(view, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(stage.prompts()[1], QStringLiteral("b"));
    // A double click; a press elsewhere takes what stands there.
    QTest::mouseDClick(view->viewport(), Qt::LeftButton, {}, view->visualRect(view->model()->index(2, 0)).center());
    QVERIFY(view->isEditing());
    QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("!"));
    QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, view->visualRect(view->model()->index(0, 0)).center());
    QCOMPARE(stage.prompts()[2], QStringLiteral("c!"));
  }

  void koreanIsComposed() {
    Stage stage;
    auto* field = stage.find<QPlainTextEdit>("prompts");
    field->setFocus();
    for (const auto& part : {QStringLiteral("ㄷ"), QStringLiteral("드"), QStringLiteral("등")}) {
      QInputMethodEvent composing(part, {});
      QCoreApplication::sendEvent(field, &composing);
    }
    QInputMethodEvent first;
    first.setCommitString(QStringLiteral("등"));
    QCoreApplication::sendEvent(field, &first);
    QInputMethodEvent second;
    second.setCommitString(QStringLiteral("대"));
    QCoreApplication::sendEvent(field, &second);
    QTest::keyClick(field, Qt::Key_Return);
    QCOMPARE(stage.prompts(), QStringList{QStringLiteral("등대")});
  }

  void keysChangeWhatIsSelected() {
    Stage stage;
    paste(stage, QStringLiteral("a\nb\nc\nd"));
    PromptView* view = viewOf(stage);
    view->setFocus();
    view->select(1, 2);
    QTest::keyClick(view, Qt::Key_Down, Qt::AltModifier);
    QCOMPARE(stage.prompts().join(QString()), QStringLiteral("adbc"));
    QCOMPARE(view->selectedRows(), (QList<int>{2, 3}));
    QTest::keyClick(view, Qt::Key_Up, Qt::AltModifier);
    QCOMPARE(stage.prompts().join(QString()), QStringLiteral("abcd"));
    QTest::keyClick(view, Qt::Key_D, Qt::ControlModifier);
    QCOMPARE(stage.prompts().join(QString()), QStringLiteral("abcbcd"));
    QCOMPARE(view->selectedRows(), (QList<int>{3, 4}));
    QTest::keyClick(view, Qt::Key_Space);
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("Generate 4"));
    QCOMPARE(stage.find<QLabel>("promptCount")->text(), QStringLiteral("4 / 6"));
    QTest::keyClick(view, Qt::Key_Space);
    QCOMPARE(stage.find<QPushButton>("generate")->text(), QStringLiteral("Generate 6"));
    QTest::keyClick(view, Qt::Key_X, Qt::ControlModifier);
    QCOMPARE(stage.prompts().join(QString()), QStringLiteral("abcd"));
    QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("b\nc"));
    view->select(0, 0);
    QTest::keyClick(view, Qt::Key_V, Qt::ControlModifier);
    QCOMPARE(stage.prompts().join(QString()), QStringLiteral("abcbcd"));
    QTest::keyClick(view, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClick(view, Qt::Key_Delete);
    QCOMPARE(listOf(stage).rowCount(), 0);
    QVERIFY(stage.find<QPlainTextEdit>("prompts")->hasFocus());
    for (int i = 0; i < 20; ++i) {
      stage.window->shell().actions().trigger(QStringLiteral("prompts.undo"));
    }
    QCOMPARE(listOf(stage).rowCount(), 0);
    stage.window->shell().actions().trigger(QStringLiteral("prompts.redo"));
    QCOMPARE(stage.prompts().join(QString()), QStringLiteral("abcd"));
  }

  void aClickOnTheNumberTurnsThePromptOff() {
    Stage stage;
    paste(stage, QStringLiteral("a\nb"));
    PromptView* view = viewOf(stage);
    const QRect row = view->visualRect(view->model()->index(1, 0));
    QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, QPoint(row.left() + 12, row.center().y()));
    QVERIFY(!listOf(stage).at(1).isEnabled);
    QVERIFY(view->model()->index(1, 0).data(Qt::AccessibleTextRole).toString().contains(QStringLiteral("off")));
    QVERIFY(stage.run({}));
    QCOMPARE(stage.backend.specs[0].requests.size(), std::size_t(1));
  }

  void rowsAreDraggedToAnotherPlace() {
    Stage stage;
    paste(stage, QStringLiteral("a\nb\nc"));
    PromptView* view = viewOf(stage);
    view->select(0, 0);
    QMimeData data;
    data.setText(QStringLiteral("from elsewhere\nand more"));
    const QPoint at(40, view->visualRect(view->model()->index(2, 0)).top() + 2);
    QDragEnterEvent enter(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(view->viewport(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent event(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(view->viewport(), &event);
    QCOMPARE(stage.prompts(), (QStringList{QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("from elsewhere"),
                                           QStringLiteral("and more"), QStringLiteral("c")}));
  }

  void theSheetSetsWhatDiffers() {
    Stage stage;
    paste(stage, QStringLiteral("a\nb\nc"));
    PromptView* view = viewOf(stage);
    view->setFocus();
    view->select(1, 2);
    QTest::keyClick(view, Qt::Key_I, Qt::ControlModifier);
    auto* size = stage.find<QLineEdit>("sheetSize");
    QVERIFY(size->isVisible());
    QVERIFY(!stage.find<QPlainTextEdit>("sheetPrompt")->isVisible());
    // Tab goes as the eye does.
    QStringList fields;
    for (int i = 0; i < 8; ++i) {
      fields << QApplication::focusWidget()->objectName().mid(5);
      QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    }
    QCOMPARE(fields.join(u' '), QStringLiteral("Negative Size Steps Guidance Images Seed Scheduler Model"));
    QTest::keyClicks(size, QStringLiteral("100x100"));
    QTest::keyClick(size, Qt::Key_Return);
    QVERIFY(stage.find<QLabel>("sheetProblem")->text().contains(QStringLiteral("multiples of 8")));
    QVERIFY(size->hasFocus());
    size->clear();
    QTest::keyClicks(size, QStringLiteral("768x512"));
    QTest::keyClicks(stage.find<QLineEdit>("sheetSeed"), QStringLiteral("7"));
    QTest::mouseClick(stage.find<QPushButton>("sheetAccept"), Qt::LeftButton);
    QVERIFY(!size->isVisible());
    QCOMPARE(view->chipsOf(1).value(0).text, QStringLiteral("768×512"));
    QCOMPARE(view->chipsOf(1).value(1).text, QStringLiteral("seed 7"));
    // Of several rows, what nobody touched stays as it is in each.
    view->select(0, 1);
    QTest::keyClick(view, Qt::Key_I, Qt::ControlModifier);
    QCOMPARE(size->placeholderText(), QStringLiteral("Various"));
    QTest::keyClicks(stage.find<QLineEdit>("sheetSteps"), QStringLiteral("9"));
    QTest::keyClick(stage.find<QLineEdit>("sheetSteps"), Qt::Key_Return);
    QCOMPARE(*listOf(stage).at(1).width, 768);
    QVERIFY(!listOf(stage).at(0).width);
    QCOMPARE(*listOf(stage).at(0).steps, 9);
    // One alone: its text too, and an empty field is as all.
    view->select(1, 1);
    QTest::keyClick(view, Qt::Key_I, Qt::ControlModifier);
    QCOMPARE(size->text(), QStringLiteral("768 × 512"));
    size->clear();
    auto* text = stage.find<QPlainTextEdit>("sheetPrompt");
    QTest::keyClicks(text, QStringLiteral("oat"));
    QTest::keyClick(text, Qt::Key_Return, Qt::ControlModifier);
    QCOMPARE(listOf(stage).at(1).prompt, std::string("boat"));
    QVERIFY(!listOf(stage).at(1).width);
    QVERIFY(stage.run({}));
    const auto& requests = stage.backend.specs[0].requests;
    QCOMPARE(requests[0].steps, 9);
    QCOMPARE(requests[1].seed, std::uint64_t(7));
    QCOMPARE(requests[2].width, 768);
    QCOMPARE(requests[2].steps, 25);
  }

  void promptsOfAnotherModelAreARunOfTheirOwn() {
    Stage stage;
    auto entries = named({"a", "b", "c"});
    entries[1].model = "other/model";
    listOf(stage).insert(0, entries);
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_VERIFY(!stage.message().isEmpty() || stage.backend.specs.size() == 2);
    // The fake machine has no such model: nothing is begun, and it is said.
    QVERIFY(stage.message().contains(QStringLiteral("no such model")));
    QCOMPARE(stage.backend.specs.size(), std::size_t(0));
  }

  void aRowWhoseModelIsMissingSaysSoBeforeAnythingIsStarted() {
    std::atomic<bool> isThere = false;
    const Stage stage({tests::cpuDevice()}, QString(), [&isThere](ui::MainWindowOptions& options) {
      options.describeModel = [&isThere, describe = options.describeModel](const QString& reference) {
        return describe(isThere ? QStringLiteral("test/small-model") : reference);
      };
    });
    auto entries = named({"a", "b", "c"});
    entries[1].model = "org/gone";
    entries[2].model = "test/small-model";
    listOf(stage).insert(0, entries);
    const auto* view = viewOf(stage);
    QTRY_COMPARE(view->chipsOf(1).size(), 1);
    QTRY_COMPARE(view->chipsOf(1)[0].text, QStringLiteral("▲ model not found"));
    QVERIFY(view->chipsOf(1)[0].isProblem);
    QVERIFY(view->chipsOf(1)[0].tip.startsWith(QStringLiteral("org/gone\nThere is no such model here.")));
    QCOMPARE(view->chipsOf(0).size(), 0);
    QCOMPARE(view->chipsOf(2)[0].text, QStringLiteral("test/small-model"));
    QVERIFY(stage.backend.specs.empty());
    // Another model for the row, and back; then the model is there.
    listOf(stage).change({1}, QStringLiteral("Edit"), [](PromptEntry& entry) { entry.model = "test/small-model"; });
    QCOMPARE(view->chipsOf(1)[0].text, QStringLiteral("test/small-model"));
    listOf(stage).undoStack().undo();
    QCOMPARE(view->chipsOf(1)[0].text, QStringLiteral("▲ model not found"));
    isThere = true;
    Q_EMIT stage.window->shell().models().listed({});
    QTRY_COMPARE(view->chipsOf(1)[0].text, QStringLiteral("org/gone"));
  }

  void eachModelGetsItsPromptsInOrder() {
    ui::RunInput input;
    input.entries = named({"a", "b", "c"});
    input.entries[1].model = "second";
    input.modelReference = QStringLiteral("first");
    input.seed = 10;
    const auto specs = ui::specsOf(input, {}, [](const QString& reference) -> base::Result<models::ModelDescription> {
      models::ModelDescription model;
      model.summary.name = reference;
      model.summary.path = u'/' + reference;
      model.width = model.height = 64;
      return model;
    });
    const auto& runs = std::get<std::vector<backend::RunSpec>>(specs);
    QCOMPARE(runs.size(), std::size_t(2));
    QCOMPARE(runs[0].plan.model.name, std::string("first"));
    QCOMPARE(runs[0].requests[1].prompt, std::string("c"));
    QCOMPARE(runs[1].requests[0].prompt, std::string("b"));
    QCOMPARE(runs[1].requests[0].index, std::int64_t(0));
    QCOMPARE(runs[1].requests[0].seed, std::uint64_t(12));
  }

  void seedsAreDrawnCountedOrTheSame() {
    Stage stage;
    paste(stage, QStringLiteral("a\nb"));
    stage.find<QSpinBox>("images")->setValue(2);
    auto* rule = stage.find<QComboBox>("seedRule");
    auto* seed = stage.find<QLineEdit>("seed");
    QCOMPARE(rule->currentIndex(), 0);
    QTest::keyClicks(seed, QStringLiteral("5"));
    QCOMPARE(rule->currentIndex(), 1);
    rule->setCurrentIndex(2);
    QVERIFY(stage.run({}));
    std::vector<std::uint64_t> seeds;
    for (const auto& request : stage.backend.specs[0].requests) {
      seeds.push_back(request.seed);
    }
    QCOMPARE(seeds, (std::vector<std::uint64_t>{5, 6, 5, 6}));
    seed->clear();
    QCOMPARE(rule->currentIndex(), 0);
  }

  void wordsBeyondTheLimitAreTold() {
    const auto tokenizer = smallTokenizer();
    QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
    // Ten tokens: a letter each.
    const auto length = ui::lengthOf(*tokenizer, QStringLiteral("abc def ghi jkl"));
    QCOMPARE(length.limit, 10);
    QCOMPARE(length.tokens, 12);
    QCOMPARE(length.words, 1);
    QCOMPARE(length.kept, 12);
    QVERIFY(!ui::lengthOf(*tokenizer, QStringLiteral("abc def ghi j")).isOver());

    PromptListModel list;
    list.insert(0, named({"abc", "abc def ghi jkl mno"}));
    ui::PromptLengths lengths(list, [&](const QString&) { return smallTokenizer(); });
    ui::PromptModels models(list, [](const QString&) { return std::nullopt; });
    PromptView view(list, lengths, models);
    QVERIFY(view.chipsOf(1).isEmpty());
    lengths.setModel(QStringLiteral("any"));
    QTRY_COMPARE(view.chipsOf(1).value(0).text, QStringLiteral("▲ 2 words over"));
    QVERIFY(view.chipsOf(1).value(0).isProblem);
    QVERIFY(view.chipsOf(0).isEmpty());
    list.setData(list.index(0), QStringLiteral("abcdefghijkl"), Qt::EditRole);
    QTRY_COMPARE(view.chipsOf(0).size(), 1);
  }

  void listsAreOpened_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("text") << QStringLiteral("list.txt") << QByteArray("one\n\ntwo\n");
    QTest::newRow("JSON") << QStringLiteral("list.jsonl") << QByteArray("{\"prompt\": \"one\"}\n{\"prompt\": \"two\"}\n");
  }
  void listsAreOpened() {
    QFETCH(QString, name);
    QFETCH(QByteArray, text);
    Stage stage;
    drop(stage, writeFile(stage, name, text));
    QTRY_COMPARE(stage.prompts(), (QStringList{QStringLiteral("one"), QStringLiteral("two")}));
    QCOMPARE(stage.message(), QStringLiteral("2 prompts added from %1.").arg(name));
    QTest::mouseClick(stage.find<QPushButton>("messageAction"), Qt::LeftButton);
    QCOMPARE(stage.prompts(), QStringList());
  }

  void aBadListIsRefusedInWords() {
    Stage stage;
    drop(stage, writeFile(stage, QStringLiteral("list.jsonl"), "{\"prompt\": \"one\"}\nno\n"));
    QTRY_VERIFY2(stage.message().contains(QStringLiteral("Line 2 of list.jsonl")), qPrintable(stage.message()));
    QCOMPARE(stage.prompts(), QStringList());
  }

  void columnsOfATableAreChosen() {
    Stage stage;
    drop(stage, writeFile(stage, QStringLiteral("list.csv"), "number;words;steps\n1;a red boat;7\n2;a house;\n"));
    QTRY_VERIFY(stage.window->findChild<QComboBox*>(QStringLiteral("importColumn1")) != nullptr);
    auto* words = stage.find<QComboBox>("importColumn1");
    QTRY_VERIFY(words->isVisible());
    QCOMPARE(words->currentText(), QStringLiteral("Prompt"));
    QCOMPARE(stage.find<QComboBox>("importColumn2")->currentText(), QStringLiteral("Steps"));
    QVERIFY(stage.find<QCheckBox>("importHeading")->isChecked());
    auto* add = stage.find<QPushButton>("importAdd");
    QCOMPARE(add->text(), QStringLiteral("Add 2 prompts"));
    stage.find<QComboBox>("importColumn0")->setCurrentText(QStringLiteral("Seed"));
    words->setCurrentText(QStringLiteral("Leave out"));
    QTest::mouseClick(add, Qt::LeftButton);
    QTRY_VERIFY(stage.find<QLabel>("importProblem")->text().contains(QStringLiteral("No column holds the prompts")));
    words->setCurrentText(QStringLiteral("Prompt"));
    QTest::mouseClick(add, Qt::LeftButton);
    QTRY_COMPARE(stage.prompts(), (QStringList{QStringLiteral("a red boat"), QStringLiteral("a house")}));
    QCOMPARE(*listOf(stage).at(0).seed, std::uint64_t(1));
    QCOMPARE(*listOf(stage).at(0).steps, 7);
    QVERIFY(!listOf(stage).at(1).steps);
  }

  void whatIsTypedOutlivesTheProgram() {
    QSettings().clear();
    QFile::remove(QFileInfo(QSettings().fileName()).absolutePath() + QStringLiteral("/prompts.jsonl"));
    const auto stored = [](ui::MainWindowOptions& options) { options.restoresSettings = true; };
    {
      Stage stage({tests::cpuDevice()}, {}, stored);
      QTRY_COMPARE(listOf(stage).rowCount(), 3);
      auto entries = named({"등대", "b"});
      entries[1].isEnabled = false;
      entries[1].width = 64;
      entries[1].height = 128;
      listOf(stage).replaceAll(entries);
      QTest::keyClicks(stage.find<QPlainTextEdit>("prompts"), QStringLiteral("half typed"));
      QVERIFY(stage.window->close());
    }
    Stage stage({tests::cpuDevice()}, {}, stored);
    QTRY_COMPARE(listOf(stage).rowCount(), 3);
    QCOMPARE(listOf(stage).at(2).prompt, std::string("half typed"));
    QVERIFY(!listOf(stage).at(1).isEnabled);
    QCOMPARE(*listOf(stage).at(1).height, 128);
    QVERIFY(!listOf(stage).undoStack().canUndo());
  }

  void presetsKeepSettingsUnderANames() {
    Stage stage;
    stage.find<QSpinBox>("steps")->setValue(33);
    stage.find<QComboBox>("size")->setEditText(QStringLiteral("64 × 128"));
    stage.window->shell().actions().trigger(QStringLiteral("presets.save"));
    auto* name = stage.find<QLineEdit>("presetName");
    QVERIFY(name->hasFocus());
    QTest::keyClicks(name, QStringLiteral("tall"));
    QTest::keyClick(name, Qt::Key_Return);
    QVERIFY(!name->isVisible());
    stage.find<QSpinBox>("steps")->setValue(5);
    stage.find<QComboBox>("size")->setCurrentIndex(0);
    QTest::mouseClick(stage.find<QPushButton>("presets"), Qt::LeftButton);
    QWidget* menu = QApplication::activePopupWidget();
    QVERIFY(menu != nullptr);
    QTest::keyClick(menu, Qt::Key_Down);
    QTest::keyClick(menu, Qt::Key_Return);
    QCOMPARE(stage.find<QSpinBox>("steps")->value(), 33);
    QCOMPARE(stage.find<QComboBox>("size")->currentText(), QStringLiteral("64 × 128"));
    QCOMPARE(stage.message(), QStringLiteral("The settings are those of “tall”."));
    QTest::mouseClick(stage.find<QPushButton>("messageAction"), Qt::LeftButton);
    QCOMPARE(stage.find<QSpinBox>("steps")->value(), 5);
    QCOMPARE(stage.find<QComboBox>("size")->currentText(), QStringLiteral("Model's own"));
  }

  void aPresetBringsItsRuleOfSeeds() {
    Stage stage;
    auto& settings = stage.window->findChild<ui::RunForm*>(QStringLiteral("leftPanel"))->settings();
    auto* rule = stage.find<QComboBox>("seedRule");
    stage.find<QLineEdit>("seed")->setText(QStringLiteral("7"));
    const QVariantMap counting = settings.values();
    QCOMPARE(rule->currentText(), QStringLiteral("Counting up"));
    rule->setCurrentIndex(2);
    Q_EMIT rule->activated(2);
    const QVariantMap same = settings.values();
    settings.setValues(counting);
    QCOMPARE(rule->currentText(), QStringLiteral("Counting up"));
    settings.setValues(same);
    QCOMPARE(rule->currentText(), QStringLiteral("Same for each prompt"));
  }

  void theCostIsToldFromWhatDevicesDid() {
    ui::RunInput shared;
    shared.width = shared.height = 100;
    shared.steps = 10;
    shared.imagesPerPrompt = 2;
    auto entries = named({"a", "b", "c"});
    entries[2].isEnabled = false;
    entries[1].steps = 30;
    const std::vector<domain::DeviceSlot> slotList{{"cuda:0", domain::DeviceKind::Cuda, {}, {}, {}},
                                                   {"cuda:1", domain::DeviceKind::Cuda, {}, {}, {}}};
    // 2 x 10 000 pixels x (10 + 30) steps.
    const std::vector<queue::DeviceSpeed> speeds{{QStringLiteral("cuda:0"), {}, 1e-3, 5}};
    const auto work = ui::workOf(entries, shared, {});
    const auto estimate = ui::estimateCost(work, speeds, slotList);
    QCOMPARE(*estimate.seconds, 400.0);
    QCOMPARE(estimate.bytes, qint64(70000));
    QCOMPARE(ui::costInWords(estimate), QStringLiteral("about 7 min on 2 devices\u00a0· 70.0\u00a0kB"));
    QVERIFY(!ui::estimateCost(work, {}, slotList).seconds);
    Stage stage;
    paste(stage, QStringLiteral("a"));
    // 256 x 192 pixels of the fake model.
    QTRY_VERIFY2(stage.find<QLabel>("forecast")->text().endsWith(QStringLiteral("1 picture\u00a0· 86.0\u00a0kB")),
                 qPrintable(stage.find<QLabel>("forecast")->text()));
  }

  void aLongListScrollsAndFindsItsRows() {
    PromptListModel list;
    PromptListModel::Entries entries(20'000);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].prompt = "prompt " + std::to_string(i) + (i % 3 == 0 ? std::string(80, 'w') : std::string());
    }
    list.restore(std::move(entries));
    ui::PromptLengths lengths(list, [](const QString&) { return smallTokenizer(); });
    ui::PromptModels models(list, [](const QString&) { return std::nullopt; });
    PromptView view(list, lengths, models);
    view.resize(300, 400);
    view.show();
    for (const int row : {0, 1, 9'999, 19'999}) {
      view.scrollTo(list.index(row));
      const QRect rect = view.visualRect(list.index(row));
      QVERIFY(view.viewport()->rect().contains(rect.center()));
      QCOMPARE(view.indexAt(rect.center()).row(), row);
    }
    QCOMPARE(view.verticalScrollBar()->value(), view.verticalScrollBar()->maximum());
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestPrompts>(argc, argv);
}

#include "tst_prompts.moc"
