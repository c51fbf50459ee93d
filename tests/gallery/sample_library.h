#pragma once

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <memory>

#include "core/gallery/picture_name.h"
#include "core/gallery/picture_rows.h"
#include "core/library/database.h"
#include "core/library/location.h"
#include "core/library/run_file.h"
#include "core/picture/png.h"
#include "core/queue/runs.h"

namespace polyptych::tests {

inline QByteArray readFile(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

inline void writeFile(const QString& path, const QByteArray& bytes) {
  QDir().mkpath(QFileInfo(path).path());
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
  QCOMPARE(file.write(bytes), bytes.size());
}

inline QByteArray pngOf(const domain::PictureMetadata& metadata, int shade = 0) {
  domain::Image image{metadata.request.width, metadata.request.height, {}};
  image.pixels.assign(std::size_t(3) * std::size_t(image.width) * std::size_t(image.height), std::uint8_t(shade));
  const auto png = picture::encodePng(image, metadata);
  return QByteArray(reinterpret_cast<const char*>(png->data()), qsizetype(png->size()));
}

inline library::RunRecord recordOf(quint64 id, const QStringList& prompts, const QString& folder) {
  library::RunRecord record;
  record.id = id;
  record.number = qint64(id);
  record.createdMs = 1700000000000 + qint64(id) * 1000;
  record.folder = folder;
  record.fingerprint = QStringLiteral("fingerprint-%1").arg(id);
  record.plan.model = {"/models/tiny", "org/tiny", "00ff", ""};
  record.plan.batch = 2;
  for (const QString& prompt : prompts) {
    domain::GenerationRequest request;
    request.index = std::int64_t(record.requests.size());
    request.promptIndex = request.index;
    request.prompt = prompt.toStdString();
    request.seed = 0xFFFFFFFFFFFFFF00ULL + std::uint64_t(request.index);
    request.width = 16;
    request.height = 8;
    request.scheduler = "DPM++ 2M";
    record.requests.push_back(request);
  }
  return record;
}

inline domain::PictureMetadata metadataOf(const library::RunRecord& record, std::size_t index) {
  domain::UnitOfWork unit;
  unit.plan = record.plan;
  unit.requests = {record.requests[index]};
  return domain::metadataOf(unit, 0);
}

/// A library in a temporary folder, as the backend makes it.
struct SampleLibrary {
  explicit SampleLibrary(library::Location::Layout layout = library::Location::Layout::Dated)
      : location(library::locationAt(temporary.filePath("library"), layout)) {
    QDir().mkpath(location.homeFolder());
    open();
  }

  void open() {
    database.reset();
    auto opened = library::Database::open(location.databaseFile(), library::Database::Mode::ReadWrite);
    QVERIFY(opened.isOk());
    database = *std::move(opened);
  }

  QString folderOf(const library::RunRecord& record) const {
    return QDir::cleanPath(location.picturesFolder() + '/' + record.folder);
  }
  QString pathOf(const library::RunRecord& record, std::size_t index) const {
    return folderOf(record) + '/' + gallery::pictureName(qint64(index), record.requests[index].prompt);
  }
  QString runFileOf(const library::RunRecord& record) const {
    const bool isFlat = location.layout == library::Location::Layout::Flat;
    return (isFlat ? location.homeFolder() : folderOf(record)) + '/' + library::kRunFileName;
  }

  /// Run file and rows.
  void addRun(const library::RunRecord& record) {
    writeFile(runFileOf(record), library::toRunFile(record));
    QVERIFY(database->change("BEGIN").isOk());
    QVERIFY(queue::insertRun(*database, record, {}).isOk());
    QVERIFY(database->change("COMMIT").isOk());
  }

  /// File, line of the manifest, row; the job is done when all of its pictures are there. Gives the row's id.
  qint64 addPicture(const library::RunRecord& record, std::size_t index) {
    gallery::NewPicture picture;
    picture.runId = record.id;
    picture.metadata = metadataOf(record, index);
    picture.file = QFileInfo(pathOf(record, index)).fileName();
    picture.origin = {"cuda:0", "Card", 1.5};
    picture.madeMs = record.createdMs + qint64(index) * 10;
    const QByteArray png = pngOf(picture.metadata, int(index));
    picture.bytes = png.size();
    writeFile(pathOf(record, index), png);
    QFile manifest(folderOf(record) + '/' + gallery::kManifestName);
    [&] { QVERIFY(manifest.open(QIODevice::Append)); }();
    manifest.write(gallery::toLine({picture.metadata, picture.origin, picture.file, record.fingerprint,
                                    QDateTime::fromMSecsSinceEpoch(picture.madeMs, Qt::UTC), std::nullopt}));
    const auto request = database->value(
        "SELECT q.id FROM requests q JOIN runs r ON q.id >= r.first_request AND q.id < r.first_request + r.total "
        "WHERE r.id = ? AND q.idx = ?",
        {record.id, qint64(index)});
    picture.promptRow = database->value("SELECT prompt FROM requests WHERE id = ?", {*request})->toLongLong();
    const auto id = gallery::addPicture(*database, picture);
    [&] { QVERIFY2(id.isOk(), id ? "" : id.error().detail.c_str()); }();
    const auto must = [&](const char* sql, const QVariantList& values) { QVERIFY(database->change(sql, values).isOk()); };
    must("UPDATE runs SET made = made + 1, state = CASE WHEN made + 1 >= total THEN 1 ELSE 0 END WHERE id = ?", {record.id});
    must(
        "UPDATE jobs SET state = 2 WHERE run = ? AND NOT EXISTS (SELECT 1 FROM requests q LEFT JOIN pictures p "
        "ON p.run = jobs.run AND p.idx = q.idx WHERE q.id >= jobs.first_request AND q.id < jobs.first_request + jobs.count "
        "AND p.id IS NULL)",
        {record.id});
    return id ? *id : 0;
  }

  void addPictures(const library::RunRecord& record) {
    for (std::size_t i = 0; i < record.requests.size(); ++i) {
      addPicture(record, i);
    }
  }

  qint64 number(const char* sql, const QVariantList& values = {}) {
    const auto value = database->value(sql, values);
    return value ? value->toLongLong() : -1;
  }

  QTemporaryDir temporary;
  library::Location location;
  std::unique_ptr<library::Database> database;
};

}  // namespace polyptych::tests
