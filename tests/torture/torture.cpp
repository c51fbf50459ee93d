// torture [--seed N] [--kills N] [--jobs N] [--workers N] [--faces N] [--step-ms N] [--gap-ms N] [--side N] [--steps N]
//   [--worker PROGRAM --model FOLDER] [--folder DIR]: README.md.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QProcess>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tests/backend/library_faults.h"
#include "tests/support/fail_here.h"
#include "tests/torture/torture_plan.h"

namespace {

using namespace polyptych;
using tests::TorturePlan;

constexpr int kStalledMs = 60000;
constexpr int kLeavingMs = 20000;
constexpr int kTickMs = 2;
/// How long an armed fail point is waited for, in mean times between two ends, before the process that has it is ended otherwise.
constexpr int kArmedGaps = 13;

struct Process {
  qint64 pid = 0;
  QByteArray name;
  bool isZombie = false;
  /// Of a process of its own name: LeakSanitizer's tracer, say, which holds its parent still until it is done. It is not for this
  /// program to end.
  bool isHelper = false;
};

/// All processes below one, at any depth.
std::vector<Process> descendants(qint64 root) {
  std::vector<Process> found;
  std::vector<std::pair<qint64, QByteArray>> todo{{root, {}}};
  while (!todo.empty()) {
    const auto [parent, parentName] = todo.back();
    todo.pop_back();
    const QString tasks = QStringLiteral("/proc/%1/task").arg(parent);
    for (const QString& task : QDir(tasks).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
      for (const QByteArray& child : tests::bytesOf(tasks + '/' + task + "/children").simplified().split(' ')) {
        if (child.isEmpty()) {
          continue;
        }
        const QByteArray stat = tests::bytesOf(QStringLiteral("/proc/%1/stat").arg(QString::fromLatin1(child)));
        const qsizetype open = stat.indexOf('(');
        const qsizetype close = stat.lastIndexOf(')');
        if (open > 0 && close > open) {
          const QByteArray name = stat.mid(open + 1, close - open - 1);
          found.push_back({child.toLongLong(), name, stat.mid(close + 2, 1) == "Z", name == parentName});
          todo.emplace_back(child.toLongLong(), name);
        }
      }
    }
  }
  return found;
}

bool isCore(const Process& process) { return process.name == QByteArray("polyptych_torture_core").left(15); }

/// One library and its faces, from the first submit to the end of every process.
class Torture : public QObject {
 public:
  Torture(const TorturePlan& plan, QString library, QString failFile)
      : m_plan(plan),
        m_runs(static_cast<int>(plan.runs().size())),
        m_library(std::move(library)),
        m_failFile(std::move(failFile)),
        m_workerName(QFile::encodeName(QFileInfo(plan.workerProgram()).fileName()).left(15)),
        m_random(plan.seed) {
    for (int face = 0; face < plan.faces; ++face) {
      m_faces.push_back(std::make_unique<QProcess>());
      startFace(face);
    }
    connect(&m_tick, &QTimer::timeout, this, &Torture::tick);
    m_tick.start(kTickMs);
    m_sinceNews.start();
    m_sinceKill.start();
  }

  ~Torture() override {
    for (const auto& face : m_faces) {
      face->disconnect(this);
    }
    for (const Process& process : descendants(::getpid())) {
      ::kill(static_cast<pid_t>(process.pid), SIGKILL);
    }
  }

  QString problem() const { return m_problem; }
  int kills() const { return m_kills; }
  const std::map<QByteArray, int>& killsOf() const { return m_killsOf; }

 private:
  bool isWorker(const Process& process) const { return process.name == m_workerName; }

  void startFace(int number) {
    QProcess* face = m_faces[static_cast<std::size_t>(number)].get();
    face->disconnect(this);
    connect(face, &QProcess::readyReadStandardOutput, this, [this, face] {
      while (face->canReadLine()) {
        hear(face->readLine().trimmed());
      }
    });
    connect(face, &QProcess::finished, this, [this, number](int code, QProcess::ExitStatus status) {
      if (status == QProcess::NormalExit && code != 0) {
        fail(QStringLiteral("face %1 ended with %2").arg(number).arg(code));
      } else if (!m_isLeaving) {
        QTimer::singleShot(0, this, [this, number] { startFace(number); });
      }
    });
    face->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    face->start(QCoreApplication::applicationFilePath(),
                m_plan.arguments() + QStringList{"--face", QString::number(number), m_library, m_failFile});
    face->write("go " + QByteArray::number(m_allowed) + '\n');
  }

  void hear(const QByteArray& line) {
    m_sinceNews.restart();
    if (line.startsWith("finished ")) {
      m_finished.insert(line.mid(9).toInt());
    } else if (line.startsWith("lost ")) {
      fail(QString::fromUtf8(line));
    }
  }

  void fail(const QString& problem) {
    if (m_problem.isEmpty()) {
      m_problem = problem;
    }
    m_tick.stop();
    QCoreApplication::exit(1);
  }

  void tick() {
    const std::vector<Process> all = descendants(::getpid());
    reap(all);
    // As much work as there were ends, so that the ends meet work to the last; and a run behind them all, so that a backend comes
    // again after the last one and leaves the library in order.
    const int allowed = m_kills >= m_plan.kills ? m_runs : std::min(std::max(1, m_runs - 1), 1 + m_kills * m_runs / m_plan.kills);
    if (allowed > m_allowed) {
      m_allowed = allowed;
      for (const auto& face : m_faces) {
        face->write("go " + QByteArray::number(m_allowed) + '\n');
      }
    }
    if (m_isLeaving) {
      if (all.empty()) {
        QCoreApplication::exit(0);
      } else if (m_sinceLeaving.elapsed() > kLeavingMs) {
        QString names;
        for (const Process& process : all) {
          names += QString::fromUtf8(process.name) + (process.isZombie ? " (zombie) " : " ");
        }
        fail("left running: " + names);
      }
      return;
    }
    if (m_sinceNews.elapsed() > kStalledMs) {
      fail(QStringLiteral("nothing was finished for %1 s; %2 of %3 runs are")
               .arg(kStalledMs / 1000)
               .arg(m_finished.size())
               .arg(m_allowed));
      return;
    }
    countFailPoints();
    if (m_kills < m_plan.kills) {
      killSomething(all);
    } else if (static_cast<int>(m_finished.size()) == m_runs) {
      m_isLeaving = true;
      m_sinceLeaving.start();
      for (const auto& face : m_faces) {
        face->write("quit\n");
      }
    }
  }

  /// Orphans come to this process and are ended by it.
  void reap(const std::vector<Process>& all) {
    for (const Process& process : all) {
      const bool isFace =
          std::any_of(m_faces.begin(), m_faces.end(), [&](const auto& face) { return face->processId() == process.pid; });
      if (process.isZombie && !isFace && (isCore(process) || isWorker(process))) {
        ::waitpid(static_cast<pid_t>(process.pid), nullptr, WNOHANG);
      }
    }
  }

  void countFailPoints() {
    const QByteArrayList steps = tests::bytesOf(m_failFile + ".log").split('\n');
    for (; m_failPoints + 1 < steps.size(); ++m_failPoints) {
      ++m_kills;
      ++m_killsOf["at " + steps[m_failPoints]];
      m_isArmed = false;
      m_sinceKill.restart();
    }
  }

  void killSomething(const std::vector<Process>& all) {
    const bool isAwaited = m_isArmed && m_sinceArmed.elapsed() < kArmedGaps * m_plan.gapMs;
    if (m_sinceKill.elapsed() < m_gap || (isAwaited && m_isAlone)) {
      return;
    }
    std::vector<qint64> cores;
    std::vector<qint64> workers;
    for (const Process& process : all) {
      if (!process.isZombie && !process.isHelper && (isCore(process) || isWorker(process))) {
        (isCore(process) ? cores : workers).push_back(process.pid);
      }
    }
    const int dice = static_cast<int>(m_random.bounded(100));
    if (dice < 35) {
      if (!workers.empty()) {
        end("worker", workers[m_random.bounded(static_cast<quint32>(workers.size()))]);
      }
    } else if (dice < 45) {
      QProcess& face = *m_faces[m_random.bounded(static_cast<quint32>(m_faces.size()))];
      if (face.state() == QProcess::Running) {
        end("face", face.processId());
      }
    } else if (isAwaited) {
      return;
    } else if (!cores.empty()) {
      if (dice < 85) {
        arm();
      }
      end("backend", cores[m_random.bounded(static_cast<quint32>(cores.size()))]);
    }
  }

  /// The next backend ends itself at a step.
  void arm() {
    const auto step = tests::kFailPoints[m_random.bounded(static_cast<quint32>(std::size(tests::kFailPoints)))];
    const QByteArray text = QByteArray(step) + ':' + QByteArray::number(1 + m_random.bounded(4));
    QFile file(m_failFile + ".new");
    if (file.open(QIODevice::WriteOnly) && file.write(text) == text.size()) {
      file.close();
      QFile::remove(m_failFile);
      QFile::rename(file.fileName(), m_failFile);
      m_isArmed = true;
      m_isAlone = m_random.bounded(4) != 0;
      m_sinceArmed.start();
    }
  }

  void end(const QByteArray& what, qint64 pid) {
    if (::kill(static_cast<pid_t>(pid), SIGKILL) != 0) {
      return;
    }
    ++m_kills;
    ++m_killsOf[what];
    m_gap = static_cast<int>(m_random.bounded(2 * m_plan.gapMs));
    m_sinceKill.restart();
  }

  const TorturePlan m_plan;
  const int m_runs;
  const QString m_library;
  const QString m_failFile;
  const QByteArray m_workerName;  ///< as the kernel cuts it
  QRandomGenerator m_random;
  std::vector<std::unique_ptr<QProcess>> m_faces;
  QTimer m_tick;
  QElapsedTimer m_sinceNews;
  QElapsedTimer m_sinceKill;
  QElapsedTimer m_sinceArmed;
  QElapsedTimer m_sinceLeaving;
  std::set<int> m_finished;
  std::map<QByteArray, int> m_killsOf;
  QString m_problem;
  qsizetype m_failPoints = 0;
  int m_kills = 0;
  int m_gap = 0;
  int m_allowed = 0;
  bool m_isArmed = false;
  bool m_isAlone = false;  ///< nothing else is ended while the fail point is waited for
  bool m_isLeaving = false;
};

QStringList leftIn(const QString& folder) {
  QStringList left;
  for (const QString& name : QDir(folder).entryList(QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot)) {
    left << "left over: " + folder + '/' + name;
  }
  return left;
}

int torture(const TorturePlan& plan, const QString& folder) {
  std::printf("torture %s\n", qPrintable(plan.arguments().join(' ')));
  std::fflush(stdout);
  for (const char* name : {"runtime", "cache", "calm", "killed"}) {
    QDir().mkpath(folder + '/' + name);
  }
  QFile::setPermissions(folder + "/runtime", QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
  qputenv("XDG_RUNTIME_DIR", QFile::encodeName(folder + "/runtime"));
  qputenv("XDG_CACHE_HOME", QFile::encodeName(folder + "/cache"));
  const auto work = [&](const TorturePlan& doing, const QString& name, QStringList& faults) {
    QElapsedTimer time;
    time.start();
    Torture one(doing, folder + '/' + name, folder + "/fail-" + name);
    if (QCoreApplication::exec() != 0) {
      faults << name + ": " + one.problem();
    }
    std::printf("%s: %.1f s, %d kills", qPrintable(name), static_cast<double>(time.elapsed()) / 1000, one.kills());
    for (const auto& [what, count] : one.killsOf()) {
      std::printf(", %d %s", count, what.constData());
    }
    std::printf("\n");
    std::fflush(stdout);
  };
  QStringList faults;
  TorturePlan calm = plan;
  calm.kills = 0;
  work(calm, "calm", faults);
  if (faults.isEmpty()) {
    work(plan, "killed", faults);
  }
  const auto location = [&](const char* name) {
    return library::locationAt(folder + '/' + name, library::Location::Layout::Dated);
  };
  if (faults.isEmpty()) {
    QMap<quint64, tests::Pictures> expected;
    const auto folders = tests::foldersOf(location("calm"));
    for (int run = 0; run < static_cast<int>(plan.runs().size()); ++run) {
      const quint64 id = tests::tortureRunId(plan, run);
      expected[id] = tests::picturesIn(folders.value(id));
      if (expected[id].size() != static_cast<qsizetype>(tests::tortureRun(plan, run).requests.size())) {
        faults << QStringLiteral("calm: run %1 has %2 pictures").arg(run).arg(expected[id].size());
      }
    }
    faults << tests::faultsOf(location("killed"), expected) << leftIn(folder + "/runtime");
  }
  for (const QString& fault : faults.mid(0, 50)) {
    std::printf("FAULT %s\n", qPrintable(fault));
  }
  std::printf("%lld faults\n", static_cast<long long>(faults.size()));
  return faults.isEmpty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  QStringList arguments = QCoreApplication::arguments().mid(1);
  TorturePlan plan;
  plan.seed = QRandomGenerator::system()->bounded(1u << 20);
  const QString wrong = plan.take(arguments);
  if (arguments.value(0) == QLatin1String("--face")) {
    return tests::runTortureFace(plan, arguments.value(1).toInt(), arguments.value(2), arguments.value(3));
  }
  QString folder;
  if (arguments.value(0) == QLatin1String("--folder") && arguments.size() == 2) {
    folder = QDir(arguments[1]).absolutePath();
    arguments.clear();
  }
  if (!wrong.isEmpty() || !arguments.isEmpty()) {
    std::fprintf(stderr, "torture: %s (tests/torture/README.md)\n",
                 qPrintable(wrong.isEmpty() ? "not known: " + arguments.join(' ') : wrong));
    return 2;
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  QTemporaryDir temporary;
  const int code = torture(plan, folder.isEmpty() ? temporary.path() : folder);
  return code;
}
