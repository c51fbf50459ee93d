#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <functional>
#include <optional>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/generate_plan.h"
#include "core/backend/backend.h"

namespace polyptych::cli {

/// `generate`, from the checked words to the last picture. Everything that can be known to be wrong is found before a folder is
/// made or a worker starts.
class GenerateCommand : public QObject {
  Q_OBJECT
 public:
  using ListDevices = std::function<std::vector<domain::DeviceInfo>()>;

  /// The backend and the printer outlive the command. The backend is called only once all is checked.
  GenerateCommand(Arguments arguments, backend::Backend& backend, EventPrinter& printer, ListDevices listDevices,
                  QObject* parent = nullptr);

  /// ended() follows, perhaps at once.
  void start();
  /// Ctrl-C: cancels the run, or ends at once if none has begun.
  void interrupt();

 Q_SIGNALS:
  void ended(int exitCode);

 private:
  std::optional<Refusal> prepareFolderAndSeed();
  std::optional<Refusal> chooseDevices();
  void onRunStarted(qint64 total, qint64 alreadyThere);
  void onQueueChanged(const backend::QueueStatus& status);
  void onLost(const base::Error& error);
  void onTraceMade(const QByteArray& bytes);
  void onRunFinished(const backend::RunSummary& summary);
  void refuse(const Refusal& refusal);
  void end(ExitCode code);

  Arguments m_arguments;
  backend::Backend& m_backend;
  EventPrinter& m_printer;
  ListDevices m_listDevices;
  backend::RunSpec m_spec;
  QString m_folder;  ///< where the pictures go, once it is known
  backend::PauseReason m_toldPause = backend::PauseReason::None;
  domain::GenerationRequest m_settings;
  std::optional<base::Error> m_traceProblem;
  std::uint64_t m_seed = 0;
  bool m_wasSeedDrawn = false;
  quint64 m_runId = 0;
  bool m_isRunning = false;
  bool m_hasStarted = false;
  bool m_hasEnded = false;
  QElapsedTimer m_clock;
};

}  // namespace polyptych::cli
