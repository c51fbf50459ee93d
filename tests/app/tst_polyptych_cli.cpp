#include <QScopeGuard>

#include "tests/app/cli_program.h"

using namespace polyptych;
using tests::Ended;
using tests::Json;

/// What the program answers and refuses.
class TestPolyptychCli : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_cli = std::make_unique<tests::CliProgram>(); }
  void printsHelpAndVersion();
  void refusesWrongUsage_data();
  void refusesWrongUsage();
  void refusesListsFromStandardInput_data();
  void refusesListsFromStandardInput();
  void answersQuestions();
  void tokenizesLines();
  void tokenizesLongLines();
  void keepsNulsInLines();
  void refusesPathsThatAreNoUtf8_data();
  void refusesPathsThatAreNoUtf8();
  void tellsRefusalsAsEvents();
  void tellsWhenItsOutputIsFull_data();
  void tellsWhenItsOutputIsFull();
  void runsWithoutStandardDescriptors();
  void makesContactSheets();
  void takesTheModelThatCameWithTheProgram();

 private:
  /// What a shell makes of `script`, in which $0 is the program.
  Ended shell(const QByteArray& script) {
    QProcess process;
    m_cli->begin(process, {"-c", script, POLYPTYCH_CLI_PATH}, "/bin/sh");
    return m_cli->finish(process);
  }

  std::unique_ptr<tests::CliProgram> m_cli;
};

void TestPolyptychCli::printsHelpAndVersion() {
  const Ended help = m_cli->run({"--help"});
  QVERIFY2(help.code == 0, help.said.constData());
  QVERIFY(help.output.startsWith("polyptych-cli: "));
  QVERIFY(help.error.isEmpty());
  const Ended version = m_cli->run({"--version"});
  QVERIFY2(version.code == 0, version.said.constData());
  QCOMPARE(version.output, QByteArray("polyptych-cli " POLYPTYCH_VERSION "\n"));
}

void TestPolyptychCli::refusesWrongUsage_data() {
  QTest::addColumn<QByteArrayList>("words");
  QTest::addColumn<int>("code");
  QTest::addColumn<QByteArray>("sentence");
  const auto row = [](const char* name, const QByteArrayList& words, const char* sentence, int code = 2) {
    QTest::newRow(name) << words << code << QByteArray(sentence);
  };
  using L = QByteArrayList;
  row("nothing", {}, "There is no command");
  row("unknown command", {"draw"}, "'draw' is not a command");
  row("no prompt", L{"generate"}, "There is no prompt");
  row("width not divisible by 8", L{"generate", "x", "--width", "100"}, "multiple of 8 from 8 to 8192");
  row("height not divisible by 8", L{"generate", "x", "--height", "12"}, "multiple of 8 from 8 to 8192");
  row("no steps", L{"generate", "x", "--steps", "0"}, "from 1 to 1000");
  row("guidance is not a number", L{"generate", "x", "--guidance", "NaN"}, "from 0 to 1000");
  row("unknown scheduler", L{"generate", "x", "--scheduler", "magic"}, "--scheduler");
  row("unknown device", L{"generate", "x", "--model", "MODEL", "--devices", "tpu:0"}, "--devices");
  row("GPU that is not here", L{"generate", "x", "--model", "MODEL", "--devices", "cuda:77"}, "--devices");
  row("list in Latin-1", L{"generate", "--model", "MODEL", "--prompts", "latin1.txt"}, "Line 2 of 'latin1.txt' is not UTF-8");
  row("empty list", L{"generate", "--model", "MODEL", "--prompts", "empty.txt"}, "'empty.txt' has no prompt in it");
  row("no such list", L{"generate", "--model", "MODEL", "--prompts", "none.txt"}, "there is no file 'none.txt'");
  row("folder that cannot be written", L{"generate", "x", "--model", "MODEL", "--out", "/proc/out"}, "cannot be written");
  row("no such model", L{"generate", "x", "--model", "nowhere/nothing"}, "nowhere/nothing", 3);
  row("no model in the folder", L{"generate", "x", "--model", "."}, "model_index.json", 3);
  row("show-model of nothing", L{"show-model", "nowhere/nothing"}, "nowhere/nothing", 3);
  row("tokenize with nothing", L{"tokenize", "--model", "nowhere/nothing"}, "nowhere/nothing", 3);
}

void TestPolyptychCli::refusesWrongUsage() {
  QFETCH(QByteArrayList, words);
  QFETCH(int, code);
  QFETCH(QByteArray, sentence);
  for (QByteArray& word : words) {
    word.replace("MODEL", m_cli->path("모델"));
  }
  m_cli->write("latin1.txt", "a cat\nun caf\xE9\n");
  m_cli->write("empty.txt", "\n \n");
  const Ended ended = m_cli->run(words);
  QVERIFY2(ended.code == code, ended.said.constData());
  QVERIFY2(ended.error.startsWith("polyptych-cli: ") && ended.error.contains(sentence), ended.error.constData());
  QCOMPARE(ended.error.count('\n'), 1);
  QVERIFY(ended.output.isEmpty());
  QVERIFY(QDir(m_cli->folder()).entryList({QStringLiteral("polyptych-*")}).isEmpty());
}

void TestPolyptychCli::refusesListsFromStandardInput_data() {
  QTest::addColumn<QByteArray>("input");
  QTest::addColumn<QByteArray>("sentence");
  QTest::newRow("Latin-1") << QByteArray("\n\ncaf\xE9\n") << QByteArray("Line 3 of standard input is not UTF-8");
  QTest::newRow("nothing") << QByteArray() << QByteArray("standard input has no prompt in it");
  QTest::newRow("prompt too long") << QByteArray((4 << 20) + 1, 'x') << QByteArray("Line 1 of standard input is longer than");
}

void TestPolyptychCli::refusesListsFromStandardInput() {
  QFETCH(QByteArray, input);
  QFETCH(QByteArray, sentence);
  const Ended ended = m_cli->run(m_cli->generate({"--prompts", "-"}), input);
  QVERIFY2(ended.code == 2, ended.said.constData());
  QVERIFY2(ended.error.contains(sentence), ended.error.constData());
  QVERIFY(!QDir(QString::fromUtf8(m_cli->path("out"))).exists());
}

void TestPolyptychCli::answersQuestions() {
  const Ended devices = m_cli->run({"devices", "--json"});
  QVERIFY2(devices.code == 0, devices.said.constData());
  const Json list = Json::parse(devices.output.toStdString(), nullptr, false);
  QVERIFY(list.is_array() && !list.empty());
  QCOMPARE(list[0]["id"].get<std::string>(), std::string("cpu"));
  QVERIFY(list[0]["cores"].get<int>() >= 1);
  QVERIFY(m_cli->run({"devices"}).output.startsWith("cpu  "));

  const Ended schedulers = m_cli->run({"schedulers", "--json"});
  QVERIFY2(schedulers.code == 0, schedulers.said.constData());
  const Json names = Json::parse(schedulers.output.toStdString(), nullptr, false);
  QVERIFY(names.is_array() && names.size() > 10);
  QCOMPARE(names[0]["name"].get<std::string>(), std::string("DPM++ 2M"));
  QCOMPARE(names[0]["class"].get<std::string>(), std::string("DPMSolverMultistepScheduler"));
  QVERIFY(m_cli->run({"schedulers"}).output.startsWith("DPM++ 2M  ("));

  const Ended models = m_cli->run({"models", "--json"});
  QVERIFY2(models.code == 0, models.said.constData());
  QVERIFY(Json::parse(models.output.toStdString(), nullptr, false) == Json::array());

  const Ended model = m_cli->run({"show-model", m_cli->path("모델"), "--json"});
  QVERIFY2(model.code == 0, model.said.constData());
  QVERIFY(Json::parse(model.output.toStdString(), nullptr, false).is_object());
  QVERIFY(!m_cli->run({"show-model", m_cli->path("모델")}).output.isEmpty());
}

void TestPolyptychCli::tokenizesLines() {
  const QByteArray longLine = QByteArray("cat ").repeated(75) + "dog, at";
  const Ended ended = m_cli->run({"tokenize", "--model", m_cli->path("모델"), "--json"}, "a cat\n\n" + longLine);
  QVERIFY2(ended.code == 0, ended.said.constData());
  const auto answers = ended.events();
  QCOMPARE(answers.size(), std::size_t{3});
  for (const Json& answer : answers) {
    QCOMPARE(answer["ids"].size(), std::size_t{77});
    QCOMPARE(answer.size(), std::size_t{2});
  }
  QCOMPARE(answers[0]["dropped"].get<std::string>(), std::string());
  QCOMPARE(answers[1]["ids"][1].get<std::int64_t>(), small::idOf("<|endoftext|>"));
  QCOMPARE(answers[2]["dropped"].get<std::string>(), std::string("dog , at"));
  const Ended plain = m_cli->run({"tokenize", "--model", m_cli->path("모델")}, longLine + "\n");
  QVERIFY(plain.output.endsWith("\tdog , at\n"));
  QCOMPARE(plain.output.count(' '), 76 + 2);
  using namespace std::string_literals;
  const Ended zero =
      m_cli->run({"tokenize", "--model", m_cli->path("모델"), "--json"}, QByteArray::fromStdString("a\0b\n\0\nc\n"s));
  QCOMPARE(zero.events().size(), std::size_t{3});
  const Ended broken = m_cli->run({"tokenize", "--model", m_cli->path("모델"), "--json"}, "a cat\n\xFF\n");
  QVERIFY2(broken.code == 2, broken.said.constData());
  QVERIFY(broken.error.contains("Line 2 of standard input is not UTF-8"));
}

void TestPolyptychCli::tokenizesLongLines() {
  const Ended ended =
      m_cli->run({"tokenize", "--model", m_cli->path("모델"), "--json"}, QByteArray("cat ").repeated(1 << 18) + "\n");
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(ended.events().size(), std::size_t{1});
  QCOMPARE(ended.events()[0]["ids"].size(), std::size_t{77});
}

void TestPolyptychCli::keepsNulsInLines() {
  using namespace std::string_literals;
  const QByteArrayList words = {"tokenize", "--model", m_cli->path("모델"), "--json"};
  // The tokenizer's own rule: NUL is a character that belongs to no word.
  const auto with = m_cli->run(words, QByteArray::fromStdString("a\0cat\n"s)).events();
  const auto without = m_cli->run(words, "a cat\n").events();
  QCOMPARE(with.size(), std::size_t{1});
  QVERIFY2(with[0]["ids"] != m_cli->run(words, "a\n").events().at(0)["ids"], "the line ends at the NUL");
  QVERIFY(with[0]["ids"] != without.at(0)["ids"]);
}

void TestPolyptychCli::refusesPathsThatAreNoUtf8_data() {
  QTest::addColumn<QByteArray>("option");
  for (const char* option : {"--out", "--prompts", "--model", "--trace", "--initial-latents", "--worker"}) {
    QTest::newRow(option) << QByteArray(option);
  }
}

void TestPolyptychCli::refusesPathsThatAreNoUtf8() {
  QFETCH(QByteArray, option);
  const Ended ended = shell("exec \"$0\" generate a-cat " + option + " \"$(printf 'caf\\351')\"");
  QVERIFY2(ended.code == 2, ended.said.constData());
  QVERIFY2(ended.error.contains(option + " is not UTF-8 (byte 4)"), ended.error.constData());
  QVERIFY(QDir(m_cli->folder()).entryList({QStringLiteral("caf*")}).isEmpty());
}

void TestPolyptychCli::tellsRefusalsAsEvents() {
  const std::vector<std::pair<QByteArrayList, int>> cases = {
      {{"generate", "x", "--json", "--steps", "0"}, 2},
      {{"generate", "x", "--json", "--no-such-option"}, 2},
      {{"generate", "--json"}, 2},
      {{"generate", "x", "--json", "--model", "nowhere/nothing"}, 3},
      {m_cli->generate({"x", "--devices", "cuda:77"}), 2},
  };
  for (const auto& [words, code] : cases) {
    const Ended ended = m_cli->run(words);
    QVERIFY2(ended.code == code, ended.said.constData());
    const auto events = ended.events();
    QVERIFY2(events.size() == 2, ended.output.constData());
    QCOMPARE(events[0]["event"].get<std::string>(), std::string("failed"));
    QVERIFY(!events[0]["message"].get<std::string>().empty());
    QCOMPARE(events[1]["event"].get<std::string>(), std::string("finished"));
    QCOMPARE(events[1]["exit_code"].get<int>(), code);
  }
  // After "--" it is a prompt.
  const Ended plain = m_cli->run({"generate", "--steps", "0", "--", "--json"});
  QVERIFY2(plain.code == 2 && plain.output.isEmpty(), plain.said.constData());
}

void TestPolyptychCli::tellsWhenItsOutputIsFull_data() {
  QTest::addColumn<QByteArray>("words");
  for (const char* words : {"--help", "--version", "schedulers --json", "devices", "models --json"}) {
    QTest::newRow(words) << QByteArray(words);
  }
}

void TestPolyptychCli::tellsWhenItsOutputIsFull() {
  QFETCH(QByteArray, words);
  const Ended ended = shell("exec \"$0\" " + words + " >/dev/full");
  QVERIFY2(ended.code == 1, ended.said.constData());
  QVERIFY2(ended.error.startsWith("polyptych-cli: ") && ended.error.count('\n') == 1, ended.error.constData());
}

void TestPolyptychCli::runsWithoutStandardDescriptors() {
  QByteArray command = "exec \"$0\"";
  for (const QByteArray& word : m_cli->generate({"a-cat"})) {
    command += " '" + word + "'";
  }
  const Ended ended = shell(command + " <&- >&- 2>&-");
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(m_cli->pictures("out").size(), 1);
  QVERIFY(m_cli->read(m_cli->path("out") + "/" + m_cli->pictures("out")[0]).startsWith("\x89PNG"));
}

void TestPolyptychCli::makesContactSheets() {
  const Ended made = m_cli->run(m_cli->generate({"one", "two", "three"}));
  QVERIFY2(made.code == 0, made.said.constData());
  const Ended sheet = m_cli->run({"contact-sheet", m_cli->path("out")});
  QVERIFY2(sheet.code == 0, sheet.said.constData());
  QCOMPARE(sheet.output, m_cli->path("out") + "/contact-sheet.png\n");
  QVERIFY(m_cli->read(m_cli->path("out") + "/contact-sheet.png").startsWith("\x89PNG"));
  const Ended again = m_cli->run({"contact-sheet", m_cli->path("out")});
  QVERIFY2(again.code == 2 && again.error.contains("there is a file of that name already"), again.said.constData());
  const Ended nothing = m_cli->run({"contact-sheet", m_cli->path("모델")});
  QVERIFY2(nothing.code == 2 && nothing.error.contains("There is no manifest"), nothing.said.constData());
  // The sheet is not in the way of a run that goes on.
  const Ended complete = m_cli->run(m_cli->generate({"one", "two", "three"}));
  QVERIFY2(complete.code == 0, complete.said.constData());
}

void TestPolyptychCli::takesTheModelThatCameWithTheProgram() {
  const auto restored = qScopeGuard([before = qgetenv("POLYPTYCH_DATA_DIR")] { qputenv("POLYPTYCH_DATA_DIR", before); });
  qputenv("POLYPTYCH_DATA_DIR", m_cli->path("program"));
  const QByteArrayList words = {"generate", "--json", "--worker", POLYPTYCH_FAKE_WORKER_PATH, "--out", m_cli->path("out"),
                                "--steps",  "2",      "x"};
  const Ended none = m_cli->run(words);
  QVERIFY2(none.code == 2 && none.error.contains("There is no model"), none.said.constData());
  QVERIFY(QDir(m_cli->folder()).mkpath(QStringLiteral("program/models")));
  small::model(QString::fromUtf8(m_cli->path("program/models/demo")));
  const Ended made = m_cli->run(words);
  QVERIFY2(made.code == 0, made.said.constData());
  QCOMPARE(m_cli->manifest("out")[0]["model"]["name"].get<std::string>(), std::string("demo"));
  QVERIFY(m_cli->run({"models"}).output.startsWith("demo  "));
  QVERIFY(m_cli->run({"show-model", "demo"}).output.startsWith("demo\n"));
}

QTEST_GUILESS_MAIN(TestPolyptychCli)
#include "tst_polyptych_cli.moc"
