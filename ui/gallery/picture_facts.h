#pragma once

#include <QString>
#include <vector>

#include "core/gallery/picture_reader.h"

namespace polyptych::ui {

struct Fact {
  QString name;
  QString value;
};

/// Everything that is known of a picture, for people, in the window's language; equal places in the list are equal names.
std::vector<Fact> factsOf(const gallery::PictureDetails& details);

}  // namespace polyptych::ui
