#pragma once

#include <QString>
#include <QStringList>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/output_folder.h"

namespace polyptych::gallery {

/// A group of processes makes one run: each has a library of its own below the run's folder while it works,
/// <folder>/.polyptych/parts/<fingerprint of the run>/<any name>, and beside these lies the list of the whole run (run.jsonl).
QString partsFolder(const QString& folder, const QString& fingerprint);

/// True if there are pictures in parts of any run.
bool hasPartPictures(const QString& folder);
/// True if a process writes into a part. @param except  parts whose names begin so are not looked at
bool arePartsAtWork(const QString& folder, const QString& except = {});
/// AlreadyExists, for whoever wants such a folder.
base::Error partsAtWorkError(const QString& folder);

/// What a folder is after its parts were joined.
struct JoinedRun {
  std::vector<bool> isFinished;  ///< by position in the run's list
  QStringList paths;             ///< absolute, by position; of pictures that are not finished, where they would be
  std::vector<PictureOrigin> origins;
  std::size_t failed = 0;  ///< have a row that says why there is no picture
  std::size_t joined = 0;  ///< pictures that came from parts now

  std::size_t finished() const;
};

/// Brings the pictures of all parts into the folder, makes one manifest in the order of the run's list, and takes the parts away.
/// Files first, then the manifest, then the parts: after any end in the middle the same call goes on. A picture that two
/// processes have made is kept once. Without parts it compares the folder with the run, as OutputFolder does. Blocks on the disk.
/// @param run  whole
/// @param others  folders of the same run, from other machines: what they have is copied and they stay as they are
/// @param inUse  parts whose names begin so are left alone: their processes are at work
/// @return errors of OutputFolder::open(); AlreadyExists also for parts of another run
base::Result<JoinedRun> joinParts(const QString& folder, const FolderRun& run, const QStringList& others = {},
                                  const QString& inUse = {});
/// The same in a folder that is locked already. @param held  stays locked; after an error it is not held any more
base::Result<JoinedRun> joinParts(std::unique_ptr<FolderHandle>& held, const FolderRun& run, const QStringList& others = {},
                                  const QString& inUse = {});

/// The whole run as its parts or its folder tell it. @return NotFound if neither is there; errors of library::fromRunFile();
/// InvalidArgument if the folder has parts of several runs
base::Result<FolderRun> wholeRunOf(const QString& folder);

}  // namespace polyptych::gallery
