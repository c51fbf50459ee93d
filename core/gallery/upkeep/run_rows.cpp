#include "core/gallery/upkeep/run_rows.h"

#include <QHash>

#include "core/library/database.h"
#include "core/library/shared_rows.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

/// Rows that many others share, each read once.
class SharedRows {
 public:
  explicit SharedRows(Database& database) : m_database(database) {}

  Result<void> fill(qint64 settings, domain::GenerationRequest& request) {
    auto known = m_settings.find(settings);
    if (known == m_settings.end()) {
      domain::GenerationRequest fresh;
      if (auto read = library::readSettings(m_database, settings, fresh); !read) {
        return read;
      }
      known = m_settings.insert(settings, std::move(fresh));
    }
    domain::GenerationRequest filled = *known;
    filled.index = request.index;
    filled.promptIndex = request.promptIndex;
    filled.prompt = std::move(request.prompt);
    filled.seed = request.seed;
    request = std::move(filled);
    return {};
  }

  Result<void> fillPlan(qint64 plan, domain::PictureMetadata& metadata) {
    auto known = m_plans.find(plan);
    if (known == m_plans.end()) {
      domain::PictureMetadata fresh;
      if (auto read = library::readPlan(m_database, plan, fresh); !read) {
        return read;
      }
      known = m_plans.insert(plan, std::move(fresh));
    }
    domain::GenerationRequest request = std::move(metadata.request);
    metadata = *known;
    metadata.request = std::move(request);
    return {};
  }

 private:
  Database& m_database;
  QHash<qint64, domain::GenerationRequest> m_settings;
  QHash<qint64, domain::PictureMetadata> m_plans;
};

domain::RunPlan planOf(const domain::PictureMetadata& shared) {
  domain::RunPlan plan;
  plan.model.name = shared.modelName;
  plan.model.hash = shared.modelHash;
  plan.computeType = shared.computeType;
  plan.noise = shared.noise;
  plan.threads = shared.threads;
  plan.batch = shared.batch;
  plan.vaeSlicing = shared.vaeSlicing;
  plan.vaeTiling = shared.vaeTiling;
  return plan;
}

struct Range {
  qint64 first = 0;
  qint64 total = 0;
};

Result<Range> readRun(Database& database, quint64 run, SharedRows& shared, library::RunRecord& record) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT number, created, folder, fingerprint, plan, model_folder, model_variant, wants_trace, wants_previews, has_latents, "
      "first_request, total FROM runs WHERE id = ?",
      {run});
  if (!rows) {
    return rows.error();
  }
  QSqlQuery& row = **rows;
  if (!row.next()) {
    row.finish();
    return Error{ErrorCode::NotFound, "The run is not in the library any more.", {}};
  }
  domain::PictureMetadata metadata;
  const qint64 plan = row.value(4).toLongLong();
  record.id = run;
  record.number = row.value(0).toLongLong();
  record.createdMs = row.value(1).toLongLong();
  record.folder = row.value(2).toString();
  record.fingerprint = row.value(3).toString();
  const std::string modelFolder = row.value(5).toString().toStdString();
  const std::string modelVariant = row.value(6).toString().toStdString();
  record.wantsTrace = row.value(7).toBool();
  record.wantsPreviews = row.value(8).toBool();
  record.hasLatents = row.value(9).toBool();
  const Range range{row.value(10).toLongLong(), row.value(11).toLongLong()};
  row.finish();
  if (auto read = shared.fillPlan(plan, metadata); !read) {
    return read.error();
  }
  record.plan = planOf(metadata);
  record.plan.model.folder = modelFolder;
  record.plan.model.variant = modelVariant;
  return range;
}

/// @return false if some are missing
Result<bool> readRequests(Database& database, Range range, SharedRows& shared, library::RunRecord& record) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT q.idx, q.prompt_index, t.text, q.seed, q.settings FROM requests q JOIN prompts t ON t.id = q.prompt "
      "WHERE q.id >= ? AND q.id < ? ORDER BY q.idx",
      {range.first, range.first + range.total});
  if (!rows) {
    return rows.error();
  }
  bool isComplete = true;
  std::vector<qint64> settings;
  for (QSqlQuery& row = **rows; row.next();) {
    domain::GenerationRequest request;
    request.index = row.value(0).toLongLong();
    request.promptIndex = row.value(1).toLongLong();
    request.prompt = row.value(2).toString().toStdString();
    request.seed = static_cast<std::uint64_t>(row.value(3).toLongLong());
    isComplete = isComplete && request.index == static_cast<std::int64_t>(record.requests.size());
    settings.push_back(row.value(4).toLongLong());
    record.requests.push_back(std::move(request));
  }
  (*rows)->finish();
  for (std::size_t i = 0; i < settings.size(); ++i) {
    if (auto filled = shared.fill(settings[i], record.requests[i]); !filled) {
      return filled.error();
    }
  }
  return isComplete && static_cast<qint64>(record.requests.size()) == range.total;
}

Result<std::vector<PictureRecord>> readPictures(Database& database, quint64 run, SharedRows& shared) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT p.id, p.idx, p.prompt_index, p.file, p.bytes, t.text, p.settings, p.plan, p.seed, p.made, p.device, p.device_name, "
      "p.seconds, p.trashed FROM pictures p JOIN prompts t ON t.id = p.prompt WHERE p.run = ? ORDER BY p.idx",
      {run});
  if (!rows) {
    return rows.error();
  }
  std::vector<PictureRecord> pictures;
  std::vector<std::pair<qint64, qint64>> sharedIds;
  for (QSqlQuery& row = **rows; row.next();) {
    PictureRecord picture;
    domain::GenerationRequest& request = picture.metadata.request;
    picture.id = row.value(0).toLongLong();
    request.index = row.value(1).toLongLong();
    picture.index = static_cast<std::size_t>(request.index);
    request.promptIndex = row.value(2).toLongLong();
    picture.file = row.value(3).toString();
    picture.bytes = row.value(4).toLongLong();
    request.prompt = row.value(5).toString().toStdString();
    sharedIds.emplace_back(row.value(6).toLongLong(), row.value(7).toLongLong());
    request.seed = static_cast<std::uint64_t>(row.value(8).toLongLong());
    picture.madeMs = row.value(9).toLongLong();
    picture.origin = {row.value(10).toString(), row.value(11).toString(), row.value(12).toDouble()};
    if (!row.isNull(13)) {
      picture.marks.trashedMs = row.value(13).toLongLong();
    }
    pictures.push_back(std::move(picture));
  }
  (*rows)->finish();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (auto filled = shared.fill(sharedIds[i].first, pictures[i].metadata.request); !filled) {
      return filled.error();
    }
    if (auto filled = shared.fillPlan(sharedIds[i].second, pictures[i].metadata); !filled) {
      return filled.error();
    }
  }
  return pictures;
}

template <typename Take>
Result<void> readMarks(Database& database, const char* sql, quint64 run, QHash<qint64, PictureRecord*>& byId, Take take) {
  const Result<QSqlQuery*> rows = database.query(sql, {run});
  if (!rows) {
    return rows.error();
  }
  while ((*rows)->next()) {
    if (PictureRecord* picture = byId.value((*rows)->value(0).toLongLong())) {
      take(picture->marks, **rows);
    }
  }
  (*rows)->finish();
  return {};
}

Result<void> readAllMarks(Database& database, quint64 run, std::vector<PictureRecord>& pictures) {
  QHash<qint64, PictureRecord*> byId;
  for (PictureRecord& picture : pictures) {
    byId.insert(picture.id, &picture);
  }
  if (auto read = readMarks(
          database, "SELECT p.id, r.stars, r.pick FROM pictures p JOIN ratings r ON r.picture = p.id WHERE p.run = ?", run, byId,
          [](PictureMarks& marks, const QSqlQuery& row) {
            marks.stars = row.value(1).toInt();
            marks.pick = row.value(2).toInt();
          });
      !read) {
    return read;
  }
  if (auto read = readMarks(database,
                            "SELECT p.id, t.name FROM pictures p JOIN picture_tags x ON x.picture = p.id JOIN tags t ON t.id = "
                            "x.tag WHERE p.run = ?",
                            run, byId, [](PictureMarks& marks, const QSqlQuery& row) { marks.tags << row.value(1).toString(); });
      !read) {
    return read;
  }
  if (auto read = readMarks(
          database,
          "SELECT p.id, a.name FROM pictures p JOIN album_pictures x ON x.picture = p.id JOIN albums a ON a.id = x.album "
          "WHERE p.run = ?",
          run, byId, [](PictureMarks& marks, const QSqlQuery& row) { marks.albums << row.value(1).toString(); });
      !read) {
    return read;
  }
  for (PictureRecord& picture : pictures) {
    picture.marks.tags.sort();
    picture.marks.albums.sort();
  }
  return {};
}

}  // namespace

Result<RunRows> readRunRows(Database& database, quint64 run) {
  SharedRows shared(database);
  RunRows rows;
  const Result<Range> range = readRun(database, run, shared, rows.record);
  if (!range) {
    return range.error();
  }
  const Result<bool> isComplete = readRequests(database, *range, shared, rows.record);
  if (!isComplete) {
    return isComplete.error();
  }
  rows.isComplete = *isComplete;
  Result<std::vector<PictureRecord>> pictures = readPictures(database, run, shared);
  if (!pictures) {
    return pictures.error();
  }
  rows.pictures = *std::move(pictures);
  if (auto read = readAllMarks(database, run, rows.pictures); !read) {
    return read.error();
  }
  return rows;
}

}  // namespace polyptych::gallery
