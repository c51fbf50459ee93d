#include "app/polyptych-cli/generate_command.h"

#include <QFile>
#include <QSaveFile>
#include <charconv>

#include "app/polyptych-cli/inputs.h"
#include "app/polyptych-cli/query_commands.h"
#include "core/checkpoint/model_folder.h"
#include "core/devices/device_list.h"
#include "core/domain/scheduler_name.h"
#include "core/models/model_identity.h"
#include "core/prompt/expand.h"

namespace polyptych::cli {
namespace {

base::Error wrong(std::string message) { return {base::ErrorCode::InvalidArgument, std::move(message), {}}; }

/// Steps that a distilled model's scheduler makes at most; nothing for other schedulers.
std::optional<int> mostSteps(const std::string& scheduler, const checkpoint::SchedulerConfig& config) {
  const auto choice = domain::resolveScheduler(scheduler);
  if (!choice || (choice->className != "LCM" && choice->className != "TCD")) {
    return std::nullopt;
  }
  int most = domain::kDefaultOriginalSteps;
  if (const auto given = config.values.find("original_inference_steps"); given != config.values.end()) {
    const std::string& text = given->second;
    int value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    most = read.ec == std::errc() && value > 0 ? value : most;
  }
  return most;
}

/// What the request asks for within what this model can do.
base::Result<void> checkAgainstModel(const domain::GenerationRequest& asked, const checkpoint::ModelFolder& model) {
  const int cell = model.vae.scaleFactor();
  if (asked.width % cell != 0 || asked.height % cell != 0) {
    return wrong("The size is " + std::to_string(asked.width) + "x" + std::to_string(asked.height) +
                 "; with this model --width and --height must be multiples of " + std::to_string(cell) + ".");
  }
  const int layers = model.textEncoder.numHiddenLayers;
  if (asked.clipSkip.value_or(0) > layers) {
    return wrong("--clip-skip is " + std::to_string(*asked.clipSkip) + "; this model's text encoder has " +
                 std::to_string(layers) + " layers, so it may be 0 to " + std::to_string(layers) + ".");
  }
  if (const auto most = mostSteps(asked.scheduler, model.scheduler); most && asked.steps > *most) {
    return wrong("--steps is " + std::to_string(asked.steps) + "; the scheduler " + asked.scheduler + " makes at most " +
                 std::to_string(*most) + " steps with this model.");
  }
  return {};
}

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
    if (isOurs(runId)) {
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
  auto refusal = prepare();
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

std::optional<GenerateCommand::Refusal> GenerateCommand::prepare() {
  const GenerateArguments& asked = m_arguments.generate;
  auto prompts = readPrompts(asked);
  if (!prompts) {
    return Refusal{prompts.error(), ExitCode::WrongUsage};
  }
  m_prompts = *std::move(prompts);
  const bool isOneUnit = asked.trace || asked.initialLatents;
  const auto batch = static_cast<std::size_t>(asked.batch.value_or(1));
  const std::size_t pictures = m_prompts.size() * static_cast<std::size_t>(asked.imagesPerPrompt);
  if (isOneUnit && pictures > batch) {
    return Refusal{wrong(std::string(asked.trace ? "--trace" : "--initial-latents") +
                         " is for a single unit of work, and these are " + std::to_string(pictures) + " pictures in units of " +
                         std::to_string(batch) + ". Ask for fewer pictures, or for a larger --batch."),
                   ExitCode::WrongUsage};
  }
  if (auto refusal = prepareModel()) {
    return refusal;
  }
  prompt::RunOptions options;
  options.prompts = m_prompts;
  options.imagesPerPrompt = asked.imagesPerPrompt;
  options.settings = m_settings;
  auto requests = prompt::expandRun(options);
  if (!requests) {
    return Refusal{requests.error(), ExitCode::WrongUsage};
  }
  if (asked.initialLatents) {
    auto latents = readInitialLatents(*asked.initialLatents, {static_cast<std::int64_t>(requests->size()), m_latentChannels,
                                                              m_settings.height / m_cell, m_settings.width / m_cell});
    if (!latents) {
      return Refusal{latents.error(), ExitCode::WrongUsage};
    }
    m_spec.initialLatents = *std::move(latents);
  }
  m_spec.requests = *std::move(requests);
  m_spec.wantsTrace = asked.trace.has_value();
  m_spec.plan.computeType = asked.dtype;
  m_spec.plan.noise = asked.noise;
  m_spec.plan.threads = asked.threads.value_or(0);
  // A folder of its own keeps the size that it began with; a library chooses.
  m_spec.plan.batch = asked.batch.value_or(asked.out || isOneUnit ? 1 : 0);
  m_spec.plan.vaeSlicing = asked.vaeSlicing;
  m_spec.plan.vaeTiling = asked.vaeTiling;
  return std::nullopt;
}

std::optional<GenerateCommand::Refusal> GenerateCommand::prepareModel() {
  const GenerateArguments& asked = m_arguments.generate;
  if (!m_arguments.model) {
    auto chosen = defaultModel();
    if (!chosen) {
      return Refusal{chosen.error(), ExitCode::WrongUsage};
    }
    m_arguments.model = *std::move(chosen);
  }
  const auto spec = resolveModel(*m_arguments.model);
  if (!spec) {
    return Refusal{spec.error(), exitCodeOfModelError(spec.error())};
  }
  m_spec.plan.model = *spec;
  m_spec.plan.model.variant = m_arguments.variant.value_or(spec->variant);
  const auto model = checkpoint::openModelFolder(spec->folder, m_spec.plan.model.variant);
  if (!model) {
    return Refusal{model.error(), exitCodeOfModelError(model.error())};
  }
  for (const std::string& warning : model->warnings) {
    m_printer.tellUser(warning);
  }
  m_settings.negativePrompt = asked.negative;
  m_settings.width = asked.width.value_or(model->defaultWidth);
  m_settings.height = asked.height.value_or(model->defaultHeight);
  m_settings.steps = asked.steps;
  m_settings.guidanceScale = asked.guidance;
  m_settings.guidanceRescale = asked.guidanceRescale;
  m_settings.scheduler = asked.scheduler ? *asked.scheduler : domain::defaultScheduler(model->scheduler.className).name;
  m_settings.clipSkip = asked.clipSkip;
  m_latentChannels = model->unet.inChannels;
  m_cell = model->vae.scaleFactor();
  if (const auto fits = checkAgainstModel(m_settings, *model); !fits) {
    return Refusal{fits.error(), ExitCode::WrongUsage};
  }
  return std::nullopt;
}

std::optional<GenerateCommand::Refusal> GenerateCommand::chooseDevices() {
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
    case PauseReason::User:
    case PauseReason::UncleanEnd:
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

std::optional<GenerateCommand::Refusal> GenerateCommand::prepareFolderAndSeed() {
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
  auto hash = models::hashOfModel(m_spec.plan.model);
  if (!hash) {
    return Refusal{hash.error(), exitCodeOfModelError(hash.error())};
  }
  m_spec.plan.model.hash = *std::move(hash);

  const auto kept = asked.seed || !asked.out ? asked.seed : baseSeedOfFolder(m_folder);
  m_wasSeedDrawn = !kept;
  m_seed = kept ? *kept : drawSeed();
  for (auto& request : m_spec.requests) {
    request.seed = m_seed + static_cast<std::uint64_t>(request.index);
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
