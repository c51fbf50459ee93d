#include "core/gallery/join_parts.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "core/gallery/difference.h"
#include "core/library/location.h"
#include "core/library/lock.h"
#include "core/library/run_file.h"
#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr qint64 kMaxManifestBytes = qint64(4) << 30;

QString homeOf(const QString& folder) { return library::locationAt(folder, library::Location::Layout::Flat).homeFolder(); }

QString allPartsOf(const QString& folder) { return homeOf(folder) + QStringLiteral("/parts"); }

QStringList foldersIn(const QString& folder) { return QDir(folder).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name); }

std::optional<QByteArray> bytesOf(const QString& path, qint64 most) {
  QFile file(path);
  if (!QFileInfo(file).isFile() || !file.open(QIODevice::ReadOnly) || file.size() > most) {
    return std::nullopt;
  }
  return file.readAll();
}

/// Pictures and failures that other folders have, by index.
class Finds {
 public:
  struct Picture {
    ManifestRow row;
    QString path;
  };

  explicit Finds(const FolderRun& run, QString fingerprint) : m_run(run), m_fingerprint(std::move(fingerprint)) {}

  /// A folder with pictures and perhaps a manifest. @param isPart  the manifest's rows are of a process's own runs
  void look(const QString& folder, bool isPart) {
    const QByteArray manifest =
        bytesOf(folder + QLatin1Char('/') + QLatin1String(kManifestName), kMaxManifestBytes).value_or(QByteArray());
    QStringList known;
    for (const QByteArray& line : manifest.split('\n')) {
      Result<ManifestRow> row = rowFromLine(line);
      if (!row || (!isPart && row->run != m_fingerprint) || !isOurs(row->metadata)) {
        continue;
      }
      const std::int64_t index = row->metadata.request.index;
      const QString path = folder + QLatin1Char('/') + row->file;
      if (row->error) {
        m_failures.try_emplace(index, *std::move(row));
      } else if (!row->file.contains(QLatin1Char('/')) && QFileInfo(path).isFile()) {
        known << row->file;
        m_pictures.try_emplace(index, Picture{*std::move(row), path});
      }
    }
    if (isPart) {
      takeUnknown(folder, known);
    }
  }

  const std::map<std::int64_t, Picture>& pictures() const { return m_pictures; }
  const std::map<std::int64_t, ManifestRow>& failures() const { return m_failures; }
  std::optional<std::size_t> positionOf(std::int64_t index) const {
    const auto found = std::ranges::lower_bound(m_run.pictures, index, {},
                                                [](const domain::PictureMetadata& picture) { return picture.request.index; });
    return found != m_run.pictures.end() && found->request.index == index
               ? std::optional(static_cast<std::size_t>(found - m_run.pictures.begin()))
               : std::nullopt;
  }

 private:
  bool isOurs(const domain::PictureMetadata& picture) const {
    const auto position = positionOf(picture.request.index);
    return position && (picture == m_run.pictures[*position] || isLowerRung(picture, m_run.pictures[*position]));
  }

  /// A process ended between a picture and its row.
  void takeUnknown(const QString& folder, const QStringList& known) {
    for (const QString& name : QDir(folder).entryList({QStringLiteral("*.png")}, QDir::Files, QDir::Name)) {
      const auto bytes = known.contains(name)
                             ? std::nullopt
                             : bytesOf(folder + QLatin1Char('/') + name, static_cast<qint64>(picture::kMaxPngBytes));
      if (!bytes) {
        continue;
      }
      const auto view = std::as_bytes(std::span(bytes->constData(), static_cast<std::size_t>(bytes->size())));
      const Result<domain::PictureMetadata> metadata = picture::readPngMetadata(view);
      if (metadata && isOurs(*metadata) && picture::checkPng(view, metadata->request.width, metadata->request.height)) {
        ManifestRow row;
        row.metadata = *metadata;
        row.time = QFileInfo(folder + QLatin1Char('/') + name).lastModified().toUTC();
        m_pictures.try_emplace(metadata->request.index, Picture{std::move(row), folder + QLatin1Char('/') + name});
      }
    }
  }

  const FolderRun& m_run;
  const QString m_fingerprint;
  std::map<std::int64_t, Picture> m_pictures;
  std::map<std::int64_t, ManifestRow> m_failures;
};

/// Names of the parts that no process is writing into.
QStringList partsOf(const QString& folder, const QString& fingerprint, const QString& inUse) {
  QStringList parts = foldersIn(partsFolder(folder, fingerprint));
  if (!inUse.isEmpty()) {
    parts.removeIf([&inUse](const QString& part) { return part.startsWith(inUse); });
  }
  return parts;
}

void lookInParts(const QString& folder, const QString& fingerprint, const QStringList& names, Finds& finds) {
  const QString parts = partsFolder(folder, fingerprint);
  for (const QString& part : names) {
    const QString pictures = parts + QLatin1Char('/') + part + QStringLiteral("/pictures");
    for (const QString& date : foldersIn(pictures)) {
      for (const QString& run : foldersIn(pictures + QLatin1Char('/') + date)) {
        finds.look(pictures + QLatin1Char('/') + date + QLatin1Char('/') + run, true);
      }
    }
  }
}

/// Brings a picture to its place. @param mayMove  its old place is ours too
Result<void> bring(const Finds::Picture& picture, const QString& name, bool mayMove, FolderHandle& folder) {
  if (mayMove && QFile::rename(picture.path, folder.path() + QLatin1Char('/') + name)) {
    return {};
  }
  const auto bytes = bytesOf(picture.path, static_cast<qint64>(picture::kMaxPngBytes));
  if (!bytes) {
    return Error{ErrorCode::Io, "The picture '" + picture.path.toStdString() + "' cannot be read.", {}};
  }
  return folder.writeNew(name, *bytes);
}

Result<void> checkOtherParts(const QString& folder, const QString& fingerprint) {
  for (const QString& other : foldersIn(allPartsOf(folder))) {
    if (other == fingerprint) {
      continue;
    }
    QDirIterator pictures(allPartsOf(folder) + QLatin1Char('/') + other, {QStringLiteral("*.png")}, QDir::Files,
                          QDirIterator::Subdirectories);
    if (pictures.hasNext()) {
      return Error{ErrorCode::AlreadyExists,
                   "The folder '" + folder.toStdString() +
                       "' has parts of another run of several processes. Repeat that run with the same settings to finish it, "
                       "join it with 'polyptych-cli merge', or choose another folder.",
                   {}};
    }
  }
  return {};
}

}  // namespace

std::size_t JoinedRun::finished() const {
  return static_cast<std::size_t>(std::count(isFinished.begin(), isFinished.end(), true));
}

QString partsFolder(const QString& folder, const QString& fingerprint) {
  return allPartsOf(folder) + QLatin1Char('/') + fingerprint;
}

bool hasPartPictures(const QString& folder) {
  return QDirIterator(allPartsOf(folder), {QStringLiteral("*.png")}, QDir::Files, QDirIterator::Subdirectories).hasNext();
}

bool arePartsAtWork(const QString& folder, const QString& except) {
  for (const QString& run : foldersIn(allPartsOf(folder))) {
    for (const QString& part : foldersIn(partsFolder(folder, run))) {
      const QString path = partsFolder(folder, run) + QLatin1Char('/') + part;
      if (!except.isEmpty() && part.startsWith(except)) {
        continue;
      }
      const auto holder = library::holderOf(library::locationAt(path, library::Location::Layout::Dated));
      if (holder && *holder) {
        return true;
      }
    }
  }
  return false;
}

Error partsAtWorkError(const QString& folder) {
  return {ErrorCode::AlreadyExists,
          "Processes of another start are making pictures in the folder '" + folder.toStdString() +
              "'. Wait until they have ended, or choose another folder.",
          {}};
}

Result<JoinedRun> joinParts(const QString& folder, const FolderRun& run, const QStringList& others, const QString& inUse) {
  Result<FolderHandle> locked = FolderHandle::open(folder);
  if (!locked) {
    return locked.error();
  }
  auto held = std::make_unique<FolderHandle>(*std::move(locked));
  return joinParts(held, run, others, inUse);
}

Result<JoinedRun> joinParts(std::unique_ptr<FolderHandle>& held, const FolderRun& run, const QStringList& others,
                            const QString& inUse) {
  const std::unique_ptr<FolderHandle> locked = std::exchange(held, nullptr);
  const QString folder = locked->path();
  const QString fingerprint = run.fingerprint.isEmpty() ? fingerprintOf(run) : run.fingerprint;
  if (auto checked = checkOtherParts(folder, fingerprint); !checked) {
    return checked.error();
  }
  Result<std::unique_ptr<OutputFolder>> opened =
      OutputFolder::open(std::move(*locked), {run.pictures, run.initialLatents, fingerprint});
  if (!opened) {
    return opened.error();
  }
  JoinedRun joined;
  std::map<std::int64_t, QByteArray> lines;
  for (std::size_t i = 0; i < run.pictures.size(); ++i) {
    joined.isFinished.push_back((*opened)->isFinished(i));
    joined.paths << (*opened)->pathOf(i);
    joined.origins.push_back(joined.isFinished.back() ? (*opened)->originOf(i) : PictureOrigin());
  }
  Finds parts(run, fingerprint);
  const QStringList ownParts = partsOf(folder, fingerprint, inUse);
  lookInParts(folder, fingerprint, ownParts, parts);
  Finds elsewhere(run, fingerprint);
  for (const QString& other : others) {
    elsewhere.look(other, false);
    lookInParts(other, fingerprint, partsOf(other, fingerprint, {}), elsewhere);
  }
  const std::unique_ptr<RunFolder> files = (*opened)->release();
  const auto take = [&](const Finds& finds, bool mayMove) -> Result<void> {
    for (const auto& [index, picture] : finds.pictures()) {
      const std::size_t position = *finds.positionOf(index);
      if (joined.isFinished[position]) {
        continue;
      }
      const QString name = RunFolder::nameOf(run.pictures[position]);
      if (auto brought = bring(picture, name, mayMove, files->handle()); !brought) {
        return brought;
      }
      joined.isFinished[position] = true;
      joined.origins[position] = picture.row.origin;
      ++joined.joined;
      ManifestRow row = picture.row;
      row.file = name;
      row.run = fingerprint;
      lines[index] = toLine(row);
    }
    return {};
  };
  if (auto taken = take(parts, true); !taken) {
    return taken.error();
  }
  if (auto taken = take(elsewhere, false); !taken) {
    return taken.error();
  }
  for (const Finds* finds : {&parts, &elsewhere}) {
    for (const auto& [index, failure] : finds->failures()) {
      const std::size_t position = *finds->positionOf(index);
      if (!joined.isFinished[position] && !lines.contains(index)) {
        ManifestRow row = failure;
        row.run = fingerprint;
        lines[index] = toLine(row);
        ++joined.failed;
      }
    }
  }
  if (!lines.empty()) {
    if (auto synced = files->sync(); !synced) {
      return synced.error();
    }
    const Result<QByteArray> there = files->handle().read(QLatin1String(kManifestName), kMaxManifestBytes);
    if (!there && there.error().code != ErrorCode::NotFound) {
      return there.error();
    }
    for (const QByteArray& line : (there ? *there : QByteArray()).split('\n')) {
      if (const Result<ManifestRow> row = rowFromLine(line)) {
        lines.try_emplace(row->metadata.request.index, line + '\n');
      }
    }
    QByteArray text;
    for (const auto& [index, line] : lines) {
      text += line;
    }
    if (auto written = files->handle().replace(QLatin1String(kManifestName), text); !written) {
      return written.error();
    }
  }
  const QString ours = partsFolder(folder, fingerprint);
  if (QFileInfo(ours).isDir()) {
    const QString list = homeOf(folder) + QLatin1Char('/') + QLatin1String(library::kRunFileName);
    if (!QFileInfo::exists(list)) {
      QFile::copy(ours + QLatin1Char('/') + QLatin1String(library::kRunFileName), list);
    }
    // A backend whose rank was killed may still write its last picture: what stays is joined another time.
    for (const QString& part : ownParts) {
      QDir(ours + QLatin1Char('/') + part).removeRecursively();
    }
    if (foldersIn(ours).isEmpty() && QDir(ours).removeRecursively()) {
      QDir().rmdir(allPartsOf(folder));
    }
  }
  held = std::make_unique<FolderHandle>(std::move(files->handle()));
  return joined;
}

Result<FolderRun> wholeRunOf(const QString& folder) {
  QStringList lists;
  for (const QString& part : foldersIn(allPartsOf(folder))) {
    lists << allPartsOf(folder) + QLatin1Char('/') + part + QLatin1Char('/') + QLatin1String(library::kRunFileName);
  }
  lists.removeIf([](const QString& list) { return !QFileInfo(list).isFile(); });
  if (lists.size() > 1) {
    return Error{ErrorCode::InvalidArgument,
                 "The folder '" + folder.toStdString() + "' has parts of " + std::to_string(lists.size()) +
                     " runs. Repeat each of them with its own settings and a folder of its own.",
                 {}};
  }
  if (lists.isEmpty()) {
    lists << homeOf(folder) + QLatin1Char('/') + QLatin1String(library::kRunFileName);
  }
  const auto bytes = bytesOf(lists.front(), library::kMaxRunFileBytes);
  if (!bytes) {
    return Error{ErrorCode::NotFound, "The folder '" + folder.toStdString() + "' has no parts of a run.", {}};
  }
  const Result<library::RunRecord> record = library::fromRunFile(*bytes);
  if (!record) {
    return record.error();
  }
  FolderRun run;
  run.fingerprint = record->fingerprint;
  domain::UnitOfWork unit;
  unit.plan = record->plan;
  unit.requests.resize(1);
  for (const domain::GenerationRequest& request : record->requests) {
    unit.requests.front() = request;
    run.pictures.push_back(domain::metadataOf(unit, 0));
  }
  return run;
}

}  // namespace polyptych::gallery
