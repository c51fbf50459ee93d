// queue_bench PART [options]: what the backend costs, with fake workers (README.md).
#include <unistd.h>

#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QFile>
#include <QFileInfo>
#include <QStringList>
#include <QTemporaryDir>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "core/backend/local_backend.h"
#include "core/backend/remote_backend.h"
#include "core/library/database.h"

namespace {

using namespace polyptych;
using backend::Backend;
using backend::Command;

int option(const QStringList& arguments, const char* name, int otherwise) {
  const qsizetype at = arguments.indexOf(QLatin1String(name));
  return at < 0 ? otherwise : arguments.value(at + 1).toInt();
}

backend::RunSpec run(int jobs, int batch, int workers, int steps = 1) {
  backend::RunSpec spec;
  spec.plan.model = {"/models/m", "org/m", "00ff", ""};
  spec.plan.threads = 1;
  spec.plan.batch = batch;
  for (int i = 0; i < jobs * batch; ++i) {
    domain::GenerationRequest request;
    request.index = request.promptIndex = i;
    request.prompt = "a lighthouse at the sea, painted, number " + std::to_string(i);
    request.seed = static_cast<std::uint64_t>(i);
    request.width = request.height = 8;
    request.steps = steps;
    request.scheduler = "Euler";
    spec.requests.push_back(std::move(request));
  }
  for (int i = 0; i < workers; ++i) {
    spec.slots.push_back({"cpu:" + std::to_string(i), domain::DeviceKind::Cpu, "CPU", {}, {}});
  }
  return spec;
}

/// Waits for a signal's condition; the event loop of a bench, not of the program.
bool waitFor(const std::function<bool()>& isTrue) {
  while (!isTrue()) {
    QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  }
  return true;
}

struct Usage {
  double cpuSeconds = 0;
  double peakMegabytes = 0;
  double residentMegabytes = 0;
};

/// Of another process, from /proc.
Usage usageOf(qint64 pid) {
  Usage usage;
  QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
  QFile status(QStringLiteral("/proc/%1/status").arg(pid));
  if (stat.open(QIODevice::ReadOnly)) {
    const QByteArray text = stat.readAll();
    const QByteArrayList words = text.mid(text.lastIndexOf(')') + 2).split(' ');
    usage.cpuSeconds = (words.value(11).toDouble() + words.value(12).toDouble()) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  if (status.open(QIODevice::ReadOnly)) {
    for (const QByteArray& line : status.readAll().split('\n')) {
      const double megabytes = line.simplified().split(' ').value(1).toDouble() / 1024;
      usage.peakMegabytes = line.startsWith("VmHWM") ? megabytes : usage.peakMegabytes;
      usage.residentMegabytes = line.startsWith("VmRSS") ? megabytes : usage.residentMegabytes;
    }
  }
  return usage;
}

/// A backend process on a new library, and this program as its face.
class Core {
 public:
  Core(const QString& folder, const QStringList& workerArguments, const QString& worker = FAKE_WORKER) {
    backend::RemoteBackendOptions options;
    options.coreProgram = QStringLiteral(CORE);
    options.coreArguments = QStringList{"--worker", worker, "--linger", "0"};
    for (const QString& argument : workerArguments) {
      options.coreArguments << "--worker-argument" << argument;
    }
    remote = backend::connectToBackend(library::locationAt(folder, library::Location::Layout::Dated), options);
    QObject::connect(remote.get(), &Backend::runStarted, remote.get(), [this] { ++started; });
    QObject::connect(remote.get(), &Backend::runFinished, remote.get(), [this](const backend::RunSummary& summary) {
      ++finished;
      if (summary.error || summary.failed > 0) {
        std::fprintf(stderr, "a run failed: %s\n", summary.error ? summary.error->message.c_str() : "");
        std::exit(1);
      }
    });
    QObject::connect(remote.get(), &Backend::pictureFinished, remote.get(), [this] { ++pictures; });
    QObject::connect(remote.get(), &Backend::commandDone, remote.get(), [this](const backend::CommandResult& result) {
      answer = result;
      ++commands;
    });
    QObject::connect(remote.get(), &Backend::slotChanged, remote.get(), [this](const backend::SlotStatus& status) {
      begun += status.state == backend::SlotState::Busy && states[status.slotId] != status.state ? 1 : 0;
      states[status.slotId] = status.state;
    });
    QObject::connect(remote.get(), &Backend::lost, remote.get(), [](const base::Error& error) {
      std::fprintf(stderr, "lost: %s / %s\n", error.message.c_str(), error.detail.c_str());
      std::exit(1);
    });
  }

  ~Core() { remote->leave(std::chrono::seconds(30)); }

  Usage usage() const { return usageOf(remote->corePid().value_or(0)); }
  void command(Command::Kind kind) {
    Command command;
    command.kind = kind;
    (void)ask(command);
  }
  backend::CommandResult ask(const Command& command) {
    const int before = commands;
    remote->control(command);
    waitFor([&] { return commands > before; });
    return answer;
  }
  /// Submits and waits until that is acknowledged. @return seconds
  double submit(backend::RunSpec spec) {
    const int before = started;
    QElapsedTimer time;
    time.start();
    remote->submit(std::move(spec));
    waitFor([&] { return started > before; });
    return static_cast<double>(time.nsecsElapsed()) / 1e9;
  }

  std::unique_ptr<backend::RemoteBackend> remote;
  int started = 0;
  int finished = 0;
  int pictures = 0;
  int commands = 0;
  backend::CommandResult answer;  ///< to the last command
  int begun = 0;                  ///< units
  QMap<QString, backend::SlotState> states;
};

void benchSubmit(const QString& folder, const QStringList& arguments) {
  const int count = option(arguments, "--count", 100'000);
  std::vector<double> local;
  std::vector<double> remote;
  for (int round = 0; round < option(arguments, "--rounds", 3); ++round) {
    {
      backend::LocalBackendOptions options;
      options.cpuWorker = FAKE_WORKER;
      const auto location =
          library::locationAt(folder + QStringLiteral("/local-%1").arg(round), library::Location::Layout::Dated);
      auto opened = backend::LocalBackend::open(location, options).value();
      Command pause;
      int done = 0;
      QObject::connect(opened.get(), &Backend::commandDone, opened.get(), [&] { ++done; });
      QObject::connect(opened.get(), &Backend::runStarted, opened.get(), [&] { ++done; });
      opened->control(pause);
      waitFor([&] { return done == 1; });
      backend::RunSpec spec = run(count, 1, 1);
      QElapsedTimer time;
      time.start();
      opened->submit(std::move(spec));
      waitFor([&] { return done == 2; });
      local.push_back(static_cast<double>(time.elapsed()) / 1000);
    }
    Core core(folder + QStringLiteral("/remote-%1").arg(round), {});
    core.command(Command::Kind::PauseQueue);
    remote.push_back(core.submit(run(count, 1, 1)));
  }
  std::sort(local.begin(), local.end());
  std::sort(remote.begin(), remote.end());
  std::printf("submit of %d: %.2f s in process, %.2f s through the socket (medians of %zu)\n", count, local[local.size() / 2],
              remote[remote.size() / 2], local.size());
}

void benchWorkers(const QString& folder, const QStringList& arguments) {
  const int jobs = option(arguments, "--jobs", 100'000);
  const int workers = option(arguments, "--workers", 64);
  const int parts = option(arguments, "--parts", 10);
  Core core(folder + "/library", {"--step-ms", "0", "--load-ms", "0"});
  core.submit(run(jobs, 1, workers));
  Usage before = core.usage();
  QElapsedTimer time;
  time.start();
  for (int part = 1; part <= parts; ++part) {
    const int from = core.pictures;
    const qint64 start = time.elapsed();
    waitFor([&] { return core.pictures >= jobs / parts * part || core.finished == 1; });
    const Usage now = core.usage();
    const double made = core.pictures - from;
    std::printf("%d workers, %7d of %d jobs: %.3f ms CPU of the backend a job, %.0f jobs/s, %.0f MB\n", workers, core.pictures,
                jobs, (now.cpuSeconds - before.cpuSeconds) * 1000 / made,
                made * 1000 / static_cast<double>(time.elapsed() - start), now.residentMegabytes);
    std::fflush(stdout);
    before = now;
  }
  waitFor([&] { return core.finished == 1; });
  const Usage end = core.usage();
  std::printf("%d workers, %d jobs: %.3f ms CPU of the backend a job, %.1f s, peak %.0f MB\n", workers, jobs,
              end.cpuSeconds * 1000 / jobs, static_cast<double>(time.elapsed()) / 1000, end.peakMegabytes);
}

void benchQueued(const QString& folder, const QStringList& arguments) {
  const int measured = option(arguments, "--jobs", 2000);
  const int workers = option(arguments, "--workers", 8);
  for (const int queued : {1000, option(arguments, "--queued", 1'000'000)}) {
    Core core(folder + QStringLiteral("/queued-%1").arg(queued), {"--step-ms", "0", "--load-ms", "0"});
    core.command(Command::Kind::PauseQueue);
    constexpr int kAtOnce = 100'000;
    double submitting = 0;
    for (int left = queued + measured; left > 0; left -= kAtOnce) {
      submitting += core.submit(run(std::min(left, kAtOnce), 1, workers));
    }
    const Usage waiting = core.usage();
    core.command(Command::Kind::ResumeQueue);
    waitFor([&] { return core.pictures >= measured / 10; });  // workers are up
    const int from = core.pictures;
    const Usage before = core.usage();
    QElapsedTimer time;
    time.start();
    waitFor([&] { return core.pictures >= measured; });
    const Usage after = core.usage();
    std::printf("%7d queued: %.3f ms CPU of the backend a job, %.0f jobs/s; submitted in %.1f s; %.0f MB waiting, peak %.0f MB\n",
                queued, (after.cpuSeconds - before.cpuSeconds) * 1000 / (core.pictures - from),
                (core.pictures - from) * 1000.0 / static_cast<double>(time.elapsed()), submitting, waiting.residentMegabytes,
                after.peakMegabytes);
    std::fflush(stdout);
    core.command(Command::Kind::PauseQueue);
    core.remote->leave(std::chrono::seconds(60));
    const auto location =
        library::locationAt(folder + QStringLiteral("/queued-%1").arg(queued), library::Location::Layout::Dated);
    backend::LocalBackendOptions options;
    options.cpuWorker = FAKE_WORKER;
    for (const bool wasClean : {true, false}) {
      if (!wasClean) {
        (void)library::Database::open(location.databaseFile(), library::Database::Mode::ReadWrite)
            .value()
            ->setMeta(QStringLiteral("clean"), 0);
      }
      QElapsedTimer open;
      open.start();
      const auto opened = backend::LocalBackend::open(location, options);
      std::printf("%7d queued: opened %s in %.0f ms%s\n", queued, wasClean ? "again" : "after an unclean end",
                  static_cast<double>(open.nsecsElapsed()) / 1e6, opened ? "" : opened.error().message.c_str());
      std::fflush(stdout);
    }
  }
}

/// Cancelling everything that waits, and taking it back.
void benchCancel(const QString& folder, const QStringList& arguments) {
  const int queued = option(arguments, "--queued", 1'000'000);
  Core core(folder + QStringLiteral("/cancel"), {});
  core.command(Command::Kind::PauseQueue);
  constexpr int kAtOnce = 100'000;
  for (int left = queued; left > 0; left -= kAtOnce) {
    core.submit(run(std::min(left, kAtOnce), 1, 1));
  }
  const auto timed = [&](const char* what, Command::Kind kind, qint64 undoId) {
    Command command;
    command.kind = kind;
    command.undoId = undoId;
    QElapsedTimer time;
    time.start();
    const backend::CommandResult result = core.ask(command);
    std::printf("%d jobs: %s in %.2f s (%lld pictures)\n", queued, what, static_cast<double>(time.elapsed()) / 1000,
                static_cast<long long>(result.changed));
    std::fflush(stdout);
    return result.undoId;
  };
  const qint64 undoId = timed("cancelled", Command::Kind::CancelWaiting, 0);
  timed("taken back", Command::Kind::Undo, undoId);
  timed("moved to the front", Command::Kind::MoveToFront, 0);
}

void benchLatency(const QString& folder, const QStringList& arguments) {
  const int rounds = option(arguments, "--rounds", 300);
  Core core(folder + "/library", {"--step-ms", "1", "--load-ms", "0"});
  core.submit(run(4, 1, 1));
  waitFor([&] { return core.finished == 1 && core.states.value("cpu:0") == backend::SlotState::Idle; });
  std::vector<double> milliseconds;
  for (int round = 0; round < rounds; ++round) {
    backend::RunSpec spec = run(1, 1, 1);
    const int finished = core.finished;
    const int begun = core.begun;
    QElapsedTimer time;
    time.start();
    core.remote->submit(std::move(spec));
    waitFor([&] { return core.begun > begun; });
    milliseconds.push_back(static_cast<double>(time.nsecsElapsed()) / 1e6);
    waitFor([&] { return core.finished > finished && core.states.value("cpu:0") == backend::SlotState::Idle; });
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf("submit to dispatch: p50 %.1f ms, p99 %.1f ms, most %.1f ms (%d rounds)\n", milliseconds[milliseconds.size() / 2],
              milliseconds[milliseconds.size() * 99 / 100], milliseconds.back(), rounds);
}

/// Three workers whose steps take 1, 2 and 3 times as long.
void benchScaling(const QString& folder, const QStringList& arguments) {
  const int jobs = option(arguments, "--jobs", 300);
  const int stepMs = option(arguments, "--step-ms", 20);
  const int steps = 3;
  const QString script = folder + "/worker";
  QFile file(script);
  if (!file.open(QIODevice::WriteOnly)) {
    std::exit(1);
  }
  file.write("#!/bin/sh\nfor k in 1 2 3; do mkdir " + QFile::encodeName(folder) +
             "/speed-$k 2>/dev/null && exec " FAKE_WORKER " \"$@\" --step-ms $((k * " + QByteArray::number(stepMs) +
             ")); done\nexit 1\n");
  file.close();
  file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
  Core core(folder + "/library", {"--load-ms", "0"}, script);
  core.submit(run(9, 1, 3, steps));
  waitFor([&] { return core.finished == 1; });
  QElapsedTimer time;
  time.start();
  core.remote->submit(run(jobs, 1, 3, steps));
  waitFor([&] { return core.finished == 2; });
  const double seconds = static_cast<double>(time.elapsed()) / 1000;
  const double rate = (1.0 + 1.0 / 2 + 1.0 / 3) / (steps * stepMs) * 1000;
  const double ideal = jobs / rate;
  std::printf("1x, 2x, 3x, %d jobs of %d ms: %.3f s, ideal %.3f s: %.1f %% over it\n", jobs, steps * stepMs, seconds, ideal,
              (seconds / ideal - 1) * 100);
}

/// Pictures of a real model on single-thread workers that have a core each.
backend::RunSpec realRun(const QString& model, int jobs, const std::vector<int>& cores, int side, int steps) {
  backend::RunSpec spec = run(jobs, 1, 0, steps);
  spec.plan.model = {QFile::encodeName(QFileInfo(model).absoluteFilePath()).toStdString(), "org/m", "00ff", ""};
  for (domain::GenerationRequest& request : spec.requests) {
    request.width = request.height = side;
  }
  for (const int core : cores) {
    spec.slots.push_back({"cpu:" + std::to_string(core), domain::DeviceKind::Cpu, "CPU", {}, {core}});
  }
  return spec;
}

/// Seconds that all cores were busy with anything but this program, `cores` and what they started.
double secondsOfOthers(const std::vector<qint64>& cores) {
  QFile stat(QStringLiteral("/proc/stat"));
  const QByteArrayList words = stat.open(QIODevice::ReadOnly) ? stat.readLine().simplified().split(' ') : QByteArrayList();
  double busy = 0;
  for (const int state : {1, 2, 3, 6, 7, 8}) {  // user, nice, system, both interrupts, taken by the host
    busy += words.value(state).toDouble() / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  double own = usageOf(::getpid()).cpuSeconds;
  for (const qint64 core : cores) {
    own += usageOf(core).cpuSeconds;
    const QDir tasks(QStringLiteral("/proc/%1/task").arg(core));
    for (const QString& task : tasks.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
      QFile children(tasks.filePath(task + "/children"));
      const QByteArray pids = children.open(QIODevice::ReadOnly) ? children.readAll() : QByteArray();
      for (const QByteArray& pid : pids.simplified().split(' ')) {
        own += usageOf(pid.toLongLong()).cpuSeconds;
      }
    }
  }
  return busy - own;
}

/// Real workers: two at once against each of them alone, in turns. Rounds in which others used the machine do not count.
void benchCpus(const QString& folder, const QStringList& arguments) {
  const auto text = [&](const char* name) { return arguments.value(arguments.indexOf(QLatin1String(name)) + 1); };
  const QString worker = text("--worker");
  const QString model = text("--model");
  if (!QFileInfo(worker).isExecutable() || !QFileInfo(model).isDir()) {
    std::fprintf(stderr, "cpus needs --worker polyptych-worker and --model FOLDER\n");
    std::exit(2);
  }
  const int jobs = option(arguments, "--jobs", 40);
  const int side = option(arguments, "--side", 128);
  const int steps = option(arguments, "--steps", 10);
  const std::vector<std::vector<int>> sets{{0}, {0, 1}, {1}};
  std::vector<std::unique_ptr<Core>> backends;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    backends.push_back(std::make_unique<Core>(folder + QStringLiteral("/cpus-%1").arg(i), QStringList(), worker));
  }
  const auto picturesASecond = [&](std::size_t set, int count) {
    Core& core = *backends[set];
    const int finished = core.finished;
    QElapsedTimer time;
    time.start();
    core.remote->submit(realRun(model, count, sets[set], side, steps));
    waitFor([&] { return core.finished > finished; });
    return count * 1e9 / static_cast<double>(time.nsecsElapsed());
  };
  for (std::size_t set = 0; set < sets.size(); ++set) {
    picturesASecond(set, 4);  // loads
  }
  std::vector<qint64> pids;
  for (const auto& core : backends) {
    pids.push_back(core->remote->corePid().value_or(0));
  }
  constexpr double kQuiet = 0.02;
  std::vector<double> ratios;
  for (int round = 0; round < option(arguments, "--rounds", 7); ++round) {
    QElapsedTimer time;
    time.start();
    const double before = secondsOfOthers(pids);
    const double first = picturesASecond(0, jobs);
    const double both = picturesASecond(1, 2 * jobs);
    const double second = picturesASecond(2, jobs);
    const double others = (secondsOfOthers(pids) - before) / (static_cast<double>(time.nsecsElapsed()) / 1e9 * 2);
    const double ratio = both / (first + second);
    std::printf("alone %.3f and %.3f pictures/s, both at once %.3f: %.3f of their sum; others had %.1f %% of two cores\n", first,
                second, both, ratio, others * 100);
    std::fflush(stdout);
    if (others <= kQuiet) {
      ratios.push_back(ratio);
    }
  }
  if (ratios.empty()) {
    std::printf("no round was left alone; try again on a machine with nothing else to do\n");
    return;
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("two single-thread workers: %.3f times what each makes alone (median of %zu quiet rounds; %.3f to %.3f)\n",
              ratios[ratios.size() / 2], ratios.size(), ratios.front(), ratios.back());
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const QStringList arguments = QCoreApplication::arguments();
  const QTemporaryDir folder(qEnvironmentVariable("QUEUE_BENCH_FOLDER", "/dev/shm") + "/queue-bench-XXXXXX");
  qputenv("XDG_CACHE_HOME", QFile::encodeName(folder.path()));
  qputenv("XDG_RUNTIME_DIR", QFile::encodeName(folder.path()));
  const std::map<QString, void (*)(const QString&, const QStringList&)> parts{
      {"submit", benchSubmit},   {"workers", benchWorkers}, {"queued", benchQueued}, {"latency", benchLatency},
      {"scaling", benchScaling}, {"cpus", benchCpus},       {"cancel", benchCancel}};
  const auto part = parts.find(arguments.value(1));
  if (part == parts.end() || !folder.isValid()) {
    std::fprintf(stderr, "queue_bench submit|workers|queued|cancel|latency|scaling|cpus (tests/bench/README.md)\n");
    return 2;
  }
  part->second(folder.path(), arguments);
  return 0;
}
