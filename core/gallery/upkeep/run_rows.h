#pragma once

#include <QString>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/gallery/manifest_row.h"
#include "core/gallery/picture_marks.h"
#include "core/library/run_file.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::gallery {

/// A picture as the index has it.
struct PictureRecord {
  qint64 id = 0;
  std::size_t index = 0;
  QString file;
  qint64 bytes = 0;
  qint64 madeMs = 0;
  domain::PictureMetadata metadata;
  PictureOrigin origin;
  PictureMarks marks;
};

/// A run as the index has it.
struct RunRows {
  library::RunRecord record;
  bool isComplete = false;  ///< every request is there: the record can be written as the run's list
  std::vector<PictureRecord> pictures;
};

/// Errors are those of library::Database; NotFound.
base::Result<RunRows> readRunRows(library::Database& database, quint64 run);

}  // namespace polyptych::gallery
