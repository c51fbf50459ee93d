#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/library/run_file.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::gallery {

/// A disagreement of a library's files and rows.
enum class FindingKind {
  MissingPicture,          ///< a row without its file
  DamagedPicture,          ///< a file that is cut, damaged or another picture than its row says
  WrongSize,               ///< a whole file whose row has another size
  PictureWithoutRow,       ///< a file of a run that has no row
  ForeignPicture,          ///< a picture of ours in a run's folder that is none of the run's
  TemporaryFile,           ///< what a writer left that was ended in the middle
  ManifestMissingRow,      ///< a picture that its manifest does not tell of
  ManifestExtraRow,        ///< a line of a picture that is gone, or a second one
  ManifestDamagedRow,      ///< a line that cannot be read
  RunFileMissing,          ///< the list of a run's pictures
  RunFileDamaged,          ///< that cannot be read, or says something else than the rows
  RunMoved,                ///< a run whose folder lies somewhere else
  RunWithoutRows,          ///< a run's folder that the index does not know
  PicturesWithoutRun,      ///< a folder with pictures of ours and neither a list nor rows
  NewerRun,                ///< of a newer version of the program
  LatentsMissing,          ///< the file that a run's pictures begin from
  RunCounters,             ///< a run's numbers of pictures
  JobState,                ///< a job that waits though its pictures are there
  OrphanRows,              ///< rows that point to rows that are gone
  PromptNotIndexed,        ///< a prompt that a search would not find
  SidecarMissing,          ///< marks that have no file
  SidecarDiffers,          ///< a file with other marks than the rows
  SidecarDamaged,          ///< that cannot be read
  SidecarWithoutPicture,   ///< whose picture is not there and is not to be made
  ThumbnailWithoutPicture  ///< in the cache
};

/// "missing_picture" and so on, for programs.
const char* nameOf(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::MissingPicture;
  QString path;             ///< absolute, or a table's name
  bool isRepaired = false;  ///< false: only told
  QString sentence;         ///< what is wrong and what was, or can be, done
};

/// queue::insertRun: adds a run with its requests and jobs; those whose pictures are all `finished` are done, the others wait.
using InsertRun =
    std::function<base::Result<void>(library::Database&, const library::RunRecord&, const std::vector<bool>& finished)>;

}  // namespace polyptych::gallery
