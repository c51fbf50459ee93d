#pragma once

#include "core/domain/request.h"

namespace polyptych::gallery {

/// The first setting in which two pictures differ, in words: "seed".
const char* differenceOf(const domain::PictureMetadata& there, const domain::PictureMetadata& asked);

}  // namespace polyptych::gallery
