#include "app/polyptych-cli/group_command.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSysInfo>
#include <algorithm>
#include <utility>

#include "app/polyptych-cli/inputs.h"
#include "core/devices/device_list.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kHearingLimit{5000};
/// Where they were stopped, for ranks that close their files first.
constexpr milliseconds kClosingLimit{15'000};
constexpr milliseconds kHearEvery{100};
constexpr milliseconds kUntilAbsentAreTold{2000};
constexpr milliseconds kLongestForAbsent{60'000};
constexpr milliseconds kTellEvery{500};
/// What an earlier start has left may take so long to end.
constexpr int kLooksForOthersAtWork = 100;
constexpr int kLooksForHold = 30;
constexpr int kBetweenLooksMs = 100;
/// For what rank 0 tells at the end: as long as its group lives.
constexpr milliseconds kAsLongAsItTakes{std::chrono::hours(24 * 365)};
/// A folder that several machines share may show new files late.
constexpr int kSiteLooks = 20;
constexpr int kSiteLookMs = 100;

Error wrong(std::string message) { return {ErrorCode::InvalidArgument, std::move(message), {}}; }

QString keyPrefix(const cluster::LaunchEnvironment& environment) {
  return QStringLiteral("polyptych/") + QString::fromStdString(environment.runId) + QLatin1Char('/') +
         QString::number(environment.restartCount) + QLatin1Char('/');
}

}  // namespace

GroupCommand::GroupCommand(Arguments arguments, cluster::LaunchEnvironment environment, EventPrinter& printer, GroupTools tools,
                           QObject* parent)
    : QObject(parent),
      m_arguments(std::move(arguments)),
      m_environment(std::move(environment)),
      m_printer(printer),
      m_tools(std::move(tools)) {
  m_telling.setInterval(kTellEvery);
  connect(&m_telling, &QTimer::timeout, this, [this] {
    tellOthers();
    tellProgress();
  });
  m_absentLimit.setSingleShot(true);
  connect(&m_absentLimit, &QTimer::timeout, this, [this] {
    m_areAbsentGivenUp = true;
    endIfAlone();
  });
}

GroupCommand::~GroupCommand() = default;

void GroupCommand::start() {
  m_clock.start();
  if (auto refusal = prepare()) {
    refuse(*refusal);
    return;
  }
  meet();
}

std::optional<Refusal> GroupCommand::prepare() {
  const GenerateArguments& asked = m_arguments.generate;
  const std::string started = "This process is rank " + std::to_string(m_environment.rank) + " of " +
                              std::to_string(m_environment.worldSize) + " (" +
                              std::string(cluster::nameOf(m_environment.launcher)) + "); ";
  if (!asked.out) {
    return Refusal{wrong(started + "name the folder of the pictures with --out."), ExitCode::WrongUsage};
  }
  if (asked.trace || asked.initialLatents) {
    return Refusal{wrong(started + "--trace and --initial-latents are for one process."), ExitCode::WrongUsage};
  }
  if (asked.promptsFile == "-") {
    return Refusal{wrong(started + "standard input is not every process's. Name a file with --prompts."), ExitCode::WrongUsage};
  }
  GeneratePlan plan;
  if (auto refusal = planGenerate(m_arguments, plan)) {
    return refusal;
  }
  m_spec = std::move(plan.spec);
  m_settings = std::move(plan.settings);
  if (isMain()) {
    for (const std::string& warning : plan.warnings) {
      m_printer.tellUser(warning);
    }
  }
  if (auto refusal = chooseDevice()) {
    return refusal;
  }
  const auto folder = prepareFolder(*asked.out);
  if (!folder) {
    return Refusal{folder.error(), ExitCode::WrongUsage};
  }
  m_site.emplace(*folder);
  return readModelHash(m_spec.plan.model);
}

/// One device a rank: the list's entry with the number that the rank has on its machine.
std::optional<Refusal> GroupCommand::chooseDevice() {
  const auto refuseDevices = [](const std::string& why) { return Refusal{wrong("--devices: " + why), ExitCode::WrongUsage}; };
  const std::vector<domain::DeviceInfo> present = m_tools.listDevices();
  const std::vector<int> cores = devices::usableCores();
  auto slots = domain::chooseDevices(m_arguments.generate.devices, present, cores);
  if (!slots) {
    return refuseDevices(slots.error().message);
  }
  const auto local = static_cast<std::size_t>(m_environment.localRank);
  const auto onMachine = static_cast<std::size_t>(m_environment.localWorldSize);
  if (slots->size() == 1 && onMachine > 1) {
    if (slots->front().kind == domain::DeviceKind::Cpu) {
      slots = domain::chooseDevices("cpu:" + std::to_string(onMachine), present, cores);
      if (!slots) {
        return refuseDevices(slots.error().message);
      }
    } else if (qEnvironmentVariableIsSet("CUDA_VISIBLE_DEVICES")) {
      m_spec.slots = {slots->front()};  // the launcher has given each process its own
      return std::nullopt;
    }
  }
  if (local >= slots->size()) {
    return refuseDevices(
        "there are " + std::to_string(slots->size()) + " for the " + std::to_string(onMachine) +
        " processes of this machine. Start fewer processes, or name a device for each (one may be named twice).");
  }
  m_spec.slots = {(*slots)[local]};
  return std::nullopt;
}

void GroupCommand::meet() {
  RendezvousOptions options;
  options.program = m_tools.rendezvous;
  options.host = QString::fromStdString(m_environment.masterAddress);
  options.port = m_environment.masterPort;
  options.isServer = isMain() && !m_environment.hasAgentStore;
  options.prefix = keyPrefix(m_environment);
  options.rank = m_environment.rank;
  options.size = m_environment.worldSize;
  options.joinTimeout = milliseconds(1000) * m_arguments.generate.joinTimeout;
  options.deadAfter = milliseconds(1000) * m_arguments.generate.rankTimeout;
  m_rendezvous = std::make_unique<Rendezvous>(options);
  connect(m_rendezvous.get(), &Rendezvous::connected, this, [this](quint16 port, qint64 incarnation) {
    m_storePort = port;
    m_incarnation = incarnation;
    onConnected(incarnation);
  });
  connect(m_rendezvous.get(), &Rendezvous::told, this, &GroupCommand::onTold);
  connect(m_rendezvous.get(), &Rendezvous::published, this, &GroupCommand::onTold);
  connect(m_rendezvous.get(), &Rendezvous::fetchFailed, this, [this](const QString&) {
    if (isMain()) {
      lead(0);  // its first start ended before it had told anything
      return;
    }
    fail({ErrorCode::Timeout,
          "Rank 0 has not begun within " + std::to_string(m_arguments.generate.joinTimeout) +
              " s. Check that it runs, and what it says; --join-timeout changes the time.",
          {}});
  });
  connect(m_rendezvous.get(), &Rendezvous::itemTold, this, [this](const QString& list, const QString& value) {
    if (list == QLatin1String("heard")) {
      m_hearing.insert(value);
      endIfHeard();
    } else if (const auto flags = flagsOfText(value, m_spec.requests.size()); flags && m_work != nullptr) {
      m_work->skip(*flags);
    }
  });
  connect(m_rendezvous.get(), &Rendezvous::statusTold, this, &GroupCommand::onStatus);
  connect(m_rendezvous.get(), &Rendezvous::rankChanged, this, &GroupCommand::onRankChanged);
  connect(m_rendezvous.get(), &Rendezvous::hasLooked, this, [this] {
    m_hasLooked = true;
    endIfAlone();
  });
  connect(m_rendezvous.get(), &Rendezvous::hasLeft, this, [this] { m_hasLeft = true; });
  connect(m_rendezvous.get(), &Rendezvous::failed, this, &GroupCommand::fail);
  m_rendezvous->start();
}

void GroupCommand::onConnected(qint64 incarnation) {
  m_absentLimit.start(milliseconds(1000) * m_arguments.generate.joinTimeout);
  if (isMain() && incarnation == 1) {
    lead(0);
    return;
  }
  m_rendezvous->fetch(QStringLiteral("verdict"), kAsLongAsItTakes);  // a rank that comes again may come too late
  m_rendezvous->fetch(QStringLiteral("agreement"),
                      isMain() ? milliseconds(0) : milliseconds(1000) * m_arguments.generate.joinTimeout);
}

void GroupCommand::onStatus(int rank, const QString& text) {
  const QJsonObject told = QJsonDocument::fromJson(text.toUtf8()).object();
  Remote& remote = m_remotes[rank];
  remote.host = told[QLatin1String("host")].toString();
  remote.made = told[QLatin1String("made")].toInteger();
  remote.failed = told[QLatin1String("failed")].toInteger();
  remote.isShared = told[QLatin1String("shared")].toBool(true);
  if (!remote.isShared && !m_otherHosts.contains(remote.host)) {
    m_otherHosts << remote.host;
  }
}

void GroupCommand::onRankChanged(int rank, RankState state) {
  const RankState before = std::exchange(m_remotes[rank].state, state);
  if (isMain() && state == RankState::Lost && before == RankState::Working && !m_isAnnounced) {
    m_printer.tellUser("Rank " + std::to_string(rank) + " gives no sign of life any more" +
                       (m_arguments.generate.split == Split::Pull ? "; the others make what it had." : "."));
  }
  if (!isMain() && rank == 0 && m_hasLeft && state == RankState::Lost) {
    fail({ErrorCode::WorkerDied,
          "Rank 0 is gone before it has joined the parts. The same command goes on, or 'polyptych-cli merge' joins what is "
          "there.",
          {}});
    return;
  }
  endIfAlone();
}

/// Waits a moment for processes of an earlier start that are still ending.
void GroupCommand::lead(int look) {
  if (m_hasEnded) {
    return;
  }
  std::optional<Refusal> refusal;
  if (const auto held = m_site->isHeld() ? base::Result<void>() : m_site->hold(); !held) {
    refusal = Refusal{held.error(), ExitCode::WrongUsage};
  } else if (gallery::arePartsAtWork(m_site->folder())) {
    refusal = Refusal{gallery::partsAtWorkError(m_site->folder()), ExitCode::WrongUsage};
  }
  if (refusal && refusal->error.code == ErrorCode::AlreadyExists && look < kLooksForOthersAtWork) {
    m_site->release();  // a rank 0 that comes again has the first right to it
    QTimer::singleShot(kBetweenLooksMs, this, [this, look] { lead(look + 1); });
    return;
  }
  if (!refusal) {
    refusal = leadNow();
  }
  if (refusal) {
    refuse(*refusal);
  }
}

/// Rank 0 fixes what the words leave open, and looks at what is there already.
std::optional<Refusal> GroupCommand::leadNow() {
  const GenerateArguments& asked = m_arguments.generate;
  GroupAgreement agreement;
  agreement.site = QString::number(backend::newRunId(), 16);
  const auto kept = asked.seed ? asked.seed : baseSeedOfFolder(m_site->folder());
  agreement.wasSeedDrawn = !kept;
  agreement.seed = kept ? *kept : drawSeed();
  const domain::DeviceSlot& slot = m_spec.slots.front();
  agreement.isGpu = slot.kind == domain::DeviceKind::Cuda;
  agreement.computeType = asked.dtype != domain::ComputeType::Auto ? asked.dtype
                          : agreement.isGpu                        ? domain::ComputeType::Fp16
                                                                   : domain::ComputeType::Fp32;
  agreement.threads = asked.threads.value_or(agreement.isGpu ? 1 : std::max<int>(1, static_cast<int>(slot.cores.size())));
  agreement.weights = asked.weights.value_or(agreement.isGpu ? Weights::Measured : Weights::Files);
  apply(agreement, m_spec);
  m_site->setStart(agreement.site);
  const auto joined = m_site->lead(m_spec, m_environment.rank);
  if (!joined) {
    return Refusal{joined.error(), ExitCode::WrongUsage};
  }
  agreement.fingerprint = folderRunOf(m_spec).fingerprint;
  agreement.isFinished = joined->isFinished;
  m_rendezvous->publish(QStringLiteral("agreement"), toText(agreement, m_spec, asked.split, m_environment.worldSize));
  return std::nullopt;
}

void GroupCommand::onTold(const QString& key, const QString& value) {
  if (m_hasEnded) {
    return;
  }
  if (key == QLatin1String("agreement") && m_told.isEmpty()) {
    m_told = value;
    const QString start = QJsonDocument::fromJson(value.toUtf8()).object()[QLatin1String("site")].toString();
    m_site->setStart(start);
    m_isSiteLeader = isMain();
    if (isMain()) {
      settle(0);
    } else {
      lookForSite(0);
    }
  } else if (key == QLatin1String("verdict")) {
    onVerdict(value);
  }
}

/// Is this the folder that rank 0 sees? A machine with a folder of its own has a leader for it: its first rank. The others of the
/// machine begin after it, since it joins what an earlier start has left.
void GroupCommand::lookForSite(int look) {
  if (m_hasEnded) {
    return;
  }
  const std::optional<int> leader = m_site->leader();
  const bool isFirst = m_environment.localRank == 0;
  const int most = isFirst ? kSiteLooks : kSiteLooks + 1000 / kSiteLookMs * m_arguments.generate.joinTimeout;
  if (!leader && look < most) {
    QTimer::singleShot(kSiteLookMs, this, [this, look] { lookForSite(look + 1); });
    return;
  }
  if (!leader && !isFirst) {
    fail({ErrorCode::Timeout, "The first rank of this machine has not begun. Check that it runs, and what it says.", {}});
    return;
  }
  m_isSiteShared = leader == 0;
  m_isSiteLeader = isFirst && !m_isSiteShared;
  m_wasSiteLed = leader.has_value();
  settle(0);
}

void GroupCommand::settle(int look) {
  if (m_hasEnded) {
    return;
  }
  auto agreed = agree(m_told, m_environment, m_arguments.generate.split, m_spec);
  if (!agreed) {
    refuse({agreed.error(), ExitCode::WrongUsage});
    return;
  }
  m_agreement = *std::move(agreed);
  if (m_isSiteLeader && !m_site->isHeld() && (isMain() || m_wasSiteLed)) {
    // This rank was started again. Another start may be looking whether the folder is free.
    const auto held = m_site->hold();
    if (!held && held.error().code == ErrorCode::AlreadyExists && look < kLooksForHold) {
      QTimer::singleShot(kBetweenLooksMs, this, [this, look] { settle(look + 1); });
      return;
    }
    if (!held) {
      refuse({held.error(), ExitCode::WrongUsage});
      return;
    }
  }
  begin();
}

/// The workers of all ranks meet for their first load. One that comes later, after another one of its rank, reads by itself.
QStringList GroupCommand::weightArguments() const {
  const bool isGpu = m_spec.slots.front().kind == domain::DeviceKind::Cuda;
  if (m_agreement->weights == Weights::Files || m_incarnation > 1 || isGpu != m_agreement->isGpu) {
    return {};
  }
  return {QStringLiteral("--weights"), QString::fromStdString(nameOf(m_agreement->weights)), QStringLiteral("--weights-store"),
          QStringLiteral("%1:%2").arg(QString::fromStdString(m_environment.masterAddress)).arg(m_storePort),
          QStringLiteral("--weights-prefix"),
          // Where the rendezvous has the values of "weights/..."
          keyPrefix(m_environment) + QStringLiteral("/value/weights"), QStringLiteral("--weights-rank"),
          QString::number(m_environment.rank), QStringLiteral("--weights-size"), QString::number(m_environment.worldSize)};
}

/// The others need not wait for this rank's weights (distributed::Group::kVerdict).
void GroupCommand::leaveWeights(const std::string& why) {
  if (m_agreement && m_agreement->weights != Weights::Files) {
    m_rendezvous->publish(QStringLiteral("weights/verdict"),
                          QStringLiteral("unsupported\nRank %1 %2.").arg(m_environment.rank).arg(QString::fromStdString(why)));
  }
}

/// The folder of a machine, by its first rank.
std::optional<Refusal> GroupCommand::leadSite() {
  if (!m_isSiteLeader || isMain() || m_wasSiteLed) {
    return std::nullopt;
  }
  if (const auto held = m_site->hold(); !held) {
    return Refusal{held.error(), ExitCode::WrongUsage};
  }
  const auto joined = m_site->lead(m_spec, m_environment.rank);
  if (!joined) {
    return Refusal{joined.error(), ExitCode::WrongUsage};
  }
  m_rendezvous->append(QStringLiteral("elsewhere"), textOfFlags(joined->isFinished));
  return std::nullopt;
}

/// What a folder that is not rank 0's has already; its leader has compared it.
void GroupCommand::skipWhatIsHere() {
  if (m_isSiteShared) {
    return;
  }
  domain::UnitOfWork unit;
  unit.plan = m_spec.plan;
  std::vector<bool> isHere;
  for (const domain::GenerationRequest& request : m_spec.requests) {
    unit.requests = {request};
    isHere.push_back(
        QFileInfo::exists(m_site->folder() + QLatin1Char('/') + gallery::RunFolder::nameOf(domain::metadataOf(unit, 0))));
  }
  m_work->skip(isHere);
}

void GroupCommand::begin() {
  m_work = std::make_unique<GroupWork>(m_spec, m_agreement->isFinished, m_environment.rank, m_arguments.generate.split,
                                       *m_rendezvous, m_printer);
  connect(m_work.get(), &GroupWork::hasLeft, this, &GroupCommand::onWorkLeft);
  connect(m_work.get(), &GroupWork::lost, this, &GroupCommand::fail);
  connect(m_rendezvous.get(), &Rendezvous::leased, m_work.get(), &GroupWork::onLeased);
  connect(m_rendezvous.get(), &Rendezvous::isOver, this, [this] {
    if (!m_work->hasSubmitted()) {
      leaveWeights("has nothing to make");
    }
    m_work->onOver();
  });
  if (auto refusal = leadSite()) {
    refuse(*refusal);
    return;
  }
  skipWhatIsHere();
  const auto part = m_site->makePart(m_agreement->fingerprint, m_environment.rank);
  if (!part) {
    refuse({part.error(), ExitCode::WrongUsage});
    return;
  }
  m_part = *part;
  if (isMain()) {
    tellStarted();
  }
  const QStringList forWeights = weightArguments();
  if (forWeights.isEmpty()) {
    leaveWeights(m_incarnation > 1 ? "was started again" : "is on another kind of device than rank 0");
  }
  m_work->begin(m_tools.makeBackend(m_part, forWeights));
  m_telling.start();
  m_rendezvous->watch(QStringLiteral("elsewhere"));
  Q_EMIT started();
  if (m_arguments.generate.split == Split::Pull) {
    m_work->beginLeases();
    return;
  }
  m_work->beginShare(m_environment.worldSize);
  if (!m_work->hasSubmitted()) {
    leaveWeights("has nothing to make");
  }
}

void GroupCommand::tellStarted() {
  RunFacts facts;
  facts.total = static_cast<qint64>(m_spec.requests.size());
  facts.alreadyThere = std::count(m_agreement->isFinished.begin(), m_agreement->isFinished.end(), true);
  facts.seed = m_agreement->seed;
  facts.wasSeedDrawn = m_agreement->wasSeedDrawn;
  facts.folder = m_site->folder();
  facts.model = m_spec.plan.model;
  facts.settings = m_settings;
  facts.plan = m_spec.plan;
  facts.slotIds = {QString::fromStdString(m_spec.slots.front().id)};
  m_printer.tellStarted(facts);
  m_printer.tellUser("This is rank 0 of " + std::to_string(m_environment.worldSize) + "; the others make their shares.");
}

/// Nothing is left to make for this rank. Rank 0 stays for the others until all are done.
void GroupCommand::onWorkLeft() {
  if (m_hasEnded) {
    return;
  }
  m_code = m_work->exitCode();
  if (isMain()) {
    m_hasLeft = true;
    m_rendezvous->look();  // who came since the last look is there too
    return;
  }
  tellOthers();
  m_rendezvous->leave();
}

/// Rank 0 is done when all others have left, or will not come.
void GroupCommand::endIfAlone() {
  if (!isMain() || !m_hasLeft || !m_hasLooked || m_hasEnded || m_isJoined) {
    return;
  }
  if (isInterrupted()) {
    announce(ExitCode::Interrupted);
    return;
  }
  const bool isStatic = m_arguments.generate.split == Split::Static;
  for (int rank = 1; rank < m_environment.worldSize; ++rank) {
    const RankState state = m_remotes[rank].state;
    if (state == RankState::Working || (isStatic && state == RankState::Absent && !m_areAbsentGivenUp)) {
      return;
    }
  }
  joinAndTell();
  announce(m_code);
}

void GroupCommand::joinAndTell() {
  if (std::exchange(m_isJoined, true)) {
    return;
  }
  backend::RunSummary summary;
  summary.total = static_cast<qint64>(m_spec.requests.size());
  summary.alreadyThere = std::count(m_agreement->isFinished.begin(), m_agreement->isFinished.end(), true);
  summary.wasCancelled = isInterrupted() && m_code == ExitCode::AllMade;
  if (const auto joined = m_site->join(m_spec)) {
    m_code = tellJoined(*joined, summary);
  } else {
    m_printer.tellError(joined.error());
    summary.made = m_work->made();
    m_code = ExitCode::SomeFailed;
  }
  if (summary.wasCancelled) {
    m_code = ExitCode::Interrupted;
  }
  m_printer.tellFinished(summary, m_code, static_cast<double>(m_clock.elapsed()) / 1000);
}

/// @param summary  gets what was made. @return how the run ended
ExitCode GroupCommand::tellJoined(const gallery::JoinedRun& joined, backend::RunSummary& summary) {
  summary.made = static_cast<qint64>(joined.finished()) - summary.alreadyThere;
  summary.failed = static_cast<qint64>(joined.failed);
  for (std::size_t i = 0; i < joined.isFinished.size(); ++i) {
    if (joined.isFinished[i]) {
      const gallery::PictureOrigin& origin = joined.origins[i];
      m_printer.tellPicture({0, m_spec.requests[i].index, joined.paths[static_cast<qsizetype>(i)], origin.device, origin.seconds,
                             m_agreement->isFinished[i]});
    }
  }
  for (const auto& [rank, remote] : m_remotes) {
    summary.made += remote.isShared ? 0 : remote.made;
    summary.failed += remote.isShared ? 0 : remote.failed;
  }
  if (!m_otherHosts.isEmpty()) {
    m_printer.tellUser("Pictures are on other machines too (" + m_otherHosts.join(QStringLiteral(", ")).toStdString() + ", in " +
                       m_site->folder().toStdString() +
                       "): 'polyptych-cli merge --out DIR FOLDER ...' brings their folders together.");
  }
  const qint64 there = static_cast<qint64>(m_work->skipped()) + summary.made + summary.alreadyThere;
  if (there < summary.total && !isInterrupted() && summary.failed == 0) {
    m_printer.tellUser(std::to_string(summary.total - there) +
                       " pictures were not made, because processes of the group ended or did not come. The same command makes "
                       "them.");
  }
  if (there < summary.total || summary.failed > 0) {
    return m_code == ExitCode::AllMade ? ExitCode::SomeFailed : m_code;
  }
  return isInterrupted() ? m_code : ExitCode::AllMade;  // where this rank could not, others have
}

/// How the run ended, once, for all ranks.
void GroupCommand::announce(ExitCode code) {
  if (!std::exchange(m_isAnnounced, true)) {
    m_rendezvous->publish(QStringLiteral("verdict"), QString::number(static_cast<int>(code)));
  }
}

void GroupCommand::onVerdict(const QString& text) {
  if (isMain() && m_isAnnounced) {
    // The store may go with this process: the others get the time to hear.
    m_rendezvous->watch(QStringLiteral("heard"));
    m_sinceVerdict.start();
    auto* lookAgain = new QTimer(this);
    connect(lookAgain, &QTimer::timeout, this, &GroupCommand::endIfHeard);
    lookAgain->start(kHearEvery);
    endIfHeard();
    return;
  }
  if (!m_hasLeft) {
    endTooLate(text);
    return;
  }
  m_rendezvous->append(QStringLiteral("heard"), QString::number(m_environment.rank));
  if (m_isSiteLeader) {
    if (const auto joined = m_site->join(m_spec); !joined) {
      m_printer.tellError(joined.error());
      end(ExitCode::SomeFailed);
      return;
    }
  }
  const auto code = static_cast<ExitCode>(text.toInt());
  const bool isOwn = m_code != ExitCode::AllMade && (isInterrupted() || code != ExitCode::AllMade);
  end(isOwn ? m_code : code);
}

/// The run is over, and this rank was taken for dead, or has only just come again, or rank 0 was stopped.
void GroupCommand::endTooLate(const QString& verdict) {
  const auto code = static_cast<ExitCode>(verdict.toInt());
  if (m_work != nullptr) {
    m_work->close();
  }
  if (code == ExitCode::AllMade && !m_part.isEmpty()) {
    QDir(m_part).removeRecursively();  // others have made what it had
    QDir().rmdir(QFileInfo(m_part).path());
    QDir().rmdir(QFileInfo(QFileInfo(m_part).path()).path());
  }
  m_rendezvous->append(QStringLiteral("heard"), QString::number(m_environment.rank));
  end(code);
}

/// Is a rank that was there still to hear how it ended?
bool GroupCommand::isHearingAwaited() const {
  if (m_sinceVerdict.elapsed() >= (isInterrupted() ? kClosingLimit : kHearingLimit).count()) {
    return false;
  }
  return std::any_of(m_remotes.begin(), m_remotes.end(), [this](const auto& remote) {
    const RankState state = remote.second.state;
    return remote.first != m_environment.rank && (state == RankState::Working || state == RankState::Left) &&
           !m_hearing.contains(QString::number(remote.first));
  });
}

QStringList GroupCommand::absentRanksAwaited() const {
  QStringList absent;
  if (m_environment.hasAgentStore || isInterrupted() || m_clock.elapsed() >= absentLimit().count()) {
    return absent;
  }
  for (int rank = 1; rank < m_environment.worldSize; ++rank) {
    const auto remote = m_remotes.find(rank);
    const bool isAbsent = remote == m_remotes.end() || remote->second.state == RankState::Absent;
    if (isAbsent && !m_hearing.contains(QString::number(rank))) {
      absent << QString::number(rank);
    }
  }
  return absent;
}

/// Rank 0 keeps the store for those that are still to hear how it ended: shortly for those that were there, and longer for those
/// that have not begun, which would look for the store otherwise until their time is out. Where it was stopped, who has heard
/// has closed its files.
void GroupCommand::endIfHeard() {
  if (!m_sinceVerdict.isValid() || !m_hasLeft || m_hasEnded || isHearingAwaited()) {
    return;
  }
  joinAndTell();
  const QStringList absent = absentRanksAwaited();
  if (absent.isEmpty()) {
    end(m_code);
  } else if (m_sinceVerdict.elapsed() > kUntilAbsentAreTold.count() && !std::exchange(m_areAbsentTold, true)) {
    m_printer.tellUser("Rank " + absent.join(QStringLiteral(", ")).toStdString() +
                       " has not begun yet; this process waits so long that it can hear that all is done.");
  }
}

milliseconds GroupCommand::absentLimit() const {
  return std::min(milliseconds(1000) * m_arguments.generate.joinTimeout, kLongestForAbsent);
}

void GroupCommand::tellOthers() {
  if (isMain() || m_work == nullptr) {
    return;
  }
  const QJsonObject status{{QStringLiteral("host"), QSysInfo::machineHostName()},
                           {QStringLiteral("made"), m_work->made()},
                           {QStringLiteral("failed"), m_work->failed()},
                           {QStringLiteral("shared"), m_isSiteShared},
                           {QStringLiteral("device"), QString::fromStdString(m_spec.slots.front().id)},
                           {QStringLiteral("state"), m_work->deviceState()}};
  m_rendezvous->tellStatus(QString::fromUtf8(QJsonDocument(status).toJson(QJsonDocument::Compact)));
}

void GroupCommand::tellProgress() {
  if (!isMain() || m_work == nullptr || m_isJoined || m_hasEnded) {
    return;
  }
  GroupProgress progress;
  progress.total = static_cast<qint64>(m_spec.requests.size());
  progress.alreadyThere = std::count(m_agreement->isFinished.begin(), m_agreement->isFinished.end(), true);
  progress.made.push_back(m_work->made());
  progress.failed = m_work->failed();
  for (int rank = 1; rank < m_environment.worldSize; ++rank) {
    progress.made.push_back(m_remotes[rank].made);
    progress.failed += m_remotes[rank].failed;
  }
  m_printer.tellGroup(progress);
}

void GroupCommand::interrupt() {
  if (m_hasEnded) {
    return;
  }
  if (m_work == nullptr || (!isMain() && m_work->isClosed())) {
    if (m_site && isMain()) {
      m_site->forget();
    }
    end(ExitCode::Interrupted);
    return;
  }
  if (m_isAnnounced && m_hasLeft) {  // again: the others are not waited for
    joinAndTell();
    end(m_code);
    return;
  }
  m_work->interrupt();
  if (isMain()) {
    announce(ExitCode::Interrupted);
  }
}

void GroupCommand::refuse(const Refusal& refusal) {
  m_printer.tellError(refusal.error);
  if (isMain()) {
    backend::RunSummary summary;
    summary.total = static_cast<qint64>(m_spec.requests.size());
    m_printer.tellFinished(summary, refusal.code, static_cast<double>(m_clock.elapsed()) / 1000);
    if (m_site) {
      m_site->forget();
    }
  }
  end(refusal.code);
}

void GroupCommand::fail(const Error& error) {
  if (m_hasEnded) {
    return;
  }
  if (m_isJoined) {  // nobody can hear any more how it ended
    end(m_code);
    return;
  }
  m_printer.tellError(error);
  if (isMain() && m_hasLeft && m_isAnnounced) {
    joinAndTell();
  } else if (isMain()) {
    backend::RunSummary summary;
    summary.total = static_cast<qint64>(m_spec.requests.size());
    summary.made = m_work != nullptr ? m_work->made() : 0;
    m_printer.tellFinished(summary, ExitCode::SomeFailed, static_cast<double>(m_clock.elapsed()) / 1000);
    m_code = ExitCode::SomeFailed;
  } else {
    m_code = ExitCode::SomeFailed;
  }
  end(m_code);
}

void GroupCommand::end(ExitCode code) {
  if (!m_hasEnded) {
    m_hasEnded = true;
    m_telling.stop();
    if (m_work != nullptr) {
      m_work->stopTelling();
    }
    Q_EMIT ended(static_cast<int>(code));
  }
}

}  // namespace polyptych::cli
