#pragma once

#include <QString>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::gallery {

/// The settings in a PNG of ours, or else in one of AUTOMATIC1111's program (or any that writes its `parameters` text); what that
/// does not tell stays as it is by default. Blocks on the disk.
/// @return NotFound (no such file, or nothing in it), Corrupt, Io, Unsupported (of a newer version)
base::Result<domain::PictureMetadata> readPictureSettings(const QString& path);

/// The reverse of A1111's text, as far as it says something that this program knows. @return NotFound if it is no such text
base::Result<domain::PictureMetadata> settingsFromParameters(const QString& text);

}  // namespace polyptych::gallery
