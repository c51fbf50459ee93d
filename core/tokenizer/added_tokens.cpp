#include "core/tokenizer/added_tokens.h"

#include <algorithm>

#include "core/tokenizer/unicode_rules.h"

namespace polyptych::tokenizer {

void AddedTokenFinder::add(std::u32string content, const AddedToken& token) {
  if (content.empty()) {
    return;
  }
  auto& bucket = m_entries[content.front()];
  const auto shorter =
      std::find_if(bucket.begin(), bucket.end(), [&](const Entry& entry) { return entry.content.size() < content.size(); });
  bucket.insert(shorter, Entry{std::move(content), token});
}

const AddedTokenFinder::Entry* AddedTokenFinder::longestAt(std::u32string_view text, std::size_t position) const {
  const auto bucket = m_entries.find(text[position]);
  if (bucket == m_entries.end()) {
    return nullptr;
  }
  const std::u32string_view rest = text.substr(position);
  for (const Entry& entry : bucket->second) {
    if (rest.starts_with(entry.content)) {
      return &entry;
    }
  }
  return nullptr;
}

std::vector<TextPart> AddedTokenFinder::split(std::u32string_view text) const {
  std::vector<TextPart> parts;
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Entry* entry = m_entries.empty() ? nullptr : longestAt(text, i);
    if (entry == nullptr) {
      ++i;
      continue;
    }
    std::size_t start = i;
    std::size_t stop = i + entry->content.size();
    i = stop;
    if (entry->token.isIgnored) {
      continue;
    }
    if (entry->token.isSingleWord &&
        ((start > 0 && isWordCharacter(text[start - 1])) || (stop < text.size() && isWordCharacter(text[stop])))) {
      continue;
    }
    if (entry->token.takesBlanksBefore) {
      while (start > done && isSpace(text[start - 1])) {
        --start;
      }
    }
    if (entry->token.takesBlanksAfter) {
      while (stop < text.size() && isSpace(text[stop])) {
        ++stop;
      }
    }
    if (done < start) {
      parts.push_back({text.substr(done, start - done), -1});
    }
    parts.push_back({text.substr(start, stop - start), entry->token.id});
    done = stop;
  }
  if (done < text.size()) {
    parts.push_back({text.substr(done), -1});
  }
  return parts;
}

}  // namespace polyptych::tokenizer
