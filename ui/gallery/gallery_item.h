#pragma once

#include <QtGlobal>
#include <utility>

#include "core/gallery/picture_reader.h"

namespace polyptych::ui {

enum class PictureState { Waiting, Working, Done, Failed };

/// A picture's run, and its index there.
using PictureKey = std::pair<quint64, qint64>;

/// A row of the gallery.
struct GalleryItem {
  gallery::PictureEntry entry;  ///< of what is not in the library (yet): without an id
  quint64 group = 0;
  PictureState state = PictureState::Done;

  PictureKey key() const { return {entry.runId, entry.index}; }
};

}  // namespace polyptych::ui
