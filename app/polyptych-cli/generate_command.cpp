#include "app/polyptych-cli/generate_command.h"

#include <QFile>
#include <QSaveFile>

#include "app/polyptych-cli/inputs.h"
#include "core/devices/device_list.h"

namespace polyptych::cli {
namespace {

base::Error wrong(std::string message) { return {base::ErrorCode::InvalidArgument, std::move(message), {}}; }

}  // namespace

GenerateCommand::GenerateCommand(Arguments arguments, backend::Backend& backend, EventPrinter& printer, ListDevices listDevices,
                                 QObject* parent)
    : QObject(parent),
      m_arguments(std::move(arguments)),
      m_backend(backend),
      m_printer(printer),
      m_listDevices(std::move(listDevices)) {
  using backend::Backend;
  // Other faces may have work at the same backend.
  const auto isOurs = [this](quint64 runId) { return m_isRunning && runId == m_runId; };
  connect(&m_backend, &Backend::runChanged, this, [this, isOurs](const backend::RunStatus& status) {
    if (isOurs(status.runId)) {
      m_folder = status.folder;
      m_spec.plan.batch = status.batch;
    }
  });
  connect(&m_backend, &Backend::runStarted, this, [this, isOurs](quint64 runId, qint64 total, qint64 alreadyThere) {
    if (isOurs(runId)) {
      onRunStarted(total, alreadyThere);
    }
  });
  connect(&m_backend, &Backend::slotChanged, this, [this](const backend::SlotStatus& status) {
    if (m_hasStarted) {
      m_printer.tellDevice(status);
    }
  });
  connect(&m_backend, &Backend::stepFinished, this, [this, isOurs](quint64 runId, const backend::SlotStatus& status) {
    if (isOurs(runId)) {
      m_printer.tellStep(status);
      if (!m_printer.isHeard()) {
        interrupt();
      }
    }
  });
  connect(&m_backend, &Backend::pictureFinished, this, [this, isOurs](const backend::PictureEvent& picture) {
    if (isOurs(picture.runId)) {
      m_printer.tellPicture(picture);
    }
  });
  connect(&m_backend, &Backend::pictureFailed, this, [this, isOurs](const backend::FailureEvent& failure) {
    if (isOurs(failure.runId)) {
      m_printer.tellFailure(failure);
    }
  });
  connect(&m_backend, &Backend::warned, this, [this, isOurs](quint64 runId, const domain::Warning& warning) {
    if (runId == 0 || isOurs(runId)) {  // 0: of the library
      m_printer.tellUser(warning.sentence);
    }
  });
  connect(&m_backend, &Backend::traceMade, this, [this, isOurs](quint64 runId, const QByteArray& bytes) {
    if (isOurs(runId)) {
      onTraceMade(bytes);
    }
  });
  connect(&m_backend, &Backend::queueChanged, this, &GenerateCommand::onQueueChanged);
  connect(&m_backend, &Backend::lost, this, &GenerateCommand::onLost);
  connect(&m_backend, &Backend::runFinished, this, &GenerateCommand::onRunFinished);
}

void GenerateCommand::start() {
  m_clock.start();
  GeneratePlan plan;
  auto refusal = planGenerate(m_arguments, plan);
  m_spec = std::move(plan.spec);
  m_settings = std::move(plan.settings);
  for (const std::string& warning : plan.warnings) {
    m_printer.tellUser(warning);
  }
  if (!refusal) {
    refusal = chooseDevices();
  }
  if (!refusal) {
    refusal = prepareFolderAndSeed();
  }
  if (refusal) {
    refuse(*refusal);
    return;
  }
  m_isRunning = true;
  m_runId = m_spec.id = backend::newRunId();
  m_backend.submit(m_spec);
}

void GenerateCommand::interrupt() {
  if (m_isRunning) {
    m_backend.cancelRun(m_runId);
  } else {
    end(ExitCode::Interrupted);
  }
}

std::optional<Refusal> GenerateCommand::chooseDevices() {
  auto slots = domain::chooseDevices(m_arguments.generate.devices, m_listDevices(), devices::usableCores());
  if (!slots) {
    return Refusal{wrong("--devices: " + slots.error().message), ExitCode::WrongUsage};
  }
  m_spec.slots = *std::move(slots);
  return std::nullopt;
}

void GenerateCommand::onQueueChanged(const backend::QueueStatus& status) {
  using backend::PauseReason;
  if (!m_isRunning || status.pause == m_toldPause) {
    return;
  }
  m_toldPause = status.pause;
  switch (status.pause) {
    case PauseReason::None:
      return;
    case PauseReason::Storage:
      m_printer.tellUser(status.sentence.toStdString());
      return;
    case PauseReason::UncleanEnd:
      if (m_arguments.generate.resumes) {
        // Asked by a backend that another face had started.
        backend::Command resume;
        resume.kind = backend::Command::Kind::ResumeQueue;
        m_backend.control(resume);
        return;
      }
      [[fallthrough]];
    case PauseReason::User:
      m_printer.tellUser(status.sentence.toStdString() + " 'polyptych-cli queue resume' lets it go on.");
      return;
    case PauseReason::Breaker:
      m_isRunning = false;
      m_printer.tellError({base::ErrorCode::WorkerDied, status.sentence.toStdString(), {}});
      end(ExitCode::SomeFailed);
      return;
  }
}

void GenerateCommand::onLost(const base::Error& error) {
  if (!m_isRunning) {
    return;
  }
  m_isRunning = false;
  m_printer.tellError(error);
  backend::RunSummary summary;
  summary.runId = m_runId;
  summary.total = static_cast<qint64>(m_spec.requests.size());
  m_printer.tellFinished(summary, ExitCode::SomeFailed, static_cast<double>(m_clock.elapsed()) / 1000);
  end(ExitCode::SomeFailed);
}

std::optional<Refusal> GenerateCommand::prepareFolderAndSeed() {
  const GenerateArguments& asked = m_arguments.generate;
  if (asked.trace) {
    const std::string place = asked.out ? *asked.out : libraryOf(m_arguments).root.toStdString();
    if (const auto ok = checkTraceFile(*asked.trace, place); !ok) {
      return Refusal{ok.error(), ExitCode::WrongUsage};
    }
  }
  if (asked.out) {
    const auto folder = prepareFolder(*asked.out);
    if (!folder) {
      return Refusal{folder.error(), ExitCode::WrongUsage};
    }
    m_folder = *folder;
  }
  if (auto refusal = readModelHash(m_spec.plan.model)) {
    return refusal;
  }
  const auto kept = asked.seed || !asked.out ? asked.seed : baseSeedOfFolder(m_folder);
  m_wasSeedDrawn = !kept;
  m_seed = kept ? *kept : drawSeed();
  giveSeeds(m_spec.requests, m_seed);
  if (asked.out) {
    if (const auto joined = joinLeftParts(m_folder, m_spec.requests, m_spec.plan.model.hash); !joined) {
      return Refusal{joined.error(), ExitCode::WrongUsage};
    }
  }
  return std::nullopt;
}

void GenerateCommand::onRunStarted(qint64 total, qint64 alreadyThere) {
  m_hasStarted = true;
  if (m_spec.wantsTrace && alreadyThere == total) {
    m_traceProblem =
        wrong("--trace: every picture of this run is there already, so there is nothing to trace. Choose another --out.");
    return;
  }
  RunFacts facts;
  facts.total = total;
  facts.alreadyThere = alreadyThere;
  facts.seed = m_seed;
  facts.wasSeedDrawn = m_wasSeedDrawn;
  facts.folder = m_folder;
  facts.model = m_spec.plan.model;
  facts.settings = m_settings;
  facts.plan = m_spec.plan;
  for (const auto& slot : m_spec.slots) {
    facts.slotIds.append(QString::fromStdString(slot.id));
  }
  m_printer.tellStarted(facts);
}

void GenerateCommand::onTraceMade(const QByteArray& bytes) {
  QSaveFile file(QFile::decodeName(QByteArray::fromStdString(*m_arguments.generate.trace)));
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
    m_traceProblem =
        base::Error{base::ErrorCode::Io, "The trace could not be written: " + file.errorString().toStdString() + ".", {}};
  }
}

void GenerateCommand::onRunFinished(const backend::RunSummary& summary) {
  if (!m_isRunning || summary.runId != m_runId) {
    return;
  }
  m_isRunning = false;
  ExitCode code = exitCodeOfRun(summary, m_hasStarted);
  if (summary.error) {
    m_printer.tellError(*summary.error);
  }
  if (m_traceProblem) {
    m_printer.tellError(*m_traceProblem);
    const bool isRefusal = m_traceProblem->code == base::ErrorCode::InvalidArgument;
    code = code != ExitCode::AllMade ? code : isRefusal ? ExitCode::WrongUsage : ExitCode::SomeFailed;
  }
  m_printer.tellFinished(summary, code, static_cast<double>(m_clock.elapsed()) / 1000);
  end(code);
}

void GenerateCommand::refuse(const Refusal& refusal) {
  m_printer.tellError(refusal.error);
  backend::RunSummary summary;
  summary.total = static_cast<qint64>(m_spec.requests.size());
  m_printer.tellFinished(summary, refusal.code, static_cast<double>(m_clock.elapsed()) / 1000);
  end(refusal.code);
}

void GenerateCommand::end(ExitCode code) {
  if (!m_hasEnded) {
    m_hasEnded = true;
    Q_EMIT ended(static_cast<int>(code));
  }
}

}  // namespace polyptych::cli
