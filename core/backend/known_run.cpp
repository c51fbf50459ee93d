#include "core/backend/known_run.h"

#include <QDir>
#include <QFile>
#include <QSet>
#include <utility>

#include "core/gallery/run_folder.h"
#include "core/library/run_file.h"

namespace polyptych::backend {

using base::Error;
using base::ErrorCode;
using base::Result;

Result<KnownRun> readKnownRun(const QString& folder) {
  const QDir directory(folder);
  QFile file(directory.filePath(QLatin1String(library::kRunFileName)));
  if (!file.open(QIODevice::ReadOnly)) {
    return Error{file.exists() ? ErrorCode::Io : ErrorCode::NotFound,
                 "The run's list of prompts '" + file.fileName().toStdString() + "' cannot be read.",
                 file.errorString().toStdString()};
  }
  if (file.size() > library::kMaxRunFileBytes) {
    return Error{
        ErrorCode::Corrupt, "The run's list of prompts '" + file.fileName().toStdString() + "' is too long to be one.", {}};
  }
  const QByteArray bytes = file.read(library::kMaxRunFileBytes);
  if (file.error() != QFile::NoError) {
    return Error{ErrorCode::Io, "The run's list of prompts '" + file.fileName().toStdString() + "' cannot be read.",
                 file.errorString().toStdString()};
  }
  Result<library::RunRecord> record = library::fromRunFile(bytes);
  if (!record) {
    return record.error();
  }
  if (!record->isWhole()) {
    return Error{ErrorCode::Unsupported, "This is one process's part of a run; 'polyptych-cli merge' joins the parts.", {}};
  }
  // One look at the folder, not one for each picture.
  const QStringList names = directory.entryList({QStringLiteral("*.png")}, QDir::Files, QDir::Unsorted);
  const QSet<QString> there(names.begin(), names.end());
  KnownRun run;
  run.batch = record->plan.batch;
  run.requests = std::move(record->requests);
  run.pictures.resize(run.requests.size());
  domain::PictureMetadata picture;
  for (std::size_t i = 0; i < run.requests.size(); ++i) {
    picture.request = run.requests[i];
    const QString name = gallery::RunFolder::nameOf(picture);
    if (there.contains(name)) {
      run.pictures[i] = directory.filePath(name);
    }
  }
  return run;
}

}  // namespace polyptych::backend
