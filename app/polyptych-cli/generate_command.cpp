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

GenerateCommand::GenerateCommand(Arguments arguments, backend::Backend& backend, EventPrinter& printer, QObject* parent)
    : QObject(parent), m_arguments(std::move(arguments)), m_backend(backend), m_printer(printer) {
  using backend::Backend;
  connect(&m_backend, &Backend::devicesListed, this, &GenerateCommand::onDevicesListed);
  connect(&m_backend, &Backend::runStarted, this,
          [this](quint64, qint64 total, qint64 alreadyThere) { onRunStarted(total, alreadyThere); });
  connect(&m_backend, &Backend::slotChanged, this, [this](const backend::SlotStatus& status) { m_printer.tellDevice(status); });
  connect(&m_backend, &Backend::stepFinished, this, [this](quint64, const backend::SlotStatus& status) {
    m_printer.tellStep(status);
    if (!m_printer.isHeard()) {
      interrupt();
    }
  });
  connect(&m_backend, &Backend::pictureFinished, this,
          [this](const backend::PictureEvent& picture) { m_printer.tellPicture(picture); });
  connect(&m_backend, &Backend::pictureFailed, this,
          [this](const backend::FailureEvent& failure) { m_printer.tellFailure(failure); });
  connect(&m_backend, &Backend::warned, this,
          [this](quint64, const domain::Warning& warning) { m_printer.tellUser(warning.sentence); });
  connect(&m_backend, &Backend::traceMade, this, [this](quint64, const QByteArray& bytes) { onTraceMade(bytes); });
  connect(&m_backend, &Backend::runFinished, this, &GenerateCommand::onRunFinished);
}

void GenerateCommand::start() {
  m_clock.start();
  if (const auto refusal = prepare()) {
    refuse(*refusal);
    return;
  }
  m_backend.listDevices();
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
  const auto batch = static_cast<std::size_t>(asked.batch);
  const std::size_t pictures = m_prompts.size() * static_cast<std::size_t>(asked.imagesPerPrompt);
  if ((asked.trace || asked.initialLatents) && pictures > batch) {
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
  m_spec.plan.batch = asked.batch;
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

void GenerateCommand::onDevicesListed(const std::vector<domain::DeviceInfo>& present) {
  if (m_isRunning || m_hasEnded) {
    return;
  }
  auto slots = domain::chooseDevices(m_arguments.generate.devices, present, devices::usableCores());
  if (!slots) {
    refuse({wrong("--devices: " + slots.error().message), ExitCode::WrongUsage});
    return;
  }
  m_spec.slots = *std::move(slots);
  if (const auto refusal = prepareFolderAndSeed()) {
    refuse(*refusal);
    return;
  }
  m_isRunning = true;
  m_runId = m_backend.submit(m_spec);
}

std::optional<GenerateCommand::Refusal> GenerateCommand::prepareFolderAndSeed() {
  const GenerateArguments& asked = m_arguments.generate;
  const std::string out = asked.out ? *asked.out : freshFolder();
  if (asked.trace) {
    if (const auto ok = checkTraceFile(*asked.trace, out); !ok) {
      return Refusal{ok.error(), ExitCode::WrongUsage};
    }
  }
  const auto folder = prepareFolder(out);
  if (!folder) {
    return Refusal{folder.error(), ExitCode::WrongUsage};
  }
  m_spec.outputFolder = *folder;
  auto hash = models::hashOfModel(m_spec.plan.model);
  if (!hash) {
    return Refusal{hash.error(), exitCodeOfModelError(hash.error())};
  }
  m_spec.plan.model.hash = *std::move(hash);

  const auto kept = asked.seed ? asked.seed : baseSeedOfFolder(*folder);
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
  facts.folder = m_spec.outputFolder;
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
  if (summary.runId != m_runId && m_runId != 0) {
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
