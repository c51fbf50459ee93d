#include "core/protocol/cbor_scan.h"

#include <cstdint>
#include <vector>

namespace polyptych::protocol {
namespace {

/// Walks over one CBOR item without recursion and without building anything.
class CborScanner {
 public:
  CborScanner(std::span<const std::byte> bytes, const CborLimits& limits) : m_bytes(bytes), m_limits(limits) {}

  /// @return what is wrong with the bytes, if anything
  std::optional<std::string> problem() {
    std::vector<std::uint64_t> itemsLeft{1};
    std::size_t values = 0;
    while (!itemsLeft.empty()) {
      if (itemsLeft.back() == 0) {
        itemsLeft.pop_back();
        continue;
      }
      --itemsLeft.back();
      if (++values > m_limits.maxValues) {
        return "holds more than " + std::to_string(m_limits.maxValues) + " keys and values";
      }
      const std::optional<Head> head = readHead();
      if (!head) {
        return "is cut, or has an item of open length";
      }
      if (const char* wrong = takeItem(*head, itemsLeft)) {
        return wrong;
      }
      if (itemsLeft.size() > m_limits.maxDepth + 1) {
        return "is nested more than " + std::to_string(m_limits.maxDepth) + " deep";
      }
    }
    if (m_at != m_bytes.size()) {
      return "has bytes behind its end";
    }
    return std::nullopt;
  }

 private:
  struct Head {
    unsigned major = 0;
    unsigned info = 0;
    std::uint64_t argument = 0;
  };

  std::size_t left() const { return m_bytes.size() - m_at; }

  std::optional<Head> readHead() {
    if (left() == 0) {
      return std::nullopt;
    }
    const auto first = static_cast<unsigned>(m_bytes[m_at++]);
    Head head{first >> 5, first & 31, first & 31};
    if (head.info < 24) {
      return head;
    }
    if (head.info > 27) {
      return std::nullopt;
    }
    const std::size_t width = std::size_t{1} << (head.info - 24);
    if (left() < width) {
      return std::nullopt;
    }
    head.argument = 0;
    for (std::size_t i = 0; i < width; ++i) {
      head.argument = head.argument << 8 | static_cast<std::uint64_t>(m_bytes[m_at++]);
    }
    return head;
  }

  const char* takeItem(const Head& head, std::vector<std::uint64_t>& itemsLeft) {
    switch (head.major) {
      case 0:
      case 1:
        return nullptr;
      case 3:
        if (head.argument > left()) {
          return "has a text that is longer than the map";
        }
        m_at += static_cast<std::size_t>(head.argument);
        return nullptr;
      case 4:
      case 5:
        if (head.argument > left()) {
          return "promises more items than it has bytes";
        }
        itemsLeft.push_back(head.major == 5 ? 2 * head.argument : head.argument);
        return nullptr;
      case 7:
        // false, true, null and the three widths of floating-point numbers
        return (head.info >= 20 && head.info <= 22) || (head.info >= 25 && head.info <= 27)
                   ? nullptr
                   : "has a simple value that is not known";
      default:
        return "has a byte string or a tag";
    }
  }

  std::span<const std::byte> m_bytes;
  CborLimits m_limits;
  std::size_t m_at = 0;
};

}  // namespace

std::optional<std::string> problemOfCbor(std::span<const std::byte> bytes, const CborLimits& limits) {
  return CborScanner(bytes, limits).problem();
}

}  // namespace polyptych::protocol
