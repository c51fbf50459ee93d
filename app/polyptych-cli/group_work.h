#pragma once

#include <QObject>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/exit_code.h"
#include "app/polyptych-cli/rendezvous.h"
#include "core/backend/remote_backend.h"
#include "core/queue/units.h"

namespace polyptych::cli {

/// What one rank of a group makes: shares of the run's units, leased one after the other or fixed, in a library of its own with
/// one worker on its device.
class GroupWork : public QObject {
  Q_OBJECT
 public:
  /// @param run  whole, with its one slot
  /// @param isFinished  by position in the run's list, when the run began
  /// @param rendezvous, printer  outlive the work
  GroupWork(backend::RunSpec run, std::vector<bool> isFinished, int rank, Split split, Rendezvous& rendezvous,
            EventPrinter& printer, QObject* parent = nullptr);
  ~GroupWork() override;

  /// Units that were to be made when the run began; the numbers of leases are positions in it.
  std::size_t pending() const { return m_pending.size(); }
  /// Finished in another machine's folder.
  void skip(const std::vector<bool>& isElsewhere);
  std::size_t skipped() const;
  std::size_t pictures() const { return m_run.requests.size(); }

  /// @param backend  of this rank's library
  void begin(std::unique_ptr<backend::RemoteBackend> backend);
  /// Makes what the rendezvous leases, until it is over.
  void beginLeases();
  /// Makes the share that accelerate's rule gives this rank, over the prompts.
  void beginShare(int size);
  void onLeased(qint64 first, qint64 count);
  /// There is nothing more to lease.
  void onOver();
  /// Stops within a step; what is made stays. hasLeft() follows.
  void interrupt();
  /// Closes its files at once. No signal follows.
  void close();
  /// No signal follows, and the user is told nothing more.
  void stopTelling();

  bool isInterrupted() const { return m_isInterrupted; }
  bool hasSubmitted() const { return m_hasSubmitted; }
  /// Its files are closed, or were never open.
  bool isClosed() const { return m_backend == nullptr; }
  qint64 made() const { return m_made; }
  qint64 failed() const { return m_failed; }
  ExitCode exitCode() const { return m_exitCode; }
  const QString& deviceState() const { return m_deviceState; }

 Q_SIGNALS:
  /// Nothing is left to make for this rank, and its files are closed.
  void hasLeft();
  /// Its backend is gone.
  void lost(const polyptych::base::Error& error);

 private:
  struct Lease {
    qint64 first = 0;
    qint64 count = 0;
  };

  bool isMain() const { return m_rank == 0; }
  bool isUnitFinished(std::size_t unit) const;
  void noteProgress(quint64 runId);
  void wantMore();
  void submit(const std::vector<std::size_t>& units, std::optional<Lease> lease);
  void onRunFinished(const backend::RunSummary& summary);
  void onQueueChanged(const backend::QueueStatus& status);
  void giveUp(const base::Error& error, ExitCode code);
  void leaveSoon();
  void leaveIfDone();

  const backend::RunSpec m_run;
  std::vector<bool> m_isFinished;   ///< by position, when the run began
  std::vector<bool> m_isElsewhere;  ///< by position
  const int m_rank;
  const Split m_split;
  Rendezvous& m_rendezvous;
  EventPrinter& m_printer;
  std::unique_ptr<backend::RemoteBackend> m_backend;
  const std::vector<queue::Unit> m_units;            ///< of the whole run
  std::vector<std::size_t> m_pending;                ///< numbers of units
  std::map<quint64, std::optional<Lease>> m_inWork;  ///< by the run in this rank's library
  std::map<quint64, std::size_t> m_picturesLeft;     ///< by the same
  qint64 m_made = 0;
  qint64 m_failed = 0;
  qint64 m_lastLease = 0;  ///< its units
  bool m_isLeaseWanted = false;
  bool m_isOver = false;  ///< there is nothing more for this rank to make
  bool m_isInterrupted = false;
  bool m_hasSubmitted = false;
  backend::PauseReason m_toldPause = backend::PauseReason::None;
  QString m_deviceState;
  ExitCode m_exitCode = ExitCode::AllMade;
};

}  // namespace polyptych::cli
