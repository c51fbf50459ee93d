#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

#include "app/polyptych-cli/generate_command.h"
#include "core/gallery/manifest_row.h"
#include "tests/app/small_model.h"

using namespace polyptych;
using cli::ExitCode;

namespace {

/// Keeps what it was asked.
class ScriptedBackend : public backend::Backend {
 public:
  quint64 submit(backend::RunSpec spec) override {
    submitted.push_back(std::move(spec));
    return submitted.back().id;
  }
  void cancelRun(quint64 runId) override { cancelled.push_back(runId); }
  quint64 control(backend::Command command) override {
    commands.push_back(std::move(command));
    return 1;
  }
  void listDevices() override {}
  void refresh() override {}

  std::vector<backend::RunSpec> submitted;
  std::vector<quint64> cancelled;
  std::vector<backend::Command> commands;
};

std::vector<domain::DeviceInfo> oneCpuAndOneGpu() {
  domain::DeviceInfo cpu;
  cpu.id = "cpu";
  cpu.cores = 2;
  domain::DeviceInfo gpu;
  gpu.id = "cuda:0";
  gpu.kind = domain::DeviceKind::Cuda;
  gpu.uuid = "GPU-1";
  return {cpu, gpu};
}

}  // namespace

class TestGenerateCommand : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init();
  void submitsWhatWasAsked();
  void fillsInWhatTheModelSays();
  void keepsTheSeedOfTheFolder();
  void tellsEventsInOrder();
  void refusesBeforeAnythingStarts_data();
  void refusesBeforeAnythingStarts();
  void endsAsTheRunDoes();
  void writesTheTrace();
  void refusesTheTraceOfACompleteRun();
  void cancelsOnInterrupt();
  void stopsWhenNobodyReads();
  void answersAnUncleanEndIfAskedTo_data();
  void answersAnUncleanEndIfAskedTo();
  void tellsWhatIsDoneToTheLibrary();

 private:
  /// Parses and starts; the exit code if it ended at once, else -1.
  int start(QByteArrayList words) {
    words.prepend("generate");
    std::vector<std::string> list;
    for (const QByteArray& word : words) {
      list.push_back(word.toStdString());
    }
    const auto arguments = cli::parseArguments(list);
    if (!arguments) {
      m_error = arguments.error().message;
      return static_cast<int>(ExitCode::WrongUsage);
    }
    m_command = std::make_unique<cli::GenerateCommand>(*arguments, *m_backend, *m_printer, oneCpuAndOneGpu);
    m_ended = std::make_unique<QSignalSpy>(m_command.get(), &cli::GenerateCommand::ended);
    m_command->start();
    return exitCode();
  }
  quint64 id() const { return m_backend->submitted.front().id; }
  int exitCode() const { return m_ended->isEmpty() ? -1 : m_ended->first().first().toInt(); }
  QByteArray path(const char* name) const { return m_folder->filePath(QString::fromUtf8(name)).toUtf8(); }
  QByteArray model() const { return path("모델"); }
  std::vector<nlohmann::json> events() const {
    std::vector<nlohmann::json> list;
    for (const QByteArray& line : QByteArray::fromStdString(m_output).split('\n')) {
      if (!line.isEmpty()) {
        list.push_back(nlohmann::json::parse(line.toStdString()));
      }
    }
    return list;
  }
  backend::RunSummary summary(int total, int made) const {
    backend::RunSummary result;
    result.runId = id();
    result.total = total;
    result.made = made;
    return result;
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  std::unique_ptr<ScriptedBackend> m_backend;
  std::unique_ptr<cli::EventPrinter> m_printer;
  std::unique_ptr<cli::GenerateCommand> m_command;
  std::unique_ptr<QSignalSpy> m_ended;
  std::string m_output;
  std::string m_error;
  bool m_isReading = true;
};

void TestGenerateCommand::init() {
  m_ended.reset();
  m_command.reset();
  m_folder = std::make_unique<QTemporaryDir>();
  m_backend = std::make_unique<ScriptedBackend>();
  m_output.clear();
  m_error.clear();
  m_isReading = true;
  m_printer = std::make_unique<cli::EventPrinter>(
      cli::Telling::Json,
      [this](std::string_view text) {
        m_output += text;
        return m_isReading;
      },
      [this](std::string_view text) {
        m_error += text;
        return true;
      },
      80);
  small::model(QString::fromUtf8(model()));
}

void TestGenerateCommand::submitsWhatWasAsked() {
  QCOMPARE(start({"a cat",
                  "",
                  "--model",
                  model(),
                  "--out",
                  path("out"),
                  "--seed",
                  "18446744073709551615",
                  "--steps",
                  "3",
                  "--guidance",
                  "2.5",
                  "--guidance-rescale",
                  "0.25",
                  "--width",
                  "64",
                  "--height",
                  "48",
                  "--scheduler",
                  "ddim",
                  "--negative",
                  "rain",
                  "--images-per-prompt",
                  "2",
                  "--batch",
                  "3",
                  "--dtype",
                  "fp16",
                  "--noise",
                  "model",
                  "--clip-skip",
                  "1",
                  "--threads",
                  "2",
                  "--devices",
                  "cpu:2,cuda:0",
                  "--vae-tiling"}),
           -1);
  QCOMPARE(m_backend->submitted.size(), std::size_t{1});
  const auto& spec = m_backend->submitted.front();
  QCOMPARE(spec.slots.size(), std::size_t{3});
  QCOMPARE(spec.plan.computeType, domain::ComputeType::Fp16);
  QCOMPARE(spec.plan.noise, domain::NoiseKind::Model);
  QCOMPARE(spec.plan.threads, 2);
  QCOMPARE(spec.plan.batch, 3);
  QVERIFY(spec.plan.vaeTiling && !spec.plan.vaeSlicing);
  QCOMPARE(spec.plan.model.name, std::string("모델"));
  QCOMPARE(spec.plan.model.hash.size(), std::size_t{64});
  QCOMPARE(spec.requests.size(), std::size_t{4});
  const auto& third = spec.requests[2];
  QCOMPARE(third.index, std::int64_t{2});
  QCOMPARE(third.promptIndex, std::int64_t{1});
  QCOMPARE(third.prompt, std::string());
  QCOMPARE(third.seed, std::uint64_t{1});
  QVERIFY(third.negativePrompt == std::string("rain"));
  QCOMPARE(third.width, 64);
  QCOMPARE(third.height, 48);
  QCOMPARE(third.steps, 3);
  QCOMPARE(third.guidanceScale, 2.5);
  QCOMPARE(third.guidanceRescale, 0.25);
  QCOMPARE(third.scheduler, std::string("DDIM"));
  QVERIFY(third.clipSkip == 1);
}

void TestGenerateCommand::fillsInWhatTheModelSays() {
  QCOMPARE(start({"a cat", "--model", model(), "--out", path("out")}), -1);
  const auto& spec = m_backend->submitted.front();
  QCOMPARE(spec.requests[0].width, 32);
  QCOMPARE(spec.requests[0].height, 32);
  QCOMPARE(spec.requests[0].steps, 25);
  QCOMPARE(spec.requests[0].guidanceScale, 7.5);
  QCOMPARE(spec.requests[0].scheduler, std::string("DPM++ 2M"));
  QVERIFY(!spec.requests[0].negativePrompt);
  QCOMPARE(spec.slots.size(), std::size_t{1});
  QCOMPARE(spec.slots[0].kind, domain::DeviceKind::Cuda);
  Q_EMIT m_backend->runStarted(id(), 1, 0);
  const auto started = events().front();
  QVERIFY(started["seed_drawn"].get<bool>());
  QCOMPARE(started["seed"].get<std::uint64_t>(), spec.requests[0].seed);
}

void TestGenerateCommand::keepsTheSeedOfTheFolder() {
  QVERIFY(QDir().mkpath(QString::fromUtf8(path("out"))));
  QFile manifest(QString::fromUtf8(path("out/manifest.jsonl")));
  QVERIFY(manifest.open(QIODevice::WriteOnly));
  gallery::ManifestRow row;
  row.metadata.request.index = 1;
  row.metadata.request.seed = 43;
  row.metadata.request.scheduler = "DPM++ 2M";
  manifest.write(gallery::toLine(row));
  manifest.close();
  QCOMPARE(start({"a cat", "a dog", "--model", model(), "--out", path("out")}), -1);
  QCOMPARE(m_backend->submitted.front().requests[0].seed, std::uint64_t{42});
  QCOMPARE(m_backend->submitted.front().requests[1].seed, std::uint64_t{43});
}

void TestGenerateCommand::tellsEventsInOrder() {
  QCOMPARE(start({"a cat", "--model", model(), "--out", path("out"), "--devices", "cpu"}), -1);
  Q_EMIT m_backend->runStarted(id(), 1, 0);
  backend::SlotStatus status;
  status.slotId = QStringLiteral("cpu:0");
  status.state = backend::SlotState::Busy;
  status.index = 0;
  status.progress = {domain::Stage::Denoising, 1, 1};
  Q_EMIT m_backend->slotChanged(status);
  Q_EMIT m_backend->stepFinished(id(), status);
  Q_EMIT m_backend->pictureFinished({id(), 0, QString::fromUtf8(path("out/00000-a-cat.png")), status.slotId, 0.5, false});
  Q_EMIT m_backend->warned(id(), {domain::WarningCode::PromptCut, "Words did not fit."});
  Q_EMIT m_backend->runFinished(summary(1, 1));
  QCOMPARE(exitCode(), 0);
  std::string names;
  for (const auto& event : events()) {
    names += event["event"].get<std::string>() + " ";
  }
  QCOMPARE(names, std::string("started device progress picture finished "));
  QCOMPARE(m_error, std::string("polyptych-cli: Words did not fit.\n"));
}

void TestGenerateCommand::refusesBeforeAnythingStarts_data() {
  QTest::addColumn<QByteArrayList>("words");
  QTest::addColumn<int>("code");
  QTest::addColumn<QByteArray>("sentence");
  const auto row = [](const char* name, const QByteArrayList& words, ExitCode code, const char* sentence) {
    QTest::newRow(name) << words << static_cast<int>(code) << QByteArray(sentence);
  };
  using L = QByteArrayList;
  row("no such model", L{"x", "--model", "FOLDER/nothing"}, ExitCode::ModelUnusable, "nothing");
  row("folder without a model", L{"x", "--model", "FOLDER"}, ExitCode::ModelUnusable, "model_index.json");
  row("no such variant", L{"x", "--model", "MODEL", "--variant", "int3"}, ExitCode::ModelUnusable, "int3");
  row("no model named and none there", L{"x"}, ExitCode::WrongUsage, "--model");
  row("no such device", L{"x", "--model", "MODEL", "--devices", "cuda:9"}, ExitCode::WrongUsage, "--devices: ");
  row("nonsense for a device", L{"x", "--model", "MODEL", "--devices", "gpu"}, ExitCode::WrongUsage, "--devices: ");
  row("no CPU slots", L{"x", "--model", "MODEL", "--devices", "cpu:0"}, ExitCode::WrongUsage, "--devices: ");
  row("no such list", L{"--model", "MODEL", "--prompts", "FOLDER/none"}, ExitCode::WrongUsage, "there is no file");
  row("out is a file", L{"x", "--model", "MODEL", "--out", "MODEL/model_index.json"}, ExitCode::WrongUsage, "is a file");
  row("out cannot be written", L{"x", "--model", "MODEL", "--out", "/proc/out"}, ExitCode::WrongUsage, "cannot be written");
  row("trace of two units", L{"x", "y", "--model", "MODEL", "--trace", "FOLDER/t"}, ExitCode::WrongUsage,
      "--trace is for a single unit");
  row("latents of two units", L{"x", "y", "--model", "MODEL", "--initial-latents", "FOLDER/l"}, ExitCode::WrongUsage,
      "--initial-latents is for a single unit");
  row("no such latents", L{"x", "--model", "MODEL", "--initial-latents", "FOLDER/l"}, ExitCode::WrongUsage, "there is no file");
  row("clip skip beyond the encoder", L{"x", "--model", "MODEL", "--clip-skip", "60"}, ExitCode::WrongUsage,
      "--clip-skip is 60; this model's text encoder has ");
  for (const char* name : {"LCM", "TCD"}) {
    row(name, L{"x", "--model", "MODEL", "--scheduler", name, "--steps", "51"}, ExitCode::WrongUsage, "makes at most 50 steps");
  }
  row("trace over a file", L{"x", "--model", "MODEL", "--trace", "MODEL/model_index.json"}, ExitCode::WrongUsage,
      "is not overwritten");
  row("trace among the pictures", L{"x", "--model", "MODEL", "--trace", "FOLDER/out/t"}, ExitCode::WrongUsage,
      "lies in the folder of the pictures");
  row("trace nowhere", L{"x", "--model", "MODEL", "--trace", "FOLDER/none/t"}, ExitCode::WrongUsage, "--trace: ");
}

void TestGenerateCommand::refusesBeforeAnythingStarts() {
  QFETCH(QByteArrayList, words);
  QFETCH(int, code);
  QFETCH(QByteArray, sentence);
  const bool namesFolder = words.contains("--out");
  for (QByteArray& word : words) {
    word.replace("FOLDER", m_folder->path().toUtf8()).replace("MODEL", model());
  }
  if (!namesFolder) {
    words << "--out" << path("out");
  }
  QCOMPARE(start(words), code);
  QVERIFY2(QByteArray::fromStdString(m_error).contains(sentence), m_error.c_str());
  QVERIFY(m_backend->submitted.empty());
  QVERIFY(!QFile::exists(QString::fromUtf8(path("out"))));
  const auto told = events();
  QCOMPARE(told.size(), std::size_t{2});
  QCOMPARE(told[0]["event"].get<std::string>(), std::string("failed"));
  QCOMPARE(told[1]["event"].get<std::string>(), std::string("finished"));
  QCOMPARE(told[1]["exit_code"].get<int>(), code);
}

void TestGenerateCommand::endsAsTheRunDoes() {
  QCOMPARE(start({"a cat", "--model", model(), "--out", path("out")}), -1);
  auto result = summary(1, 0);
  result.error = base::Error{base::ErrorCode::ModelUnusable, "unet lacks 3 tensors.", {}};
  Q_EMIT m_backend->runFinished(result);
  QCOMPARE(exitCode(), 3);
  QCOMPARE(m_error, std::string("polyptych-cli: unet lacks 3 tensors.\n"));
  QCOMPARE(events().front()["code"].get<std::string>(), std::string("model_unusable"));
}

void TestGenerateCommand::writesTheTrace() {
  QCOMPARE(start({"a cat", "--model", model(), "--out", path("out"), "--trace", path("t.safetensors")}), -1);
  QVERIFY(m_backend->submitted.front().wantsTrace);
  Q_EMIT m_backend->traceMade(id(), QByteArray("bytes"));
  Q_EMIT m_backend->runFinished(summary(1, 1));
  QCOMPARE(exitCode(), 0);
  QFile trace(QString::fromUtf8(path("t.safetensors")));
  QVERIFY(trace.open(QIODevice::ReadOnly));
  QCOMPARE(trace.readAll(), QByteArray("bytes"));
}

void TestGenerateCommand::refusesTheTraceOfACompleteRun() {
  QCOMPARE(start({"a cat", "--model", model(), "--out", path("out"), "--trace", path("t.safetensors")}), -1);
  Q_EMIT m_backend->runStarted(id(), 1, 1);
  auto result = summary(1, 0);
  result.alreadyThere = 1;
  Q_EMIT m_backend->runFinished(result);
  QCOMPARE(exitCode(), 2);
  QVERIFY(m_error.find("there is nothing to trace") != std::string::npos);
  QCOMPARE(events().front()["event"].get<std::string>(), std::string("failed"));
}

void TestGenerateCommand::cancelsOnInterrupt() {
  QCOMPARE(start({"a cat", "--model", model(), "--out", path("out")}), -1);
  m_command->interrupt();
  QVERIFY(m_backend->cancelled == std::vector<quint64>{id()});
  QCOMPARE(exitCode(), -1);
  auto result = summary(1, 0);
  result.wasCancelled = true;
  Q_EMIT m_backend->runFinished(result);
  QCOMPARE(exitCode(), 130);
}

void TestGenerateCommand::stopsWhenNobodyReads() {
  QCOMPARE(start({"a cat", "--model", model(), "--out", path("out")}), -1);
  m_isReading = false;
  backend::SlotStatus status;
  status.index = 0;
  Q_EMIT m_backend->stepFinished(id(), status);
  QVERIFY(m_backend->cancelled == std::vector<quint64>{id()});
}

void TestGenerateCommand::answersAnUncleanEndIfAskedTo_data() {
  QTest::addColumn<QByteArray>("option");
  QTest::addColumn<int>("pause");
  QTest::addColumn<int>("commands");
  using backend::PauseReason;
  QTest::newRow("not asked") << QByteArray("--json") << int(PauseReason::UncleanEnd) << 0;
  QTest::newRow("--resume") << QByteArray("--resume") << int(PauseReason::UncleanEnd) << 1;
  QTest::newRow("--resume, paused by somebody") << QByteArray("--resume") << int(PauseReason::User) << 0;
}

/// The backend may have been started by another face, which did not say --resume.
void TestGenerateCommand::answersAnUncleanEndIfAskedTo() {
  QFETCH(const QByteArray, option);
  QFETCH(const int, pause);
  QFETCH(const int, commands);
  QCOMPARE(start({"a cat", "--model", model(), "--library", path("library"), option}), -1);
  backend::QueueStatus status;
  status.pause = static_cast<backend::PauseReason>(pause);
  status.sentence = QStringLiteral("Nothing is lost.");
  Q_EMIT m_backend->queueChanged(status);
  QCOMPARE(int(m_backend->commands.size()), commands);
  if (commands > 0) {
    QCOMPARE(m_backend->commands[0].kind, backend::Command::Kind::ResumeQueue);
  } else {
    QVERIFY2(m_error.find("Nothing is lost. 'polyptych-cli queue resume'") != std::string::npos, m_error.c_str());
  }
}

void TestGenerateCommand::tellsWhatIsDoneToTheLibrary() {
  QCOMPARE(start({"a cat", "--model", model(), "--library", path("library")}), -1);
  Q_EMIT m_backend->warned(0, {domain::WarningCode::Other, "The index is being made again."});
  QVERIFY2(m_error.find("The index is being made again.") != std::string::npos, m_error.c_str());
}

QTEST_GUILESS_MAIN(TestGenerateCommand)
#include "tst_generate_command.moc"
