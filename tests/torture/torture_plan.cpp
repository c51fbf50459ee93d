#include "tests/torture/torture_plan.h"

#include <QFile>
#include <QFileInfo>
#include <string>

namespace polyptych::tests {
namespace {

constexpr int kJobsOfRun = 4;
constexpr int kJobsOfBigRun = 20;
constexpr std::size_t kBigRunEvery = 8;

}  // namespace

QStringList TorturePlan::arguments() const {
  QStringList words{
      "--seed",    QString::number(seed),    "--kills", QString::number(kills), "--jobs",    QString::number(jobs),
      "--workers", QString::number(workers), "--faces", QString::number(faces), "--step-ms", QString::number(stepMs),
      "--gap-ms",  QString::number(gapMs),   "--side",  QString::number(side),  "--steps",   QString::number(steps)};
  if (!worker.isEmpty()) {
    words << "--worker" << worker << "--model" << model;
  }
  return words;
}

QString TorturePlan::workerProgram() const { return worker.isEmpty() ? QStringLiteral(FAKE_WORKER) : worker; }

QString TorturePlan::take(QStringList& arguments) {
  const auto number = [&](const char* name, auto& value, int least) {
    const qsizetype at = arguments.indexOf(QLatin1String(name));
    if (at < 0) {
      return QString();
    }
    bool isNumber = false;
    const qlonglong given = arguments.value(at + 1).toLongLong(&isNumber);
    if (!isNumber || given < least) {
      return QStringLiteral("%1 needs a number from %2 on").arg(QLatin1String(name)).arg(least);
    }
    value = static_cast<std::remove_reference_t<decltype(value)>>(given);
    arguments.remove(at, 2);
    return QString();
  };
  const auto path = [&](const char* name, QString& value) {
    const qsizetype at = arguments.indexOf(QLatin1String(name));
    if (at < 0) {
      return QString();
    }
    value = QFileInfo(arguments.value(at + 1)).absoluteFilePath();
    if (at + 1 == arguments.size() || !QFileInfo::exists(value)) {
      return QStringLiteral("%1 needs a path that exists").arg(QLatin1String(name));
    }
    arguments.remove(at, 2);
    return QString();
  };
  QString wrong;
  for (const QString& one :
       {number("--seed", seed, 0), number("--kills", kills, 0), number("--jobs", jobs, 1), number("--workers", workers, 1),
        number("--faces", faces, 1), number("--step-ms", stepMs, -1), number("--gap-ms", gapMs, 1), number("--side", side, 32),
        number("--steps", steps, 1), path("--worker", worker), path("--model", model)}) {
    wrong = wrong.isEmpty() ? one : wrong;
  }
  if (wrong.isEmpty() && worker.isEmpty() != model.isEmpty()) {
    return QStringLiteral("--worker and --model belong together");
  }
  return wrong;
}

std::vector<int> TorturePlan::runs() const {
  std::vector<int> runs;
  for (int left = jobs; left > 0; left -= runs.back()) {
    runs.push_back(std::min(left, runs.size() % kBigRunEvery == kBigRunEvery - 1 ? kJobsOfBigRun : kJobsOfRun));
  }
  return runs;
}

quint64 tortureRunId(const TorturePlan& plan, int number) {
  return (quint64(plan.seed) << 12) + static_cast<quint64>(number) + 1;
}

backend::RunSpec tortureRun(const TorturePlan& plan, int number) {
  const int jobs = plan.runs().at(static_cast<std::size_t>(number));
  backend::RunSpec spec;
  spec.id = tortureRunId(plan, number);
  spec.plan.model = {plan.model.isEmpty() ? "/models/m" : QFile::encodeName(plan.model).toStdString(), "org/m", "00ff", ""};
  spec.plan.threads = 1;
  spec.plan.computeType = domain::ComputeType::Fp32;
  spec.plan.batch = number % 2 == 0 ? 1 : 3;
  for (int i = 0; i < jobs * spec.plan.batch; ++i) {
    domain::GenerationRequest request;
    request.index = request.promptIndex = i;
    request.prompt = "run " + std::to_string(number) + ", picture " + std::to_string(i);
    request.seed = (quint64(plan.seed) << 32) + static_cast<quint64>(i);
    // Small, and larger with unequal sides.
    request.width = number % 3 == 0 ? plan.side / 4 / 8 * 8 : plan.side;
    request.height = number % 3 == 0 ? request.width : plan.side * 3 / 4 / 8 * 8;
    request.steps = plan.steps + number % 3;
    request.scheduler = "Euler";
    spec.requests.push_back(std::move(request));
  }
  for (int i = 0; i < plan.workers; ++i) {
    spec.slots.push_back({"cpu:" + std::to_string(i), domain::DeviceKind::Cpu, "CPU", {}, {}});
  }
  return spec;
}

backend::RemoteBackendOptions tortureBackend(const TorturePlan& plan, const QString& failFile) {
  backend::RemoteBackendOptions options;
  const int step = plan.stepMs >= 0 ? plan.stepMs : static_cast<int>(plan.seed % 3);
  options.coreProgram = QStringLiteral(TORTURE_CORE);
  options.coreArguments =
      QStringList{"--resume", "--max-attempts",     "0",           "--max-deaths", "0", "--linger", "300", "--restart-delay", "5",
                  "--worker", plan.workerProgram(), "--fail-file", failFile};
  if (plan.worker.isEmpty()) {
    for (const QString& argument : QStringList{"--load-ms", "0", "--step-ms", QString::number(step)}) {
      options.coreArguments << "--worker-argument" << argument;
    }
  }
  options.backOff = std::chrono::milliseconds(5);
  options.maxTries = 10000;
  return options;
}

}  // namespace polyptych::tests
