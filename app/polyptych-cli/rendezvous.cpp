#include "app/polyptych-cli/rendezvous.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int kUntilKilledMs = 2000;

QString number(std::chrono::milliseconds time) { return QString::number(time.count()); }

RankState stateOf(const QString& name) {
  return name == QLatin1String("working") ? RankState::Working
         : name == QLatin1String("left")  ? RankState::Left
         : name == QLatin1String("lost")  ? RankState::Lost
                                          : RankState::Absent;
}

}  // namespace

Rendezvous::Rendezvous(RendezvousOptions options, QObject* parent) : QObject(parent), m_options(std::move(options)) {
  m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
  connect(&m_process, &QProcess::readyReadStandardOutput, this, &Rendezvous::read);
  connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) {
      end({ErrorCode::NotFound, "The program '" + m_options.program.toStdString() + "' cannot be started.", {}});
    }
  });
  connect(&m_process, &QProcess::finished, this, [this] {
    read();
    end({ErrorCode::Io, "The process that speaks with the group's store has ended.", {}});
  });
}

Rendezvous::~Rendezvous() {
  m_hasEnded = true;
  m_process.disconnect(this);
  m_process.closeWriteChannel();
  if (!m_process.waitForFinished(kUntilKilledMs)) {
    m_process.kill();
    m_process.waitForFinished(kUntilKilledMs);
  }
}

void Rendezvous::start() {
  QStringList words{QStringLiteral("rendezvous"),    QStringLiteral("--host"),   m_options.host,  QStringLiteral("--port"),
                    QString::number(m_options.port), QStringLiteral("--prefix"), m_options.prefix};
  if (m_options.isServer) {
    words << QStringLiteral("--serve");
  }
  if (m_options.rank >= 0) {
    words << QStringLiteral("--rank") << QString::number(m_options.rank) << QStringLiteral("--size")
          << QString::number(m_options.size) << QStringLiteral("--join-timeout") << number(m_options.joinTimeout)
          << QStringLiteral("--dead-after") << number(m_options.deadAfter);
  }
  m_process.start(m_options.program, words);
}

void Rendezvous::publish(const QString& key, const QString& value) {
  send({{QStringLiteral("do"), QStringLiteral("publish")}, {QStringLiteral("key"), key}, {QStringLiteral("value"), value}});
}

void Rendezvous::fetch(const QString& key, std::chrono::milliseconds within) {
  send({{QStringLiteral("do"), QStringLiteral("fetch")},
        {QStringLiteral("key"), key},
        {QStringLiteral("within"), qint64(within.count())}});
}

void Rendezvous::append(const QString& list, const QString& value) {
  send({{QStringLiteral("do"), QStringLiteral("append")}, {QStringLiteral("list"), list}, {QStringLiteral("value"), value}});
}

void Rendezvous::watch(const QString& list) {
  send({{QStringLiteral("do"), QStringLiteral("watch")}, {QStringLiteral("list"), list}});
}

void Rendezvous::share(qint64 units) {
  send({{QStringLiteral("do"), QStringLiteral("share")}, {QStringLiteral("units"), units}});
}

void Rendezvous::lease() { send({{QStringLiteral("do"), QStringLiteral("lease")}}); }

void Rendezvous::finish(qint64 first, qint64 count) {
  send({{QStringLiteral("do"), QStringLiteral("finish")}, {QStringLiteral("first"), first}, {QStringLiteral("count"), count}});
}

void Rendezvous::release() { send({{QStringLiteral("do"), QStringLiteral("release")}}); }

void Rendezvous::tellStatus(const QString& text) {
  send({{QStringLiteral("do"), QStringLiteral("status")}, {QStringLiteral("text"), text}});
}

void Rendezvous::look() { send({{QStringLiteral("do"), QStringLiteral("look")}}); }

void Rendezvous::leave() { send({{QStringLiteral("do"), QStringLiteral("leave")}}); }

void Rendezvous::send(const QJsonObject& request) {
  if (!m_hasEnded) {
    m_process.write(QJsonDocument(request).toJson(QJsonDocument::Compact) + '\n');
  }
}

void Rendezvous::read() {
  while (!m_hasEnded && m_process.canReadLine()) {
    take(QJsonDocument::fromJson(m_process.readLine()).object());
  }
}

void Rendezvous::take(const QJsonObject& event) {
  const QString what = event[QLatin1String("event")].toString();
  const QString key = event[QLatin1String("key")].toString();
  const QString value = event[QLatin1String("value")].toString();
  const auto whole = [&event](const char* name) { return event[QLatin1String(name)].toInteger(); };
  if (what == QLatin1String("connected")) {
    Q_EMIT connected(static_cast<quint16>(whole("port")), whole("incarnation"));
  } else if (what == QLatin1String("published")) {
    Q_EMIT published(key, value);
  } else if (what == QLatin1String("value")) {
    Q_EMIT told(key, value);
  } else if (what == QLatin1String("item")) {
    Q_EMIT itemTold(event[QLatin1String("list")].toString(), value);
  } else if (what == QLatin1String("lease")) {
    Q_EMIT leased(whole("first"), whole("count"));
  } else if (what == QLatin1String("over")) {
    Q_EMIT isOver();
  } else if (what == QLatin1String("status")) {
    Q_EMIT statusTold(static_cast<int>(whole("rank")), event[QLatin1String("text")].toString());
  } else if (what == QLatin1String("rank")) {
    Q_EMIT rankChanged(static_cast<int>(whole("rank")), stateOf(event[QLatin1String("state")].toString()));
  } else if (what == QLatin1String("looked")) {
    Q_EMIT hasLooked();
  } else if (what == QLatin1String("left")) {
    Q_EMIT hasLeft();
  } else if (what == QLatin1String("failed") && !key.isEmpty()) {
    Q_EMIT fetchFailed(key);
  } else if (what == QLatin1String("failed")) {
    end({base::errorCodeFromString(event[QLatin1String("code")].toString().toStdString()),
         event[QLatin1String("message")].toString().toStdString(), event[QLatin1String("detail")].toString().toStdString()});
  }
}

void Rendezvous::end(Error error) {
  if (!m_hasEnded) {
    m_hasEnded = true;
    Q_EMIT failed(error);
  }
}

base::Result<QString> rendezvousProgram(const std::optional<std::string>& asked) {
  const QString here = QCoreApplication::applicationDirPath();
  const QStringList candidates =
      asked ? QStringList{QFile::decodeName(QByteArray::fromStdString(*asked))}
            : QStringList{here + QStringLiteral("/polyptych-worker"), here + QStringLiteral("/polyptych-worker-cuda")};
  for (const QString& candidate : candidates) {
    if (QFileInfo(candidate).isExecutable()) {
      return candidate;
    }
  }
  return Error{ErrorCode::NotFound,
               "Several processes need the store of LibTorch, which is in '" + candidates.front().toStdString() +
                   "', and that is not there. Build with LibTorch (packaging/run does).",
               {}};
}

}  // namespace polyptych::cli
