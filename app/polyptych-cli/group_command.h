#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QSet>
#include <QTimer>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/generate_plan.h"
#include "app/polyptych-cli/rendezvous.h"
#include "core/backend/remote_backend.h"
#include "core/cluster/launch_environment.h"
#include "core/gallery/join_parts.h"
#include "core/queue/units.h"

namespace polyptych::cli {

/// What GroupCommand is given by the program.
struct GroupTools {
  std::function<std::vector<domain::DeviceInfo>()> listDevices;
  /// The backend of one rank's part of the run. @param folder  of its library; it ends with this process
  /// @param workerArguments  for its worker, beside those that were typed
  std::function<std::unique_ptr<backend::RemoteBackend>(const QString& folder, const QStringList& workerArguments)> makeBackend;
  QString rendezvous;  ///< rendezvousProgram()
};

/// `generate` as one of several processes that a launcher has started. Each rank makes its share in a library of its own below
/// the folder of the run, with one worker on its device; shares are leased through the group's store (pull) or fixed (static). No
/// rank waits for another before the last picture; then rank 0 joins the parts. Rank 0 tells the user; the others only of
/// trouble.
class GroupCommand : public QObject {
  Q_OBJECT
 public:
  /// The printer outlives the command.
  GroupCommand(Arguments arguments, cluster::LaunchEnvironment environment, EventPrinter& printer, GroupTools tools,
               QObject* parent = nullptr);
  ~GroupCommand() override;

  /// ended() follows, perhaps at once.
  void start();
  /// Ctrl-C: stops within a step. What is made stays, for the same command to go on with.
  void interrupt();

 Q_SIGNALS:
  void started();
  void ended(int exitCode);

 private:
  /// What rank 0 has fixed for all.
  struct Agreement {
    std::uint64_t seed = 0;
    bool wasSeedDrawn = false;
    int threads = 1;
    domain::ComputeType computeType = domain::ComputeType::Fp32;
    QString fingerprint;
    Weights weights = Weights::Files;
    bool isGpu = false;            ///< rank 0's device
    std::vector<bool> isFinished;  ///< by position in the run's list, when the run began
  };
  struct Lease {
    qint64 first = 0;
    qint64 count = 0;
  };
  /// What another rank told of itself last.
  struct Remote {
    RankState state = RankState::Absent;
    QString host;
    qint64 made = 0;
    qint64 failed = 0;
    bool isShared = true;
  };

  bool isMain() const { return m_environment.rank == 0; }
  std::optional<Refusal> prepare();
  std::optional<Refusal> chooseDevice();
  void onConnected(qint64 incarnation);
  void lead(int look);
  std::optional<Refusal> leadNow();
  void onTold(const QString& key, const QString& value);
  void lookForSite(int look);
  void settle();
  std::optional<Refusal> holdFolder();
  std::optional<Refusal> writeList(const QString& fingerprint);
  base::Result<void> writeSiteFile();
  void onAgreement(const QString& text);
  std::optional<Refusal> agree(const QString& text);
  QStringList weightArguments() const;
  void leaveWeights(const std::string& why);
  void begin();
  void takeElsewhere(const QString& text);
  void noteProgress(quint64 runId);
  void wantMore();
  void onLeased(qint64 first, qint64 count);
  void submit(const std::vector<std::size_t>& units, std::optional<Lease> lease);
  void onRunFinished(const backend::RunSummary& summary);
  void onQueueChanged(const backend::QueueStatus& status);
  void giveUpWork(const base::Error& error, ExitCode code);
  void onLost(const base::Error& error);
  void leaveWork();
  void leaveNow();
  void endIfAlone();
  void onVerdict(const QString& text);
  void endTooLate(const QString& verdict);
  void endIfHeard();
  std::chrono::milliseconds absentLimit() const;
  base::Result<gallery::JoinedRun> join();
  void finishRun();
  void tellOthers();
  void tellProgress();
  void refuse(const Refusal& refusal);
  void fail(const base::Error& error);
  void end(ExitCode code);
  gallery::FolderRun wholeRun() const;
  bool isUnitFinished(std::size_t unit) const;
  QString siteFile(const QString& nonce) const;

  Arguments m_arguments;
  const cluster::LaunchEnvironment m_environment;
  EventPrinter& m_printer;
  const GroupTools m_tools;
  backend::RunSpec m_spec;
  domain::GenerationRequest m_settings;
  QString m_folder;
  QString m_part;  ///< folder of this rank's library
  std::unique_ptr<Rendezvous> m_rendezvous;
  std::unique_ptr<backend::RemoteBackend> m_backend;
  bool m_isSiteShared = true;                     ///< this rank's folder is rank 0's
  bool m_isSiteLeader = false;                    ///< joins the parts of its machine's folder
  bool m_wasSiteLed = false;                      ///< before this rank was started again
  std::unique_ptr<gallery::FolderHandle> m_hold;  ///< of a site's leader, while the run is made
  QString m_nonce;
  QString m_told;  ///< the agreement's text
  std::optional<Agreement> m_agreement;
  std::vector<queue::Unit> m_units;                  ///< of the whole run
  std::vector<std::size_t> m_pending;                ///< numbers of units that were to be made when the run began
  std::vector<bool> m_isElsewhere;                   ///< by position: finished in another machine's folder
  std::map<quint64, std::optional<Lease>> m_inWork;  ///< by the run in this rank's library
  std::map<quint64, std::size_t> m_picturesLeft;
  qint64 m_made = 0;
  qint64 m_failed = 0;
  backend::PauseReason m_toldPause = backend::PauseReason::None;
  qint64 m_lastLease = 0;  ///< its units
  bool m_isLeaseWanted = false;
  bool m_isOver = false;  ///< there is nothing more for this rank to make
  bool m_isInterrupted = false;
  bool m_hasSubmitted = false;
  quint16 m_storePort = 0;
  qint64 m_incarnation = 1;
  bool m_hasLeft = false;
  bool m_hasEnded = false;
  bool m_isJoined = false;
  bool m_hasLooked = false;  ///< at the others, since the last picture of its own
  bool m_areAbsentTold = false;
  QElapsedTimer m_sinceVerdict;
  QSet<QString> m_hearing;  ///< ranks that have heard the verdict
  ExitCode m_ownCode = ExitCode::AllMade;
  std::map<int, Remote> m_remotes;
  QStringList m_otherHosts;
  QTimer m_telling;
  QTimer m_absentLimit;
  bool m_areAbsentGivenUp = false;
  QString m_toldProgress;
  QString m_deviceState;
  QElapsedTimer m_clock;
};

}  // namespace polyptych::cli
