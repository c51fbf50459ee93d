#include "core/checkpoint/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/base/checked.h"
#include "core/base/utf8.h"

namespace polyptych::checkpoint {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMaxRank = 64;
constexpr std::string_view kMetadataName = "__metadata__";
constexpr std::size_t kMaxQuotedBytes = 120;

std::string inQuotes(std::string_view name) {
  const std::string_view head = base::utf8Prefix(name, kMaxQuotedBytes);
  return "\"" + std::string(head) + (head.size() < name.size() ? "...\"" : "\"");
}

struct Entry {
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Bytes of a tensor of this dtype and shape; nothing if the number does not fit or is not a whole number of bytes.
std::optional<std::uint64_t> byteCount(Dtype dtype, const std::vector<std::int64_t>& shape) {
  std::uint64_t count = 1;
  bool isEmpty = false;
  for (const std::int64_t side : shape) {
    if (side < 0) {
      return std::nullopt;
    }
    if (side == 0) {
      isEmpty = true;
    }
  }
  if (isEmpty) {
    return 0;
  }
  for (const std::int64_t side : shape) {
    const auto product = base::checkedMul<std::uint64_t>(count, static_cast<std::uint64_t>(side));
    if (!product) {
      return std::nullopt;
    }
    count = *product;
  }
  const auto bits = base::checkedMul<std::uint64_t>(count, static_cast<std::uint64_t>(bitsOf(dtype)));
  if (!bits || *bits % 8 != 0) {
    return std::nullopt;
  }
  return *bits / 8;
}

/// Reads the header as a stream of JSON events, so that a name given twice is seen and nothing is built that is not wanted.
class HeaderHandler {
 public:
  using json = nlohmann::json;

  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> metadata;
  std::optional<Error> error;

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a truth value"); }
  bool number_float(json::number_float_t, const std::string& text) { return unexpected("the number " + text.substr(0, 40)); }
  bool binary(json::binary_t&) { return unexpected("binary data"); }

  bool number_integer(json::number_integer_t value) {
    return fail("has the negative number " + std::to_string(value) + " in " + place());
  }

  bool number_unsigned(json::number_unsigned_t value) {
    if (m_state == State::Shape) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail("has a side that is too large in " + place());
      }
      if (m_entry.shape.size() == kMaxRank) {
        return fail("has more than " + std::to_string(kMaxRank) + " sides in " + place());
      }
      m_entry.shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (m_state == State::Offsets) {
      if (m_offsets == 0) {
        m_entry.begin = value;
      } else if (m_offsets == 1) {
        m_entry.end = value;
      } else {
        return fail("has more than two numbers in " + place());
      }
      ++m_offsets;
      return true;
    }
    return unexpected("the number " + std::to_string(value));
  }

  bool string(json::string_t& value) {
    if (m_state == State::MetadataValue) {
      metadata.emplace(m_key, std::move(value));
      m_state = State::Metadata;
      return true;
    }
    if (m_state == State::Dtype) {
      const auto dtype = dtypeFromString(value);
      if (!dtype) {
        return fail("has the unknown element type " + inQuotes(value) + " at tensor " + inQuotes(m_name), ErrorCode::Unsupported);
      }
      m_entry.dtype = *dtype;
      m_state = State::Tensor;
      return true;
    }
    return unexpected("a text");
  }

  bool start_object(std::size_t) {
    switch (m_state) {
      case State::Start:
        m_state = State::Top;
        return true;
      case State::TopValue:
        if (m_name == kMetadataName) {
          m_state = State::Metadata;
        } else {
          m_entry = {};
          m_hasDtype = m_hasShape = m_hasOffsets = false;
          m_state = State::Tensor;
        }
        return true;
      default:
        return unexpected("an object");
    }
  }

  bool key(json::string_t& value) {
    switch (m_state) {
      case State::Top:
        m_name = std::move(value);
        if (m_name == kMetadataName) {
          if (std::exchange(m_hasMetadata, true)) {
            return fail("has \"__metadata__\" twice");
          }
        } else if (entries.contains(m_name)) {
          return fail("has the tensor " + inQuotes(m_name) + " twice");
        }
        m_state = State::TopValue;
        return true;
      case State::Metadata:
        if (metadata.contains(value)) {
          return fail("has the key " + inQuotes(value) + " twice in \"__metadata__\"");
        }
        m_key = std::move(value);
        m_state = State::MetadataValue;
        return true;
      case State::Tensor:
        return tensorKey(value);
      default:
        return unexpected("a key");
    }
  }

  bool end_object() {
    if (m_state == State::Tensor) {
      if (!m_hasDtype || !m_hasShape || !m_hasOffsets) {
        const char* const missing = !m_hasDtype ? "dtype" : (!m_hasShape ? "shape" : "data_offsets");
        return fail("has no \"" + std::string(missing) + "\" at tensor " + inQuotes(m_name));
      }
      entries.emplace(m_name, std::move(m_entry));
      m_state = State::Top;
    } else if (m_state == State::Metadata) {
      m_state = State::Top;
    } else {
      m_state = State::End;
    }
    return true;
  }

  bool start_array(std::size_t) {
    if (m_state == State::ShapeStart) {
      m_state = State::Shape;
      return true;
    }
    if (m_state == State::OffsetsStart) {
      m_state = State::Offsets;
      m_offsets = 0;
      return true;
    }
    return unexpected("a list");
  }

  bool end_array() {
    if (m_state == State::Offsets && m_offsets != 2) {
      return fail("has fewer than two numbers in " + place());
    }
    m_state = State::Tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& exception) {
    if (!error) {
      error = Error{ErrorCode::Corrupt, "has a header that is not JSON (byte " + std::to_string(position) + " of the header)",
                    exception.what()};
    }
    return false;
  }

 private:
  enum class State {
    Start,
    Top,
    TopValue,
    Metadata,
    MetadataValue,
    Tensor,
    Dtype,
    ShapeStart,
    Shape,
    OffsetsStart,
    Offsets,
    End
  };

  bool tensorKey(const std::string& key) {
    bool* seen = nullptr;
    if (key == "dtype") {
      seen = &m_hasDtype;
      m_state = State::Dtype;
    } else if (key == "shape") {
      seen = &m_hasShape;
      m_state = State::ShapeStart;
    } else if (key == "data_offsets") {
      seen = &m_hasOffsets;
      m_state = State::OffsetsStart;
    } else {
      return fail("has the unknown key " + inQuotes(key) + " at tensor " + inQuotes(m_name));
    }
    if (std::exchange(*seen, true)) {
      return fail("has \"" + key + "\" twice at tensor " + inQuotes(m_name));
    }
    return true;
  }

  std::string place() const {
    switch (m_state) {
      case State::Start:
        return "place of its header";
      case State::TopValue:
        return m_name == kMetadataName ? "place of \"__metadata__\"" : "place of tensor " + inQuotes(m_name);
      case State::Metadata:
      case State::MetadataValue:
        return "\"__metadata__\" (only texts may stand there) at key " + inQuotes(m_key);
      case State::Dtype:
        return "\"dtype\" of tensor " + inQuotes(m_name);
      case State::ShapeStart:
      case State::Shape:
        return "\"shape\" of tensor " + inQuotes(m_name);
      case State::OffsetsStart:
      case State::Offsets:
        return "\"data_offsets\" of tensor " + inQuotes(m_name);
      default:
        return "its header";
    }
  }

  bool unexpected(const std::string& what) { return fail("has " + what + " in " + place()); }

  bool fail(std::string rest, ErrorCode code = ErrorCode::Corrupt) {
    if (!error) {
      error = Error{code, std::move(rest), {}};
    }
    return false;
  }

  State m_state = State::Start;
  std::string m_name;
  std::string m_key;
  Entry m_entry;
  bool m_hasDtype = false;
  bool m_hasShape = false;
  bool m_hasOffsets = false;
  bool m_hasMetadata = false;
  int m_offsets = 0;
};

struct Parsed {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

/// Messages are sentences without their subject ("has ..."), which the caller puts before them.
Result<Parsed> parse(std::span<const std::byte> file) {
  const auto corrupt = [](std::string text) { return Error{ErrorCode::Corrupt, std::move(text), {}}; };
  if (file.size() < kLengthBytes) {
    return corrupt("is too short: it has " + std::to_string(file.size()) + " bytes, and the header's length alone takes 8");
  }
  std::uint64_t headerBytes = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    headerBytes |= static_cast<std::uint64_t>(file[i]) << (8 * i);
  }
  if (headerBytes > kMaxHeaderBytes) {
    return corrupt("says that its header has " + std::to_string(headerBytes) + " bytes; the format allows " +
                   std::to_string(kMaxHeaderBytes));
  }
  if (headerBytes > file.size() - kLengthBytes) {
    return corrupt("ends inside its header (" + std::to_string(headerBytes) + " bytes announced, " +
                   std::to_string(file.size() - kLengthBytes) + " there): the download or copy was cut short");
  }
  const std::string_view header(reinterpret_cast<const char*>(file.data()) + kLengthBytes, headerBytes);
  if (header.empty() || header.front() != '{') {
    return corrupt("has a header that does not begin with '{'");
  }
  if (const auto bad = base::firstInvalidUtf8(header)) {
    return corrupt("has a header that is not UTF-8 (byte " + std::to_string(*bad) + " of the header)");
  }
  // The JSON library takes a NUL for the end of the text.
  if (const std::size_t nul = header.find('\0'); nul != std::string_view::npos) {
    return corrupt("has a header that is not JSON (byte " + std::to_string(nul) + " of the header is NUL)");
  }
  HeaderHandler handler;
  if (!nlohmann::json::sax_parse(header.begin(), header.end(), &handler)) {
    return handler.error.value_or(corrupt("has a header that is not JSON"));
  }

  const std::size_t payloadStart = kLengthBytes + static_cast<std::size_t>(headerBytes);
  const std::span<const std::byte> payload = file.subspan(payloadStart);
  std::vector<std::pair<const std::string*, const Entry*>> order;
  order.reserve(handler.entries.size());
  for (const auto& [name, entry] : handler.entries) {
    const std::string where = " at tensor " + inQuotes(name);
    if (entry.begin > entry.end) {
      return corrupt("has data_offsets that run backwards" + where);
    }
    const auto bytes = byteCount(entry.dtype, entry.shape);
    if (!bytes) {
      return corrupt("has a shape whose size cannot be (too many elements, or not a whole number of bytes)" + where);
    }
    if (*bytes != entry.end - entry.begin) {
      return corrupt("has " + std::to_string(entry.end - entry.begin) + " bytes where dtype and shape need " +
                     std::to_string(*bytes) + where);
    }
    if (entry.end > payload.size()) {
      return corrupt("ends before its data (" + std::to_string(payload.size()) + " bytes there, " + std::to_string(entry.end) +
                     " needed" + where + "): the download or copy was cut short");
    }
    order.emplace_back(&name, &entry);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end);
  });

  Parsed out;
  std::uint64_t position = 0;
  for (const auto& [name, entry] : order) {
    const std::string where = " at tensor " + inQuotes(*name);
    if (entry->begin < position) {
      return corrupt("has overlapping data" + where);
    }
    if (entry->begin > position) {
      return corrupt("has a hole of " + std::to_string(entry->begin - position) + " bytes before its data" + where);
    }
    position = entry->end;
    const std::size_t alignment = alignmentOf(entry->dtype);
    if (entry->begin != entry->end && payloadStart % alignment != 0) {
      return corrupt("has a header whose length leaves the data unaligned (the data begins at byte " +
                     std::to_string(payloadStart) + ", " + std::string(toString(entry->dtype)) + " needs a multiple of " +
                     std::to_string(alignment) + "): save it again with safetensors 0.3 or newer");
    }
    if (entry->begin != entry->end && entry->begin % alignment != 0) {
      return corrupt("has data that is not aligned to its element type " + std::string(toString(entry->dtype)) + where +
                     ": save it again with safetensors 0.3 or newer");
    }
    out.tensors.emplace(*name, TensorView{entry->dtype, entry->shape, payload.subspan(entry->begin, entry->end - entry->begin)});
  }
  if (position < payload.size()) {
    return corrupt("has " + std::to_string(payload.size() - position) + " bytes too many at its end");
  }
  out.metadata = std::move(handler.metadata);
  return out;
}

Error withSubject(const std::string& subject, const Error& error) {
  return Error{error.code, subject + " " + error.message + ".", error.detail};
}

}  // namespace

SafetensorsFile::~SafetensorsFile() {
  if (m_map != nullptr) {
    ::munmap(m_map, m_bytes.size());
  }
}

Result<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int code = errno;
    return Error{code == ENOENT || code == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io,
                 path.string() + " cannot be opened: " + std::strerror(code) + ".",
                 {}};
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Error{ErrorCode::Io, path.string() + " is not an ordinary file.", {}};
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile);
  if (size > 0) {
    void* const map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int code = errno;
    ::close(descriptor);
    if (map == MAP_FAILED) {
      return Error{code == ENOMEM ? ErrorCode::OutOfMemory : ErrorCode::Io,
                   path.string() + " cannot be mapped into memory: " + std::strerror(code) + ".",
                   {}};
    }
    file->m_map = map;
    file->m_bytes = {static_cast<const std::byte*>(map), size};
  } else {
    ::close(descriptor);
  }
  auto parsed = parse(file->m_bytes);
  if (!parsed) {
    return withSubject(path.string(), parsed.error());
  }
  file->m_tensors = std::move(parsed->tensors);
  file->m_metadata = std::move(parsed->metadata);
  return std::shared_ptr<const SafetensorsFile>(std::move(file));
}

Result<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::fromBytes(std::vector<std::byte> bytes) {
  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile);
  file->m_owned = std::move(bytes);
  file->m_bytes = file->m_owned;
  auto parsed = parse(file->m_bytes);
  if (!parsed) {
    return withSubject("safetensors data", parsed.error());
  }
  file->m_tensors = std::move(parsed->tensors);
  file->m_metadata = std::move(parsed->metadata);
  return std::shared_ptr<const SafetensorsFile>(std::move(file));
}

Result<std::vector<std::byte>> writeSafetensors(std::span<const NamedTensor> tensors,
                                                const std::map<std::string, std::string>& metadata) {
  const auto invalid = [](std::string text) { return Error{ErrorCode::InvalidArgument, std::move(text), {}}; };
  std::vector<const NamedTensor*> order;
  order.reserve(tensors.size());
  for (const NamedTensor& tensor : tensors) {
    if (base::firstInvalidUtf8(tensor.name)) {
      return invalid("A tensor's name is not UTF-8.");
    }
    if (tensor.name == kMetadataName) {
      return invalid("A tensor cannot be called \"__metadata__\".");
    }
    if (tensor.view.shape.size() > kMaxRank) {
      return invalid("The tensor " + inQuotes(tensor.name) + " has too many sides.");
    }
    const auto bytes = byteCount(tensor.view.dtype, tensor.view.shape);
    if (!bytes || *bytes != tensor.view.bytes.size()) {
      return invalid("The bytes of tensor " + inQuotes(tensor.name) + " do not fit its dtype and shape.");
    }
    order.push_back(&tensor);
  }
  for (const auto& [key, value] : metadata) {
    if (base::firstInvalidUtf8(key) || base::firstInvalidUtf8(value)) {
      return invalid("The metadata is not UTF-8.");
    }
  }
  std::sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    const int bitsA = bitsOf(a->view.dtype);
    const int bitsB = bitsOf(b->view.dtype);
    return bitsA != bitsB ? bitsA > bitsB : a->name < b->name;
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) {
    header[std::string(kMetadataName)] = metadata;
  }
  std::uint64_t offset = 0;
  for (const NamedTensor* const tensor : order) {
    const std::uint64_t end = offset + tensor->view.bytes.size();
    nlohmann::ordered_json entry;
    entry["dtype"] = toString(tensor->view.dtype);
    entry["shape"] = tensor->view.shape;
    entry["data_offsets"] = {offset, end};
    if (header.contains(tensor->name)) {
      return invalid("The tensor " + inQuotes(tensor->name) + " is given twice.");
    }
    header[tensor->name] = std::move(entry);
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kMaxHeaderBytes) {
    return invalid("The header would be larger than the format allows.");
  }

  std::vector<std::byte> out;
  out.reserve(kLengthBytes + text.size() + offset);
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    out.push_back(static_cast<std::byte>((text.size() >> (8 * i)) & 0xff));
  }
  const auto* const textBytes = reinterpret_cast<const std::byte*>(text.data());
  out.insert(out.end(), textBytes, textBytes + text.size());
  for (const NamedTensor* const tensor : order) {
    out.insert(out.end(), tensor->view.bytes.begin(), tensor->view.bytes.end());
  }
  return out;
}

}  // namespace polyptych::checkpoint
