#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::checkpoint {

/// Reads typed keys of one JSON object and keeps the first problem; a reader that failed gives defaults from then on. A key that
/// is absent leaves the default; null does so only where the function says it.
class ConfigReader {
 public:
  /// Every message begins with `where`. Fails if `text` is not a JSON object.
  ConfigReader(std::string_view text, std::string_view where);
  ~ConfigReader();
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  bool has(const char* key) const;
  bool isNull(const char* key) const;
  bool isInteger(const char* key) const;
  bool isArray(const char* key) const;
  /// An object inside, to read in place of this one from now on.
  bool enter(const char* key);

  void read(const char* key, bool& value);
  void read(const char* key, int& value, int least, int most);
  /// Finite numbers only.
  void read(const char* key, double& value);
  void read(const char* key, std::string& value);
  /// Null is "nothing".
  void read(const char* key, std::optional<int>& value, int least, int most);
  void read(const char* key, std::optional<double>& value);
  void read(const char* key, std::optional<std::string>& value);
  void read(const char* key, std::vector<std::string>& value, std::size_t most);
  /// Null: empty.
  void read(const char* key, std::vector<double>& value, std::size_t most);
  /// One number, repeated `count` times, or a list of exactly `count`.
  void readEach(const char* key, std::vector<int>& value, std::size_t count, int least, int most);
  void readEach(const char* key, std::vector<bool>& value, std::size_t count);
  /// A list of any length from 1 to `mostCount`, or one number (a list of one).
  void readList(const char* key, std::vector<int>& value, std::size_t mostCount, int least, int most);
  /// A number or a list of numbers at place `index` of the list `key`. @return empty if that place is not there or not of that
  /// kind
  std::vector<int> readNested(const char* key, std::size_t index, std::size_t mostCount, int least, int most);
  /// Number of entries of a list; nothing if the key is no list.
  std::optional<std::size_t> listSize(const char* key) const;

  /// Unsupported unless the key is absent or null.
  void refuseUnlessNull(const char* key);
  /// Unsupported unless the key is absent, null or equal to `only`.
  void refuseUnless(const char* key, std::string_view only);
  void refuseIfTrue(const char* key);
  /// Unsupported if `value` is none of `allowed`.
  void allow(const char* key, const std::string& value, const std::vector<std::string_view>& allowed);

  /// Records a problem of the values' sense.
  void fail(base::ErrorCode code, std::string sentence);
  bool isOk() const { return !m_error; }
  const base::Error& error() const { return *m_error; }

 private:
  struct Json;
  void wrongType(const char* key, const char* wanted);
  bool wants(const char* key) const;

  std::string m_where;
  std::unique_ptr<Json> m_json;
  std::optional<base::Error> m_error;
};

/// Names of diffusers' get_activation(): "silu", "swish" (read as "silu"), "mish", "gelu", "relu".
void readActivation(ConfigReader& reader, const char* key, std::string& value);
void readActivation(ConfigReader& reader, const char* key, std::optional<std::string>& value);

}  // namespace polyptych::checkpoint
