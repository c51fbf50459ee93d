#include "app/polyptych-cli/launch_command.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <QProcessEnvironment>
#include <QTimer>
#include <algorithm>
#include <map>

#include "app/polyptych-cli/query_commands.h"
#include "core/backend/backend.h"
#include "core/devices/device_list.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;

constexpr char kThisMachine[] = "127.0.0.1";
constexpr int kPauseBeforeRestartMs = 500;
constexpr int kUntilKilledMs = 10'000;

}  // namespace

LaunchCommand::LaunchCommand(Arguments arguments, QString program, QString rendezvous, ListDevices listDevices, QObject* parent)
    : QObject(parent),
      m_arguments(std::move(arguments)),
      m_program(std::move(program)),
      m_rendezvousProgram(std::move(rendezvous)),
      m_listDevices(std::move(listDevices)) {}

LaunchCommand::~LaunchCommand() {
  for (Rank& rank : m_ranks) {
    if (rank.process) {
      rank.process->disconnect(this);
      rank.process->kill();
      rank.process->waitForFinished(kUntilKilledMs);
    }
  }
}

void LaunchCommand::start() {
  const LaunchArguments& asked = m_arguments.launch;
  if (asked.processes) {
    m_onMachine = *asked.processes / asked.machines;
  } else {
    const auto slots =
        domain::chooseDevices(asked.cpu ? "cpu" : asked.devices.value_or(""), m_listDevices(), devices::usableCores());
    if (!slots) {
      complain({ErrorCode::InvalidArgument, "--devices: " + slots.error().message, {}});
      end(ExitCode::WrongUsage);
      return;
    }
    m_onMachine = static_cast<int>(slots->size());
  }
  m_runId = QString::number(backend::newRunId(), 16);
  if (asked.machineRank > 0) {
    startAll(static_cast<quint16>(*asked.mainPort));
    return;
  }
  RendezvousOptions options;
  options.program = m_rendezvousProgram;
  options.host = QString::fromStdString(asked.mainAddress.value_or(kThisMachine));
  options.port = static_cast<quint16>(asked.mainPort.value_or(0));
  options.isServer = true;
  m_store = std::make_unique<Rendezvous>(options);
  connect(m_store.get(), &Rendezvous::connected, this, [this](quint16 port, qint64) { startAll(port); });
  connect(m_store.get(), &Rendezvous::failed, this, [this](const Error& error) {
    complain(error);
    stopAll(ExitCode::SomeFailed);
  });
  m_store->start();
}

void LaunchCommand::startAll(quint16 port) {
  m_port = port;
  m_ranks.resize(static_cast<std::size_t>(m_onMachine));
  for (int local = 0; local < m_onMachine; ++local) {
    m_ranks[static_cast<std::size_t>(local)].rank = m_arguments.launch.machineRank * m_onMachine + local;
  }
  for (Rank& rank : m_ranks) {
    startRank(rank);
  }
  Q_EMIT started();
}

void LaunchCommand::startRank(Rank& rank) {
  const LaunchArguments& asked = m_arguments.launch;
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  const std::map<const char*, QString> variables{
      {"RANK", QString::number(rank.rank)},
      {"LOCAL_RANK", QString::number(rank.rank % m_onMachine)},
      {"WORLD_SIZE", QString::number(m_onMachine * asked.machines)},
      {"LOCAL_WORLD_SIZE", QString::number(m_onMachine)},
      {"MASTER_ADDR", QString::fromStdString(asked.mainAddress.value_or(kThisMachine))},
      {"MASTER_PORT", QString::number(m_port)},
      {"TORCHELASTIC_USE_AGENT_STORE", QStringLiteral("True")},
      {"TORCHELASTIC_RESTART_COUNT", QStringLiteral("0")},  // a rank that comes again is in the same group
      {"TORCHELASTIC_RUN_ID", asked.machines > 1 ? QStringLiteral("launch") : m_runId}};
  for (const auto& [name, value] : variables) {
    environment.insert(QLatin1String(name), value);
  }
  QStringList words;
  for (const std::string& word : asked.words) {
    words << QString::fromStdString(word);
  }
  const std::string devices = asked.cpu ? "cpu" : asked.devices.value_or("");
  if (!devices.empty()) {
    words.insert(1, QStringLiteral("--devices=") + QString::fromStdString(devices));
  }
  if (m_arguments.rendezvous) {
    words.insert(1, QStringLiteral("--rendezvous=") + QString::fromStdString(*m_arguments.rendezvous));
  }
  rank.process = std::make_unique<QProcess>();
  rank.process->setProcessEnvironment(environment);
  rank.process->setProcessChannelMode(QProcess::ForwardedChannels);
  rank.process->setInputChannelMode(QProcess::ForwardedInputChannel);
  // Ctrl-C comes to this program, which tells them once; they end with it whatever ends it.
  rank.process->setChildProcessModifier([] {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  });
  connect(rank.process.get(), &QProcess::finished, this,
          [this, &rank](int code, QProcess::ExitStatus status) { onFinished(rank, code, status); });
  connect(rank.process.get(), &QProcess::errorOccurred, this, [this, &rank](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) {
      // Later: the caller goes through the ranks.
      QMetaObject::invokeMethod(
          this, [this, &rank] { onNotStarted(rank); }, Qt::QueuedConnection);
    }
  });
  rank.process->start(m_program, words);
}

void LaunchCommand::onFinished(Rank& rank, int code, QProcess::ExitStatus status) {
  const bool hasCrashed = status == QProcess::CrashExit;
  if (hasCrashed && !m_isStopping && rank.restarts < m_arguments.launch.maxRestarts) {
    ++rank.restarts;
    complain({ErrorCode::WorkerDied,
              "Rank " + std::to_string(rank.rank) + " was ended by signal " + std::to_string(code) + "; it is started again (" +
                  std::to_string(rank.restarts) + " of " + std::to_string(m_arguments.launch.maxRestarts) + ").",
              {}});
    QTimer::singleShot(kPauseBeforeRestartMs, this, [this, &rank] {
      if (!m_isStopping) {
        startRank(rank);
      } else {
        onFinished(rank, static_cast<int>(ExitCode::Interrupted), QProcess::NormalExit);
      }
    });
    return;
  }
  leave(rank, hasCrashed ? ExitCode::SomeFailed : static_cast<ExitCode>(code));
}

/// No process, or not another one: too many of them, or the program was replaced. The others go on.
void LaunchCommand::onNotStarted(Rank& rank) {
  complain({ErrorCode::Io,
            "Rank " + std::to_string(rank.rank) + " cannot be started (" + rank.process->errorString().toStdString() +
                "). Check that '" + m_program.toStdString() + "' is there and that more processes may be started.",
            {}});
  leave(rank, ExitCode::SomeFailed);
}

void LaunchCommand::leave(Rank& rank, ExitCode own) {
  rank.isDone = true;
  if (own != ExitCode::AllMade && m_code == ExitCode::AllMade) {
    m_code = own;
  }
  // A process that was wrongly started, or has no model, cannot be waited for by the others.
  if (!m_isStopping && (own == ExitCode::WrongUsage || own == ExitCode::ModelUnusable)) {
    stopAll(own);
  }
  if (std::all_of(m_ranks.begin(), m_ranks.end(), [](const Rank& one) { return one.isDone; })) {
    end(m_code);
  }
}

void LaunchCommand::stopAll(ExitCode code) {
  m_isStopping = true;
  m_code = m_code == ExitCode::AllMade ? code : m_code;
  bool isAnyLeft = false;
  for (Rank& rank : m_ranks) {
    if (!rank.isDone && rank.process) {
      isAnyLeft = true;
      rank.process->terminate();
    }
  }
  if (!isAnyLeft) {
    end(m_code);
  }
}

void LaunchCommand::interrupt() { stopAll(ExitCode::Interrupted); }

void LaunchCommand::end(ExitCode code) {
  if (!m_hasEnded) {
    m_hasEnded = true;
    Q_EMIT ended(static_cast<int>(code));
  }
}

}  // namespace polyptych::cli
