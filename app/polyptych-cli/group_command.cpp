#include "app/polyptych-cli/group_command.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <QSysInfo>
#include <algorithm>
#include <utility>

#include "app/polyptych-cli/inputs.h"
#include "core/cluster/split.h"
#include "core/devices/device_list.h"
#include "core/library/run_file.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kLeaveLimit{5000};
constexpr milliseconds kHearingLimit{5000};
constexpr milliseconds kHearEvery{100};
constexpr milliseconds kUntilAbsentAreTold{2000};
constexpr milliseconds kLongestForAbsent{60'000};
constexpr milliseconds kTellEvery{500};
/// What an earlier start has left may take so long to end.
constexpr int kLooksForOthersAtWork = 100;
constexpr int kBetweenLooksMs = 100;
/// For what rank 0 tells at the end: as long as its group lives.
constexpr milliseconds kAsLongAsItTakes{std::chrono::hours(24 * 365)};
/// A folder that several machines share may show new files late.
constexpr int kSiteLooks = 20;
constexpr int kSiteLookMs = 100;

Error wrong(std::string message) { return {ErrorCode::InvalidArgument, std::move(message), {}}; }

QString bitsOf(const std::vector<bool>& flags) {
  QByteArray bytes(static_cast<qsizetype>((flags.size() + 7) / 8), '\0');
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) {
      bytes[static_cast<qsizetype>(i / 8)] = static_cast<char>(bytes[static_cast<qsizetype>(i / 8)] | (1 << (i % 8)));
    }
  }
  return QString::fromLatin1(qCompress(bytes).toBase64());
}

/// @return nothing if they are not that many
std::optional<std::vector<bool>> flagsOf(const QString& bits, std::size_t size) {
  const QByteArray bytes = qUncompress(QByteArray::fromBase64(bits.toLatin1()));
  if (static_cast<std::size_t>(bytes.size()) != (size + 7) / 8) {
    return std::nullopt;
  }
  std::vector<bool> flags(size);
  for (std::size_t i = 0; i < size; ++i) {
    flags[i] = (bytes[static_cast<qsizetype>(i / 8)] >> (i % 8)) & 1;
  }
  return flags;
}

/// What one rank was started with. Equal texts make equal pictures.
QString requestsHash(const std::vector<domain::GenerationRequest>& requests, const domain::RunPlan& plan) {
  library::RunRecord record;
  record.requests = requests;
  record.plan = plan;
  record.plan.model.folder.clear();  // each machine has its own place for it
  return QString::fromLatin1(QCryptographicHash::hash(library::toRunFile(record), QCryptographicHash::Sha256).toHex());
}

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
    } else {
      takeElsewhere(value);
    }
  });
  connect(m_rendezvous.get(), &Rendezvous::leased, this, &GroupCommand::onLeased);
  connect(m_rendezvous.get(), &Rendezvous::isOver, this, [this] {
    m_isLeaseWanted = false;
    m_isOver = true;
    if (!m_hasSubmitted) {
      leaveWeights("has nothing to make");
    }
    leaveWork();
  });
  connect(m_rendezvous.get(), &Rendezvous::statusTold, this, [this](int rank, const QString& text) {
    const QJsonObject told = QJsonDocument::fromJson(text.toUtf8()).object();
    Remote& remote = m_remotes[rank];
    remote.host = told[QLatin1String("host")].toString();
    remote.made = told[QLatin1String("made")].toInteger();
    remote.failed = told[QLatin1String("failed")].toInteger();
    remote.isShared = told[QLatin1String("shared")].toBool(true);
    if (!remote.isShared && !m_otherHosts.contains(remote.host)) {
      m_otherHosts << remote.host;
    }
  });
  connect(m_rendezvous.get(), &Rendezvous::rankChanged, this, [this](int rank, RankState state) {
    const RankState before = std::exchange(m_remotes[rank].state, state);
    if (isMain() && state == RankState::Lost && before == RankState::Working) {
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
  });
  connect(m_rendezvous.get(), &Rendezvous::hasLooked, this, [this] {
    m_hasLooked = true;
    endIfAlone();
  });
  connect(m_rendezvous.get(), &Rendezvous::hasLeft, this, [this] { m_hasLeft = true; });
  connect(m_rendezvous.get(), &Rendezvous::failed, this, &GroupCommand::fail);
  m_rendezvous->start();
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
  m_folder = *folder;
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

gallery::FolderRun GroupCommand::wholeRun() const {
  gallery::FolderRun run;
  domain::UnitOfWork unit;
  unit.plan = m_spec.plan;
  unit.requests.resize(1);
  for (const domain::GenerationRequest& request : m_spec.requests) {
    unit.requests.front() = request;
    run.pictures.push_back(domain::metadataOf(unit, 0));
  }
  run.fingerprint = gallery::fingerprintOf(run);
  return run;
}

QString GroupCommand::siteFile(const QString& nonce) const { return m_folder + QStringLiteral("/.polyptych/site-") + nonce; }

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

/// Waits a moment for processes of an earlier start that are still ending.
void GroupCommand::lead(int look) {
  if (m_hasEnded) {
    return;
  }
  const bool isFree = !gallery::arePartsAtWork(m_folder);
  if (!isFree && look < kLooksForOthersAtWork) {
    QTimer::singleShot(kBetweenLooksMs, this, [this, look] { lead(look + 1); });
    return;
  }
  if (auto refusal = isFree ? leadNow() : Refusal{gallery::partsAtWorkError(m_folder), ExitCode::WrongUsage}) {
    refuse(*refusal);
  }
}

/// Rank 0 fixes what the words leave open, and looks at what is there already.
std::optional<Refusal> GroupCommand::leadNow() {
  const GenerateArguments& asked = m_arguments.generate;
  m_nonce = QString::number(backend::newRunId(), 16);
  Agreement agreement;
  const auto kept = asked.seed ? asked.seed : baseSeedOfFolder(m_folder);
  agreement.wasSeedDrawn = !kept;
  agreement.seed = kept ? *kept : drawSeed();
  const domain::DeviceSlot& slot = m_spec.slots.front();
  const bool isGpu = slot.kind == domain::DeviceKind::Cuda;
  agreement.computeType = asked.dtype != domain::ComputeType::Auto ? asked.dtype
                          : isGpu                                  ? domain::ComputeType::Fp16
                                                                   : domain::ComputeType::Fp32;
  agreement.threads = asked.threads.value_or(isGpu ? 1 : std::max<int>(1, static_cast<int>(slot.cores.size())));
  giveSeeds(m_spec.requests, agreement.seed);
  m_spec.plan.computeType = agreement.computeType;
  m_spec.plan.threads = agreement.threads;
  const gallery::FolderRun whole = wholeRun();
  const auto joined = gallery::joinParts(m_folder, whole);
  if (!joined) {
    return Refusal{joined.error(), ExitCode::WrongUsage};
  }
  if (auto refusal = holdFolder()) {
    return refusal;
  }
  QDir home(m_folder + QStringLiteral("/.polyptych"));
  for (const QString& old : home.entryList({QStringLiteral("site-*")}, QDir::Files)) {
    home.remove(old);  // of a start that was killed
  }
  if (const auto written = writeSiteFile(); !written) {
    return Refusal{written.error(), ExitCode::WrongUsage};
  }
  if (auto refusal = writeList(whole.fingerprint)) {
    return refusal;
  }
  const QJsonObject told{{QStringLiteral("version"), QStringLiteral(POLYPTYCH_VERSION)},
                         {QStringLiteral("site"), m_nonce},
                         {QStringLiteral("size"), m_environment.worldSize},
                         {QStringLiteral("seed"), QString::number(agreement.seed)},
                         {QStringLiteral("drawn"), agreement.wasSeedDrawn},
                         {QStringLiteral("threads"), agreement.threads},
                         {QStringLiteral("computeType"), QString::fromStdString(domain::toString(agreement.computeType))},
                         {QStringLiteral("fingerprint"), whole.fingerprint},
                         {QStringLiteral("requests"), requestsHash(m_spec.requests, m_spec.plan)},
                         {QStringLiteral("split"), static_cast<int>(asked.split)},
                         {QStringLiteral("gpu"), isGpu},
                         {QStringLiteral("weights"),
                          QString::fromStdString(nameOf(asked.weights.value_or(isGpu ? Weights::Measured : Weights::Files)))},
                         {QStringLiteral("finished"), bitsOf(joined->isFinished)}};
  m_rendezvous->publish(QStringLiteral("agreement"), QString::fromUtf8(QJsonDocument(told).toJson(QJsonDocument::Compact)));
  return std::nullopt;
}

void GroupCommand::onTold(const QString& key, const QString& value) {
  if (m_hasEnded) {
    return;
  }
  if (key == QLatin1String("agreement")) {
    onAgreement(value);
  } else if (key == QLatin1String("verdict")) {
    onVerdict(value);
  }
}

void GroupCommand::onAgreement(const QString& text) {
  if (!m_told.isEmpty()) {
    return;
  }
  m_told = text;
  m_nonce = QJsonDocument::fromJson(text.toUtf8()).object()[QLatin1String("site")].toString();
  if (isMain()) {
    m_isSiteLeader = true;
    settle();
  } else {
    lookForSite(0);
  }
}

/// Is this the folder that rank 0 sees? A machine with a folder of its own has a leader for it: its first rank. The others of the
/// machine begin after it, since it joins what an earlier start has left.
void GroupCommand::lookForSite(int look) {
  if (m_hasEnded) {
    return;
  }
  QFile site(siteFile(m_nonce));
  const bool isThere = site.open(QIODevice::ReadOnly);
  const int leader = isThere ? site.readAll().toInt() : -1;
  const bool isFirst = m_environment.localRank == 0;
  const int most = isFirst ? kSiteLooks : kSiteLooks + 1000 / kSiteLookMs * m_arguments.generate.joinTimeout;
  if (!isThere && look < most) {
    QDir(m_folder + QStringLiteral("/.polyptych")).entryList();  // network file systems look again
    QTimer::singleShot(kSiteLookMs, this, [this, look] { lookForSite(look + 1); });
    return;
  }
  if (!isThere && !isFirst) {
    fail({ErrorCode::Timeout, "The first rank of this machine has not begun. Check that it runs, and what it says.", {}});
    return;
  }
  m_isSiteShared = leader == 0;
  m_isSiteLeader = isFirst && !m_isSiteShared;
  m_wasSiteLed = isThere;
  settle();
}

void GroupCommand::settle() {
  auto refusal = agree(m_told);
  if (!refusal && m_isSiteLeader && m_hold == nullptr && (isMain() || m_wasSiteLed)) {
    refusal = holdFolder();  // this rank was started again
  }
  if (refusal) {
    refuse(*refusal);
  } else {
    begin();
  }
}

/// Nobody else may begin a run in the folder before this one has joined its parts.
std::optional<Refusal> GroupCommand::holdFolder() {
  auto held = gallery::FolderHandle::open(m_folder);
  if (!held) {
    return Refusal{held.error(), ExitCode::WrongUsage};
  }
  m_hold = std::make_unique<gallery::FolderHandle>(*std::move(held));
  return std::nullopt;
}

/// Beside the parts, what they are parts of: the same command and `merge` go on from it.
std::optional<Refusal> GroupCommand::writeList(const QString& fingerprint) {
  const QString parts = gallery::partsFolder(m_folder, fingerprint);
  library::RunRecord record;
  record.id = backend::newRunId();
  record.fingerprint = fingerprint;
  record.plan = m_spec.plan;
  record.requests = m_spec.requests;
  QDir().mkpath(parts);
  auto handle = gallery::FolderHandle::openBeside(parts);
  const auto written = handle ? handle->replace(QLatin1String(library::kRunFileName), library::toRunFile(record))
                              : base::Result<void>(handle.error());
  return written ? std::nullopt : std::optional(Refusal{written.error(), ExitCode::SomeFailed});
}

base::Result<void> GroupCommand::writeSiteFile() {
  QDir().mkpath(m_folder + QStringLiteral("/.polyptych"));
  QSaveFile site(siteFile(m_nonce));
  if (!site.open(QIODevice::WriteOnly) || site.write(QByteArray::number(m_environment.rank)) < 1 || !site.commit()) {
    return Error{
        ErrorCode::Io, "Nothing can be written into '" + m_folder.toStdString() + "'. Check its rights and its disk.", {}};
  }
  return {};
}

std::optional<Refusal> GroupCommand::agree(const QString& text) {
  const QJsonObject told = QJsonDocument::fromJson(text.toUtf8()).object();
  const QString version = told[QLatin1String("version")].toString();
  const std::string self = "rank " + std::to_string(m_environment.rank) + " (" + QSysInfo::machineHostName().toStdString() + ")";
  if (version != QLatin1String(POLYPTYCH_VERSION)) {
    return Refusal{{ErrorCode::VersionMismatch,
                    "Rank 0 runs Polyptych " + version.toStdString() + " and " + self +
                        " runs " POLYPTYCH_VERSION ". Install one version everywhere.",
                    {}},
                   ExitCode::WrongUsage};
  }
  if (const int size = told[QLatin1String("size")].toInt(); size != m_environment.worldSize) {
    return Refusal{wrong("Rank 0 is one of " + std::to_string(size) + " processes and " + self + " one of " +
                         std::to_string(m_environment.worldSize) +
                         ". Start all with the same number; with several machines, name it with --num-processes on each."),
                   ExitCode::WrongUsage};
  }
  Agreement agreement;
  const auto type = domain::computeTypeFromString(told[QLatin1String("computeType")].toString().toStdString());
  auto finished = flagsOf(told[QLatin1String("finished")].toString(), m_spec.requests.size());
  agreement.seed = told[QLatin1String("seed")].toString().toULongLong();
  agreement.wasSeedDrawn = told[QLatin1String("drawn")].toBool();
  agreement.threads = told[QLatin1String("threads")].toInt(1);
  agreement.fingerprint = told[QLatin1String("fingerprint")].toString();
  agreement.isGpu = told[QLatin1String("gpu")].toBool();
  for (const Weights one : {Weights::Broadcast, Weights::Measured}) {
    if (told[QLatin1String("weights")].toString().toStdString() == nameOf(one)) {
      agreement.weights = one;
    }
  }
  const bool isSplitEqual = told[QLatin1String("split")].toInt() == static_cast<int>(m_arguments.generate.split);
  if (type) {
    agreement.computeType = *type;
  }
  giveSeeds(m_spec.requests, agreement.seed);
  m_spec.plan.computeType = agreement.computeType;
  m_spec.plan.threads = agreement.threads;
  if (!type || !finished || !isSplitEqual ||
      requestsHash(m_spec.requests, m_spec.plan) != told[QLatin1String("requests")].toString()) {
    return Refusal{
        wrong("Rank 0 and " + self +
              " were started with different prompts, settings or models. Give every process the same command, the same "
              "list and the same model."),
        ExitCode::WrongUsage};
  }
  agreement.isFinished = *std::move(finished);
  m_agreement = std::move(agreement);
  return std::nullopt;
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

bool GroupCommand::isUnitFinished(std::size_t unit) const {
  return std::all_of(m_units[unit].begin(), m_units[unit].end(),
                     [this](std::size_t position) { return m_agreement->isFinished[position] || m_isElsewhere[position]; });
}

void GroupCommand::begin() {
  m_units = queue::groupUnits(m_spec.requests, m_spec.plan.batch);
  m_isElsewhere.assign(m_spec.requests.size(), false);
  for (std::size_t unit = 0; unit < m_units.size(); ++unit) {
    if (!isUnitFinished(unit)) {
      m_pending.push_back(unit);
    }
  }
  if (m_isSiteLeader && !isMain() && !m_wasSiteLed) {
    const auto joined = gallery::joinParts(m_folder, wholeRun(), {}, m_nonce);
    if (!joined) {
      refuse({joined.error(), ExitCode::WrongUsage});
      return;
    }
    auto refusal = holdFolder();
    if (!refusal) {
      refusal = writeList(m_agreement->fingerprint);
    }
    if (refusal) {
      refuse(*refusal);
      return;
    }
    if (const auto written = writeSiteFile(); !written) {
      refuse({written.error(), ExitCode::WrongUsage});
      return;
    }
    m_rendezvous->append(QStringLiteral("elsewhere"), bitsOf(joined->isFinished));
  }
  if (!m_isSiteShared) {
    domain::UnitOfWork unit;
    unit.plan = m_spec.plan;
    for (std::size_t i = 0; i < m_isElsewhere.size(); ++i) {  // the leader has compared them
      unit.requests = {m_spec.requests[i]};
      m_isElsewhere[i] = QFileInfo::exists(m_folder + QLatin1Char('/') + gallery::RunFolder::nameOf(domain::metadataOf(unit, 0)));
    }
  }
  const QString parts = gallery::partsFolder(m_folder, m_agreement->fingerprint);
  m_part = parts + QLatin1Char('/') + m_nonce + QLatin1Char('-') + QString::number(m_environment.rank) + QLatin1Char('-') +
           QString::number(backend::newRunId(), 16);
  if (!QDir().mkpath(m_part)) {
    refuse({{ErrorCode::Io, "The folder '" + m_part.toStdString() + "' cannot be made; check its disk and rights.", {}},
            ExitCode::WrongUsage});
    return;
  }
  if (isMain()) {
    RunFacts facts;
    facts.total = static_cast<qint64>(m_spec.requests.size());
    facts.alreadyThere = std::count(m_agreement->isFinished.begin(), m_agreement->isFinished.end(), true);
    facts.seed = m_agreement->seed;
    facts.wasSeedDrawn = m_agreement->wasSeedDrawn;
    facts.folder = m_folder;
    facts.model = m_spec.plan.model;
    facts.settings = m_settings;
    facts.plan = m_spec.plan;
    facts.slotIds = {QString::fromStdString(m_spec.slots.front().id)};
    m_printer.tellStarted(facts);
    m_printer.tellUser("This is rank 0 of " + std::to_string(m_environment.worldSize) + "; the others make their shares.");
  }
  const QStringList forWeights = weightArguments();
  if (forWeights.isEmpty()) {
    leaveWeights(m_incarnation > 1 ? "was started again" : "is on another kind of device than rank 0");
  }
  m_backend = m_tools.makeBackend(m_part, forWeights);
  using backend::Backend;
  connect(m_backend.get(), &Backend::runFinished, this, &GroupCommand::onRunFinished);
  connect(m_backend.get(), &Backend::lost, this, &GroupCommand::onLost);
  connect(m_backend.get(), &Backend::queueChanged, this, &GroupCommand::onQueueChanged);
  connect(m_backend.get(), &Backend::pictureFinished, this, [this](const backend::PictureEvent& picture) {
    ++m_made;
    noteProgress(picture.runId);
  });
  connect(m_backend.get(), &Backend::pictureFailed, this, [this](const backend::FailureEvent& failure) {
    ++m_failed;
    m_printer.tellFailure(failure);
    noteProgress(failure.runId);
  });
  connect(m_backend.get(), &Backend::warned, this,
          [this](quint64, const domain::Warning& warning) { m_printer.tellUser(warning.sentence); });
  connect(m_backend.get(), &Backend::slotChanged, this, [this](const backend::SlotStatus& status) {
    m_deviceState = QString::fromStdString(stateName(status.state));
    if (isMain()) {
      m_printer.tellDevice(status);
    } else if (status.state == backend::SlotState::Failed) {
      m_printer.tellUser(status.slotId.toStdString() + ": " + status.reason.toStdString());
    }
  });
  connect(m_backend.get(), &Backend::stepFinished, this, [this](quint64, const backend::SlotStatus& status) {
    if (isMain()) {
      m_printer.tellStep(status);
      if (!m_printer.isHeard()) {
        interrupt();
      }
    }
  });
  m_telling.start();
  m_rendezvous->share(static_cast<qint64>(m_pending.size()));
  m_rendezvous->watch(QStringLiteral("elsewhere"));
  Q_EMIT started();
  if (m_arguments.generate.split == Split::Pull) {
    wantMore();
    return;
  }
  // accelerate's rule is over the prompts; a unit is where its first picture's prompt is.
  const auto prompts = static_cast<std::size_t>(m_spec.requests.back().promptIndex) + 1;
  const auto share = cluster::shareOf(prompts, m_environment.worldSize, m_environment.rank);
  std::vector<std::size_t> units;
  for (const std::size_t unit : m_pending) {
    const auto prompt = static_cast<std::size_t>(m_spec.requests[m_units[unit].front()].promptIndex);
    if (prompt >= share->begin && prompt < share->end && !isUnitFinished(unit)) {
      units.push_back(unit);
    }
  }
  m_isOver = true;
  if (units.empty()) {
    leaveWeights("has nothing to make");
  }
  submit(units, std::nullopt);
  leaveWork();
}

void GroupCommand::takeElsewhere(const QString& text) {
  if (const auto flags = flagsOf(text, m_isElsewhere.size())) {
    for (std::size_t i = 0; i < flags->size(); ++i) {
      m_isElsewhere[i] = m_isElsewhere[i] || (*flags)[i];
    }
  }
}

void GroupCommand::noteProgress(quint64 runId) {
  if (const auto left = m_picturesLeft.find(runId); left != m_picturesLeft.end() && left->second > 0) {
    --left->second;
    wantMore();
  }
}

/// The next lease comes while the last unit of this one is made. Near the end, where a lease is a single unit, it comes after it:
/// a slow device must not sit on two while a fast one has none.
void GroupCommand::wantMore() {
  std::size_t pictures = 0;
  for (const auto& [run, left] : m_picturesLeft) {
    pictures += left;
  }
  const std::size_t ahead = m_lastLease > 1 ? static_cast<std::size_t>(m_spec.plan.batch) : 0;
  if (!m_isOver && !m_isInterrupted && !m_isLeaseWanted && pictures <= ahead) {
    m_isLeaseWanted = true;
    m_rendezvous->lease();
  }
}

void GroupCommand::onLeased(qint64 first, qint64 count) {
  m_isLeaseWanted = false;
  m_lastLease = count;
  if (m_isInterrupted || first < 0 || count < 1 || first + count > static_cast<qint64>(m_pending.size())) {
    return;
  }
  std::vector<std::size_t> units;
  for (qint64 i = first; i < first + count; ++i) {
    const std::size_t unit = m_pending[static_cast<std::size_t>(i)];
    if (!isUnitFinished(unit)) {
      units.push_back(unit);
    }
  }
  if (units.empty()) {
    m_rendezvous->finish(first, count);
  } else {
    submit(units, Lease{first, count});
  }
  wantMore();
}

void GroupCommand::submit(const std::vector<std::size_t>& units, std::optional<Lease> lease) {
  if (units.empty()) {
    return;
  }
  std::vector<std::size_t> positions;
  for (const std::size_t unit : units) {
    positions.insert(positions.end(), m_units[unit].begin(), m_units[unit].end());
  }
  // In the order of the run's list they fall into the same units again: only the last of a shape can be short.
  std::sort(positions.begin(), positions.end());
  backend::RunSpec spec;
  spec.id = backend::newRunId();
  spec.plan = m_spec.plan;
  spec.slots = m_spec.slots;
  for (const std::size_t position : positions) {
    spec.requests.push_back(m_spec.requests[position]);
  }
  m_hasSubmitted = true;
  m_inWork[spec.id] = lease;
  m_picturesLeft[spec.id] = positions.size();
  m_backend->submit(std::move(spec));
}

void GroupCommand::onRunFinished(const backend::RunSummary& summary) {
  const auto found = m_inWork.find(summary.runId);
  if (found == m_inWork.end()) {
    return;
  }
  const std::optional<Lease> lease = found->second;
  m_inWork.erase(found);
  m_picturesLeft.erase(summary.runId);
  if (summary.error) {
    giveUpWork(*summary.error, exitCodeOfRun(summary, true));
    return;
  }
  if (summary.wasCancelled) {
    m_isInterrupted = m_isOver = true;
  } else {
    m_ownCode = summary.failed > 0 ? ExitCode::SomeFailed : m_ownCode;
    if (lease) {
      m_rendezvous->finish(lease->first, lease->count);
    }
  }
  wantMore();
  leaveWork();
}

void GroupCommand::onQueueChanged(const backend::QueueStatus& status) {
  using backend::PauseReason;
  if (m_hasEnded || m_isOver || status.pause == std::exchange(m_toldPause, status.pause)) {
    return;
  }
  if (status.pause == PauseReason::Breaker) {
    giveUpWork({ErrorCode::WorkerDied,
                std::string("This rank has no worker left to go on; why is said above.") +
                    (m_arguments.generate.split == Split::Pull ? " The others make what it had."
                                                               : " The same command makes what it had."),
                status.sentence.toStdString()},
               ExitCode::SomeFailed);
  } else if (status.pause != PauseReason::None) {
    m_printer.tellUser(status.sentence.toStdString());
  }
}

/// This rank cannot make pictures. What it had leased is the others' again, and rank 0 stays for them.
void GroupCommand::giveUpWork(const Error& error, ExitCode code) {
  m_printer.tellError(error);
  m_ownCode = code;
  m_isOver = true;
  m_inWork.clear();
  m_picturesLeft.clear();
  m_rendezvous->release();
  leaveWork();
}

void GroupCommand::onLost(const Error& error) {
  if (!m_hasEnded && !m_hasLeft) {
    fail(error);
  }
}

/// Nothing is left to make for this rank: its files are closed, then it tells so.
void GroupCommand::leaveWork() {
  // Later: this may be an answer of the backend, which goes.
  QMetaObject::invokeMethod(this, &GroupCommand::leaveNow, Qt::QueuedConnection);
}

void GroupCommand::leaveNow() {
  if (!m_isOver || !m_inWork.empty() || m_hasEnded || m_backend == nullptr) {
    return;
  }
  m_backend->disconnect(this);
  m_backend->leave(kLeaveLimit);
  m_backend.reset();
  if (isMain()) {
    // It stays alive for the others until all are done.
    m_hasLeft = true;
    m_rendezvous->look();  // who came since the last look is there too
    return;
  }
  tellOthers();
  m_rendezvous->leave();
}

/// Rank 0 is done when all others have left, or will not come.
void GroupCommand::endIfAlone() {
  if (!isMain() || !m_hasLeft || !m_hasLooked || m_hasEnded) {
    return;
  }
  if (m_isInterrupted) {
    finishRun();
    return;
  }
  const bool isStatic = m_arguments.generate.split == Split::Static;
  for (int rank = 1; rank < m_environment.worldSize; ++rank) {
    const RankState state = m_remotes[rank].state;
    if (state == RankState::Working || (isStatic && state == RankState::Absent && !m_areAbsentGivenUp)) {
      return;
    }
  }
  finishRun();
}

base::Result<gallery::JoinedRun> GroupCommand::join() {
  m_hold.reset();
  auto joined = gallery::joinParts(m_folder, wholeRun());
  QFile::remove(siteFile(m_nonce));
  return joined;
}

void GroupCommand::finishRun() {
  if (m_hasEnded || std::exchange(m_isJoined, true)) {
    return;
  }
  backend::RunSummary summary;
  summary.total = static_cast<qint64>(m_spec.requests.size());
  summary.alreadyThere = std::count(m_agreement->isFinished.begin(), m_agreement->isFinished.end(), true);
  summary.wasCancelled = m_isInterrupted && m_ownCode == ExitCode::AllMade;
  const auto joined = join();
  ExitCode code = m_ownCode;
  if (!joined) {
    m_printer.tellError(joined.error());
    summary.made = m_made;
    code = ExitCode::SomeFailed;
  } else {
    summary.made = static_cast<qint64>(joined->finished()) - summary.alreadyThere;
    summary.failed = static_cast<qint64>(joined->failed);
    for (std::size_t i = 0; i < joined->isFinished.size(); ++i) {
      if (joined->isFinished[i]) {
        const gallery::PictureOrigin& origin = joined->origins[i];
        m_printer.tellPicture({0, m_spec.requests[i].index, joined->paths[static_cast<qsizetype>(i)], origin.device,
                               origin.seconds, m_agreement->isFinished[i]});
      }
    }
    for (const auto& [rank, remote] : m_remotes) {
      summary.made += remote.isShared ? 0 : remote.made;
      summary.failed += remote.isShared ? 0 : remote.failed;
    }
    const qint64 there = std::count(m_isElsewhere.begin(), m_isElsewhere.end(), true) + summary.made + summary.alreadyThere;
    if (!m_otherHosts.isEmpty()) {
      m_printer.tellUser("Pictures are on other machines too (" + m_otherHosts.join(QStringLiteral(", ")).toStdString() +
                         ", in " + m_folder.toStdString() +
                         "): 'polyptych-cli merge --out DIR FOLDER ...' brings their folders together.");
    }
    if (there < summary.total && !m_isInterrupted && summary.failed == 0) {
      m_printer.tellUser(
          std::to_string(summary.total - there) +
          " pictures were not made, because processes of the group ended or did not come. The same command makes them.");
    }
    if (there < summary.total || summary.failed > 0) {
      code = code == ExitCode::AllMade ? ExitCode::SomeFailed : code;
    } else if (!m_isInterrupted) {
      code = ExitCode::AllMade;  // where this rank could not, others have
    }
  }
  if (summary.wasCancelled) {
    code = ExitCode::Interrupted;
  }
  m_printer.tellFinished(summary, code, static_cast<double>(m_clock.elapsed()) / 1000);
  m_ownCode = code;
  m_rendezvous->publish(QStringLiteral("verdict"), QString::number(static_cast<int>(code)));
}

void GroupCommand::onVerdict(const QString& text) {
  if (!m_isJoined && !m_hasLeft) {
    endTooLate(text);
    return;
  }
  if (isMain()) {
    // The store may go with this process: the others get the time to hear.
    m_rendezvous->watch(QStringLiteral("heard"));
    m_sinceVerdict.start();
    auto* lookAgain = new QTimer(this);
    connect(lookAgain, &QTimer::timeout, this, &GroupCommand::endIfHeard);
    lookAgain->start(kHearEvery);
    endIfHeard();
    return;
  }
  m_rendezvous->append(QStringLiteral("heard"), QString::number(m_environment.rank));
  if (m_isSiteLeader) {
    if (const auto joined = join(); !joined) {
      m_printer.tellError(joined.error());
      end(ExitCode::SomeFailed);
      return;
    }
  }
  const auto code = static_cast<ExitCode>(text.toInt());
  const bool isOwn = m_ownCode != ExitCode::AllMade && (m_isInterrupted || code != ExitCode::AllMade);
  end(isOwn ? m_ownCode : code);
}

/// The run is over, and this rank was taken for dead, or has only just come again.
void GroupCommand::endTooLate(const QString& verdict) {
  m_rendezvous->append(QStringLiteral("heard"), QString::number(m_environment.rank));
  const auto code = static_cast<ExitCode>(verdict.toInt());
  if (m_backend != nullptr) {
    m_backend->disconnect(this);
    m_backend->leave(kLeaveLimit);
    m_backend.reset();
  }
  if (code == ExitCode::AllMade && !m_part.isEmpty()) {
    QDir(m_part).removeRecursively();  // others have made what it had
    QDir().rmdir(QFileInfo(m_part).path());
    QDir().rmdir(QFileInfo(QFileInfo(m_part).path()).path());
  }
  end(code);
}

/// Rank 0 keeps the store for those that are still to hear how it ended: shortly for those that were there, and longer for those
/// that have not begun, which would look for the store otherwise until their time is out.
void GroupCommand::endIfHeard() {
  if (!m_sinceVerdict.isValid()) {
    return;
  }
  const qint64 waited = m_sinceVerdict.elapsed();
  const bool areAbsentAwaited = !m_environment.hasAgentStore && !m_isInterrupted && m_clock.elapsed() < absentLimit().count();
  QStringList absent;
  for (int rank = 1; rank < m_environment.worldSize; ++rank) {
    const RankState state = m_remotes[rank].state;
    if (m_hearing.contains(QString::number(rank)) || state == RankState::Lost) {
      continue;
    }
    if (state != RankState::Absent && waited < kHearingLimit.count()) {
      return;
    }
    if (state == RankState::Absent && areAbsentAwaited) {
      absent << QString::number(rank);
    }
  }
  if (absent.isEmpty()) {
    end(m_ownCode);
  } else if (waited > kUntilAbsentAreTold.count() && !std::exchange(m_areAbsentTold, true)) {
    m_printer.tellUser("Rank " + absent.join(QStringLiteral(", ")).toStdString() +
                       " has not begun yet; this process waits so long that it can hear that all is done.");
  }
}

milliseconds GroupCommand::absentLimit() const {
  return std::min(milliseconds(1000) * m_arguments.generate.joinTimeout, kLongestForAbsent);
}

void GroupCommand::tellOthers() {
  if (isMain() || m_rendezvous == nullptr) {
    return;
  }
  const QJsonObject status{{QStringLiteral("host"), QSysInfo::machineHostName()},
                           {QStringLiteral("made"), m_made},
                           {QStringLiteral("failed"), m_failed},
                           {QStringLiteral("shared"), m_isSiteShared},
                           {QStringLiteral("device"), QString::fromStdString(m_spec.slots.front().id)},
                           {QStringLiteral("state"), m_deviceState}};
  m_rendezvous->tellStatus(QString::fromUtf8(QJsonDocument(status).toJson(QJsonDocument::Compact)));
}

void GroupCommand::tellProgress() {
  if (!isMain() || !m_agreement || m_isJoined || m_hasEnded) {
    return;
  }
  GroupProgress progress;
  progress.total = static_cast<qint64>(m_spec.requests.size());
  progress.alreadyThere = std::count(m_agreement->isFinished.begin(), m_agreement->isFinished.end(), true);
  progress.made.push_back(m_made);
  progress.failed = m_failed;
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
  m_isInterrupted = true;
  if (m_backend == nullptr) {
    if (m_rendezvous != nullptr && m_hasLeft && isMain()) {
      finishRun();
    } else {
      end(ExitCode::Interrupted);
    }
    return;
  }
  m_isOver = true;
  for (const auto& [run, lease] : m_inWork) {
    m_backend->cancelRun(run);
  }
  m_ownCode = m_ownCode == ExitCode::AllMade && !isMain() ? ExitCode::Interrupted : m_ownCode;
  leaveWork();
}

void GroupCommand::refuse(const Refusal& refusal) {
  m_printer.tellError(refusal.error);
  if (isMain()) {
    backend::RunSummary summary;
    summary.total = static_cast<qint64>(m_spec.requests.size());
    m_printer.tellFinished(summary, refusal.code, static_cast<double>(m_clock.elapsed()) / 1000);
  }
  if (!m_nonce.isEmpty() && isMain()) {
    QFile::remove(siteFile(m_nonce));
  }
  end(refusal.code);
}

void GroupCommand::fail(const Error& error) {
  if (m_hasEnded) {
    return;
  }
  m_printer.tellError(error);
  if (isMain()) {
    backend::RunSummary summary;
    summary.total = static_cast<qint64>(m_spec.requests.size());
    summary.made = m_made;
    m_printer.tellFinished(summary, ExitCode::SomeFailed, static_cast<double>(m_clock.elapsed()) / 1000);
  }
  end(ExitCode::SomeFailed);
}

void GroupCommand::end(ExitCode code) {
  if (!m_hasEnded) {
    m_hasEnded = true;
    m_telling.stop();
    if (m_backend != nullptr) {
      m_backend->disconnect(this);
    }
    Q_EMIT ended(static_cast<int>(code));
  }
}

}  // namespace polyptych::cli
