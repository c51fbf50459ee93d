#pragma once

#include <QString>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::gallery {

/// A run's pictures and their manifest.jsonl in one folder. Nothing that exists is ever overwritten; a picture is durable before
/// its manifest line, and the line before store() comes back. Blocks on the disk: to be used on one thread of its own. Holds a
/// lock on the folder while it lives.
class OutputFolder {
 public:
  /// Makes the folder if need be, locks it, and works out what is finished: a folder without a manifest must hold none of the
  /// run's file names; one with a manifest of the same run (same requests, plan and model) goes on. A torn last line is cut off;
  /// a finished picture that no line names is checked (whole file, settings equal to the request) and adopted; a line whose file
  /// is gone counts as not made.
  /// @param requests index i at position i
  /// Errors, before anything was written: AlreadyExists (another run's manifest or file; another process works here), Io,
  /// DiskFull, InvalidArgument.
  static base::Result<std::unique_ptr<OutputFolder>> open(const QString& folder,
                                                          const std::vector<domain::GenerationRequest>& requests,
                                                          const domain::RunPlan& plan);
  virtual ~OutputFolder() = default;

  /// Absolute paths of pictures that were there already, by index.
  virtual const std::map<std::int64_t, QString>& finished() const = 0;
  /// Writes picture `index`: temporary name, fsync, rename without overwriting, fsync of the folder, manifest line, fsync. A
  /// picture that finished() names (its unit was made again whole) is compared and kept. @return its absolute path. Errors: Io,
  /// DiskFull, AlreadyExists, Corrupt (bytes that are no whole picture of this request).
  virtual base::Result<QString> store(std::int64_t index, std::span<const std::byte> png, const QString& device,
                                      double seconds) = 0;
  /// Appends a line with status "failed" and the error's code and message.
  virtual base::Result<void> recordFailure(std::int64_t index, const base::Error& error, const QString& device) = 0;
};

/// "00042-a-red-boat.png": index with at least five digits, then the prompt's words; safe on every file system, letters of all
/// scripts kept, at most 120 bytes.
std::string pictureFileName(std::int64_t index, const std::string& prompt);

}  // namespace polyptych::gallery
