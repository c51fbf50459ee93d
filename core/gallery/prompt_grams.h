#pragma once

#include <QString>

namespace polyptych::gallery {

/// What a search compares: NFKC, case folded, every run of white space one blank. Equal texts are found by each other, whatever
/// keyboard or program they came from.
QString searchForm(const QString& text);

/// The words of a prompt for the table prompt_grams (FTS5, tokenizer `ascii`): one for each code point of its search form, made
/// of that and the one behind it (a mark behind the last). Neighbouring words are neighbouring places, so that a phrase of words
/// is a substring, in any script.
///
/// The tokenizer keeps ASCII letters, digits and everything above ASCII: other ASCII becomes U+E000 + itself, and what a text has
/// at U+E000 to U+E0FF gets U+E0FF in front.
QString promptGrams(const QString& text);

/// The MATCH expression that finds exactly the prompts whose search form contains that of `text` (its first
/// kMaxQueryCharacters); empty if there is nothing to look for.
QString gramsQuery(const QString& text);
inline constexpr qsizetype kMaxQueryCharacters = 4096;

}  // namespace polyptych::gallery
