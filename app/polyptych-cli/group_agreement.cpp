#include "app/polyptych-cli/group_agreement.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSysInfo>
#include <utility>

#include "app/polyptych-cli/generate_plan.h"
#include "core/library/run_file.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

/// What one rank was started with. Equal texts make equal pictures.
QString requestsHash(const backend::RunSpec& spec) {
  library::RunRecord record;
  record.requests = spec.requests;
  record.plan = spec.plan;
  record.plan.model.folder.clear();  // each machine has its own place for it
  return QString::fromLatin1(QCryptographicHash::hash(library::toRunFile(record), QCryptographicHash::Sha256).toHex());
}

}  // namespace

void apply(const GroupAgreement& agreement, backend::RunSpec& spec) {
  giveSeeds(spec.requests, agreement.seed);
  spec.plan.computeType = agreement.computeType;
  spec.plan.threads = agreement.threads;
}

QString toText(const GroupAgreement& agreement, const backend::RunSpec& spec, Split split, int size) {
  const QJsonObject told{{QStringLiteral("version"), QStringLiteral(POLYPTYCH_VERSION)},
                         {QStringLiteral("site"), agreement.site},
                         {QStringLiteral("size"), size},
                         {QStringLiteral("seed"), QString::number(agreement.seed)},
                         {QStringLiteral("drawn"), agreement.wasSeedDrawn},
                         {QStringLiteral("threads"), agreement.threads},
                         {QStringLiteral("computeType"), QString::fromStdString(domain::toString(agreement.computeType))},
                         {QStringLiteral("fingerprint"), agreement.fingerprint},
                         {QStringLiteral("requests"), requestsHash(spec)},
                         {QStringLiteral("split"), static_cast<int>(split)},
                         {QStringLiteral("gpu"), agreement.isGpu},
                         {QStringLiteral("weights"), QString::fromStdString(nameOf(agreement.weights))},
                         {QStringLiteral("finished"), textOfFlags(agreement.isFinished)}};
  return QString::fromUtf8(QJsonDocument(told).toJson(QJsonDocument::Compact));
}

Result<GroupAgreement> agree(const QString& text, const cluster::LaunchEnvironment& environment, Split split,
                             backend::RunSpec& spec) {
  const QJsonObject told = QJsonDocument::fromJson(text.toUtf8()).object();
  const QString version = told[QLatin1String("version")].toString();
  const std::string self = "rank " + std::to_string(environment.rank) + " (" + QSysInfo::machineHostName().toStdString() + ")";
  if (version != QLatin1String(POLYPTYCH_VERSION)) {
    return Error{ErrorCode::VersionMismatch,
                 "Rank 0 runs Polyptych " + version.toStdString() + " and " + self +
                     " runs " POLYPTYCH_VERSION ". Install one version everywhere.",
                 {}};
  }
  if (const int size = told[QLatin1String("size")].toInt(); size != environment.worldSize) {
    return Error{ErrorCode::InvalidArgument,
                 "Rank 0 is one of " + std::to_string(size) + " processes and " + self + " one of " +
                     std::to_string(environment.worldSize) +
                     ". Start all with the same number; with several machines, name it with --num-processes on each.",
                 {}};
  }
  const auto type = domain::computeTypeFromString(told[QLatin1String("computeType")].toString().toStdString());
  auto finished = flagsOfText(told[QLatin1String("finished")].toString(), spec.requests.size());
  GroupAgreement agreement;
  agreement.seed = told[QLatin1String("seed")].toString().toULongLong();
  agreement.wasSeedDrawn = told[QLatin1String("drawn")].toBool();
  agreement.threads = told[QLatin1String("threads")].toInt(1);
  agreement.fingerprint = told[QLatin1String("fingerprint")].toString();
  agreement.site = told[QLatin1String("site")].toString();
  agreement.isGpu = told[QLatin1String("gpu")].toBool();
  for (const Weights one : {Weights::Broadcast, Weights::Measured}) {
    if (told[QLatin1String("weights")].toString().toStdString() == nameOf(one)) {
      agreement.weights = one;
    }
  }
  if (type) {
    agreement.computeType = *type;
  }
  apply(agreement, spec);
  const bool isSplitEqual = told[QLatin1String("split")].toInt() == static_cast<int>(split);
  if (!type || !finished || !isSplitEqual || requestsHash(spec) != told[QLatin1String("requests")].toString()) {
    return Error{ErrorCode::InvalidArgument,
                 "Rank 0 and " + self +
                     " were started with different prompts, settings or models. Give every process the same command, the same "
                     "list and the same model.",
                 {}};
  }
  agreement.isFinished = *std::move(finished);
  return agreement;
}

QString textOfFlags(const std::vector<bool>& flags) {
  QByteArray bytes(static_cast<qsizetype>((flags.size() + 7) / 8), '\0');
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) {
      bytes[static_cast<qsizetype>(i / 8)] = static_cast<char>(bytes[static_cast<qsizetype>(i / 8)] | (1 << (i % 8)));
    }
  }
  return QString::fromLatin1(qCompress(bytes).toBase64());
}

Result<std::vector<bool>> flagsOfText(const QString& text, std::size_t size) {
  const QByteArray bytes = qUncompress(QByteArray::fromBase64(text.toLatin1()));
  if (static_cast<std::size_t>(bytes.size()) != (size + 7) / 8) {
    return Error{ErrorCode::InvalidArgument, "Another rank has another number of pictures.", {}};
  }
  std::vector<bool> flags(size);
  for (std::size_t i = 0; i < size; ++i) {
    flags[i] = (bytes[static_cast<qsizetype>(i / 8)] >> (i % 8)) & 1;
  }
  return flags;
}

}  // namespace polyptych::cli
