#include <QTest>
#include <nlohmann/json.hpp>

#include "app/polyptych-cli/event_printer.h"

using namespace polyptych;
using backend::SlotState;
using backend::SlotStatus;
using cli::EventPrinter;
using cli::ExitCode;
using cli::Telling;
using Json = nlohmann::json;

namespace {

struct Told {
  std::string output;
  std::string error;
  bool isReading = true;

  EventPrinter printer(Telling telling, int columns = 80) {
    return EventPrinter(
        telling,
        [this](std::string_view text) {
          output += text;
          return isReading;
        },
        [this](std::string_view text) {
          error += text;
          return true;
        },
        columns);
  }

  std::vector<Json> events() const {
    std::vector<Json> list;
    for (const QByteArray& line : QByteArray::fromStdString(output).split('\n')) {
      if (!line.isEmpty()) {
        list.push_back(Json::parse(line.toStdString()));
      }
    }
    return list;
  }
};

SlotStatus busy(int step) {
  SlotStatus status;
  status.slotId = QStringLiteral("cpu:0");
  status.deviceName = QStringLiteral("A CPU");
  status.state = SlotState::Busy;
  status.index = 3;
  status.progress = {domain::Stage::Denoising, step, 4};
  return status;
}

cli::RunFacts facts() {
  cli::RunFacts run;
  run.total = 2;
  run.seed = 18446744073709551615u;
  run.folder = QStringLiteral("/tmp/그림");
  run.model.name = "org/name";
  run.settings.scheduler = "DPM++ 2M";
  run.slotIds = {QStringLiteral("cpu:0")};
  return run;
}

}  // namespace

class TestEventPrinter : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void writesOneObjectALine();
  void tellsEveryStepInJson();
  void tellsStateChangesOnce();
  void writesPlainLines();
  void redrawsDeviceLinesOnATerminal();
  void keepsControlCharactersFromTheTerminal();
  void noticesThatNobodyReads();
  void endsWithTheRightCode_data();
  void endsWithTheRightCode();
};

void TestEventPrinter::writesOneObjectALine() {
  Told told;
  auto printer = told.printer(Telling::Json);
  printer.tellStarted(facts());
  backend::PictureEvent picture;
  picture.index = 1;
  picture.path = QStringLiteral("/tmp/그림/00001-a\"b.png");
  picture.slotId = QStringLiteral("cpu:0");
  picture.seconds = 1.5;
  printer.tellPicture(picture);
  backend::FailureEvent failure;
  failure.index = 0;
  failure.error = {base::ErrorCode::OutOfMemory, "No memory\nleft.", "detail"};
  printer.tellFailure(failure);
  printer.tellError({base::ErrorCode::ModelUnusable, "No model.", {}});
  backend::RunSummary summary;
  summary.total = 2;
  summary.made = 1;
  summary.failed = 1;
  printer.tellFinished(summary, ExitCode::SomeFailed, 2.0);

  const auto events = told.events();
  QCOMPARE(events.size(), std::size_t{5});
  QCOMPARE(events[0]["event"].get<std::string>(), std::string("started"));
  QCOMPARE(events[0]["seed"].get<std::uint64_t>(), std::uint64_t{18446744073709551615u});
  QCOMPARE(events[0]["total"].get<int>(), 2);
  QCOMPARE(events[1]["event"].get<std::string>(), std::string("picture"));
  QCOMPARE(events[1]["path"].get<std::string>(), picture.path.toStdString());
  QCOMPARE(events[2]["event"].get<std::string>(), std::string("failed"));
  QCOMPARE(events[2]["code"].get<std::string>(), std::string("out_of_memory"));
  QCOMPARE(events[2]["message"].get<std::string>(), std::string("No memory\nleft."));
  QCOMPARE(events[3]["code"].get<std::string>(), std::string("model_unusable"));
  QVERIFY(!events[3].contains("index"));
  QCOMPARE(events[4]["event"].get<std::string>(), std::string("finished"));
  QCOMPARE(events[4]["exit_code"].get<int>(), 1);
  QCOMPARE(told.error, std::string("polyptych-cli: No model.\n"));
}

void TestEventPrinter::tellsEveryStepInJson() {
  Told told;
  auto printer = told.printer(Telling::Json);
  for (int step = 1; step <= 4; ++step) {
    printer.tellStep(busy(step));
  }
  const auto events = told.events();
  QCOMPARE(events.size(), std::size_t{4});
  for (int step = 1; step <= 4; ++step) {
    const Json expected = {{"event", "progress"},  {"index", 3},   {"device", "cpu:0"},
                           {"stage", "denoising"}, {"step", step}, {"steps", 4}};
    QVERIFY2(events[static_cast<std::size_t>(step - 1)] == expected, events[static_cast<std::size_t>(step - 1)].dump().c_str());
  }
  QVERIFY(told.error.empty());
}

void TestEventPrinter::tellsStateChangesOnce() {
  Told told;
  auto printer = told.printer(Telling::Json);
  auto status = busy(1);
  status.state = SlotState::Idle;
  printer.tellDevice(status);
  printer.tellDevice(status);
  status.state = SlotState::LoadingModel;
  status.totalBytes = 10;
  for (std::uint64_t bytes : {std::uint64_t{5}, std::uint64_t{10}}) {
    status.loadedBytes = bytes;
    printer.tellDevice(status);
  }
  status.state = SlotState::Failed;
  status.reason = QStringLiteral("It died.");
  printer.tellDevice(status);
  const auto events = told.events();
  QCOMPARE(events.size(), std::size_t{4});
  QCOMPARE(events[0]["state"].get<std::string>(), std::string("idle"));
  QCOMPARE(events[2]["loaded_bytes"].get<int>(), 10);
  QCOMPARE(events[3]["reason"].get<std::string>(), std::string("It died."));
}

void TestEventPrinter::writesPlainLines() {
  Told told;
  auto printer = told.printer(Telling::Plain);
  printer.tellStarted(facts());
  printer.tellStep(busy(1));
  printer.tellStep(busy(2));
  backend::PictureEvent picture;
  picture.path = QStringLiteral("/tmp/00000-x.png");
  picture.slotId = QStringLiteral("cpu:0");
  picture.seconds = 1.25;
  printer.tellPicture(picture);
  picture.wasAlreadyThere = true;
  printer.tellPicture(picture);
  QCOMPARE(told.output, std::string("[1/2] /tmp/00000-x.png  (cpu:0, 1.2 s)\n"));
  QVERIFY(told.error.find("2 pictures with org/name") != std::string::npos);
  QVERIFY(told.error.find('\x1b') == std::string::npos);
}

void TestEventPrinter::redrawsDeviceLinesOnATerminal() {
  Told told;
  auto printer = told.printer(Telling::Terminal, 40);
  printer.tellStep(busy(2));
  QVERIFY2(told.error.starts_with("cpu:0  picture 3  denoising  [#########"), told.error.c_str());
  QCOMPARE(told.error.find('\n'), std::size_t{39});
  told.error.clear();
  backend::PictureEvent picture;
  picture.path = QStringLiteral("/tmp/00000-x.png");
  printer.tellPicture(picture);
  QVERIFY2(told.error.starts_with("\x1b[1F\x1b[Jcpu:0  picture 3"), told.error.c_str());
  told.error.clear();
  printer.tellFinished({}, ExitCode::AllMade, 1);
  QVERIFY2(told.error.starts_with("\x1b[1F\x1b[J0 made"), told.error.c_str());
}

void TestEventPrinter::keepsControlCharactersFromTheTerminal() {
  QCOMPARE(cli::printable("a\x1b[31mb\x7f\nc\xC2\x9B"
                          "d가"),
           std::string("a [31mb  c d가"));
}

void TestEventPrinter::noticesThatNobodyReads() {
  Told told;
  auto printer = told.printer(Telling::Json);
  printer.tellStep(busy(1));
  QVERIFY(printer.isHeard());
  told.isReading = false;
  printer.tellStep(busy(2));
  QVERIFY(!printer.isHeard());
}

void TestEventPrinter::endsWithTheRightCode_data() {
  QTest::addColumn<int>("made");
  QTest::addColumn<int>("failed");
  QTest::addColumn<bool>("wasCancelled");
  QTest::addColumn<int>("errorCode");
  QTest::addColumn<int>("exitCode");
  QTest::addColumn<bool>("hasStarted");
  const auto row = [](const char* name, int made, int failed, bool wasCancelled, int errorCode, ExitCode code,
                      bool hasStarted = true) {
    QTest::newRow(name) << made << failed << wasCancelled << errorCode << static_cast<int>(code) << hasStarted;
  };
  const auto code = [](base::ErrorCode error) { return static_cast<int>(error); };
  row("all made", 3, 0, false, -1, ExitCode::AllMade);
  row("one failed", 2, 1, false, -1, ExitCode::SomeFailed);
  row("one missing", 2, 0, false, -1, ExitCode::SomeFailed);
  row("cancelled", 2, 0, true, -1, ExitCode::Interrupted);
  row("model unusable", 0, 0, false, code(base::ErrorCode::ModelUnusable), ExitCode::ModelUnusable);
  row("model corrupt", 0, 3, false, code(base::ErrorCode::Corrupt), ExitCode::ModelUnusable);
  row("model unsupported", 0, 0, false, code(base::ErrorCode::Unsupported), ExitCode::ModelUnusable);
  row("part of the model missing", 0, 0, false, code(base::ErrorCode::NotFound), ExitCode::ModelUnusable);
  row("no program for the device", 0, 0, false, code(base::ErrorCode::NotFound), ExitCode::WrongUsage, false);
  row("folder of another run", 0, 0, false, code(base::ErrorCode::AlreadyExists), ExitCode::WrongUsage);
  row("bad value", 0, 0, false, code(base::ErrorCode::InvalidArgument), ExitCode::WrongUsage);
  row("all workers died", 1, 2, false, code(base::ErrorCode::WorkerDied), ExitCode::SomeFailed);
  row("disk full", 1, 2, false, code(base::ErrorCode::DiskFull), ExitCode::SomeFailed);
}

void TestEventPrinter::endsWithTheRightCode() {
  QFETCH(int, made);
  QFETCH(int, failed);
  QFETCH(bool, wasCancelled);
  QFETCH(int, errorCode);
  QFETCH(int, exitCode);
  QFETCH(bool, hasStarted);
  backend::RunSummary summary;
  summary.total = 3;
  summary.made = made;
  summary.failed = failed;
  summary.wasCancelled = wasCancelled;
  if (errorCode >= 0) {
    summary.error = base::Error{static_cast<base::ErrorCode>(errorCode), "x", {}};
  }
  QCOMPARE(static_cast<int>(cli::exitCodeOfRun(summary, hasStarted)), exitCode);
}

QTEST_GUILESS_MAIN(TestEventPrinter)
#include "tst_event_printer.moc"
