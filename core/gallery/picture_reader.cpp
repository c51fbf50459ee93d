#include "core/gallery/picture_reader.h"

#include <QDateTime>
#include <QHash>
#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/gallery/picture_rows.h"
#include "core/gallery/prompt_grams.h"
#include "core/library/database.h"
#include "core/library/shared_rows.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::Result;
using library::Database;

/// Up to here all pictures of a search are taken and sorted; above, enough of them are near the beginning of the order for
/// looking there.
constexpr int kFew = 3000;

constexpr char kRowColumns[] =
    "p.id, p.run, r.number, p.idx, r.folder, p.file, t.text, p.seed, s.width, s.height, p.bytes, p.made, coalesce(m.stars, 0), "
    "coalesce(m.pick, 0), p.trashed";
constexpr char kRowTables[] =
    "pictures p JOIN runs r ON r.id = p.run JOIN prompts t ON t.id = p.prompt JOIN settings s ON s.id = p.settings "
    "LEFT JOIN ratings m ON m.picture = p.id";

PictureRow rowOf(const QSqlQuery& query, const QString& picturesFolder) {
  PictureRow row;
  row.id = query.value(0).toLongLong();
  row.runId = query.value(1).toULongLong();
  row.runNumber = query.value(2).toLongLong();
  row.index = query.value(3).toLongLong();
  const QString folder = query.value(4).toString();
  row.path = picturesFolder + u'/' + (folder.isEmpty() ? QString() : folder + u'/') + query.value(5).toString();
  row.prompt = query.value(6).toString();
  row.seed = static_cast<quint64>(query.value(7).toLongLong());
  row.width = query.value(8).toInt();
  row.height = query.value(9).toInt();
  row.bytes = query.value(10).toLongLong();
  row.madeMs = query.value(11).toLongLong();
  row.stars = query.value(12).toInt();
  row.pick = query.value(13).toInt();
  row.isTrashed = !query.isNull(14);
  return row;
}

/// Numbers of a text search's prompts, read only as far as somebody asks.
class PromptStream {
 public:
  PromptStream(QSqlQuery query, bool isDescending) : m_query(std::move(query)), m_isDescending(isDescending) {}

  bool contains(qint64 prompt) {
    while (!m_isAtEnd && (m_isDescending ? m_last > prompt : m_last < prompt)) {
      readOne();
    }
    return m_seen.contains(prompt);
  }

  /// All of them, if they are at most `most`.
  const std::unordered_set<qint64>* allUpTo(std::size_t most) {
    while (!m_isAtEnd && m_seen.size() <= most) {
      readOne();
    }
    return m_isAtEnd ? &m_seen : nullptr;
  }

 private:
  void readOne() {
    m_isAtEnd = !m_query.next();
    if (!m_isAtEnd) {
      m_last = m_query.value(0).toLongLong();
      m_seen.insert(m_last);
    }
  }

  QSqlQuery m_query;
  const bool m_isDescending;
  bool m_isAtEnd = false;
  qint64 m_last = m_isDescending ? std::numeric_limits<qint64>::max() : std::numeric_limits<qint64>::min();
  std::unordered_set<qint64> m_seen;
};

template <typename Numbers>
QString listed(const Numbers& numbers) {
  QString list;
  for (const qint64 number : numbers) {
    list += (list.isEmpty() ? QString() : QStringLiteral(",")) + QString::number(number);
  }
  return list;
}

}  // namespace

/// Filter and order as SQL over `pictures p`, but for the text.
struct PictureReader::Query {
  QStringList conditions;
  QVariantList values;
  QString order;
  QString join;
  bool isNewestFirst = true;

  explicit Query(const PictureFilter& filter) {
    addMarks(filter);
    if (filter.runId != 0) {
      add("p.run = ?", {filter.runId});
    }
    if (!filter.model.isEmpty()) {
      add("p.plan IN (SELECT id FROM plans WHERE model_name = ?)", {filter.model});
    }
    addSettings(filter);
    if (filter.sinceMs) {
      add("p.made >= ?", {*filter.sinceMs});
    }
    if (filter.untilMs) {
      add("p.made < ?", {*filter.untilMs});
    }
    if (filter.trash != PictureFilter::Trash::With) {
      add(filter.trash == PictureFilter::Trash::Only ? "p.trashed IS NOT NULL" : "p.trashed IS NULL", {});
    }
  }

  void add(const char* condition, const QVariantList& more) {
    conditions << QLatin1String(condition);
    values << more;
  }

  void addMarks(const PictureFilter& filter) {
    if (filter.minStars > 0) {
      add("p.id IN (SELECT picture FROM ratings WHERE stars >= ?)", {filter.minStars});
    }
    if (filter.pick && *filter.pick == 0) {
      add("NOT EXISTS (SELECT 1 FROM ratings x WHERE x.picture = p.id AND x.pick <> 0)", {});
    } else if (filter.pick) {
      add("p.id IN (SELECT picture FROM ratings WHERE pick = ?)", {*filter.pick});
    }
    for (const QString& tag : filter.tags) {
      add("p.id IN (SELECT picture FROM picture_tags WHERE tag = (SELECT id FROM tags WHERE name = ?))",
          {markName(tag).value_or(tag)});
    }
    if (!filter.album.isEmpty()) {
      add("p.id IN (SELECT picture FROM album_pictures WHERE album = (SELECT id FROM albums WHERE name = ?))",
          {markName(filter.album).value_or(filter.album)});
    }
  }

  void addSettings(const PictureFilter& filter) {
    QStringList parts;
    const auto part = [&](const char* condition, const QVariant& value) {
      parts << QLatin1String(condition);
      values << value;
    };
    if (!filter.scheduler.isEmpty()) {
      part("scheduler = ?", filter.scheduler);
    }
    if (filter.width) {
      part("width = ?", *filter.width);
    }
    if (filter.height) {
      part("height = ?", *filter.height);
    }
    if (!parts.isEmpty()) {
      conditions << QStringLiteral("p.settings IN (SELECT id FROM settings WHERE %1)").arg(parts.join(QStringLiteral(" AND ")));
    }
  }

  /// Stars: pictures that have some.
  void setOrder(PictureOrder wanted, const std::optional<PictureKey>& after) {
    const bool goesOn = after.has_value();
    const PictureKey key = after.value_or(PictureKey());
    isNewestFirst = wanted == PictureOrder::Newest || wanted == PictureOrder::Stars;
    switch (wanted) {
      case PictureOrder::Newest:
        order = QStringLiteral("p.made DESC, p.id DESC");
        goesOn ? add("(p.made, p.id) < (?, ?)", {key.madeMs, key.id}) : void();
        break;
      case PictureOrder::Oldest:
        order = QStringLiteral("p.made, p.id");
        goesOn ? add("(p.made, p.id) > (?, ?)", {key.madeMs, key.id}) : void();
        break;
      case PictureOrder::Run:
        order = QStringLiteral("p.run, p.idx");
        goesOn ? add("(p.run, p.idx) > (?, ?)", {key.runId, key.index}) : void();
        break;
      case PictureOrder::Stars:
        join = QStringLiteral(" JOIN ratings o ON o.picture = p.id AND o.stars > 0");
        order = QStringLiteral("o.stars DESC, p.made DESC, p.id DESC");
        goesOn ? add("(o.stars, p.made, p.id) < (?, ?, ?)", {key.stars, key.madeMs, key.id}) : void();
        break;
    }
  }

  QString where() const {
    return conditions.isEmpty() ? QString() : QStringLiteral(" WHERE ") + conditions.join(QStringLiteral(" AND "));
  }
};

quint64 promptTextNumber(const QString& text) { return static_cast<quint64>(qHash(text, 0)); }

PictureReader::PictureReader(Database& database, const library::Location& location)
    : m_database(database), m_location(location) {}

PictureReader::~PictureReader() = default;

Result<std::unique_ptr<PictureReader>> PictureReader::open(const library::Location& location) {
  Result<std::unique_ptr<Database>> database = Database::open(location.databaseFile(), Database::Mode::ReadOnly);
  if (!database) {
    return database.error();
  }
  auto reader = std::make_unique<PictureReader>(**database, location);
  reader->m_owned = *std::move(database);
  return reader;
}

Result<std::vector<qint64>> PictureReader::idsOf(const Query& query, const QString& more, int limit) {
  const QString where = query.where();
  Result<QSqlQuery> rows = m_database.queryOnce(
      QStringLiteral("SELECT p.id FROM pictures p%1%2%3 ORDER BY %4 LIMIT %5")
          .arg(query.join, where,
               more.isEmpty() ? more : (where.isEmpty() ? QStringLiteral(" WHERE ") : QStringLiteral(" AND ")) + more,
               query.order)
          .arg(limit),
      query.values);
  if (!rows) {
    return rows.error();
  }
  std::vector<qint64> ids;
  while (rows->next()) {
    ids.push_back(rows->value(0).toLongLong());
  }
  return ids;
}

Result<std::vector<qint64>> PictureReader::ids(const Query& query, const QString& match, int limit) {
  if (match.isEmpty()) {
    return idsOf(query, {}, limit);
  }
  Result<QSqlQuery> prompts =
      m_database.queryOnce(QStringLiteral("SELECT rowid FROM prompt_grams WHERE prompt_grams MATCH ? ORDER BY rowid%1")
                               .arg(query.isNewestFirst ? QStringLiteral(" DESC") : QString()),
                           {match});
  if (!prompts) {
    return prompts.error();
  }
  PromptStream stream(*std::move(prompts), query.isNewestFirst);
  if (const auto* few = stream.allUpTo(kFew)) {
    const QString isOfThem = QStringLiteral("p.prompt IN (%1)").arg(listed(*few));
    Result<QSqlQuery> many =
        m_database.queryOnce(QStringLiteral("SELECT 1 FROM pictures p WHERE %1 LIMIT 1 OFFSET %2").arg(isOfThem).arg(kFew));
    if (!many) {
      return many.error();
    }
    if (!many->next()) {
      return idsOf(query, isOfThem, limit);
    }
  }
  // In the order of the pictures, each asked whether its prompt belongs to the search.
  Result<QSqlQuery> rows = m_database.queryOnce(
      QStringLiteral("SELECT p.id, p.prompt FROM pictures p%1%2 ORDER BY %3").arg(query.join, query.where(), query.order),
      query.values);
  if (!rows) {
    return rows.error();
  }
  std::vector<qint64> ids;
  while (static_cast<int>(ids.size()) < limit && rows->next()) {
    if (stream.contains(rows->value(1).toLongLong())) {
      ids.push_back(rows->value(0).toLongLong());
    }
  }
  return ids;
}

/// Those with stars, then the others: only what is rated has to be sorted.
Result<std::vector<qint64>> PictureReader::idsByStars(const PictureFilter& filter, int limit,
                                                      const std::optional<PictureKey>& after) {
  const QString match = gramsQuery(filter.text);
  std::vector<qint64> found;
  const bool isBehindRated = after && after->stars == 0;
  if (!isBehindRated) {
    Query rated(filter);
    rated.setOrder(PictureOrder::Stars, after);
    Result<std::vector<qint64>> first = ids(rated, match, limit);
    if (!first) {
      return first;
    }
    found = *std::move(first);
  }
  const int left = limit - static_cast<int>(found.size());
  if (left > 0) {
    Query others(filter);
    others.add("p.id NOT IN (SELECT picture FROM ratings WHERE stars > 0)", {});
    others.setOrder(PictureOrder::Newest, isBehindRated ? after : std::nullopt);
    const Result<std::vector<qint64>> rest = ids(others, match, left);
    if (!rest) {
      return rest;
    }
    found.insert(found.end(), rest->begin(), rest->end());
  }
  return found;
}

Result<std::vector<PictureRow>> PictureReader::rows(const std::vector<qint64>& ids) {
  if (ids.empty()) {
    return std::vector<PictureRow>();
  }
  Result<QSqlQuery> query = m_database.queryOnce(QStringLiteral("SELECT %1 FROM %2 WHERE p.id IN (%3)")
                                                     .arg(QLatin1String(kRowColumns), QLatin1String(kRowTables), listed(ids)));
  if (!query) {
    return query.error();
  }
  QHash<qint64, PictureRow> byId;
  while (query->next()) {
    PictureRow row = rowOf(*query, m_location.picturesFolder());
    byId.insert(row.id, std::move(row));
  }
  std::vector<PictureRow> rows;
  for (const qint64 id : ids) {
    if (const auto found = byId.constFind(id); found != byId.constEnd()) {
      rows.push_back(*found);
    }
  }
  return rows;
}

Result<std::vector<PictureRow>> PictureReader::page(const PictureFilter& filter, PictureOrder order, int limit,
                                                    const std::optional<PictureKey>& after) {
  Query query(filter);
  query.setOrder(order, after);
  const Result<std::vector<qint64>> found =
      order == PictureOrder::Stars ? idsByStars(filter, limit, after) : ids(query, gramsQuery(filter.text), limit);
  return found ? rows(*found) : found.error();
}

Result<qint64> PictureReader::count(const PictureFilter& filter) {
  Query query(filter);
  if (const QString match = gramsQuery(filter.text); !match.isEmpty()) {
    query.add("p.prompt IN (SELECT rowid FROM prompt_grams WHERE prompt_grams MATCH ?)", {match});
  }
  Result<QSqlQuery> rows =
      m_database.queryOnce(QStringLiteral("SELECT count(*) FROM pictures p%1").arg(query.where()), query.values);
  if (!rows) {
    return rows.error();
  }
  return rows->next() ? rows->value(0).toLongLong() : 0;
}

Result<std::optional<PictureDetails>> PictureReader::details(qint64 picture) {
  const Result<std::vector<PictureRow>> found = rows({picture});
  if (!found) {
    return found.error();
  }
  if (found->empty()) {
    return std::optional<PictureDetails>();
  }
  PictureDetails details;
  details.row = found->front();
  Result<QSqlQuery> query = m_database.queryOnce(
      QStringLiteral("SELECT settings, plan, prompt_index, device, device_name, seconds FROM pictures WHERE id = ?"), {picture});
  if (!query) {
    return query.error();
  }
  if (!query->next()) {
    return std::optional<PictureDetails>();
  }
  domain::GenerationRequest& request = details.metadata.request;
  request.index = details.row.index;
  request.promptIndex = query->value(2).toLongLong();
  request.prompt = details.row.prompt.toStdString();
  request.seed = details.row.seed;
  details.origin = {query->value(3).toString(), query->value(4).toString(), query->value(5).toDouble()};
  if (auto read = library::readSettings(m_database, query->value(0).toLongLong(), request); !read) {
    return read.error();
  }
  if (auto read = library::readPlan(m_database, query->value(1).toLongLong(), details.metadata); !read) {
    return read.error();
  }
  Result<PictureMarks> marks = readMarks(m_database, picture);
  if (!marks) {
    return marks.error();
  }
  details.marks = *std::move(marks);
  return std::optional<PictureDetails>(std::move(details));
}

Result<std::optional<qint64>> PictureReader::find(quint64 runId, qint64 index) {
  const Result<QVariant> id = m_database.value("SELECT id FROM pictures WHERE run = ? AND idx = ?", {runId, index});
  if (!id) {
    return id.error();
  }
  return id->isNull() ? std::optional<qint64>() : std::optional<qint64>(id->toLongLong());
}

Result<std::optional<quint64>> PictureReader::findRun(qint64 number) {
  const Result<QVariant> id = m_database.value("SELECT id FROM runs WHERE number = ?", {number});
  if (!id) {
    return id.error();
  }
  return id->isNull() ? std::optional<quint64>() : std::optional<quint64>(id->toULongLong());
}

Result<std::vector<NameCount>> PictureReader::names(const char* sql) {
  const Result<QSqlQuery*> rows = m_database.query(sql);
  if (!rows) {
    return rows.error();
  }
  std::vector<NameCount> names;
  while ((*rows)->next()) {
    names.push_back({(*rows)->value(0).toString(), (*rows)->value(1).toLongLong()});
  }
  (*rows)->finish();
  return names;
}

Result<std::vector<RunHeading>> PictureReader::runs() {
  const Result<QSqlQuery*> rows = m_database.query("SELECT id, number, created, title FROM runs ORDER BY number DESC");
  if (!rows) {
    return rows.error();
  }
  std::vector<RunHeading> runs;
  while ((*rows)->next()) {
    runs.push_back({(*rows)->value(0).toULongLong(), (*rows)->value(1).toLongLong(), (*rows)->value(2).toLongLong(),
                    (*rows)->value(3).toString()});
  }
  (*rows)->finish();
  return runs;
}

Result<QHash<qint64, quint64>> PictureReader::promptTexts() {
  Result<QSqlQuery> rows = m_database.queryOnce(QStringLiteral("SELECT id, text FROM prompts"));
  if (!rows) {
    return rows.error();
  }
  QHash<qint64, quint64> texts;
  while (rows->next()) {
    texts.insert(rows->value(0).toLongLong(), promptTextNumber(rows->value(1).toString()));
  }
  return texts;
}

Result<void> PictureReader::entries(const PictureFilter& filter, EntryOrder order, std::size_t firstPart,
                                    const std::function<bool(std::vector<PictureEntry>, bool)>& take,
                                    const std::function<bool()>& isWanted) {
  const Error unwanted{base::ErrorCode::Cancelled, "Nobody waits for the pictures any more.", {}};
  struct Size {
    int width;
    int height;
  };
  std::unordered_map<qint64, Size> sizes;
  std::unordered_map<qint64, std::pair<qint8, qint8>> marks;
  const auto load = [&](const QString& sql, const auto& keep) -> Result<void> {
    Result<QSqlQuery> rows = m_database.queryOnce(sql);
    if (!rows) {
      return rows.error();
    }
    while (rows->next()) {
      keep(*rows);
    }
    return {};
  };
  if (auto read = load(QStringLiteral("SELECT id, width, height FROM settings"),
                       [&](const QSqlQuery& row) {
                         sizes[row.value(0).toLongLong()] = {row.value(1).toInt(), row.value(2).toInt()};
                       });
      !read) {
    return read;
  }
  if (auto read = load(QStringLiteral("SELECT picture, stars, pick FROM ratings"),
                       [&](const QSqlQuery& row) {
                         marks[row.value(0).toLongLong()] = {static_cast<qint8>(row.value(1).toInt()),
                                                             static_cast<qint8>(row.value(2).toInt())};
                       });
      !read) {
    return read;
  }
  Query query(filter);
  std::optional<PromptStream> stream;
  if (const QString match = gramsQuery(filter.text); !match.isEmpty()) {
    // The runs that are shown first have the prompts that were stored last.
    const bool isDescending = order != EntryOrder::Oldest;
    Result<QSqlQuery> prompts =
        m_database.queryOnce(QStringLiteral("SELECT rowid FROM prompt_grams WHERE prompt_grams MATCH ? ORDER BY rowid%1")
                                 .arg(isDescending ? QStringLiteral(" DESC") : QString()),
                             {match});
    if (!prompts) {
      return prompts.error();
    }
    stream.emplace(*std::move(prompts), isDescending);
    if (const auto* few = stream->allUpTo(kFew)) {
      query.conditions << QStringLiteral("p.prompt IN (%1)").arg(listed(*few));
      stream.reset();
    }
  }
  const bool hasFewPrompts = !filter.text.isEmpty() && !stream;
  const char* columns = "p.id, p.prompt, p.run, p.idx, p.made, p.settings, p.trashed IS NOT NULL";
  QString sql;
  if (order != EntryOrder::Runs) {
    const bool isNewest = order == EntryOrder::Newest;
    sql = QStringLiteral("SELECT %1 FROM pictures p%2 ORDER BY p.made%3, p.id%3")
              .arg(QLatin1String(columns), query.where(), isNewest ? QStringLiteral(" DESC") : QString());
  } else if (hasFewPrompts) {
    sql = QStringLiteral("SELECT %1 FROM pictures p JOIN runs r ON r.id = p.run%2 ORDER BY r.number DESC, p.idx")
              .arg(QLatin1String(columns), query.where());
  } else {
    // Run by run in the index (run, idx): nothing is to be sorted before the first row comes.
    sql = QStringLiteral(
              "SELECT %1 FROM (SELECT id AS run_id FROM runs ORDER BY number DESC LIMIT -1) r CROSS JOIN pictures p "
              "INDEXED BY sqlite_autoindex_pictures_1 ON p.run = r.run_id%2")
              .arg(QLatin1String(columns), query.where());
  }
  Result<QSqlQuery> rows = m_database.queryOnce(sql, query.values);
  if (!rows) {
    return rows.error();
  }
  std::vector<PictureEntry> part;
  bool isFirst = true;
  for (std::size_t read = 0; rows->next(); ++read) {
    if (read % 512 == 511 && !isWanted()) {
      return unwanted;
    }
    const qint64 prompt = rows->value(1).toLongLong();
    if (stream && !stream->contains(prompt)) {
      continue;
    }
    PictureEntry entry;
    entry.id = rows->value(0).toLongLong();
    entry.prompt = prompt;
    entry.runId = rows->value(2).toULongLong();
    entry.index = rows->value(3).toLongLong();
    entry.madeMs = rows->value(4).toLongLong();
    if (const auto size = sizes.find(rows->value(5).toLongLong()); size != sizes.end()) {
      entry.width = size->second.width;
      entry.height = size->second.height;
    }
    if (const auto found = marks.find(entry.id); found != marks.end()) {
      std::tie(entry.stars, entry.pick) = found->second;
    }
    entry.isTrashed = rows->value(6).toBool();
    part.push_back(entry);
    if (isFirst && part.size() == firstPart) {
      isFirst = false;
      if (!take(std::exchange(part, {}), false)) {
        return unwanted;
      }
    }
  }
  return take(std::move(part), true) ? Result<void>() : unwanted;
}

Result<std::optional<PictureEntry>> PictureReader::entry(quint64 runId, qint64 index) {
  const Result<QSqlQuery*> rows = m_database.query(
      "SELECT p.id, p.prompt, p.made, s.width, s.height, coalesce(m.stars, 0), coalesce(m.pick, 0), p.trashed IS NOT NULL "
      "FROM pictures p JOIN settings s ON s.id = p.settings LEFT JOIN ratings m ON m.picture = p.id "
      "WHERE p.run = ? AND p.idx = ?",
      {runId, index});
  if (!rows) {
    return rows.error();
  }
  std::optional<PictureEntry> found;
  if ((*rows)->next()) {
    const auto number = [&](int column) { return (*rows)->value(column).toLongLong(); };
    found = PictureEntry{number(0),
                         runId,
                         index,
                         number(2),
                         number(1),
                         static_cast<int>(number(3)),
                         static_cast<int>(number(4)),
                         static_cast<qint8>(number(5)),
                         static_cast<qint8>(number(6)),
                         number(7) != 0};
  }
  (*rows)->finish();
  return found;
}

Result<std::vector<NameCount>> PictureReader::tags() {
  return names(
      "SELECT t.name, count(p.id) AS n FROM tags t JOIN picture_tags x ON x.tag = t.id JOIN pictures p ON p.id = x.picture "
      "WHERE p.trashed IS NULL GROUP BY t.id ORDER BY n DESC, t.name");
}

Result<std::vector<NameCount>> PictureReader::albums() {
  return names(
      "SELECT a.name, count(p.id) AS n FROM albums a LEFT JOIN album_pictures x ON x.album = a.id "
      "LEFT JOIN pictures p ON p.id = x.picture AND p.trashed IS NULL GROUP BY a.id ORDER BY n DESC, a.name");
}

Result<std::vector<NameCount>> PictureReader::models() {
  return names(
      "SELECT l.model_name, sum(n) AS total FROM (SELECT plan, count(*) AS n FROM pictures WHERE trashed IS NULL GROUP BY plan) "
      "c "
      "JOIN plans l ON l.id = c.plan GROUP BY l.model_name ORDER BY total DESC, l.model_name");
}

Result<std::vector<NameCount>> PictureReader::schedulers() {
  return names(
      "SELECT s.scheduler, sum(n) AS total FROM (SELECT settings, count(*) AS n FROM pictures WHERE trashed IS NULL "
      "GROUP BY settings) c JOIN settings s ON s.id = c.settings GROUP BY s.scheduler ORDER BY total DESC, s.scheduler");
}

Result<std::vector<qint64>> PictureReader::starCounts() {
  Result<qint64> all = count({});
  if (!all) {
    return all.error();
  }
  std::vector<qint64> counts(kMaxStars + 1, 0);
  counts[0] = *all;
  const Result<QSqlQuery*> rows = m_database.query(
      "SELECT m.stars, count(*) FROM ratings m JOIN pictures p ON p.id = m.picture WHERE p.trashed IS NULL AND m.stars > 0 "
      "GROUP BY m.stars");
  if (!rows) {
    return rows.error();
  }
  while ((*rows)->next()) {
    const int stars = std::clamp((*rows)->value(0).toInt(), 1, kMaxStars);
    for (int least = 1; least <= stars; ++least) {
      counts[static_cast<std::size_t>(least)] += (*rows)->value(1).toLongLong();
    }
  }
  (*rows)->finish();
  return counts;
}

Result<std::vector<NameCount>> PictureReader::days() {
  // Quarters of an hour, since no zone's day begins within one; which day they belong to is told here.
  Result<QSqlQuery> rows = m_database.queryOnce(
      QStringLiteral("SELECT made / 900000, count(*) FROM pictures WHERE trashed IS NULL GROUP BY 1 ORDER BY 1 DESC"));
  if (!rows) {
    return rows.error();
  }
  std::vector<NameCount> days;
  while (rows->next()) {
    const QString day = QDateTime::fromMSecsSinceEpoch(rows->value(0).toLongLong() * 900000).date().toString(Qt::ISODate);
    if (days.empty() || days.back().name != day) {
      days.push_back({day, 0});
    }
    days.back().count += rows->value(1).toLongLong();
  }
  return days;
}

Result<QHash<quint64, qint64>> PictureReader::runCounts() {
  Result<QSqlQuery> rows =
      m_database.queryOnce(QStringLiteral("SELECT run, count(*) FROM pictures WHERE trashed IS NULL GROUP BY run"));
  if (!rows) {
    return rows.error();
  }
  QHash<quint64, qint64> counts;
  while (rows->next()) {
    counts.insert(rows->value(0).toULongLong(), rows->value(1).toLongLong());
  }
  return counts;
}

}  // namespace polyptych::gallery
