#pragma once

#include <QString>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/domain/request.h"
#include "core/library/run_file.h"

namespace polyptych::gallery {

/// Finds out which picture of a run a file is, by what the file says of itself. Each picture is given once.
class RunMatching {
 public:
  /// @param record  must outlive this
  explicit RunMatching(const library::RunRecord& record);

  /// The index in the run; nothing if the file is none of its pictures, or of one that was given already. The index that the file
  /// says comes first, then the one in its name, then any with the same settings: pictures that were gathered from elsewhere say
  /// another run's index.
  std::optional<std::size_t> take(const domain::PictureMetadata& metadata, const QString& fileName);
  /// True if the picture was not given yet and the settings are its own; it is given then.
  bool takeAt(const domain::PictureMetadata& metadata, std::size_t index);
  /// The picture is not to be given any more.
  void markTaken(std::size_t index);

 private:
  bool isOfRun(const domain::PictureMetadata& metadata) const;

  const library::RunRecord& m_record;
  std::vector<bool> m_isTaken;
  std::unordered_map<std::string, std::vector<std::size_t>> m_byContent;  ///< made when it is first needed
};

/// True if two pictures are asked for alike; their places in their runs are not compared.
bool haveEqualContent(const domain::GenerationRequest& a, const domain::GenerationRequest& b);

/// The number that a picture's file name begins with.
std::optional<std::size_t> indexInName(const QString& fileName);

/// A run of pictures that exist, in this order. It has no folder of a model: nothing of it is made again. A file's own model may
/// then be any.
library::RunRecord gatheredRun(const std::vector<domain::PictureMetadata>& pictures);

}  // namespace polyptych::gallery
