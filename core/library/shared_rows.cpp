#include "core/library/shared_rows.h"

namespace polyptych::library {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr QChar kSeparator(0x1F);

/// A text as it is: SQLite would take a U+FEFF at the beginning of UTF-16 for a byte order mark.
QByteArray bytesOf(const std::string& text) { return {text.data(), static_cast<qsizetype>(text.size())}; }

QVariant orNull(const std::optional<std::string>& text) {
  return text ? QVariant(bytesOf(*text)) : QVariant(QMetaType::fromType<QByteArray>());
}

QVariant orNull(const std::optional<int>& number) { return number ? QVariant(*number) : QVariant(QMetaType::fromType<int>()); }

QString exact(double number) { return QString::number(number, 'g', 17); }

Error missing(const char* what) {
  return {ErrorCode::Corrupt, "The library's index is damaged; 'polyptych-cli library rebuild' makes it again from the pictures.",
          what};
}

template <typename Insert>
Result<qint64> findOrMake(Database& database, const char* find, const QString& key, Insert insert) {
  const Result<QVariant> found = database.value(find, {key});
  if (!found) {
    return found.error();
  }
  return found->isNull() ? insert() : Result<qint64>(found->toLongLong());
}

}  // namespace

Result<qint64> settingsRow(Database& database, const domain::GenerationRequest& request) {
  const QString key =
      QStringList{request.negativePrompt ? QStringLiteral("-") + QString::fromStdString(*request.negativePrompt) : QString(),
                  QString::number(request.width),
                  QString::number(request.height),
                  QString::number(request.steps),
                  exact(request.guidanceScale),
                  exact(request.guidanceRescale),
                  QString::fromStdString(request.scheduler),
                  request.clipSkip ? QString::number(*request.clipSkip) : QString()}
          .join(kSeparator);
  return findOrMake(database, "SELECT id FROM settings WHERE key = ?", key, [&] {
    return database.insert(
        "INSERT INTO settings(key, negative, width, height, steps, guidance, guidance_rescale, scheduler, clip_skip) "
        "VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?, ?)",
        {key, orNull(request.negativePrompt), request.width, request.height, request.steps, request.guidanceScale,
         request.guidanceRescale, QString::fromStdString(request.scheduler), orNull(request.clipSkip)});
  });
}

Result<qint64> planRow(Database& database, const domain::PictureMetadata& metadata) {
  const QString key = QStringList{QString::fromStdString(metadata.modelName),
                                  QString::fromStdString(metadata.modelHash),
                                  QString::fromStdString(domain::toString(metadata.computeType)),
                                  QString::fromStdString(domain::toString(metadata.noise)),
                                  QString::number(metadata.threads),
                                  QString::number(metadata.batch),
                                  QString::number(metadata.vaeSlicing ? 1 : 0),
                                  QString::number(metadata.vaeTiling ? 1 : 0),
                                  QString::fromStdString(metadata.programVersion)}
                          .join(kSeparator);
  return findOrMake(database, "SELECT id FROM plans WHERE key = ?", key, [&] {
    return database.insert(
        "INSERT INTO plans(key, model_name, model_hash, compute_type, noise, threads, batch, vae_slicing, vae_tiling, program) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {key, QString::fromStdString(metadata.modelName), QString::fromStdString(metadata.modelHash),
         QString::fromStdString(domain::toString(metadata.computeType)), QString::fromStdString(domain::toString(metadata.noise)),
         metadata.threads, metadata.batch, metadata.vaeSlicing ? 1 : 0, metadata.vaeTiling ? 1 : 0,
         QString::fromStdString(metadata.programVersion)});
  });
}

Result<qint64> newPromptRow(Database& database, const std::string& text) {
  return database.insert("INSERT INTO prompts(text) VALUES (CAST(? AS TEXT))", {bytesOf(text)});
}

Result<void> readSettings(Database& database, qint64 id, domain::GenerationRequest& request) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT negative, width, height, steps, guidance, guidance_rescale, scheduler, clip_skip FROM settings WHERE id = ?", {id});
  if (!rows) {
    return rows.error();
  }
  QSqlQuery& row = **rows;
  if (!row.next()) {
    return missing("settings");
  }
  request.negativePrompt =
      row.isNull(0) ? std::optional<std::string>() : std::optional<std::string>(row.value(0).toString().toStdString());
  request.width = row.value(1).toInt();
  request.height = row.value(2).toInt();
  request.steps = row.value(3).toInt();
  request.guidanceScale = row.value(4).toDouble();
  request.guidanceRescale = row.value(5).toDouble();
  request.scheduler = row.value(6).toString().toStdString();
  request.clipSkip = row.isNull(7) ? std::optional<int>() : std::optional<int>(row.value(7).toInt());
  row.finish();
  return {};
}

Result<void> readPlan(Database& database, qint64 id, domain::PictureMetadata& metadata) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT model_name, model_hash, compute_type, noise, threads, batch, vae_slicing, vae_tiling, program FROM plans WHERE id "
      "= ?",
      {id});
  if (!rows) {
    return rows.error();
  }
  QSqlQuery& row = **rows;
  if (!row.next()) {
    return missing("plans");
  }
  const auto type = domain::computeTypeFromString(row.value(2).toString().toStdString());
  const auto noise = domain::noiseKindFromString(row.value(3).toString().toStdString());
  if (!type || !noise) {
    return missing("plans: compute type or noise");
  }
  metadata.modelName = row.value(0).toString().toStdString();
  metadata.modelHash = row.value(1).toString().toStdString();
  metadata.computeType = *type;
  metadata.noise = *noise;
  metadata.threads = row.value(4).toInt();
  metadata.batch = row.value(5).toInt();
  metadata.vaeSlicing = row.value(6).toInt() != 0;
  metadata.vaeTiling = row.value(7).toInt() != 0;
  metadata.programVersion = row.value(8).toString().toStdString();
  row.finish();
  return {};
}

}  // namespace polyptych::library
