#pragma once

#include <QImage>

#include "core/domain/image.h"

namespace polyptych::ui {

/// A copy as a QImage.
inline QImage toQImage(const domain::Image& image) {
  return QImage(image.pixels.data(), image.width, image.height, image.width * 3, QImage::Format_RGB888).copy();
}

}  // namespace polyptych::ui
