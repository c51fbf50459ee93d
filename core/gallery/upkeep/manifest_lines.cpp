#include "core/gallery/upkeep/manifest_lines.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTimeZone>

#include "core/gallery/upkeep/parallel.h"

namespace polyptych::gallery {
namespace {

void read(ManifestLine& line) {
  const QJsonObject object = QJsonDocument::fromJson(line.text).object();
  const QString status = object.value(QLatin1String("status")).toString();
  line.file = object.value(QLatin1String("file")).toString();
  line.isDone = status == QLatin1String("done");
  line.isReadable = !line.file.isEmpty() && !line.file.contains(u'/') && (line.isDone || status == QLatin1String("failed"));
  line.origin = {object.value(QLatin1String("device")).toString(), object.value(QLatin1String("deviceName")).toString(),
                 object.value(QLatin1String("seconds")).toDouble()};
  const QDateTime time = QDateTime::fromString(object.value(QLatin1String("time")).toString(), Qt::ISODateWithMs);
  line.timeMs = time.isValid() ? time.toMSecsSinceEpoch() : 0;
}

}  // namespace

std::vector<ManifestLine> readManifestLines(const QByteArray& manifest, int threads) {
  std::vector<ManifestLine> lines;
  for (qsizetype at = 0; at < manifest.size();) {
    const qsizetype end = manifest.indexOf('\n', at);
    ManifestLine line;
    line.text = manifest.mid(at, end < 0 ? -1 : end - at);
    at = end < 0 ? manifest.size() : end + 1;
    lines.push_back(std::move(line));
  }
  inParallel(lines.size(), threads, [&](std::size_t i) { read(lines[i]); });
  return lines;
}

base::Result<std::vector<ManifestLine>> readManifestFile(const QString& path, int threads) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) {
    if (!file.exists()) {
      return std::vector<ManifestLine>();
    }
    return base::Error{base::ErrorCode::Io,
                       "The file '" + path.toStdString() + "' cannot be read; check its rights and its disk.",
                       file.errorString().toStdString()};
  }
  const base::Error tooLong{base::ErrorCode::Corrupt,
                            "The file '" + path.toStdString() + "' is longer than any manifest; move it away and try again.",
                            {}};
  if (file.size() > kMaxManifestBytes) {
    return tooLong;
  }
  const QByteArray manifest = file.readAll();
  return manifest.count('\n') <= kMaxManifestLines ? base::Result<std::vector<ManifestLine>>(readManifestLines(manifest, threads))
                                                   : tooLong;
}

}  // namespace polyptych::gallery
