#pragma once

#include <QString>
#include <cstdint>
#include <string>
#include <string_view>

namespace polyptych::gallery {

inline constexpr int kMaxSlugBytes = 80;

/// A prompt's beginning as part of a file name: letters and digits of any script in lower case (NFC) with their marks, nothing
/// invisible, everything else one dash, at most kMaxSlugBytes of UTF-8; "picture" if nothing is left. Safe on every file system.
QString slugOf(std::string_view prompt);

/// "00012-a-lighthouse.png": the index has at least five digits.
QString pictureName(std::int64_t index, std::string_view prompt);

}  // namespace polyptych::gallery
