#include "core/gallery/picture_marks.h"

#include <algorithm>

namespace polyptych::gallery {

std::optional<QString> markName(const QString& typed) {
  const QString name = typed.normalized(QString::NormalizationForm_C).simplified();
  const bool isText = std::none_of(name.begin(), name.end(), [](QChar c) {
    return c.category() == QChar::Other_Control || QChar::isNonCharacter(c.unicode());
  });
  const bool fits = !name.isEmpty() && name.size() <= kMaxNameCharacters && isText && name.isValidUtf16();
  return fits ? std::optional<QString>(name) : std::nullopt;
}

}  // namespace polyptych::gallery
