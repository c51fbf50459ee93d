#include "core/backend/request_list.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/base/utf8.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using domain::GenerationRequest;

constexpr std::size_t kHeadBytes = 8;
constexpr std::size_t kRecordBytes = 72;
constexpr std::uint32_t kHasNegative = 1;
constexpr std::uint32_t kHasClipSkip = 2;

/// Writes little-endian numbers into memory that is large enough.
class Writer {
 public:
  explicit Writer(std::byte* at) : m_at(at) {}

  template <typename T>
  void put(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      *m_at++ = static_cast<std::byte>(value >> (8 * i) & 0xFF);
    }
  }
  void putReal(double value) { put(std::bit_cast<std::uint64_t>(value)); }
  void putText(std::string_view text) {
    if (!text.empty()) {
      std::memcpy(m_at, text.data(), text.size());
      m_at += text.size();
    }
  }

 private:
  std::byte* m_at;
};

/// Reads them; whoever calls has seen that they are there.
class Reader {
 public:
  explicit Reader(const std::byte* at) : m_at(at) {}

  template <typename T>
  T take() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value |= static_cast<std::uint64_t>(*m_at++) << (8 * i);
    }
    return static_cast<T>(value);
  }
  double takeReal() { return std::bit_cast<double>(take<std::uint64_t>()); }

 private:
  const std::byte* m_at;
};

/// Gives each different text a number, in the order of first use.
class TextTable {
 public:
  /// @return nothing if the text is not UTF-8 or too long
  std::optional<std::uint32_t> numberOf(const std::string& text) {
    m_usedBytes += text.size();
    const auto [found, isNew] = m_numbers.try_emplace(text, static_cast<std::uint32_t>(m_texts.size()));
    if (isNew) {
      if (text.size() > domain::kMaxPromptBytes || base::firstInvalidUtf8(text)) {
        return std::nullopt;
      }
      m_texts.push_back(found->first);
      m_bytes += text.size();
    }
    return found->second;
  }

  const std::vector<std::string_view>& texts() const { return m_texts; }
  std::size_t bytes() const { return m_bytes; }
  std::size_t usedBytes() const { return m_usedBytes; }

 private:
  std::unordered_map<std::string_view, std::uint32_t> m_numbers;
  std::vector<std::string_view> m_texts;
  std::size_t m_bytes = 0;
  std::size_t m_usedBytes = 0;
};

struct TextNumbers {
  std::uint32_t prompt = 0;
  std::uint32_t negative = 0;
  std::uint32_t scheduler = 0;
};

std::string positionOf(std::size_t i) { return "Picture " + std::to_string(i + 1) + " of the list "; }

}  // namespace

Result<std::vector<std::byte>> encodeRequests(const std::vector<GenerationRequest>& requests) {
  const auto refuse = [](std::string message) { return Error{ErrorCode::InvalidArgument, std::move(message), {}}; };
  if (requests.size() > kMaxPicturesInList) {
    return refuse("A run of " + std::to_string(requests.size()) + " pictures is too long; at most " +
                  std::to_string(kMaxPicturesInList) + " are taken. Split the list.");
  }
  TextTable table;
  std::vector<TextNumbers> numbers;
  numbers.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const GenerationRequest& request = requests[i];
    const auto prompt = table.numberOf(request.prompt);
    const auto negative = request.negativePrompt ? table.numberOf(*request.negativePrompt) : 0;
    const auto scheduler = table.numberOf(request.scheduler);
    if (!prompt || !negative || !scheduler) {
      return refuse(positionOf(i) + "has a text that is too long or not valid UTF-8. Correct its prompts.");
    }
    if (!std::isfinite(request.guidanceScale) || !std::isfinite(request.guidanceRescale)) {
      return refuse(positionOf(i) + "has a guidance that is not a number.");
    }
    numbers.push_back({*prompt, *negative, *scheduler});
  }
  if (table.usedBytes() > kMaxTextBytesInList) {
    return refuse("The prompts of the run are too long together. Split the list.");
  }

  std::vector<std::byte> out(kHeadBytes + table.texts().size() * sizeof(std::uint32_t) + requests.size() * kRecordBytes +
                             table.bytes());
  Writer writer(out.data());
  writer.put(static_cast<std::uint32_t>(table.texts().size()));
  writer.put(static_cast<std::uint32_t>(requests.size()));
  for (const std::string_view text : table.texts()) {
    writer.put(static_cast<std::uint32_t>(text.size()));
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const GenerationRequest& request = requests[i];
    writer.put(static_cast<std::uint64_t>(request.index));
    writer.put(static_cast<std::uint64_t>(request.promptIndex));
    writer.put(request.seed);
    writer.putReal(request.guidanceScale);
    writer.putReal(request.guidanceRescale);
    writer.put(numbers[i].prompt);
    writer.put(numbers[i].negative);
    writer.put(numbers[i].scheduler);
    writer.put(static_cast<std::uint32_t>(request.width));
    writer.put(static_cast<std::uint32_t>(request.height));
    writer.put(static_cast<std::uint32_t>(request.steps));
    writer.put(static_cast<std::uint32_t>(request.clipSkip.value_or(0)));
    writer.put((request.negativePrompt ? kHasNegative : 0) | (request.clipSkip ? kHasClipSkip : 0));
  }
  for (const std::string_view text : table.texts()) {
    writer.putText(text);
  }
  return out;
}

Result<std::vector<GenerationRequest>> decodeRequests(std::span<const std::byte> bytes) {
  const auto refuse = [](std::string problem) {
    return Error{ErrorCode::Protocol, "A list of pictures cannot be used: it " + std::move(problem) + ".", {}};
  };
  if (bytes.size() < kHeadBytes) {
    return refuse("is cut");
  }
  Reader reader(bytes.data());
  const std::uint64_t textCount = reader.take<std::uint32_t>();
  const std::uint64_t count = reader.take<std::uint32_t>();
  if (count > kMaxPicturesInList || textCount > 3 * count) {
    return refuse("promises more than is taken");
  }
  // Neither product nor sum can overflow 64 bits after the limits above.
  const std::uint64_t textsAt = kHeadBytes + textCount * sizeof(std::uint32_t) + count * kRecordBytes;
  if (bytes.size() < textsAt) {
    return refuse("is cut");
  }
  std::vector<std::string_view> texts;
  texts.reserve(textCount);
  std::uint64_t at = textsAt;
  for (std::uint64_t i = 0; i < textCount; ++i) {
    const std::uint64_t length = reader.take<std::uint32_t>();
    if (length > domain::kMaxPromptBytes || length > bytes.size() - at) {
      return refuse("has a text that is too long");
    }
    texts.emplace_back(reinterpret_cast<const char*>(bytes.data() + at), length);
    if (base::firstInvalidUtf8(texts.back())) {
      return refuse("has a text that is not UTF-8");
    }
    at += length;
  }
  if (at != bytes.size()) {
    return refuse("has bytes behind its end");
  }

  std::vector<GenerationRequest> requests;
  requests.reserve(count);
  std::uint64_t usedBytes = 0;
  const auto textOf = [&](std::uint32_t number) -> std::optional<std::string_view> {
    if (number >= texts.size() || texts[number].size() > kMaxTextBytesInList - usedBytes) {
      return std::nullopt;
    }
    usedBytes += texts[number].size();
    return texts[number];
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    GenerationRequest& request = requests.emplace_back();
    request.index = reader.take<std::int64_t>();
    request.promptIndex = reader.take<std::int64_t>();
    request.seed = reader.take<std::uint64_t>();
    request.guidanceScale = reader.takeReal();
    request.guidanceRescale = reader.takeReal();
    const auto prompt = textOf(reader.take<std::uint32_t>());
    const auto negativeNumber = reader.take<std::uint32_t>();
    const auto scheduler = textOf(reader.take<std::uint32_t>());
    request.width = reader.take<std::int32_t>();
    request.height = reader.take<std::int32_t>();
    request.steps = reader.take<std::int32_t>();
    const auto clipSkip = reader.take<std::int32_t>();
    const auto flags = reader.take<std::uint32_t>();
    const bool hasNegative = (flags & kHasNegative) != 0;
    const bool hasClipSkip = (flags & kHasClipSkip) != 0;
    const auto negative = hasNegative ? textOf(negativeNumber) : std::string_view();
    if (!prompt || !scheduler || !negative) {
      return refuse("names a text that is not there, or texts that are too long together");
    }
    if (flags > (kHasNegative | kHasClipSkip) || (!hasNegative && negativeNumber != 0) || (!hasClipSkip && clipSkip != 0) ||
        !std::isfinite(request.guidanceScale) || !std::isfinite(request.guidanceRescale)) {
      return refuse("has a number that cannot be");
    }
    request.prompt = *prompt;
    request.scheduler = *scheduler;
    if (hasNegative) {
      request.negativePrompt = *negative;
    }
    if (hasClipSkip) {
      request.clipSkip = clipSkip;
    }
  }
  return requests;
}

}  // namespace polyptych::backend
