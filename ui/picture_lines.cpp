#include "ui/picture_lines.h"

#include <QCoreApplication>
#include <QLocale>

#include "core/domain/request.h"
#include "core/prompt/expand.h"
#include "ui/run_settings.h"

namespace polyptych::ui {
namespace {

constexpr double kMostGuidance = 100;

std::optional<int> wholeFrom(const QString& text, int most) {
  bool isNumber = false;
  const int value = text.toInt(&isNumber);
  return isNumber && value >= 1 && value <= most ? std::optional(value) : std::nullopt;
}

/// With a point, or as the language writes it.
std::optional<double> guidanceFrom(const QString& text) {
  bool isNumber = false;
  double value = text.toDouble(&isNumber);
  if (!isNumber) {
    value = QLocale().toDouble(text, &isNumber);
  }
  return isNumber && value >= 0 && value <= kMostGuidance ? std::optional(value) : std::nullopt;
}

std::optional<quint64> seedFrom(const QString& text) {
  bool isNumber = false;
  const quint64 value = text.toULongLong(&isNumber);
  return isNumber ? std::optional(value) : std::nullopt;
}

std::optional<QSize> pictureSizeFrom(const QString& text) {
  const auto size = sizeFromText(text);
  return size && isPictureSize(*size) ? size : std::nullopt;
}

/// @return false: something stands there that is not a value
template <typename Value, typename Parse>
bool read(const QLineEdit* line, std::optional<Value>& value, const Parse& parse) {
  const QString text = line == nullptr ? QString() : line->text().trimmed();
  value = text.isEmpty() ? std::nullopt : parse(text);
  return text.isEmpty() || value;
}

}  // namespace

std::optional<LineProblem> readLines(const PictureLines& lines, PictureValues& values) {
  if (!read(lines.size, values.size, pictureSizeFrom)) {
    return LineProblem{lines.size, sizeRule()};
  }
  if (!read(lines.steps, values.steps, [](const QString& text) { return wholeFrom(text, domain::kMaxSteps); })) {
    return LineProblem{
        lines.steps,
        QCoreApplication::translate("PictureLines", "Steps are a whole number from 1 to %1.").arg(domain::kMaxSteps)};
  }
  if (!read(lines.guidance, values.guidance, guidanceFrom)) {
    return LineProblem{lines.guidance,
                       QCoreApplication::translate("PictureLines", "Guidance is a number from 0 to 100, such as 7.5.")};
  }
  if (!read(lines.images, values.images, [](const QString& text) { return wholeFrom(text, prompt::kMaxImagesPerPrompt); })) {
    return LineProblem{lines.images, QCoreApplication::translate("PictureLines", "Pictures are a whole number from 1 to %1.")
                                         .arg(prompt::kMaxImagesPerPrompt)};
  }
  if (!read(lines.seed, values.seed, seedFrom)) {
    return LineProblem{lines.seed, QCoreApplication::translate(
                                       "PictureLines", "The seed is a whole number from 0 to 18446744073709551615, or nothing.")};
  }
  return std::nullopt;
}

}  // namespace polyptych::ui
