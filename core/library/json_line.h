#pragma once

#include <QByteArray>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace polyptych::library {

/// A JSON object without objects or lists inside, as one line of text. Numbers of 64 bits stay exact, which Qt's JSON does not
/// promise.
class JsonLine {
 public:
  explicit JsonLine(QByteArray& out) : m_out(out) { m_out += '{'; }

  void text(std::string_view key, std::string_view value);
  void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  void null(std::string_view key) { raw(key, "null"); }
  template <typename T>
  requires(std::integral<T> || std::floating_point<T>) void number(std::string_view key, T value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    raw(key, {digits, static_cast<std::size_t>(end.ptr - digits)});
  }
  /// Ends the object and the line.
  void end() { m_out += "}\n"; }

 private:
  void raw(std::string_view key, std::string_view json);
  void begin(std::string_view key);

  QByteArray& m_out;
  bool m_isFirst = true;
};

/// One value of a JsonLine.
struct JsonScalar {
  enum class Kind { Null, Flag, Number, Text };
  Kind kind = Kind::Null;
  bool flag = false;
  std::string text;  ///< of a number its digits

  /// Nothing if it is of another kind, or no number of this type and range.
  template <typename T>
  requires(std::integral<T> || std::floating_point<T>) std::optional<T> number()
  const {
    T value{};
    const char* last = text.data() + text.size();
    const auto read = std::from_chars(text.data(), last, value);
    const bool isRead = kind == Kind::Number && read.ec == std::errc() && read.ptr == last;
    return isRead ? std::optional<T>(value) : std::nullopt;
  }
};

/// Reads what JsonLine writes, member by member. Strict: nothing but one object, texts in UTF-8.
class JsonLineReader {
 public:
  explicit JsonLineReader(std::string_view line) : m_left(line) {}

  /// The next member. @return false at the end, and where the line is damaged: see isWhole()
  bool next(std::string& key, JsonScalar& value);
  /// True once the end was reached and nothing was wrong.
  bool isWhole() const { return m_state == State::Ended; }

 private:
  enum class State { Begin, Inside, Ended, Damaged };

  void skipBlanks();
  bool take(char wanted);
  bool takeWord(std::string_view word);
  bool takeText(std::string& out);
  bool takeEscape(std::string& out);
  std::optional<unsigned> takeHex();
  bool takeValue(JsonScalar& value);
  bool damaged();

  std::string_view m_left;
  State m_state = State::Begin;
};

}  // namespace polyptych::library
