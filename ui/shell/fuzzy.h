#pragma once

#include <QString>
#include <optional>

namespace polyptych::ui {

/// How well `query`, as somebody types it, stands for `text`: higher is better, nothing if it does not at all. The letters of the
/// query are looked for in order, not necessarily side by side; beginnings of words and letters side by side count more; case and
/// blanks of the query do not count. Hangul: an initial consonant (ㄷ) stands for every syllable that begins with it, and a
/// syllable without a final (대) for those that have one (댁): it may be half typed.
std::optional<int> fuzzyScore(QStringView query, QStringView text);

}  // namespace polyptych::ui
