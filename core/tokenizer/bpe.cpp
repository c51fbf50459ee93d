#include "core/tokenizer/bpe.h"

#include <queue>

#include "core/tokenizer/unicode_rules.h"

namespace polyptych::tokenizer {
namespace {

constexpr std::string_view kEndOfWord = "</w>";

struct ByteTables {
  std::array<char32_t, 256> characters{};
  std::array<std::int16_t, 0x144> bytes{};

  ByteTables() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool isPrintable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      characters[byte] = isPrintable ? char32_t{byte} : next++;
      bytes[characters[byte]] = static_cast<std::int16_t>(byte);
    }
  }
};

const ByteTables& byteTables() {
  static const ByteTables tables;
  return tables;
}

std::string tokenOfByte(unsigned byte, bool isLast) {
  std::string token = toUtf8(std::u32string(1, byteTables().characters[byte]));
  if (isLast) {
    token += kEndOfWord;
  }
  return token;
}

std::uint64_t pairKey(std::int32_t left, std::int32_t right) {
  return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) | static_cast<std::uint32_t>(right);
}

struct Symbol {
  std::int32_t id;
  std::int32_t previous;
  std::int32_t next;
  bool isGone;
};

struct Candidate {
  std::uint32_t rank;
  std::int32_t position;
  std::int32_t id;

  bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : position > other.position; }
};

}  // namespace

char32_t characterOfByte(std::uint8_t byte) { return byteTables().characters[byte]; }

int byteOfCharacter(char32_t c) { return c < byteTables().bytes.size() ? byteTables().bytes[c] : -1; }

bool Bpe::coversAllBytes(const Vocabulary& vocabulary) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!vocabulary.contains(tokenOfByte(byte, false)) || !vocabulary.contains(tokenOfByte(byte, true))) {
      return false;
    }
  }
  return true;
}

base::Result<Bpe> Bpe::make(const Vocabulary& vocabulary, const Merges& merges, std::int64_t unknown) {
  Bpe bpe;
  const auto idOf = [&](const std::string& token) {
    const auto at = vocabulary.find(token);
    return static_cast<std::int32_t>(at == vocabulary.end() ? -1 : at->second);
  };
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (const bool isLast : {false, true}) {
      const std::int32_t id = idOf(tokenOfByte(byte, isLast));
      (isLast ? bpe.m_last : bpe.m_inner)[byte] = id >= 0 ? id : static_cast<std::int32_t>(unknown);
    }
  }
  bpe.m_merges.reserve(merges.size());
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    for (const std::string& token : {left, right, left + right}) {
      if (idOf(token) < 0) {
        return base::Error{base::ErrorCode::Corrupt,
                           "Merge " + std::to_string(rank + 1) + " needs the token '" + token +
                               "', which the vocabulary does not have. Get the tokenizer's files again.",
                           {}};
      }
    }
    bpe.m_merges.insert_or_assign(pairKey(idOf(left), idOf(right)), Merge{static_cast<std::uint32_t>(rank), idOf(left + right)});
  }
  return bpe;
}

const Bpe::Merge* Bpe::find(std::int32_t left, std::int32_t right) const {
  const auto at = m_merges.find(pairKey(left, right));
  return at == m_merges.end() ? nullptr : &at->second;
}

void Bpe::encodeWord(std::string_view word, std::vector<std::int64_t>& ids) const {
  const auto size = static_cast<std::int32_t>(word.size());
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (std::int32_t i = 0; i < size; ++i) {
    const auto byte = static_cast<std::uint8_t>(word[static_cast<std::size_t>(i)]);
    const bool isLast = i + 1 == size;
    symbols.push_back({(isLast ? m_last : m_inner)[byte], i - 1, isLast ? -1 : i + 1, false});
  }
  const auto at = [&](std::int32_t position) -> Symbol& { return symbols[static_cast<std::size_t>(position)]; };

  std::vector<Candidate> store;
  store.reserve(word.size());
  std::priority_queue<Candidate> queue(std::less<Candidate>(), std::move(store));
  const auto consider = [&](std::int32_t left) {
    if (const Merge* merge = find(at(left).id, at(at(left).next).id)) {
      queue.push({merge->rank, left, merge->id});
    }
  };
  for (std::int32_t i = 0; i + 1 < size; ++i) {
    consider(i);
  }
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = at(top.position);
    if (left.isGone || left.next < 0) {
      continue;
    }
    Symbol& right = at(left.next);
    // An entry whose pair has changed since is dropped, unless the new pair makes the same token: so does the model.
    const Merge* merge = find(left.id, right.id);
    if (merge == nullptr || merge->id != top.id) {
      continue;
    }
    left.id = merge->id;
    left.next = right.next;
    right.isGone = true;
    if (right.next >= 0) {
      at(right.next).previous = top.position;
    }
    if (left.previous >= 0) {
      consider(left.previous);
    }
    if (left.next >= 0) {
      consider(top.position);
    }
  }
  for (std::int32_t i = 0; i >= 0; i = at(i).next) {
    ids.push_back(at(i).id);
  }
}

}  // namespace polyptych::tokenizer
