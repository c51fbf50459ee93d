#pragma once

#include <QObject>
#include <QSet>
#include <QThreadPool>

#include "core/backend/backend.h"
#include "ui/run_input.h"

namespace polyptych::ui {

class DeviceControl;
class MessageBar;
class OpenRuns;
class Preferences;
class RunForm;

/// Makes runs of what the form says, once its models were looked at on a thread, and gives them to the backend.
class RunStarter : public QObject {
  Q_OBJECT
 public:
  struct Parts {
    RunForm& form;
    DeviceControl& devices;
    OpenRuns& runs;
    MessageBar& messages;
    const Preferences& preferences;
  };
  /// All outlive it.
  RunStarter(backend::Backend& backend, const Parts& parts, DescribeModel describeModel, QObject* parent = nullptr);
  ~RunStarter() override;

  /// @param isInFront  before all that waits
  void start(bool isInFront);
  void submit(backend::RunSpec spec, bool isInFront = false);
  /// Models are being looked at.
  bool isChecking() const { return m_isChecking; }
  /// There is no backend any more.
  void lose() { m_isLost = true; }

 Q_SIGNALS:
  void checkingChanged();
  void submitted(quint64 runId);
  /// Nothing is ticked that could do it.
  void devicesMissing();

 private:
  void take(std::variant<std::vector<backend::RunSpec>, Refusal> specs, bool isInFront);

  backend::Backend& m_backend;
  const Parts m_parts;
  DescribeModel m_describeModel;
  QSet<quint64> m_inFront;  ///< runs that are to be made before the others, once the backend has them
  bool m_isChecking = false;
  bool m_isLost = false;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
