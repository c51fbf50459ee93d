#pragma once

#include <QObject>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"
#include "core/backend/backend.h"

namespace polyptych::cli {

/// `limits`: what the library's backend puts up with, and how to change it.
class LimitsCommand : public QObject {
  Q_OBJECT
 public:
  /// The backend outlives the command.
  LimitsCommand(const Arguments& arguments, backend::Backend& backend, QObject* parent = nullptr);

  /// ended() follows.
  void start();

 Q_SIGNALS:
  void ended(int exitCode);

 private:
  void onChanged(const pool::SupervisionLimits& limits);
  void tell(const pool::SupervisionLimits& limits);
  void fail(const base::Error& error);

  const Arguments m_arguments;
  backend::Backend& m_backend;
  std::optional<pool::SupervisionLimits> m_wanted;
  quint64 m_commandId = 0;
  bool m_isAsking = false;
};

}  // namespace polyptych::cli
