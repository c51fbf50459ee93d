#pragma once

#include <QByteArray>
#include <QString>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/picture_marks.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::gallery {

// Each works inside the caller's transaction; errors are those of library::Database.
//
// The rows are the truth, sidecars follow them: a changed picture is noted as having a stale sidecar in the same transaction, and
// the note goes when the file is written. Whoever dies between leaves the note to the next.

/// Changes marks; can be taken back under the number that is returned. Pictures that are not there (any more) are left out.
/// @param changed  gets the pictures whose marks are different now. @return the number; InvalidArgument for marks that cannot be
base::Result<qint64> changeMarks(library::Database& database, const MarkChange& change, qint64 nowMs,
                                 std::vector<qint64>& changed);
/// Gives back the marks that a change has changed. @return false if this number is of no change of marks
base::Result<bool> undoMarks(library::Database& database, qint64 undoId, std::vector<qint64>& changed);

/// A sidecar to be written, see writeSidecar().
struct StaleSidecar {
  qint64 picture = 0;
  qint64 revision = 0;
  QString path;  ///< of the picture, relative to library::Location::picturesFolder()
  PictureMarks marks;
};
base::Result<std::vector<StaleSidecar>> staleSidecars(library::Database& database, int limit);
/// To be called when it is on the disk. A mark that was made since then keeps it stale.
base::Result<void> noteWritten(library::Database& database, const StaleSidecar& sidecar);

}  // namespace polyptych::gallery
