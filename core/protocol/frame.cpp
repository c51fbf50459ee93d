#include "core/protocol/frame.h"

#include <algorithm>
#include <string>
#include <utility>

namespace polyptych::protocol {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

template <typename T>
void appendLittleEndian(std::vector<std::byte>& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF));
  }
}

template <typename T>
T readLittleEndian(const std::byte* bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return static_cast<T>(value);
}

/// Sum of the lengths if it is within the limit, without overflow.
bool areWithin(const std::vector<std::uint64_t>& lengths, std::uint64_t limit) {
  std::uint64_t left = limit;
  for (const std::uint64_t length : lengths) {
    if (length > left) {
      return false;
    }
    left -= length;
  }
  return true;
}

}  // namespace

Result<std::vector<std::byte>> encodeFrame(const Frame& frame, const FrameLimits& limits) {
  const auto refuse = [](std::string message) { return Error{ErrorCode::InvalidArgument, std::move(message), {}}; };
  if (frame.map.size() > limits.maxMapBytes) {
    return refuse("A message of " + std::to_string(frame.map.size()) + " bytes is too long to send; at most " +
                  std::to_string(limits.maxMapBytes) + " are allowed. Use shorter prompts or a smaller batch.");
  }
  std::vector<std::uint64_t> lengths;
  std::size_t total = kFrameHeaderBytes + frame.map.size();
  for (const std::vector<std::byte>& attachment : frame.attachments) {
    lengths.push_back(attachment.size());
    total += sizeof(std::uint64_t) + attachment.size();
  }
  if (lengths.size() > limits.maxAttachments || !areWithin(lengths, limits.maxAttachmentBytes)) {
    return refuse("The data of a message are too big to send; at most " + std::to_string(limits.maxAttachmentBytes) +
                  " bytes are allowed. Use a smaller size or batch.");
  }
  std::vector<std::byte> out;
  out.reserve(total);
  appendLittleEndian(out, kFrameMagic);
  appendLittleEndian(out, kProtocolVersion);
  appendLittleEndian(out, frame.type);
  appendLittleEndian(out, static_cast<std::uint32_t>(frame.map.size()));
  appendLittleEndian(out, static_cast<std::uint16_t>(lengths.size()));
  appendLittleEndian(out, std::uint16_t{0});
  for (const std::uint64_t length : lengths) {
    appendLittleEndian(out, length);
  }
  out.insert(out.end(), frame.map.begin(), frame.map.end());
  for (const std::vector<std::byte>& attachment : frame.attachments) {
    out.insert(out.end(), attachment.begin(), attachment.end());
  }
  return out;
}

void FrameParser::feed(std::span<const std::byte> bytes) {
  if (m_error) {
    return;
  }
  if (m_at > 0) {
    m_pending.erase(m_pending.begin(), m_pending.begin() + static_cast<std::ptrdiff_t>(m_at));
    m_at = 0;
  }
  m_pending.insert(m_pending.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Frame>> FrameParser::next() {
  if (m_error) {
    return *m_error;
  }
  if (m_stage == Stage::Header) {
    if (available() < kFrameHeaderBytes) {
      return std::optional<Frame>();
    }
    if (auto error = readHeader()) {
      return *error;
    }
  }
  if (m_stage == Stage::Lengths) {
    if (available() < m_attachmentCount * sizeof(std::uint64_t)) {
      return std::optional<Frame>();
    }
    if (auto error = readLengths()) {
      return *error;
    }
  }
  if (m_stage == Stage::Map) {
    if (!fill(m_frame.map, m_mapLength)) {
      return std::optional<Frame>();
    }
    m_stage = Stage::Attachments;
  }
  for (; m_attachment < m_lengths.size(); ++m_attachment) {
    m_frame.attachments.resize(m_attachment + 1);
    if (!fill(m_frame.attachments[m_attachment], m_lengths[m_attachment])) {
      return std::optional<Frame>();
    }
  }
  m_attachment = 0;
  m_stage = Stage::Header;
  m_lengths.clear();
  return std::optional<Frame>(std::exchange(m_frame, {}));
}

std::optional<Error> FrameParser::readHeader() {
  const std::byte* header = m_pending.data() + m_at;
  if (readLittleEndian<std::uint32_t>(header) != kFrameMagic) {
    return fail(ErrorCode::Protocol, "The other program does not speak Polyptych's protocol (a frame begins with wrong bytes).");
  }
  const auto version = readLittleEndian<std::uint16_t>(header + 4);
  if (version != kProtocolVersion) {
    return fail(ErrorCode::VersionMismatch, "The other program speaks version " + std::to_string(version) +
                                                " of the protocol and this one version " + std::to_string(kProtocolVersion) +
                                                "; install programs of the same version.");
  }
  const auto mapLength = readLittleEndian<std::uint32_t>(header + 8);
  const auto attachmentCount = readLittleEndian<std::uint16_t>(header + 12);
  if (readLittleEndian<std::uint16_t>(header + 14) != 0) {
    return fail(ErrorCode::Protocol, "The header of a frame has a reserved field that is not zero.");
  }
  if (mapLength > m_limits.maxMapBytes) {
    return fail(ErrorCode::Protocol, "A frame announces a map of " + std::to_string(mapLength) + " bytes; at most " +
                                         std::to_string(m_limits.maxMapBytes) + " are taken.");
  }
  if (attachmentCount > m_limits.maxAttachments) {
    return fail(ErrorCode::Protocol, "A frame announces " + std::to_string(attachmentCount) + " attachments; at most " +
                                         std::to_string(m_limits.maxAttachments) + " are taken.");
  }
  m_frame = {};
  m_frame.type = readLittleEndian<std::uint16_t>(header + 6);
  m_mapLength = mapLength;
  m_attachmentCount = attachmentCount;
  m_at += kFrameHeaderBytes;
  m_stage = Stage::Lengths;
  return std::nullopt;
}

std::optional<Error> FrameParser::readLengths() {
  m_lengths.clear();
  for (std::size_t i = 0; i < m_attachmentCount; ++i) {
    m_lengths.push_back(readLittleEndian<std::uint64_t>(m_pending.data() + m_at));
    m_at += sizeof(std::uint64_t);
  }
  if (!areWithin(m_lengths, m_limits.maxAttachmentBytes)) {
    return fail(ErrorCode::Protocol,
                "A frame announces attachments of more than " + std::to_string(m_limits.maxAttachmentBytes) + " bytes together.");
  }
  m_stage = Stage::Map;
  return std::nullopt;
}

/// Moves what is there into `part`. @return true once `part` has `length` bytes
bool FrameParser::fill(std::vector<std::byte>& part, std::uint64_t length) {
  const std::size_t count = std::min<std::uint64_t>(length - part.size(), available());
  const auto from = m_pending.begin() + static_cast<std::ptrdiff_t>(m_at);
  part.insert(part.end(), from, from + static_cast<std::ptrdiff_t>(count));
  m_at += count;
  return part.size() == length;
}

Error FrameParser::fail(ErrorCode code, std::string message) {
  m_error = Error{code, std::move(message), {}};
  m_pending.clear();
  m_at = 0;
  return *m_error;
}

}  // namespace polyptych::protocol
