#pragma once

#include <QString>

#include "core/base/result.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::gallery {

/// What a new index got from the one before it.
struct Salvaged {
  qint64 jobs = 0;       ///< that failed, were set aside or cancelled, or stand elsewhere in the queue
  qint64 attempts = 0;   ///< the history of jobs
  qint64 marks = 0;      ///< pictures with marks that no sidecar had yet
  bool isWhole = false;  ///< all of the old index could be read
};

/// Takes over what an index alone knows: the order of the queue, what failed, was set aside or cancelled and why, attempts, runs
/// that are paused, marks whose sidecar was not written yet, and the library's settings. What the old index does not let itself
/// be asked, or what does not fit, is left out. Files stay the truth: a job whose pictures are there is done, and one whose
/// pictures are gone waits. Inside no transaction. @param oldFile  not changed. Errors are those of the new index.
base::Result<Salvaged> salvage(library::Database& database, const QString& oldFile);

}  // namespace polyptych::gallery
