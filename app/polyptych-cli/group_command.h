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
#include "app/polyptych-cli/group_agreement.h"
#include "app/polyptych-cli/group_site.h"
#include "app/polyptych-cli/group_work.h"
#include "app/polyptych-cli/rendezvous.h"
#include "core/cluster/launch_environment.h"

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
/// trouble. Where rank 0 is stopped, all are: they close their files before it joins the parts.
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
  void meet();
  void onConnected(qint64 incarnation);
  void onStatus(int rank, const QString& text);
  void onRankChanged(int rank, RankState state);
  void lead(int look);
  std::optional<Refusal> leadNow();
  void onTold(const QString& key, const QString& value);
  void lookForSite(int look);
  void settle(int look);
  QStringList weightArguments() const;
  void leaveWeights(const std::string& why);
  std::optional<Refusal> leadSite();
  void skipWhatIsHere();
  void begin();
  void tellStarted();
  void onWorkLeft();
  void endIfAlone();
  void joinAndTell();
  ExitCode tellJoined(const gallery::JoinedRun& joined, backend::RunSummary& summary);
  void announce(ExitCode code);
  void onVerdict(const QString& text);
  void endTooLate(const QString& verdict);
  bool isHearingAwaited() const;
  QStringList absentRanksAwaited() const;
  void endIfHeard();
  std::chrono::milliseconds absentLimit() const;
  bool isInterrupted() const { return m_work != nullptr && m_work->isInterrupted(); }
  void tellOthers();
  void tellProgress();
  void refuse(const Refusal& refusal);
  void fail(const base::Error& error);
  void end(ExitCode code);

  Arguments m_arguments;
  const cluster::LaunchEnvironment m_environment;
  EventPrinter& m_printer;
  const GroupTools m_tools;
  backend::RunSpec m_spec;
  domain::GenerationRequest m_settings;
  std::optional<GroupSite> m_site;
  QString m_part;  ///< folder of this rank's library
  std::unique_ptr<Rendezvous> m_rendezvous;
  std::unique_ptr<GroupWork> m_work;
  bool m_isSiteShared = true;   ///< this rank's folder is rank 0's
  bool m_isSiteLeader = false;  ///< joins the parts of its machine's folder
  bool m_wasSiteLed = false;    ///< before this rank was started again
  QString m_told;               ///< the agreement's text
  std::optional<GroupAgreement> m_agreement;
  quint16 m_storePort = 0;
  qint64 m_incarnation = 1;
  bool m_hasLeft = false;
  bool m_hasEnded = false;
  bool m_isJoined = false;
  bool m_hasLooked = false;  ///< at the others, since the last picture of its own
  bool m_isAnnounced = false;
  bool m_areAbsentTold = false;
  QElapsedTimer m_sinceVerdict;
  QSet<QString> m_hearing;  ///< ranks that have heard the verdict
  ExitCode m_code = ExitCode::AllMade;
  std::map<int, Remote> m_remotes;
  QStringList m_otherHosts;
  QTimer m_telling;
  QTimer m_absentLimit;
  bool m_areAbsentGivenUp = false;
  QElapsedTimer m_clock;
};

}  // namespace polyptych::cli
