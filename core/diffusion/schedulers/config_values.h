#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polyptych::diffusion {

/// A scheduler's configuration: key to JSON text, read with the defaults of the class that asks. Every reader throws
/// EngineFailure(Corrupt) for a value of another type and names the key.
class ConfigValues {
 public:
  ConfigValues(std::string className, std::map<std::string, std::string> values)
      : m_className(std::move(className)), m_values(std::move(values)) {}

  const std::string& className() const { return m_className; }
  bool isNull(const std::string& key) const;
  double number(const std::string& key, double fallback) const;
  /// Nothing if the key is absent or null.
  std::optional<double> optionalNumber(const std::string& key) const;
  int integer(const std::string& key, int fallback) const;
  bool flag(const std::string& key, bool fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  /// text() that must be one of `allowed`. Throws EngineFailure(Unsupported).
  std::string choice(const std::string& key, const std::string& fallback, std::initializer_list<std::string_view> allowed) const;
  /// Nothing if the key is absent or null.
  std::optional<std::vector<double>> numbers(const std::string& key) const;
  /// Throws EngineFailure(Unsupported) unless the key is absent or false.
  void refuseFlag(const std::string& key) const;
  [[noreturn]] void refuse(const std::string& key, const std::string& value, const std::string& allowed) const;

 private:
  const std::string* find(const std::string& key) const;
  [[noreturn]] void wrongType(const std::string& key, const char* wanted) const;

  std::string m_className;
  std::map<std::string, std::string> m_values;
};

}  // namespace polyptych::diffusion
