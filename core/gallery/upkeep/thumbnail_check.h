#pragma once

#include <QString>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/upkeep/finding.h"
#include "core/library/location.h"

namespace polyptych::gallery {

/// Thumbnails of a library's pictures that are gone or were changed. Errors are those of library::Database.
base::Result<std::vector<Finding>> checkThumbnails(library::Database& database, const library::Location& location,
                                                   const QString& thumbnailFolder, bool repair);

}  // namespace polyptych::gallery
