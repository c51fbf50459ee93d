#include "core/gallery/upkeep/run_check.h"

#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QSet>
#include <QTimeZone>

#include "core/gallery/folder_handle.h"
#include "core/gallery/picture_name.h"
#include "core/gallery/picture_rows.h"
#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/run_matching.h"
#include "core/gallery/upkeep/run_state.h"
#include "core/library/database.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

bool isSameRun(const library::RunRecord& a, const library::RunRecord& b) {
  return a.id == b.id && a.number == b.number && a.createdMs == b.createdMs && a.fingerprint == b.fingerprint &&
         a.plan == b.plan && a.wantsTrace == b.wantsTrace && a.wantsPreviews == b.wantsPreviews && a.hasLatents == b.hasLatents &&
         a.requests == b.requests;
}

bool isPictureOf(const domain::PictureMetadata& file, const domain::PictureMetadata& row) {
  return haveEqualContent(file.request, row.request) && file.modelName == row.modelName && file.modelHash == row.modelHash;
}

}  // namespace

RunCheck::RunCheck(Database& database, const library::Location& location, const FolderReading& reading, const RunRows& rows,
                   bool repair)
    : m_database(database), m_location(location), m_reading(reading), m_rows(rows), m_repair(repair) {}

void RunCheck::tell(FindingKind kind, const QString& path, const QString& what, const QString& repaired) {
  const bool isRepaired = m_repair && !repaired.isEmpty();
  m_findings.push_back({kind, path, isRepaired, isRepaired ? what + u' ' + repaired : what});
}

Result<std::vector<Finding>> RunCheck::run() {
  using Part = Result<void> (RunCheck::*)();
  for (const Part part : {&RunCheck::checkRunFile, &RunCheck::checkTemporaries, &RunCheck::checkPictures, &RunCheck::adoptFiles,
                          &RunCheck::checkManifest, &RunCheck::checkSidecars, &RunCheck::checkStraySidecars}) {
    if (auto checked = (this->*part)(); !checked) {
      return checked.error();
    }
  }
  if (m_rows.record.hasLatents && !m_reading.content.hasLatents) {
    tell(FindingKind::LatentsMissing, m_reading.path,
         QStringLiteral("The file that the run's pictures begin from is gone; what is still to be made of it will fail."),
         QString());
  }
  if (m_repair && mayBeMadeAgain()) {
    if (auto again = makeAgain(m_database, m_rows.record.id, m_lost); !again) {
      return again.error();
    }
  }
  return std::move(m_findings);
}

Result<void> RunCheck::checkRunFile() {
  const QString path = runFilePath(m_location, m_rows.record.folder);
  const bool isMissing = m_reading.content.runFile.isEmpty();
  if (!isMissing && m_reading.record && (!m_rows.isComplete || isSameRun(*m_reading.record, m_rows.record))) {
    return {};
  }
  if (m_reading.recordError && m_reading.recordError->code == ErrorCode::Unsupported) {
    tell(FindingKind::NewerRun, path, QString::fromStdString(m_reading.recordError->message), QString());
    return {};
  }
  tell(isMissing ? FindingKind::RunFileMissing : FindingKind::RunFileDamaged, path,
       isMissing ? QStringLiteral("The list of the run's pictures is gone.")
                 : QStringLiteral("The list of the run's pictures cannot be read, or is another one."),
       m_rows.isComplete ? QStringLiteral("It was written again.") : QString());
  if (!m_repair || !m_rows.isComplete) {
    return {};
  }
  const QFileInfo file(path);
  Result<FolderHandle> folder = FolderHandle::openBeside(file.path());
  if (!folder) {
    // A run whose whole folder is gone: it is made where its pictures will be.
    return folder.error().code == ErrorCode::NotFound ? Result<void>() : folder.error();
  }
  return folder->replace(file.fileName(), library::toRunFile(m_rows.record));
}

Result<void> RunCheck::checkTemporaries() {
  for (const QString& name : m_reading.content.temporaries) {
    tell(FindingKind::TemporaryFile, pathOf(name), QStringLiteral("A file that somebody did not finish writing."),
         QStringLiteral("It was removed."));
    if (m_repair && !QFile::remove(pathOf(name))) {
      return Error{
          ErrorCode::Io, "The file '" + pathOf(name).toStdString() + "' cannot be removed; check the folder's rights.", {}};
    }
  }
  return {};
}

Result<void> RunCheck::setFileAside(const QString& name) {
  for (int i = 1; m_repair; ++i) {
    const QString moved = pathOf(name) + (i == 1 ? QStringLiteral(".damaged") : QStringLiteral(".damaged-%1").arg(i));
    if (QFileInfo::exists(moved)) {
      continue;
    }
    if (!QFile::rename(pathOf(name), moved)) {
      return Error{
          ErrorCode::Io, "The file '" + pathOf(name).toStdString() + "' cannot be moved away; check the folder's rights.", {}};
    }
    break;
  }
  return {};
}

Result<void> RunCheck::lose(const PictureRecord& picture, FindingKind kind, const QString& what) {
  const bool isForgotten = picture.marks.trashedMs || !mayBeMadeAgain();
  tell(kind, pathOf(picture.file), what,
       isForgotten ? QStringLiteral("Its row was removed.") : QStringLiteral("It waits to be made again."));
  if (!isForgotten) {
    m_lost.push_back(picture.index);
  }
  return m_repair ? removePicture(m_database, picture.id) : Result<void>();
}

Result<void> RunCheck::checkFile(const PictureRecord& picture, const PictureFile& file) {
  if (!file.metadata && file.metadata.error().code == ErrorCode::Io) {
    tell(FindingKind::DamagedPicture, pathOf(file.name), QString::fromStdString(file.metadata.error().message), QString());
    m_present.push_back(&picture);
    return {};
  }
  const bool isAnother = file.metadata && !isPictureOf(*file.metadata, picture.metadata);
  if (!file.metadata || isAnother) {
    if (auto lost = lose(picture, FindingKind::DamagedPicture,
                         isAnother ? QStringLiteral("The file is another picture than the library knows.")
                                   : QStringLiteral("The picture is damaged or incomplete (%1).")
                                         .arg(QString::fromStdString(file.metadata.error().detail)));
        !lost) {
      return lost;
    }
    return setFileAside(file.name);
  }
  m_present.push_back(&picture);
  if (file.bytes == picture.bytes) {
    return {};
  }
  tell(FindingKind::WrongSize, pathOf(file.name),
       QStringLiteral("The picture is whole, but has %1 bytes and not %2.").arg(file.bytes).arg(picture.bytes),
       QStringLiteral("The library knows its size now."));
  if (m_repair) {
    if (auto done = m_database.change("UPDATE pictures SET bytes = ? WHERE id = ?", {file.bytes, picture.id}); !done) {
      return done.error();
    }
  }
  return {};
}

Result<void> RunCheck::checkPictures() {
  QHash<QString, const PictureFile*> byName;
  for (const PictureFile& file : m_reading.pictures) {
    byName.insert(file.name, &file);
  }
  for (const PictureRecord& picture : m_rows.pictures) {
    const PictureFile* file = byName.value(picture.file);
    const Result<void> checked = file != nullptr
                                     ? checkFile(picture, *file)
                                     : lose(picture, FindingKind::MissingPicture, QStringLiteral("The picture's file is gone."));
    if (!checked) {
      return checked;
    }
  }
  return {};
}

Result<void> RunCheck::adoptFiles() {
  const library::RunRecord& record = m_rows.isComplete || !m_reading.record ? m_rows.record : *m_reading.record;
  QSet<QString> known;
  RunMatching matching(record);
  for (const PictureRecord& picture : m_rows.pictures) {
    known << picture.file;
  }
  for (const PictureRecord* picture : m_present) {
    matching.markTaken(picture->index);
  }
  for (const PictureFile& file : m_reading.pictures) {
    if (known.contains(file.name)) {
      continue;
    }
    if (!file.metadata) {
      const auto index = indexInName(file.name);
      const bool isOurs = index && *index < record.requests.size() &&
                          file.name == pictureName(static_cast<std::int64_t>(*index), record.requests[*index].prompt);
      const ErrorCode code = file.metadata.error().code;
      if (isOurs && (code == ErrorCode::Corrupt || code == ErrorCode::NotFound)) {
        tell(FindingKind::DamagedPicture, pathOf(file.name), QStringLiteral("A damaged file without a row."),
             QStringLiteral("It was set aside."));
        if (auto moved = setFileAside(file.name); !moved) {
          return moved;
        }
      }
      continue;
    }
    const std::optional<std::size_t> index = matching.take(*file.metadata, file.name);
    if (!index) {
      tell(FindingKind::ForeignPicture, pathOf(file.name),
           QStringLiteral("A picture that does not belong to the run in whose folder it lies, or is there twice. It was left; "
                          "'library import' takes it in."),
           QString());
      continue;
    }
    tell(FindingKind::PictureWithoutRow, pathOf(file.name), QStringLiteral("A picture of the run that the library did not know."),
         QStringLiteral("It does now."));
    if (!m_repair) {
      continue;
    }
    const Result<qint64> id = adoptPicture(m_database, record, *index, file, m_reading);
    if (!id) {
      return id.error();
    }
    PictureRecord adopted;
    adopted.id = *id;
    adopted.index = *index;
    adopted.file = file.name;
    adopted.metadata = *file.metadata;
    adopted.metadata.request = record.requests[*index];
    adopted.madeMs = file.modifiedMs;
    if (file.marks) {
      adopted.marks = *file.marks;
    }
    m_adopted.push_back(std::move(adopted));
  }
  for (const PictureRecord& adopted : m_adopted) {
    m_present.push_back(&adopted);
  }
  return {};
}

Result<void> RunCheck::checkManifest() {
  const QString path = pathOf(QLatin1String(kManifestName));
  const Result<std::vector<ManifestLine>> lines = readManifestFile(path, 0);
  if (!lines) {
    return lines.error();
  }
  QSet<QString> present;
  for (const PictureRecord* picture : m_present) {
    present << picture->file;
  }
  QSet<QString> told;
  QByteArray text;
  const std::size_t before = m_findings.size();
  for (const ManifestLine& line : *lines) {
    const bool isPresent = present.contains(line.file);
    if (!line.isReadable) {
      tell(FindingKind::ManifestDamagedRow, path, QStringLiteral("A line of the manifest cannot be read."),
           QStringLiteral("It was taken out."));
    } else if (line.isDone ? !isPresent || told.contains(line.file) : isPresent) {
      tell(FindingKind::ManifestExtraRow, path,
           isPresent ? QStringLiteral("The manifest tells of '%1' twice.").arg(line.file)
                     : QStringLiteral("The manifest tells of '%1', which is not there.").arg(line.file),
           QStringLiteral("The line was taken out."));
    } else {
      text += line.text + '\n';
      if (line.isDone) {
        told << line.file;
      }
    }
  }
  for (const PictureRecord* picture : m_present) {
    if (told.contains(picture->file)) {
      continue;
    }
    tell(FindingKind::ManifestMissingRow, pathOf(picture->file), QStringLiteral("The manifest does not tell of the picture."),
         QStringLiteral("It does now."));
    text += toLine({picture->metadata, picture->origin, picture->file, m_rows.record.fingerprint,
                    QDateTime::fromMSecsSinceEpoch(picture->madeMs, QTimeZone::utc()), std::nullopt});
  }
  if (!m_repair || m_findings.size() == before) {
    return {};
  }
  Result<FolderHandle> folder = FolderHandle::openBeside(m_reading.path);
  return folder ? folder->replace(QLatin1String(kManifestName), text) : Result<void>(folder.error());
}

Result<void> RunCheck::checkSidecar(const PictureRecord& picture, const PictureFile& file) {
  const QString path = pathOf(picture.file) + QLatin1String(kSidecarEnd);
  const PictureMarks& marks = picture.marks;
  if (!file.marks) {
    tell(FindingKind::SidecarDamaged, path, QString::fromStdString(file.marks.error().message),
         QStringLiteral("It was set aside and written again."));
    if (auto moved = setFileAside(picture.file + QLatin1String(kSidecarEnd)); !moved) {
      return moved;
    }
    return m_repair && !marks.isEmpty() ? writeSidecar(pathOf(picture.file), marks) : Result<void>();
  }
  if (*file.marks == marks) {
    return {};
  }
  if (!file.hasSidecar) {
    tell(FindingKind::SidecarMissing, path, QStringLiteral("The picture's rating and tags have no file."),
         QStringLiteral("It was written."));
    return m_repair ? writeSidecar(pathOf(picture.file), marks) : Result<void>();
  }
  const bool isOnlyInFile = marks.isEmpty();
  tell(FindingKind::SidecarDiffers, path,
       QStringLiteral("The picture's file of ratings and tags says something else than the library."),
       isOnlyInFile ? QStringLiteral("The library has them now.") : QStringLiteral("It was written again."));
  if (!m_repair) {
    return {};
  }
  return isOnlyInFile ? writeMarks(m_database, picture.id, *file.marks) : writeSidecar(pathOf(picture.file), marks);
}

Result<void> RunCheck::checkSidecars() {
  QHash<QString, const PictureFile*> byName;
  for (const PictureFile& file : m_reading.pictures) {
    byName.insert(file.name, &file);
  }
  for (const PictureRecord* picture : m_present) {
    if (const PictureFile* file = byName.value(picture->file)) {
      if (auto checked = checkSidecar(*picture, *file); !checked) {
        return checked;
      }
    }
  }
  return {};
}

/// A picture that is to be made again keeps its sidecar.
Result<void> RunCheck::checkStraySidecars() {
  const QSet<QString> pictures(m_reading.content.pictures.begin(), m_reading.content.pictures.end());
  QSet<std::size_t> present;
  for (const PictureRecord* picture : m_present) {
    present << picture->index;
  }
  for (const QString& name : m_reading.content.sidecars) {
    const QString picture = name.chopped(qsizetype(sizeof kSidecarEnd) - 1);
    const std::optional<std::size_t> index = indexInName(picture);
    const bool isToBeMade = index && *index < m_rows.record.requests.size() && !present.contains(*index) && mayBeMadeAgain() &&
                            picture == pictureName(static_cast<std::int64_t>(*index), m_rows.record.requests[*index].prompt);
    if (pictures.contains(picture) || isToBeMade) {
      continue;
    }
    const bool isReadable = readSidecar(pathOf(picture)).isOk();
    tell(FindingKind::SidecarWithoutPicture, pathOf(name), QStringLiteral("A file of ratings and tags whose picture is gone."),
         isReadable ? QStringLiteral("It was removed.") : QString());
    if (m_repair && isReadable && !QFile::remove(pathOf(name))) {
      return Error{
          ErrorCode::Io, "The file '" + pathOf(name).toStdString() + "' cannot be removed; check the folder's rights.", {}};
    }
  }
  return {};
}

}  // namespace polyptych::gallery
