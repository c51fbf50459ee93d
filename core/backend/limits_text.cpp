#include "core/backend/limits_text.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <cmath>
#include <limits>
#include <type_traits>

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

/// Every limit once, for both directions.
void describe(auto& map, auto& limits) {
  map.field("maxDeathsPerUnit", limits.maxDeathsPerUnit);
  map.field("maxOutOfMemoryPerUnit", limits.maxOutOfMemoryPerUnit);
  map.field("restartBase", limits.restartBase);
  map.field("restartFactor", limits.restartFactor);
  map.field("restartMax", limits.restartMax);
  map.field("maxRestartsInWindow", limits.maxRestartsInWindow);
  map.field("restartWindow", limits.restartWindow);
  map.field("deviceBreaker", limits.deviceBreaker);
  map.field("overallBreaker", limits.overallBreaker);
  map.field("allowsSmallerSize", limits.allowsSmallerSize);
  map.field("smallestSide", limits.smallestSide);
  map.field("releaseAfter", limits.releaseAfter);
  map.field("stopAfter", limits.stopAfter);
  map.field("hostReserveBytes", limits.hostReserveBytes);
}

struct Writer {
  QJsonObject object;

  void field(const char* key, bool value) { object.insert(QLatin1String(key), value); }
  void field(const char* key, int value) { object.insert(QLatin1String(key), value); }
  void field(const char* key, double value) { object.insert(QLatin1String(key), value); }
  void field(const char* key, std::uint64_t value) { object.insert(QLatin1String(key), static_cast<qint64>(value)); }
  void field(const char* key, milliseconds value) { object.insert(QLatin1String(key), static_cast<qint64>(value.count())); }
  void field(const char* key, const std::optional<milliseconds>& value) {
    object.insert(QLatin1String(key), value ? QJsonValue(static_cast<qint64>(value->count())) : QJsonValue());
  }
};

struct Reader {
  const QJsonObject object;
  int used = 0;
  std::optional<Error> problem = {};

  template <typename T>
  void field(const char* key, T& out) {
    const auto found = object.find(QLatin1String(key));
    if (found == object.end()) {
      return;
    }
    ++used;
    if (!read(*found, out) && !problem) {
      problem = Error{ErrorCode::InvalidArgument, std::string("The limit '") + key + "' cannot have this value.", {}};
    }
  }

 private:
  static std::optional<qint64> wholeOf(const QJsonValue& value, qint64 most) {
    const double number = value.toDouble(-1);
    const bool isWhole = value.isDouble() && number >= 0 && number <= static_cast<double>(most) && number == std::floor(number);
    return isWhole ? std::optional<qint64>(static_cast<qint64>(number)) : std::nullopt;
  }
  static bool read(const QJsonValue& value, bool& out) {
    out = value.toBool();
    return value.isBool();
  }
  static bool read(const QJsonValue& value, double& out) {
    out = value.toDouble();
    return value.isDouble();
  }
  static bool read(const QJsonValue& value, int& out) {
    const auto whole = wholeOf(value, std::numeric_limits<int>::max());
    out = static_cast<int>(whole.value_or(0));
    return whole.has_value();
  }
  static bool read(const QJsonValue& value, std::uint64_t& out) {
    const auto whole = wholeOf(value, qint64(1) << 53);
    out = static_cast<std::uint64_t>(whole.value_or(0));
    return whole.has_value();
  }
  static bool read(const QJsonValue& value, milliseconds& out) {
    const auto whole = wholeOf(value, qint64(1) << 43);  // 278 years
    out = milliseconds(whole.value_or(0));
    return whole.has_value();
  }
  static bool read(const QJsonValue& value, std::optional<milliseconds>& out) {
    if (value.isNull()) {
      out.reset();
      return true;
    }
    return read(value, out.emplace());
  }
};

}  // namespace

QByteArray toJson(const pool::SupervisionLimits& limits) {
  Writer writer;
  describe(writer, limits);
  return QJsonDocument(writer.object).toJson(QJsonDocument::Compact);
}

Result<pool::SupervisionLimits> limitsFromJson(const QByteArray& json, pool::SupervisionLimits limits) {
  const QJsonDocument document = QJsonDocument::fromJson(json);
  if (!document.isObject()) {
    return Error{ErrorCode::InvalidArgument, "Limits are a JSON object.", {}};
  }
  Reader reader{document.object()};
  describe(reader, limits);
  if (reader.problem) {
    return *reader.problem;
  }
  if (reader.used != document.object().size()) {
    return Error{ErrorCode::InvalidArgument, "There is a limit among these whose name is not known.", {}};
  }
  if (const Result<void> valid = pool::validate(limits); !valid) {
    return valid.error();
  }
  return limits;
}

}  // namespace polyptych::backend
