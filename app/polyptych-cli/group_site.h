#pragma once

#include <QString>
#include <memory>
#include <optional>
#include <utility>

#include "core/backend/backend.h"
#include "core/base/result.h"
#include "core/gallery/folder_handle.h"
#include "core/gallery/join_parts.h"

namespace polyptych::cli {

/// The run as folders are compared with it. @param spec  whole, with its seeds
gallery::FolderRun folderRunOf(const backend::RunSpec& spec);

/// The folder of a group's run on one machine, or on all of them where they share it. One rank leads it, rank 0 or the first one
/// of a machine with a folder of its own: it joins what an earlier start has left, holds the folder while the run is made, and
/// joins the parts at the end. Blocks on the disk.
class GroupSite {
 public:
  explicit GroupSite(QString folder) : m_folder(std::move(folder)) {}

  const QString& folder() const { return m_folder; }
  /// @param start  tells this start of the group from every other one
  void setStart(const QString& start) { m_start = start; }

  /// For its leader: nobody else may begin a run in the folder until join(). @return AlreadyExists if somebody holds it; Io
  base::Result<void> hold();
  void release() { m_hold.reset(); }
  bool isHeld() const { return m_hold != nullptr; }
  /// For its leader, which holds it. Joins what an earlier start has left, writes what the parts are parts of (the same command
  /// and `merge` go on from it), and says to the others who leads. @return how the folder is now; errors of gallery::joinParts();
  /// Io
  base::Result<gallery::JoinedRun> lead(const backend::RunSpec& spec, int rank);
  /// Rank that leads this folder; nothing yet if it has not told so, or if the folder is not the one that it leads.
  std::optional<int> leader() const;
  /// A new folder for a rank's library. Errors: Io.
  base::Result<QString> makePart(const QString& fingerprint, int rank) const;
  /// At the end: joins the parts, and lets go. Without hold() it is held for that time.
  base::Result<gallery::JoinedRun> join(const backend::RunSpec& spec);
  /// Nobody leads any more.
  void forget();

 private:
  QString leaderFile() const;
  base::Result<void> writeList(const backend::RunSpec& spec, const QString& fingerprint) const;

  const QString m_folder;
  QString m_start;
  std::unique_ptr<gallery::FolderHandle> m_hold;
};

}  // namespace polyptych::cli
