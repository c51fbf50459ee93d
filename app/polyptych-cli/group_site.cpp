#include "app/polyptych-cli/group_site.h"

#include <QDir>
#include <QFile>
#include <QSaveFile>

#include "core/library/run_file.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

QString homeOf(const QString& folder) { return folder + QStringLiteral("/.polyptych"); }

}  // namespace

gallery::FolderRun folderRunOf(const backend::RunSpec& spec) {
  gallery::FolderRun run;
  domain::UnitOfWork unit;
  unit.plan = spec.plan;
  unit.requests.resize(1);
  for (const domain::GenerationRequest& request : spec.requests) {
    unit.requests.front() = request;
    run.pictures.push_back(domain::metadataOf(unit, 0));
  }
  run.fingerprint = gallery::fingerprintOf(run);
  return run;
}

QString GroupSite::leaderFile() const { return homeOf(m_folder) + QStringLiteral("/site-") + m_start; }

Result<gallery::JoinedRun> GroupSite::lead(const backend::RunSpec& spec, int rank) {
  const gallery::FolderRun run = folderRunOf(spec);
  auto joined = gallery::joinParts(m_hold, run, {}, m_start);
  if (!joined) {
    return joined;
  }
  QDir home(homeOf(m_folder));
  for (const QString& old : home.entryList({QStringLiteral("site-*")}, QDir::Files)) {
    home.remove(old);  // of a start that was killed
  }
  if (const auto written = writeList(spec, run.fingerprint); !written) {
    return written.error();
  }
  QSaveFile told(leaderFile());
  if (!told.open(QIODevice::WriteOnly) || told.write(QByteArray::number(rank)) < 1 || !told.commit()) {
    return Error{
        ErrorCode::Io, "Nothing can be written into '" + m_folder.toStdString() + "'. Check its rights and its disk.", {}};
  }
  return joined;
}

Result<void> GroupSite::hold() {
  auto held = gallery::FolderHandle::open(m_folder);
  if (!held) {
    return held.error();
  }
  m_hold = std::make_unique<gallery::FolderHandle>(*std::move(held));
  return {};
}

Result<void> GroupSite::writeList(const backend::RunSpec& spec, const QString& fingerprint) const {
  const QString parts = gallery::partsFolder(m_folder, fingerprint);
  library::RunRecord record;
  record.id = backend::newRunId();
  record.fingerprint = fingerprint;
  record.plan = spec.plan;
  record.requests = spec.requests;
  QDir().mkpath(parts);
  auto handle = gallery::FolderHandle::openBeside(parts);
  return handle ? handle->replace(QLatin1String(library::kRunFileName), library::toRunFile(record))
                : Result<void>(handle.error());
}

std::optional<int> GroupSite::leader() const {
  QDir(homeOf(m_folder)).entryList();  // network file systems look again
  QFile told(leaderFile());
  return told.open(QIODevice::ReadOnly) ? std::optional(told.readAll().toInt()) : std::nullopt;
}

Result<QString> GroupSite::makePart(const QString& fingerprint, int rank) const {
  const QString part = gallery::partsFolder(m_folder, fingerprint) +
                       QStringLiteral("/%1-%2-%3").arg(m_start, QString::number(rank), QString::number(backend::newRunId(), 16));
  if (!QDir().mkpath(part)) {
    return Error{ErrorCode::Io, "The folder '" + part.toStdString() + "' cannot be made; check its disk and rights.", {}};
  }
  return part;
}

Result<gallery::JoinedRun> GroupSite::join(const backend::RunSpec& spec) {
  if (const auto held = isHeld() ? Result<void>() : hold(); !held) {
    return held.error();
  }
  auto joined = gallery::joinParts(m_hold, folderRunOf(spec));
  forget();
  m_hold.reset();
  return joined;
}

void GroupSite::forget() {
  if (!m_start.isEmpty()) {
    QFile::remove(leaderFile());
  }
}

}  // namespace polyptych::cli
