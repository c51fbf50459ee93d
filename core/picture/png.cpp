#include "core/picture/png.h"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "core/picture/metadata_text.h"

namespace polyptych::picture {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kCompressionLevel = 6;
constexpr std::size_t kSignatureBytes = 8;
/// Length, type and checksum of a chunk.
constexpr std::size_t kChunkFrameBytes = 12;
constexpr char kMetadataKeyword[] = "polyptych";

Error corrupt(std::string detail) {
  return Error{ErrorCode::Corrupt, "The picture file is damaged or incomplete; make the picture again.", std::move(detail)};
}

bool isAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::uint32_t readBigEndian(const std::byte* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<std::uint32_t>(bytes[i]);
  }
  return value;
}

struct Chunk {
  std::string_view type;
  std::string_view data;
};

/// Walks over the chunks of a PNG; each is given only if it is complete and its checksum is right.
class ChunkWalker {
 public:
  explicit ChunkWalker(std::span<const std::byte> bytes) : m_bytes(bytes) {}

  std::optional<Error> begin() {
    if (m_bytes.size() > kMaxPngBytes) {
      return Error{ErrorCode::Unsupported, "The picture file is larger than any that this program makes.", {}};
    }
    if (m_bytes.size() < kSignatureBytes ||
        png_sig_cmp(reinterpret_cast<png_const_bytep>(m_bytes.data()), 0, kSignatureBytes) != 0) {
      return corrupt("no PNG signature");
    }
    m_at = kSignatureBytes;
    return std::nullopt;
  }

  Result<Chunk> next() {
    const std::size_t left = m_bytes.size() - m_at;
    if (left < kChunkFrameBytes) {
      return corrupt("cut between chunks");
    }
    const std::byte* start = m_bytes.data() + m_at;
    const std::uint32_t length = readBigEndian(start);
    if (length > left - kChunkFrameBytes) {
      return corrupt("cut inside a chunk");
    }
    const auto* checked = reinterpret_cast<const Bytef*>(start + 4);
    if (crc32_z(crc32_z(0, nullptr, 0), checked, std::size_t{4} + length) != readBigEndian(start + 8 + length)) {
      return corrupt("a chunk's checksum is wrong");
    }
    const char* text = reinterpret_cast<const char*>(start);
    m_at += kChunkFrameBytes + length;
    return Chunk{{text + 4, 4}, {text + 8, length}};
  }

  std::size_t position() const { return m_at; }

 private:
  std::span<const std::byte> m_bytes;
  std::size_t m_at = 0;
};

/// A text chunk of a keyword, told apart by how its text is kept.
struct KeptText {
  std::string_view bytes;
  bool isPacked = false;
  bool isUtf8 = false;  ///< otherwise Latin-1
};

/// tEXt: keyword, NUL, text. zTXt: keyword, NUL, method, packed text. iTXt: keyword, NUL, whether it is packed, method, language,
/// NUL, translated keyword, NUL, text. Zero is the only method.
std::optional<KeptText> keptText(const Chunk& chunk, std::string_view keyword) {
  std::string_view data = chunk.data;
  if (data.size() <= keyword.size() || data.substr(0, keyword.size()) != keyword || data[keyword.size()] != '\0') {
    return std::nullopt;
  }
  data.remove_prefix(keyword.size() + 1);
  if (chunk.type == "tEXt") {
    return KeptText{data, false, false};
  }
  if (chunk.type == "zTXt") {
    return !data.empty() && data[0] == '\0' ? std::optional(KeptText{data.substr(1), true, false}) : std::nullopt;
  }
  if (chunk.type != "iTXt" || data.size() < 2 || (data[0] != '\0' && (data[0] != '\1' || data[1] != '\0'))) {
    return std::nullopt;
  }
  const bool isPacked = data[0] == '\1';
  data.remove_prefix(2);
  for (int field = 0; field < 2; ++field) {
    const std::size_t end = data.find('\0');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    data.remove_prefix(end + 1);
  }
  return KeptText{data, isPacked, true};
}

/// What a zlib stream holds; nothing is reserved for what it only promises.
Result<std::string> unpacked(std::string_view packed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) {
    return Error{ErrorCode::OutOfMemory, "There is not enough memory to read the picture's settings.", {}};
  }
  const struct Guard {
    z_stream& stream;
    ~Guard() { inflateEnd(&stream); }
  } guard{stream};
  // zlib takes bytes that it does not change as if it might.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  std::array<char, 16384> part{};
  for (int state = Z_OK; state != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    state = inflate(&stream, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END) {
      return corrupt("a packed text is damaged or cut");
    }
    text.append(part.data(), part.size() - stream.avail_out);
    if (text.size() > kMaxMetadataBytes) {
      return corrupt("the settings are too long");
    }
  }
  return text;
}

std::string utf8OfLatin1(std::string_view text) {
  std::string utf8;
  utf8.reserve(text.size());
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xC0 | code >> 6);
      utf8 += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return utf8;
}

Result<std::string> textOf(const KeptText& kept) {
  if (kept.bytes.size() > kMaxMetadataBytes) {
    return corrupt("the settings are too long");
  }
  Result<std::string> text = kept.isPacked ? unpacked(kept.bytes) : Result<std::string>(std::string(kept.bytes));
  return !text || kept.isUtf8 ? std::move(text) : Result<std::string>(utf8OfLatin1(*text));
}

/// @param isUtf8Wanted  an iTXt chunk alone
Result<std::string> firstText(std::span<const std::byte> bytes, std::string_view keyword, bool isUtf8Wanted) {
  ChunkWalker walker(bytes);
  if (auto error = walker.begin()) {
    return *error;
  }
  for (;;) {
    const Result<Chunk> chunk = walker.next();
    if (!chunk) {
      return chunk.error();
    }
    if (chunk->type == "IDAT" || chunk->type == "IEND") {
      return Error{ErrorCode::NotFound, "The picture has no such text in it.", {}};
    }
    if (const auto kept = keptText(*chunk, keyword); kept && (kept->isUtf8 || !isUtf8Wanted)) {
      return textOf(*kept);
    }
  }
}

/// What libpng's callbacks see. Trivial on purpose: longjmp runs no destructors.
struct WriteSink {
  std::vector<std::byte>* out = nullptr;
  bool isOutOfMemory = false;
};

struct ReadSource {
  const std::byte* data = nullptr;
  std::size_t size = 0;
  std::size_t at = 0;
};

struct Problem {
  char text[160] = {};
};

void onError(png_structp png, png_const_charp text) {
  auto* problem = static_cast<Problem*>(png_get_error_ptr(png));
  std::strncpy(problem->text, text, sizeof(problem->text) - 1);
  png_longjmp(png, 1);
}

void onWarning(png_structp, png_const_charp) {}

void onWrite(png_structp png, png_bytep bytes, png_size_t count) {
  auto* sink = static_cast<WriteSink*>(png_get_io_ptr(png));
  try {
    const auto* first = reinterpret_cast<const std::byte*>(bytes);
    sink->out->insert(sink->out->end(), first, first + count);
    return;
  } catch (const std::bad_alloc&) {
    sink->isOutOfMemory = true;
  }
  png_error(png, "out of memory");
}

void onFlush(png_structp) {}

void onRead(png_structp png, png_bytep bytes, png_size_t count) {
  auto* source = static_cast<ReadSource*>(png_get_io_ptr(png));
  if (count > source->size - source->at) {
    png_error(png, "the file ends too early");
  }
  std::memcpy(bytes, source->data + source->at, count);
  source->at += count;
}

/// The part that libpng may leave by longjmp: nothing here has a destructor.
bool writeAll(png_structp png, png_infop info, const domain::Image& image, png_textp texts, int textCount) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_set_compression_level(png, kCompressionLevel);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), 8, PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (textCount > 0) {
    png_set_text(png, info, texts, textCount);
  }
  png_write_info(png, info);
  const std::size_t stride = std::size_t{3} * static_cast<std::size_t>(image.width);
  for (std::size_t row = 0; row < static_cast<std::size_t>(image.height); ++row) {
    png_write_row(png, image.pixels.data() + row * stride);
  }
  // Text was written with the header; the info given here would write it again behind the picture.
  png_write_end(png, nullptr);
  return true;
}

bool readHeader(png_structp png, png_infop info, ReadSource* source) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_set_read_fn(png, source, onRead);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_user_limits(png, static_cast<png_uint_32>(domain::kMaxSide), static_cast<png_uint_32>(domain::kMaxSide));
  png_set_chunk_malloc_max(png, kMaxMetadataBytes);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_read_info(png, info);
  return true;
}

bool readRows(png_structp png, std::uint8_t* pixels, std::size_t stride, std::size_t rows) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    png_read_row(png, pixels + row * stride, nullptr);
  }
  png_read_end(png, nullptr);
  return true;
}

struct WriterGuard {
  png_structp png = nullptr;
  png_infop info = nullptr;
  ~WriterGuard() { png_destroy_write_struct(&png, &info); }
};

struct ReaderGuard {
  png_structp png = nullptr;
  png_infop info = nullptr;
  ~ReaderGuard() { png_destroy_read_struct(&png, &info, nullptr); }
};

Result<std::vector<std::byte>> encode(const domain::Image& image, std::span<png_text> texts) {
  const auto isSide = [](int side) { return side >= 1 && side <= domain::kMaxSide; };
  if (!isSide(image.width) || !isSide(image.height) ||
      image.pixels.size() != std::size_t{3} * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height)) {
    return Error{ErrorCode::InvalidArgument, "A picture of this size cannot be written as PNG.",
                 std::to_string(image.width) + "x" + std::to_string(image.height)};
  }
  std::vector<std::byte> out;
  WriteSink sink{&out, false};
  Problem problem;
  WriterGuard guard;
  guard.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &problem, onError, onWarning);
  guard.info = guard.png == nullptr ? nullptr : png_create_info_struct(guard.png);
  if (guard.info == nullptr) {
    return Error{ErrorCode::OutOfMemory, "There is not enough memory to write the picture.", {}};
  }
  png_set_write_fn(guard.png, &sink, onWrite, onFlush);
  if (!writeAll(guard.png, guard.info, image, texts.data(), static_cast<int>(texts.size()))) {
    if (sink.isOutOfMemory) {
      return Error{ErrorCode::OutOfMemory, "There is not enough memory to write the picture.", {}};
    }
    return Error{ErrorCode::Internal, "The picture could not be written as PNG.", problem.text};
  }
  return out;
}

}  // namespace

Result<std::vector<std::byte>> encodePng(const domain::Image& image, const domain::PictureMetadata& metadata) {
  std::string parameters = parametersText(metadata);
  std::string object = metadataJson(metadata);
  std::string objectKeyword = kMetadataKeyword;
  std::string parametersKeyword = "parameters";
  std::string none;
  png_text texts[2] = {};
  const bool isPlain = isAscii(parameters);
  texts[0].compression = isPlain ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
  texts[0].key = parametersKeyword.data();
  texts[0].text = parameters.data();
  texts[1].compression = PNG_ITXT_COMPRESSION_NONE;
  texts[1].key = objectKeyword.data();
  texts[1].text = object.data();
  for (png_text& text : texts) {
    text.lang = none.data();
    text.lang_key = none.data();
  }
  return encode(image, texts);
}

Result<std::vector<std::byte>> encodePng(const domain::Image& image) { return encode(image, {}); }

Result<domain::PictureMetadata> readPngMetadata(std::span<const std::byte> bytes) {
  // Ours is UTF-8 in every case: a text of that name in another kind of chunk is somebody else's.
  const Result<std::string> text = firstText(bytes, kMetadataKeyword, true);
  if (!text) {
    return text.error().code == ErrorCode::NotFound
               ? Error{ErrorCode::NotFound, "The picture has no settings of Polyptych in it.", {}}
               : text.error();
  }
  return metadataFromJson(*text);
}

Result<std::string> readPngText(std::span<const std::byte> bytes, std::string_view keyword) {
  return firstText(bytes, keyword, false);
}

Result<void> checkPngChunks(std::span<const std::byte> bytes) {
  ChunkWalker walker(bytes);
  if (auto error = walker.begin()) {
    return *error;
  }
  for (;;) {
    const Result<Chunk> chunk = walker.next();
    if (!chunk) {
      return chunk.error();
    }
    if (chunk->type == "IEND") {
      break;
    }
  }
  if (walker.position() != bytes.size()) {
    return corrupt("bytes behind the end");
  }
  return {};
}

Result<domain::Image> decodePng(std::span<const std::byte> bytes) {
  if (auto complete = checkPngChunks(bytes); !complete) {
    return complete.error();
  }
  ReadSource source{bytes.data(), bytes.size(), 0};
  Problem problem;
  ReaderGuard guard;
  guard.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &problem, onError, onWarning);
  guard.info = guard.png == nullptr ? nullptr : png_create_info_struct(guard.png);
  if (guard.info == nullptr) {
    return Error{ErrorCode::OutOfMemory, "There is not enough memory to read the picture.", {}};
  }
  if (!readHeader(guard.png, guard.info, &source)) {
    return corrupt(problem.text);
  }
  if (png_get_bit_depth(guard.png, guard.info) != 8 || png_get_color_type(guard.png, guard.info) != PNG_COLOR_TYPE_RGB ||
      png_get_interlace_type(guard.png, guard.info) != PNG_INTERLACE_NONE) {
    return Error{ErrorCode::Unsupported, "The picture is no 8-bit RGB PNG as this program makes them.", {}};
  }
  domain::Image image;
  image.width = static_cast<int>(png_get_image_width(guard.png, guard.info));
  image.height = static_cast<int>(png_get_image_height(guard.png, guard.info));
  const std::size_t stride = std::size_t{3} * static_cast<std::size_t>(image.width);
  // Deflate cannot pack more than 1032 to 1: a file that is too short for its size is refused before the pixels are reserved.
  if (stride * static_cast<std::size_t>(image.height) / 1032 > bytes.size()) {
    return corrupt("too short for its size");
  }
  image.pixels.resize(stride * static_cast<std::size_t>(image.height));
  if (!readRows(guard.png, image.pixels.data(), stride, static_cast<std::size_t>(image.height))) {
    return corrupt(problem.text);
  }
  return image;
}

Result<void> checkPng(std::span<const std::byte> bytes, int width, int height) {
  const Result<domain::Image> image = decodePng(bytes);
  if (!image) {
    return image.error();
  }
  if (image->width != width || image->height != height) {
    return Error{ErrorCode::Corrupt,
                 "The picture is " + std::to_string(image->width) + "x" + std::to_string(image->height) + " and not " +
                     std::to_string(width) + "x" + std::to_string(height) + " as its settings say.",
                 {}};
  }
  return {};
}

}  // namespace polyptych::picture
