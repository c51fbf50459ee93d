#include "core/gallery/manifest_row.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTimeZone>

#include "core/picture/metadata_text.h"

namespace polyptych::gallery {
namespace {

/// Cannot stand inside a JSON text: its quotation marks would be escaped there.
constexpr char kNoNegative[] = ",\"negative\":null";

base::Error corrupt(std::string detail) {
  return {base::ErrorCode::Corrupt, "A line of the manifest cannot be read.", std::move(detail)};
}

}  // namespace

QByteArray toLine(const ManifestRow& row) {
  QByteArray line = QByteArray::fromStdString(picture::metadataJson(row.metadata));
  line.chop(1);
  if (!row.metadata.request.negativePrompt) {
    line += kNoNegative;
  }
  QJsonObject rest{{"device", row.origin.device},
                   {"deviceName", row.origin.deviceName},
                   {"file", row.file},
                   {"run", row.run},
                   {"seconds", row.origin.seconds},
                   {"status", row.error ? "failed" : "done"},
                   {"time", row.time.toUTC().toString(Qt::ISODateWithMs)}};
  if (row.error) {
    const std::string_view code = base::toString(row.error->code);
    rest["error"] = QJsonObject{{"code", QString::fromLatin1(code.data(), qsizetype(code.size()))},
                                {"message", QString::fromStdString(row.error->message)}};
  }
  return line + ',' + QJsonDocument(rest).toJson(QJsonDocument::Compact).mid(1) + '\n';
}

base::Result<ManifestRow> rowFromLine(const QByteArray& line) {
  QJsonParseError problem;
  const QJsonObject object = QJsonDocument::fromJson(line, &problem).object();
  if (problem.error != QJsonParseError::NoError || object.isEmpty()) {
    return corrupt(problem.errorString().toStdString());
  }
  QByteArray settings = line;
  settings.replace(kNoNegative, "");
  base::Result<domain::PictureMetadata> metadata = picture::metadataFromJson(settings.toStdString());
  if (!metadata) {
    return corrupt(metadata.error().detail);
  }
  const QString status = object["status"].toString();
  if (!object["file"].isString() || !object["run"].isString() || (status != "done" && status != "failed")) {
    return corrupt("file, run or status is missing");
  }
  ManifestRow row;
  row.metadata = std::move(*metadata);
  row.origin = {object["device"].toString(), object["deviceName"].toString(), object["seconds"].toDouble()};
  row.file = object["file"].toString();
  row.run = object["run"].toString();
  row.time = QDateTime::fromString(object["time"].toString(), Qt::ISODateWithMs);
  if (status == "failed") {
    const QJsonObject error = object["error"].toObject();
    row.error = base::Error{
        base::errorCodeFromString(error["code"].toString().toStdString()), error["message"].toString().toStdString(), {}};
  }
  return row;
}

}  // namespace polyptych::gallery
