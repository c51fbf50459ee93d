#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::picture {

/// Version of the JSON that this program writes.
inline constexpr int kMetadataFormat = 1;

/// A1111's "parameters" text: prompt, "Negative prompt: ...", then one line "Steps: .., Sampler: .., CFG scale: .., Seed: ..,
/// Size: WxH, ...". Clip skip is A1111's number (diffusers' plus one). A NUL byte in a prompt becomes U+FFFD.
std::string parametersText(const domain::PictureMetadata& metadata);

/// Everything, as one JSON object with the keys documented in METADATA.md; keys in alphabetical order, no spaces.
std::string metadataJson(const domain::PictureMetadata& metadata);

/// The reverse. Keys that it does not know are ignored. Ranges are not checked: whoever makes the picture again asks
/// domain::validate().
/// @return Corrupt (no JSON, a key missing or of the wrong kind) or Unsupported (format number above kMetadataFormat)
base::Result<domain::PictureMetadata> metadataFromJson(std::string_view json);

}  // namespace polyptych::picture
