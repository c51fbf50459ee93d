#include "core/library/json_line.h"

#include "core/base/utf8.h"

namespace polyptych::library {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool mustBeEscaped(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7F; }

qsizetype sizeOf(std::string_view text) { return static_cast<qsizetype>(text.size()); }

void appendEscaped(QByteArray& out, std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!mustBeEscaped(text[i])) {
      continue;
    }
    out.append(text.data() + begin, static_cast<qsizetype>(i - begin));
    begin = i + 1;
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '"' || text[i] == '\\') {
      out += '\\';
      out += text[i];
    } else {
      out += "\\u00";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    }
  }
  out.append(text.data() + begin, static_cast<qsizetype>(text.size() - begin));
}

void appendUtf8(std::string& out, unsigned point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

bool isNumberCharacter(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

}  // namespace

void JsonLine::begin(std::string_view key) {
  if (!m_isFirst) {
    m_out += ',';
  }
  m_isFirst = false;
  m_out += '"';
  m_out.append(key.data(), sizeOf(key));
  m_out += "\":";
}

void JsonLine::raw(std::string_view key, std::string_view json) {
  begin(key);
  m_out.append(json.data(), sizeOf(json));
}

void JsonLine::text(std::string_view key, std::string_view value) {
  begin(key);
  m_out += '"';
  appendEscaped(m_out, value);
  m_out += '"';
}

bool JsonLineReader::damaged() {
  m_state = State::Damaged;
  return false;
}

void JsonLineReader::skipBlanks() {
  while (!m_left.empty() && (m_left.front() == ' ' || m_left.front() == '\t' || m_left.front() == '\r')) {
    m_left.remove_prefix(1);
  }
}

bool JsonLineReader::take(char wanted) {
  skipBlanks();
  if (m_left.empty() || m_left.front() != wanted) {
    return false;
  }
  m_left.remove_prefix(1);
  return true;
}

bool JsonLineReader::takeWord(std::string_view word) {
  if (!m_left.starts_with(word)) {
    return false;
  }
  m_left.remove_prefix(word.size());
  return true;
}

std::optional<unsigned> JsonLineReader::takeHex() {
  if (m_left.size() < 4) {
    return std::nullopt;
  }
  unsigned value = 0;
  const auto read = std::from_chars(m_left.data(), m_left.data() + 4, value, 16);
  if (read.ec != std::errc() || read.ptr != m_left.data() + 4) {
    return std::nullopt;
  }
  m_left.remove_prefix(4);
  return value;
}

bool JsonLineReader::takeEscape(std::string& out) {
  if (m_left.empty()) {
    return false;
  }
  const char kind = m_left.front();
  m_left.remove_prefix(1);
  constexpr std::string_view kFrom = "\"\\/bfnrt";
  constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  if (const std::size_t at = kFrom.find(kind); at != std::string_view::npos) {
    out += kTo[at];
    return true;
  }
  if (kind != 'u') {
    return false;
  }
  std::optional<unsigned> point = takeHex();
  if (!point || (*point >= 0xDC00 && *point <= 0xDFFF)) {
    return false;
  }
  if (*point >= 0xD800 && *point <= 0xDBFF) {
    const std::optional<unsigned> low = takeWord("\\u") ? takeHex() : std::nullopt;
    if (!low || *low < 0xDC00 || *low > 0xDFFF) {
      return false;
    }
    point = 0x10000 + ((*point - 0xD800) << 10) + (*low - 0xDC00);
  }
  appendUtf8(out, *point);
  return true;
}

bool JsonLineReader::takeText(std::string& out) {
  out.clear();
  if (!take('"')) {
    return false;
  }
  for (;;) {
    std::size_t plain = 0;
    while (plain < m_left.size() && static_cast<unsigned char>(m_left[plain]) >= 0x20 && m_left[plain] != '"' &&
           m_left[plain] != '\\') {
      ++plain;
    }
    out.append(m_left.substr(0, plain));
    m_left.remove_prefix(plain);
    if (m_left.empty() || static_cast<unsigned char>(m_left.front()) < 0x20) {
      return false;
    }
    const bool isEnd = m_left.front() == '"';
    m_left.remove_prefix(1);
    if (isEnd) {
      return !base::firstInvalidUtf8(out);
    }
    if (!takeEscape(out)) {
      return false;
    }
  }
}

bool JsonLineReader::takeValue(JsonScalar& value) {
  skipBlanks();
  if (m_left.empty()) {
    return false;
  }
  if (m_left.front() == '"') {
    value.kind = JsonScalar::Kind::Text;
    return takeText(value.text);
  }
  if (takeWord("null")) {
    value.kind = JsonScalar::Kind::Null;
    return true;
  }
  value.flag = takeWord("true");
  if (value.flag || takeWord("false")) {
    value.kind = JsonScalar::Kind::Flag;
    return true;
  }
  std::size_t digits = 0;
  while (digits < m_left.size() && isNumberCharacter(m_left[digits])) {
    ++digits;
  }
  value.kind = JsonScalar::Kind::Number;
  value.text.assign(m_left.substr(0, digits));
  m_left.remove_prefix(digits);
  return digits > 0;
}

bool JsonLineReader::next(std::string& key, JsonScalar& value) {
  if (m_state == State::Ended || m_state == State::Damaged) {
    return false;
  }
  if (m_state == State::Begin && !take('{')) {
    return damaged();
  }
  if (take('}')) {
    skipBlanks();
    m_state = m_left.empty() ? State::Ended : State::Damaged;
    return false;
  }
  if (m_state == State::Inside && !take(',')) {
    return damaged();
  }
  m_state = State::Inside;
  return takeText(key) && take(':') && takeValue(value) ? true : damaged();
}

}  // namespace polyptych::library
