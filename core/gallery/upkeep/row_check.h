#pragma once

#include <vector>

#include "core/base/result.h"
#include "core/gallery/upkeep/finding.h"

namespace polyptych::gallery {

/// Rows that point to rows that are gone: what foreign keys would have found. @param repair  takes them out, inside the caller's
/// transaction. Errors are those of library::Database.
base::Result<std::vector<Finding>> checkReferences(library::Database& database, bool repair);

/// Prompts of pictures that a search would not find, and entries of the text index without a prompt.
base::Result<std::vector<Finding>> checkTextIndex(library::Database& database, bool repair);

}  // namespace polyptych::gallery
