#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace polyptych::protocol {

/// First four bytes of every frame.
inline constexpr std::uint32_t kFrameMagic = 0x57504C50;  // "PLPW", little endian
/// Both ends must agree; there is no negotiation, because worker and backend are installed together.
inline constexpr std::uint16_t kProtocolVersion = 1;
/// Bytes before the table of attachment lengths.
inline constexpr std::size_t kFrameHeaderBytes = 16;

/// What a receiver takes. Checked as soon as a length is known and before memory is reserved for it.
struct FrameLimits {
  std::uint32_t maxMapBytes = 64u << 20;
  std::uint16_t maxAttachments = 2;
  std::uint64_t maxAttachmentBytes = std::uint64_t(1) << 30;
};

/// For a peer that has not shown its token yet: a Hello and nothing bigger.
inline constexpr FrameLimits kHandshakeLimits{16u << 10, 0, 0};

/// One message as it travels: a type, a CBOR map, and raw bytes that are never inside the map.
struct Frame {
  std::uint16_t type = 0;
  std::vector<std::byte> map;
  std::vector<std::vector<std::byte>> attachments;

  friend bool operator==(const Frame&, const Frame&) = default;
};

/// The frame's bytes: header, attachment lengths, map, attachments. @return InvalidArgument if a part is over `limits`.
base::Result<std::vector<std::byte>> encodeFrame(const Frame& frame, const FrameLimits& limits = {});

/// Puts frames together from bytes in pieces of any size. Keep one per connection. After an error the connection is of no more
/// use: next() goes on giving the same error.
class FrameParser {
 public:
  explicit FrameParser(const FrameLimits& limits = {}) : m_limits(limits) {}

  /// Holds for frames whose header has not been read yet: call it between two next(), e.g. when the token was right.
  void setLimits(const FrameLimits& limits) { m_limits = limits; }

  /// Takes bytes as they were received. Memory grows with what arrived, never with what a header promises.
  void feed(std::span<const std::byte> bytes);

  /// The next complete frame, or nothing until more bytes are fed. Call until nothing comes.
  /// @return Protocol (bad magic, a length over its limit) or VersionMismatch
  base::Result<std::optional<Frame>> next();

  /// True in the middle of a frame: a connection that closes now was cut.
  bool isMidFrame() const { return m_stage != Stage::Header || m_at < m_pending.size(); }

 private:
  enum class Stage { Header, Lengths, Map, Attachments };

  std::size_t available() const { return m_pending.size() - m_at; }
  std::optional<base::Error> readHeader();
  std::optional<base::Error> readLengths();
  bool fill(std::vector<std::byte>& part, std::uint64_t length);
  base::Error fail(base::ErrorCode code, std::string message);

  FrameLimits m_limits;
  std::vector<std::byte> m_pending;
  std::size_t m_at = 0;
  Stage m_stage = Stage::Header;
  Frame m_frame;
  std::uint32_t m_mapLength = 0;
  std::uint16_t m_attachmentCount = 0;
  std::vector<std::uint64_t> m_lengths;
  std::size_t m_attachment = 0;
  std::optional<base::Error> m_error;
};

}  // namespace polyptych::protocol
