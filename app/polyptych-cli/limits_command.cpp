#include "app/polyptych-cli/limits_command.h"

#include <QJsonDocument>
#include <QJsonObject>

#include "app/polyptych-cli/query_commands.h"
#include "core/backend/limits_text.h"

namespace polyptych::cli {

using base::Error;
using base::ErrorCode;
using base::Result;

LimitsCommand::LimitsCommand(const Arguments& arguments, backend::Backend& backend, QObject* parent)
    : QObject(parent), m_arguments(arguments), m_backend(backend) {
  using backend::Backend;
  connect(&m_backend, &Backend::limitsChanged, this, &LimitsCommand::onChanged);
  connect(&m_backend, &Backend::commandDone, this, [this](const backend::CommandResult& result) {
    if (result.commandId != m_commandId || m_commandId == 0) {
      return;
    }
    result.error ? fail(*result.error) : tell(*m_wanted);
  });
  connect(&m_backend, &Backend::lost, this, &LimitsCommand::fail);
}

void LimitsCommand::start() {
  m_isAsking = true;
  m_backend.refresh();
}

void LimitsCommand::onChanged(const pool::SupervisionLimits& limits) {
  if (!std::exchange(m_isAsking, false)) {
    return;
  }
  if (m_arguments.limits.empty()) {
    tell(limits);
    return;
  }
  QByteArray json = "{";
  for (const std::string& assignment : m_arguments.limits) {
    const QByteArray text = QByteArray::fromStdString(assignment);
    const qsizetype equals = text.indexOf('=');
    if (equals < 1) {
      fail({ErrorCode::InvalidArgument, "limits takes NAME=VALUE; without any it shows the names.", {}});
      return;
    }
    json += (json.size() > 1 ? "," : "") + ("\"" + text.left(equals) + "\":" + text.mid(equals + 1));
  }
  const Result<pool::SupervisionLimits> wanted = backend::limitsFromJson(json + "}", limits);
  if (!wanted) {
    fail(wanted.error());
    return;
  }
  m_wanted = *wanted;
  backend::Command command;
  command.kind = backend::Command::Kind::SetLimits;
  command.limits = m_wanted;
  m_commandId = m_backend.control(command);
}

void LimitsCommand::tell(const pool::SupervisionLimits& limits) {
  const QByteArray json = backend::toJson(limits);
  if (m_arguments.json) {
    Q_EMIT ended(static_cast<int>(answer(json.toStdString() + "\n")));
    return;
  }
  std::string text;
  const QJsonObject object = QJsonDocument::fromJson(json).object();
  for (auto entry = object.begin(); entry != object.end(); ++entry) {
    const QByteArray value = QJsonDocument(QJsonObject{{QStringLiteral("v"), entry.value()}}).toJson(QJsonDocument::Compact);
    text += entry.key().toStdString() + "=" + value.mid(5, value.size() - 6).toStdString() + "\n";
  }
  Q_EMIT ended(static_cast<int>(answer(text)));
}

void LimitsCommand::fail(const Error& error) {
  complain(error);
  Q_EMIT ended(static_cast<int>(error.code == ErrorCode::InvalidArgument ? ExitCode::WrongUsage : ExitCode::SomeFailed));
}

}  // namespace polyptych::cli
