#include "core/gallery/picture_settings.h"

#include <QFile>
#include <QRegularExpression>
#include <algorithm>
#include <optional>
#include <span>

#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

}  // namespace

Result<domain::PictureMetadata> settingsFromParameters(const QString& text) {
  const QStringList lines = text.split(u'\n');
  qsizetype last = lines.size() - 1;
  while (last > 0 && lines[last].trimmed().isEmpty()) {
    --last;
  }
  static const QRegularExpression isSettings(QStringLiteral("^\\s*Steps:\\s*\\d+\\s*,"));
  while (last > 0 && !isSettings.match(lines[last]).hasMatch()) {
    --last;
  }
  if (!isSettings.match(lines[last]).hasMatch()) {
    return Error{ErrorCode::NotFound, "The text in the picture has no settings in it.", {}};
  }
  domain::PictureMetadata metadata;
  domain::GenerationRequest& request = metadata.request;
  QStringList prompt;
  QStringList negative;
  bool isNegative = false;
  const QLatin1String mark("Negative prompt:");
  for (qsizetype i = 0; i < last; ++i) {
    if (!isNegative && lines[i].startsWith(mark)) {
      isNegative = true;
      negative << lines[i].mid(mark.size()).trimmed();
    } else {
      (isNegative ? negative : prompt) << lines[i];
    }
  }
  request.prompt = prompt.join(u'\n').trimmed().toStdString();
  if (isNegative && !negative.join(u'\n').trimmed().isEmpty()) {
    request.negativePrompt = negative.join(u'\n').trimmed().toStdString();
  }
  static const QRegularExpression field(QStringLiteral("\\s*([\\w ]+):\\s*(\"(?:\\\\.|[^\\\\\"])*\"|[^,]*)(?:,|$)"));
  for (auto match = field.globalMatch(lines[last]); match.hasNext();) {
    const auto one = match.next();
    const QString name = one.captured(1).trimmed();
    const QString value = one.captured(2).trimmed();
    bool isNumber = false;
    if (name == QLatin1String("Steps")) {
      request.steps = std::clamp(value.toInt(), 1, domain::kMaxSteps);
    } else if (name == QLatin1String("Sampler")) {
      request.scheduler = value.toStdString();
    } else if (name == QLatin1String("Schedule type") && value != QLatin1String("Automatic")) {
      // Newer versions of that program write the two apart.
      request.scheduler += ' ' + value.toStdString();
    } else if (name == QLatin1String("CFG scale")) {
      request.guidanceScale = value.toDouble();
    } else if (name == QLatin1String("CFG rescale")) {
      request.guidanceRescale = value.toDouble();
    } else if (name == QLatin1String("Seed")) {
      const quint64 seed = value.toULongLong(&isNumber);
      request.seed = isNumber ? seed : 0;
    } else if (name == QLatin1String("Size")) {
      const QStringList sides = value.split(u'x');
      const auto isSide = [](const QString& side) {
        const int pixels = side.toInt();
        return pixels >= domain::kMinSide && pixels <= domain::kMaxSide;
      };
      // A size that no picture has is no size.
      if (sides.size() == 2 && isSide(sides[0]) && isSide(sides[1])) {
        request.width = sides[0].toInt();
        request.height = sides[1].toInt();
      }
    } else if (name == QLatin1String("Clip skip")) {
      // That program counts the last layer as 1 and does not write it.
      const int skip = value.toInt() - 1;
      request.clipSkip = skip > 0 ? std::optional(skip) : std::nullopt;
    } else if (name == QLatin1String("Model")) {
      metadata.modelName = value.toStdString();
    } else if (name == QLatin1String("Model hash")) {
      metadata.modelHash = value.toStdString();
    }
  }
  return metadata;
}

Result<domain::PictureMetadata> readPictureSettings(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) {
    return Error{ErrorCode::NotFound, "The picture cannot be opened. Is it still there?", file.errorString().toStdString()};
  }
  if (file.size() > static_cast<qint64>(picture::kMaxPngBytes)) {
    return Error{ErrorCode::Unsupported, "The picture file is larger than any that this program makes.", {}};
  }
  const QByteArray all = file.readAll();
  const auto bytes = std::as_bytes(std::span(all.constData(), static_cast<std::size_t>(all.size())));
  auto own = picture::readPngMetadata(bytes);
  if (own || own.error().code != ErrorCode::NotFound) {
    return own;
  }
  const Result<std::string> parameters = picture::readPngText(bytes, "parameters");
  if (!parameters) {
    return parameters.error().code == ErrorCode::NotFound ? Error{ErrorCode::NotFound, "The picture has no settings in it.", {}}
                                                          : parameters.error();
  }
  return settingsFromParameters(QString::fromStdString(*parameters));
}

}  // namespace polyptych::gallery
