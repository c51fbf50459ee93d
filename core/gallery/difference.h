#pragma once

#include "core/domain/request.h"

namespace polyptych::gallery {

/// True if `there` is `asked` on a lower rung of the out-of-memory ladder (pool/out_of_memory_ladder.h): smaller units, a VAE
/// that works on slices or tiles, a smaller size; everything else the same.
bool isLowerRung(const domain::PictureMetadata& there, const domain::PictureMetadata& asked);

/// The first setting in which two pictures differ, in words: "seed".
const char* differenceOf(const domain::PictureMetadata& there, const domain::PictureMetadata& asked);

}  // namespace polyptych::gallery
