#pragma once

#include <QElapsedTimer>
#include <QMap>
#include <QProcess>
#include <QTcpServer>
#include <memory>
#include <utility>
#include <vector>

namespace polyptych::tests {

inline constexpr int kPatienceMs = 60'000;

/// Processes of one group.
class GroupProcesses {
 public:
  GroupProcesses(int size, QString program, const QString& host = QStringLiteral("127.0.0.1"))
      : m_size(size), m_program(std::move(program)), m_host(host) {
    QTcpServer server;
    server.listen(QHostAddress::LocalHost);
    port = server.serverPort();
  }
  ~GroupProcesses() {
    for (const auto& process : m_all) {
      process->kill();
      process->waitForFinished(kPatienceMs);
    }
  }

  QProcess& start(int rank, const QStringList& arguments) {
    auto process = std::make_unique<QProcess>();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const auto& [name, value] : {std::pair("RANK", rank), std::pair("LOCAL_RANK", rank), std::pair("WORLD_SIZE", m_size),
                                      std::pair("LOCAL_WORLD_SIZE", m_size), std::pair("MASTER_PORT", int(port))}) {
      environment.insert(QLatin1String(name), QString::number(value));
    }
    environment.insert(QStringLiteral("MASTER_ADDR"), m_host);
    environment.insert(QStringLiteral("OMP_NUM_THREADS"), QStringLiteral("1"));
    process->setProcessEnvironment(environment);
    process->setProcessChannelMode(QProcess::SeparateChannels);
    process->start(m_program, arguments);
    m_all.push_back(std::move(process));
    return *m_all.back();
  }
  QProcess& of(int rank) { return *m_all[static_cast<std::size_t>(rank)]; }
  /// Everything that a process said.
  QByteArray end(int rank) {
    QProcess& process = of(rank);
    if (process.state() != QProcess::NotRunning && !process.waitForFinished(kPatienceMs)) {
      return "hangs";
    }
    m_said[rank] += process.readAllStandardOutput();
    if (process.exitStatus() == QProcess::CrashExit) {
      m_said[rank] += "ended by a signal, after saying: " + process.readAllStandardError();
    }
    return m_said[rank];
  }
  bool waitFor(int rank, const QByteArray& line) {
    QElapsedTimer clock;
    clock.start();
    while (clock.elapsed() < kPatienceMs) {
      m_said[rank] += of(rank).readAllStandardOutput();
      if (m_said[rank].contains(line + "\n")) {
        return true;
      }
      if (of(rank).state() == QProcess::NotRunning) {
        return false;
      }
      of(rank).waitForReadyRead(100);
    }
    return false;
  }

  quint16 port = 0;

 private:
  const int m_size;
  const QString m_program;
  const QString m_host;
  std::vector<std::unique_ptr<QProcess>> m_all;
  QMap<int, QByteArray> m_said;
};

}  // namespace polyptych::tests
