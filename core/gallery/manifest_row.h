#pragma once

#include <QByteArray>
#include <QDateTime>
#include <QString>
#include <optional>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::gallery {

/// Name of the file in the output folder that has one JSON object a picture and line.
inline constexpr char kManifestName[] = "manifest.jsonl";
/// What every row of ours begins with: the keys of core/picture/METADATA.md come first, in alphabetical order.
inline constexpr char kRowBeginning[] = "{\"batch\":";

/// What varies between equal pictures.
struct PictureOrigin {
  QString device;      ///< slot, "cuda:0"; empty if nobody knows any more
  QString deviceName;  ///< "NVIDIA L4"
  double seconds = 0;  ///< of the picture's unit
};

/// One line of a manifest: the picture's settings, and what is told here alone: device, deviceName, file, run, seconds, status
/// ("done" or "failed"), time (UTC) and, for a failure, error {code, message}. `negative` is null where the settings have none.
struct ManifestRow {
  domain::PictureMetadata metadata;
  PictureOrigin origin;
  QString file;                      ///< name inside the folder
  QString run;                       ///< fingerprint of the run
  QDateTime time;                    ///< when it was written
  std::optional<base::Error> error;  ///< why there is no picture
};

/// The line with its line feed.
QByteArray toLine(const ManifestRow& row);

/// The reverse; with or without line feed. @return Corrupt
base::Result<ManifestRow> rowFromLine(const QByteArray& line);

}  // namespace polyptych::gallery
