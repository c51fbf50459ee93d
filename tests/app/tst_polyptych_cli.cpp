#include <signal.h>
#include <unistd.h>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QScopeGuard>
#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

#include "tests/app/small_model.h"

using Json = nlohmann::json;

namespace {

constexpr int kPatience = 60'000;

struct Ended {
  int code = -1;
  QByteArray output;
  QByteArray error;
  QByteArray said;  ///< the code and standard error: what a failed check shows

  std::vector<Json> events() const {
    std::vector<Json> list;
    for (const QByteArray& line : output.split('\n')) {
      if (!line.isEmpty()) {
        list.push_back(Json::parse(line.toStdString(), nullptr, false));
      }
    }
    return list;
  }
  std::vector<Json> events(const std::string& name) const {
    std::vector<Json> list;
    for (const Json& event : events()) {
      if (event.is_object() && event.value("event", "") == name) {
        list.push_back(event);
      }
    }
    return list;
  }
};

}  // namespace

/// Starts the built program, with the fake worker in place of the real one.
class TestPolyptychCli : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init();
  void printsHelpAndVersion();
  void refusesWrongUsage_data();
  void refusesWrongUsage();
  void refusesListsFromStandardInput_data();
  void refusesListsFromStandardInput();
  void answersQuestions();
  void tokenizesLines();
  void tokenizesLongLines();
  void makesPictures();
  void makesEqualFilesWithAnyNumberOfWorkers();
  void makesContactSheets();
  void takesTheModelThatCameWithTheProgram();
  void takesLongestPromptsFromAFile();
  void goesOnWhereItStopped();
  void refusesTheFolderOfAnotherRun();
  void endsWithThreeWhenAWorkerCannotUseTheModel();
  void endsWithOneWhenPicturesFail_data();
  void endsWithOneWhenPicturesFail();
  void survivesAWorkerThatDiesOnce();
  void refusesAMissingWorker();
  void stopsOnTheFirstSignal_data();
  void stopsOnTheFirstSignal();
  void leavesWhatIsNotItsOwn();
  void diesOnTheSecondInterrupt();
  void stopsWhenNobodyReads();

 private:
  Ended run(const QByteArrayList& words, const QByteArray& input = {}) {
    QProcess process;
    begin(process, words);
    process.write(input);
    process.closeWriteChannel();
    return finish(process);
  }
  void begin(QProcess& process, const QByteArrayList& words) {
    QStringList arguments;
    for (const QByteArray& word : words) {
      arguments.append(QFile::decodeName(word));
    }
    process.setWorkingDirectory(m_folder->path());
    process.start(QStringLiteral(POLYPTYCH_CLI_PATH), arguments);
    if (!process.waitForStarted(kPatience)) {
      qFatal("polyptych-cli does not start: %s", qPrintable(process.errorString()));
    }
  }
  Ended finish(QProcess& process) {
    if (!process.waitForFinished(kPatience)) {
      process.kill();
      process.waitForFinished();
      qFatal("polyptych-cli does not end: %s", process.readAllStandardError().constData());
    }
    Ended ended;
    ended.code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    ended.output = process.readAllStandardOutput();
    ended.error = process.readAllStandardError();
    ended.said = "code " + QByteArray::number(ended.code) + ": " + ended.error;
    return ended;
  }
  QByteArray path(const char* name) const { return m_folder->filePath(QString::fromUtf8(name)).toUtf8(); }
  /// generate with the fake worker into out/, then `more`.
  QByteArrayList generate(const QByteArrayList& more, const QByteArrayList& workerArguments = {}) const {
    QByteArrayList words = {"generate", "--json", "--model", path("모델"), "--worker",  POLYPTYCH_FAKE_WORKER_PATH,
                            "--steps",  "4",      "--seed",  "7",          "--threads", "1"};
    if (!more.contains("--out")) {
      words << "--out" << path("out");
    }
    if (!more.contains("--devices")) {
      words << "--devices"
            << "cpu";
    }
    for (const QByteArray& argument : workerArguments) {
      words << "--worker-argument=" + argument;
    }
    return words + more;
  }
  QByteArrayList pictures(const char* folder) const {
    QByteArrayList names;
    for (const QString& name :
         QDir(QString::fromUtf8(path(folder))).entryList({QStringLiteral("*.png")}, QDir::Files, QDir::Name)) {
      names.append(name.toUtf8());
    }
    return names;
  }
  QByteArray read(const QByteArray& file) const {
    QFile opened(QString::fromUtf8(file));
    return opened.open(QIODevice::ReadOnly) ? opened.readAll() : QByteArray();
  }
  void write(const char* name, const QByteArray& bytes) const {
    QFile file(QString::fromUtf8(path(name)));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
      qFatal("cannot write %s", name);
    }
  }
  std::vector<Json> manifest(const char* folder) const {
    Ended lines;
    lines.output = read(path(folder) + "/manifest.jsonl");
    return lines.events();
  }

  std::unique_ptr<QTemporaryDir> m_folder;
};

void TestPolyptychCli::init() {
  m_folder = std::make_unique<QTemporaryDir>();
  small::model(QString::fromUtf8(path("모델")));
}

void TestPolyptychCli::printsHelpAndVersion() {
  const Ended help = run({"--help"});
  QVERIFY2(help.code == 0, help.said.constData());
  QVERIFY(help.output.startsWith("polyptych-cli: "));
  QVERIFY(help.error.isEmpty());
  const Ended version = run({"--version"});
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
    word.replace("MODEL", path("모델"));
  }
  write("latin1.txt", "a cat\nun caf\xE9\n");
  write("empty.txt", "\n \n");
  const Ended ended = run(words);
  QVERIFY2(ended.code == code, ended.said.constData());
  QVERIFY2(ended.error.startsWith("polyptych-cli: ") && ended.error.contains(sentence), ended.error.constData());
  QCOMPARE(ended.error.count('\n'), 1);
  QVERIFY(ended.output.isEmpty());
  QVERIFY(QDir(m_folder->path()).entryList({QStringLiteral("polyptych-*")}).isEmpty());
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
  const Ended ended = run(generate({"--prompts", "-"}), input);
  QVERIFY2(ended.code == 2, ended.said.constData());
  QVERIFY2(ended.error.contains(sentence), ended.error.constData());
  QVERIFY(!QDir(QString::fromUtf8(path("out"))).exists());
}

void TestPolyptychCli::answersQuestions() {
  const Ended devices = run({"devices", "--json"});
  QVERIFY2(devices.code == 0, devices.said.constData());
  const Json list = Json::parse(devices.output.toStdString(), nullptr, false);
  QVERIFY(list.is_array() && !list.empty());
  QCOMPARE(list[0]["id"].get<std::string>(), std::string("cpu"));
  QVERIFY(list[0]["cores"].get<int>() >= 1);
  QVERIFY(run({"devices"}).output.startsWith("cpu  "));

  const Ended schedulers = run({"schedulers", "--json"});
  QVERIFY2(schedulers.code == 0, schedulers.said.constData());
  const Json names = Json::parse(schedulers.output.toStdString(), nullptr, false);
  QVERIFY(names.is_array() && names.size() > 10);
  QCOMPARE(names[0]["name"].get<std::string>(), std::string("DPM++ 2M"));
  QCOMPARE(names[0]["class"].get<std::string>(), std::string("DPMSolverMultistepScheduler"));
  QVERIFY(run({"schedulers"}).output.startsWith("DPM++ 2M  ("));

  const Ended models = run({"models", "--json"});
  QVERIFY2(models.code == 0, models.said.constData());
  QVERIFY(Json::parse(models.output.toStdString(), nullptr, false) == Json::array());

  const Ended model = run({"show-model", path("모델"), "--json"});
  QVERIFY2(model.code == 0, model.said.constData());
  QVERIFY(Json::parse(model.output.toStdString(), nullptr, false).is_object());
  QVERIFY(!run({"show-model", path("모델")}).output.isEmpty());
}

void TestPolyptychCli::tokenizesLines() {
  const QByteArray longLine = QByteArray("cat ").repeated(75) + "dog, at";
  const Ended ended = run({"tokenize", "--model", path("모델"), "--json"}, "a cat\n\n" + longLine);
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
  const Ended plain = run({"tokenize", "--model", path("모델")}, longLine + "\n");
  QVERIFY(plain.output.endsWith("\tdog , at\n"));
  QCOMPARE(plain.output.count(' '), 76 + 2);
  using namespace std::string_literals;
  const Ended zero = run({"tokenize", "--model", path("모델"), "--json"}, QByteArray::fromStdString("a\0b\n\0\nc\n"s));
  QCOMPARE(zero.events().size(), std::size_t{3});
  const Ended broken = run({"tokenize", "--model", path("모델"), "--json"}, "a cat\n\xFF\n");
  QVERIFY2(broken.code == 2, broken.said.constData());
  QVERIFY(broken.error.contains("Line 2 of standard input is not UTF-8"));
}

void TestPolyptychCli::tokenizesLongLines() {
  const Ended ended = run({"tokenize", "--model", path("모델"), "--json"}, QByteArray("cat ").repeated(1 << 18) + "\n");
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(ended.events().size(), std::size_t{1});
  QCOMPARE(ended.events()[0]["ids"].size(), std::size_t{77});
}

void TestPolyptychCli::makesPictures() {
  const Ended ended = run(generate({"--devices", "cpu:2", "--images-per-prompt", "2", "a cat", "고양이 / 밤", "--", "-dash"}));
  QVERIFY2(ended.code == 0, ended.said.constData());
  for (const Json& event : ended.events()) {
    QVERIFY2(event.is_object() && event.contains("event"), event.dump().c_str());
  }
  QCOMPARE(ended.events("started").size(), std::size_t{1});
  QCOMPARE(ended.events("started")[0]["total"].get<int>(), 6);
  QCOMPARE(ended.events("picture").size(), std::size_t{6});
  QCOMPARE(ended.events("finished").size(), std::size_t{1});
  QCOMPARE(ended.events("finished")[0]["made"].get<int>(), 6);
  std::map<int, std::vector<int>> steps;
  for (const Json& progress : ended.events("progress")) {
    QCOMPARE(progress["stage"].get<std::string>(), std::string("denoising"));
    QCOMPARE(progress["steps"].get<int>(), 4);
    steps[progress["index"].get<int>()].push_back(progress["step"].get<int>());
  }
  QCOMPARE(steps.size(), std::size_t{6});
  for (const auto& [index, seen] : steps) {
    QVERIFY2(seen == (std::vector<int>{1, 2, 3, 4}), qPrintable(QString::number(index)));
  }
  const auto names = pictures("out");
  QCOMPARE(names.size(), 6);
  QVERIFY(names[0].startsWith("00000-") && names[5].startsWith("00005-"));
  QVERIFY2(names[2].contains("고양이"), names[2].constData());
  const auto lines = manifest("out");
  std::map<int, std::uint64_t> seeds;
  for (const Json& line : lines) {
    if (line.contains("index")) {
      seeds[line["index"].get<int>()] = line["seed"].get<std::uint64_t>();
    }
  }
  QCOMPARE(seeds.size(), std::size_t{6});
  for (const auto& [index, seed] : seeds) {
    QCOMPARE(seed, std::uint64_t{7} + static_cast<std::uint64_t>(index));
  }
}

void TestPolyptychCli::makesEqualFilesWithAnyNumberOfWorkers() {
  const QByteArrayList prompts = {"one", "two", "three", "four", "five", "--batch", "2"};
  const Ended first = run(generate(QByteArrayList{"--devices", "cpu", "--out", path("first")} + prompts));
  QVERIFY2(first.code == 0, first.said.constData());
  for (const char* devices : {"cpu:2", "cpu:3"}) {
    const Ended ended = run(generate(QByteArrayList{"--devices", devices, "--out", path(devices)} + prompts));
    QVERIFY2(ended.code == 0, ended.said.constData());
    QCOMPARE(pictures(devices), pictures("first"));
    for (const QByteArray& name : pictures("first")) {
      QVERIFY(!read(path("first") + "/" + name).isEmpty());
      QCOMPARE(read(path(devices) + "/" + name), read(path("first") + "/" + name));
    }
  }
}

void TestPolyptychCli::makesContactSheets() {
  const Ended made = run(generate({"one", "two", "three"}));
  QVERIFY2(made.code == 0, made.said.constData());
  const Ended sheet = run({"contact-sheet", path("out")});
  QVERIFY2(sheet.code == 0, sheet.said.constData());
  QCOMPARE(sheet.output, path("out") + "/contact-sheet.png\n");
  QVERIFY(read(path("out") + "/contact-sheet.png").startsWith("\x89PNG"));
  const Ended again = run({"contact-sheet", path("out")});
  QVERIFY2(again.code == 2 && again.error.contains("there is a file of that name already"), again.said.constData());
  const Ended nothing = run({"contact-sheet", path("모델")});
  QVERIFY2(nothing.code == 2 && nothing.error.contains("There is no manifest"), nothing.said.constData());
  // The sheet is not in the way of a run that goes on.
  const Ended complete = run(generate({"one", "two", "three"}));
  QVERIFY2(complete.code == 0, complete.said.constData());
}

void TestPolyptychCli::takesTheModelThatCameWithTheProgram() {
  const auto restored = qScopeGuard([before = qgetenv("POLYPTYCH_DATA_DIR")] { qputenv("POLYPTYCH_DATA_DIR", before); });
  qputenv("POLYPTYCH_DATA_DIR", path("program"));
  const QByteArrayList words = {"generate", "--json", "--worker", POLYPTYCH_FAKE_WORKER_PATH, "--out", path("out"),
                                "--steps",  "2",      "x"};
  const Ended none = run(words);
  QVERIFY2(none.code == 2 && none.error.contains("There is no model"), none.said.constData());
  QVERIFY(QDir(m_folder->path()).mkpath(QStringLiteral("program/models")));
  small::model(QString::fromUtf8(path("program/models/demo")));
  const Ended made = run(words);
  QVERIFY2(made.code == 0, made.said.constData());
  QCOMPARE(manifest("out")[0]["model"]["name"].get<std::string>(), std::string("demo"));
  QVERIFY(run({"models"}).output.startsWith("demo  "));
  QVERIFY(run({"show-model", "demo"}).output.startsWith("demo\n"));
}

void TestPolyptychCli::takesLongestPromptsFromAFile() {
  write("list.txt", "\xEF\xBB\xBF" + QByteArray(1 << 20, 'x') + "\r\n\r\na dog\r\n");
  const Ended ended = run(generate({"--prompts", "list.txt"}));
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(pictures("out").size(), 2);
}

void TestPolyptychCli::goesOnWhereItStopped() {
  const QByteArrayList words = generate({"one", "two", "three"});
  {
    const Ended ended = run(words);
    QVERIFY2(ended.code == 0, ended.said.constData());
  }
  const auto names = pictures("out");
  QCOMPARE(names.size(), 3);
  const QByteArray kept = read(path("out") + "/" + names[0]);
  const Ended complete = run(words);
  QVERIFY2(complete.code == 0, complete.said.constData());
  QCOMPARE(complete.events("finished")[0]["already_there"].get<int>(), 3);
  QVERIFY(complete.events("progress").empty());
  QVERIFY(QFile::remove(QString::fromUtf8(path("out") + "/" + names[1])));
  const Ended again = run(words);
  QVERIFY2(again.code == 0, again.said.constData());
  QCOMPARE(again.events("finished")[0]["made"].get<int>(), 1);
  QCOMPARE(pictures("out"), names);
  QCOMPARE(read(path("out") + "/" + names[0]), kept);
}

void TestPolyptychCli::refusesTheFolderOfAnotherRun() {
  const Ended made = run(generate({"one"}));
  QVERIFY2(made.code == 0, made.said.constData());
  const auto names = pictures("out");
  const QByteArray before = read(path("out") + "/" + names[0]);
  const QByteArray lines = read(path("out") + "/manifest.jsonl");
  const Ended other = run(generate({"another"}));
  QVERIFY2(other.code == 2, other.error.constData());
  QCOMPARE(pictures("out"), names);
  QCOMPARE(read(path("out") + "/" + names[0]), before);
  QCOMPARE(read(path("out") + "/manifest.jsonl"), lines);
}

void TestPolyptychCli::endsWithThreeWhenAWorkerCannotUseTheModel() {
  const Ended ended = run(generate({"one", "two"}, {"--behave=model-unusable"}));
  QVERIFY2(ended.code == 3, ended.error.constData());
  QVERIFY(ended.error.contains("polyptych-cli: "));
  QVERIFY(!ended.events("failed").empty());
  QVERIFY(pictures("out").isEmpty());
}

void TestPolyptychCli::endsWithOneWhenPicturesFail_data() {
  QTest::addColumn<QByteArray>("behave");
  QTest::addColumn<QByteArray>("code");
  QTest::newRow("failed unit") << QByteArray("fail-unit") << QByteArray("internal");
  QTest::newRow("out of memory") << QByteArray("out-of-memory") << QByteArray("out_of_memory");
  QTest::newRow("died") << QByteArray("crash") << QByteArray("worker_died");
}

void TestPolyptychCli::endsWithOneWhenPicturesFail() {
  QFETCH(QByteArray, behave);
  QFETCH(QByteArray, code);
  const Ended ended = run(generate({"one", "two", "three"}, {"--behave=" + behave, "--only-index=1"}));
  QVERIFY2(ended.code == 1, ended.error.constData());
  const auto failed = ended.events("failed");
  QVERIFY(!failed.empty());
  QCOMPARE(failed[0]["index"].get<int>(), 1);
  QCOMPARE(QByteArray::fromStdString(failed[0]["code"].get<std::string>()), code);
  QVERIFY(!failed[0]["message"].get<std::string>().empty());
  QCOMPARE(pictures("out").size(), 2);
}

void TestPolyptychCli::survivesAWorkerThatDiesOnce() {
  const Ended ended =
      run(generate({"--devices", "cpu:2", "one", "two", "three"}, {"--behave=crash-once", "--state=" + path("state")}));
  QVERIFY2(ended.code == 0, ended.said.constData());
  QCOMPARE(pictures("out").size(), 3);
}

void TestPolyptychCli::refusesAMissingWorker() {
  QByteArrayList words = generate({"one"});
  words.replace(words.indexOf(POLYPTYCH_FAKE_WORKER_PATH), path("no-worker"));
  const Ended ended = run(words);
  QVERIFY2(ended.code == 2, ended.error.constData());
  QVERIFY2(ended.error.contains("no-worker"), ended.error.constData());
}

void TestPolyptychCli::stopsOnTheFirstSignal_data() {
  QTest::addColumn<int>("signal");
  QTest::addColumn<bool>("isForTheGroup");
  QTest::newRow("SIGINT") << SIGINT << false;
  QTest::newRow("SIGTERM") << SIGTERM << false;
  QTest::newRow("SIGHUP") << SIGHUP << false;
  QTest::newRow("Ctrl-C in a terminal") << SIGINT << true;  // reaches the workers too
}

void TestPolyptychCli::stopsOnTheFirstSignal() {
  QFETCH(int, signal);
  QFETCH(bool, isForTheGroup);
  const QByteArrayList words = generate({"one", "two", "three"}, {"--step-ms=150"});
  QProcess process;
  process.setChildProcessModifier([] { ::setpgid(0, 0); });
  begin(process, words);
  QByteArray output;
  QTRY_VERIFY_WITH_TIMEOUT((output += process.readAllStandardOutput()).contains("\"progress\""), kPatience);
  const auto pid = static_cast<pid_t>(process.processId());
  ::kill(isForTheGroup ? -pid : pid, signal);
  const Ended ended = finish(process);
  QVERIFY2(ended.code == 130, ended.error.constData());
  QVERIFY(ended.error.contains("Stopping"));
  QVERIFY(ended.events("finished")[0]["cancelled"].get<bool>());
  QVERIFY(pictures("out").size() < 3);
  const Ended rest = run(words);
  QVERIFY2(rest.code == 0, rest.error.constData());
  QCOMPARE(pictures("out").size(), 3);
}

void TestPolyptychCli::leavesWhatIsNotItsOwn() {
  const QByteArrayList words = generate({"one", "two", "three"});
  const Ended made = run(words);
  QVERIFY2(made.code == 0, made.said.constData());
  const auto names = pictures("out");
  const QByteArray second = read(path("out") + "/" + names[1]);
  QByteArray rows = read(path("out") + "/manifest.jsonl");
  // Killed in the middle of a row: the row is mended, and the picture that has none is taken in.
  write("out/manifest.jsonl", rows.left(rows.indexOf('\n') + 20));
  QVERIFY(QFile::remove(QString::fromUtf8(path("out") + "/" + names[2])));
  const Ended again = run(words);
  QVERIFY2(again.code == 0, again.said.constData());
  QCOMPARE(again.events("finished")[0]["made"].get<int>(), 1);
  QCOMPARE(read(path("out") + "/" + names[1]), second);
  QCOMPARE(manifest("out").size(), std::size_t{3});
  // A file of somebody else in a picture's place: nothing is made and nothing changes.
  QVERIFY(QDir(QString::fromUtf8(path("other"))).mkpath(QStringLiteral(".")));
  write(("other/" + names[0]).constData(), "mine");
  const Ended refused = run(generate({"one", "two", "three", "--out", path("other")}));
  QVERIFY2(refused.code == 2, refused.said.constData());
  QCOMPARE(read(path("other") + "/" + names[0]), QByteArray("mine"));
  QCOMPARE(pictures("other").size(), 1);
}

void TestPolyptychCli::diesOnTheSecondInterrupt() {
  QProcess process;
  begin(process, generate({"one"}, {"--behave=ignore-cancel", "--step-ms=20000"}));
  QByteArray output;
  QTRY_VERIFY_WITH_TIMEOUT((output += process.readAllStandardOutput()).contains("\"busy\""), kPatience);
  ::kill(static_cast<pid_t>(process.processId()), SIGINT);
  QByteArray error;
  QTRY_VERIFY_WITH_TIMEOUT((error += process.readAllStandardError()).contains("Stopping"), kPatience);
  QElapsedTimer clock;
  clock.start();
  ::kill(static_cast<pid_t>(process.processId()), SIGINT);
  QCOMPARE(finish(process).code, 130);
  QVERIFY2(clock.elapsed() < 2000, qPrintable(QString::number(clock.elapsed())));
}

void TestPolyptychCli::stopsWhenNobodyReads() {
  QProcess process;
  begin(process, generate({"one", "two", "three"}, {"--step-ms=50"}));
  QByteArray output;
  QTRY_VERIFY_WITH_TIMEOUT((output += process.readAllStandardOutput()).contains("\"progress\""), kPatience);
  process.closeReadChannel(QProcess::StandardOutput);
  const Ended ended = finish(process);
  QVERIFY2(ended.code == 130 || ended.code == 0, qPrintable(QString::number(ended.code)));
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);
}

QTEST_GUILESS_MAIN(TestPolyptychCli)
#include "tst_polyptych_cli.moc"
