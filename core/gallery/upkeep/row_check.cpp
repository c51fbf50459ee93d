#include "core/gallery/upkeep/row_check.h"

#include <QStringList>
#include <algorithm>
#include <utility>

#include "core/gallery/picture_rows.h"
#include "core/gallery/prompt_grams.h"
#include "core/library/database.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

struct Orphans {
  const char* table;
  const char* where;
};
/// In an order in which taking one kind out shows the next.
constexpr Orphans kOrphans[] = {
    {"pictures", "run NOT IN (SELECT id FROM runs)"},           {"pictures", "prompt NOT IN (SELECT id FROM prompts)"},
    {"pictures", "settings NOT IN (SELECT id FROM settings)"},  {"pictures", "plan NOT IN (SELECT id FROM plans)"},
    {"ratings", "picture NOT IN (SELECT id FROM pictures)"},    {"picture_tags", "picture NOT IN (SELECT id FROM pictures)"},
    {"picture_tags", "tag NOT IN (SELECT id FROM tags)"},       {"album_pictures", "picture NOT IN (SELECT id FROM pictures)"},
    {"album_pictures", "album NOT IN (SELECT id FROM albums)"}, {"jobs", "run NOT IN (SELECT id FROM runs)"},
    {"attempts", "job NOT IN (SELECT id FROM jobs)"},
};

Finding orphans(const char* table, qint64 count, bool repair) {
  return {FindingKind::OrphanRows, QLatin1String(table), repair,
          QStringLiteral("%1 rows of the table %2 belong to something that is gone%3.")
              .arg(count)
              .arg(QLatin1String(table))
              .arg(repair ? QStringLiteral("; they were taken out") : QString())};
}

/// Counts the rows of a condition, and takes them out.
Result<void> checkRows(Database& database, const char* table, const QString& where, const QVariantList& values, bool repair,
                       qint64& total) {
  Result<QSqlQuery> rows =
      database.queryOnce(QStringLiteral("SELECT count(*) FROM %1 WHERE %2").arg(QLatin1String(table), where), values);
  if (!rows) {
    return rows.error();
  }
  const qint64 count = rows->next() ? rows->value(0).toLongLong() : 0;
  rows->finish();
  total += count;
  if (count == 0 || !repair) {
    return {};
  }
  const Result<QSqlQuery> removed =
      database.queryOnce(QStringLiteral("DELETE FROM %1 WHERE %2").arg(QLatin1String(table), where), values);
  return removed ? Result<void>() : removed.error();
}

/// Requests and jobs lie in ranges of ids, one a run: what lies between belongs to nobody.
Result<void> checkGaps(Database& database, const char* table, const char* first, const char* count, bool repair,
                       std::vector<Finding>& findings) {
  Result<QSqlQuery> rows =
      database.queryOnce(QStringLiteral("SELECT %1, %2 FROM runs ORDER BY %1").arg(QLatin1String(first), QLatin1String(count)));
  if (!rows) {
    return rows.error();
  }
  std::vector<std::pair<qint64, qint64>> gaps;
  qint64 end = std::numeric_limits<qint64>::min();
  while (rows->next()) {
    gaps.emplace_back(end, rows->value(0).toLongLong());
    end = std::max(end, rows->value(0).toLongLong() + rows->value(1).toLongLong());
  }
  rows->finish();
  gaps.emplace_back(end, std::numeric_limits<qint64>::max());
  qint64 total = 0;
  for (const auto& [begin, behind] : gaps) {
    if (begin < behind) {
      if (auto checked = checkRows(database, table, QStringLiteral("id >= ? AND id < ?"), {begin, behind}, repair, total);
          !checked) {
        return checked;
      }
    }
  }
  if (total > 0) {
    findings.push_back(orphans(table, total, repair));
  }
  return {};
}

struct Prompt {
  qint64 id = 0;
  QString text;
};

Result<std::vector<Prompt>> prompts(Database& database, const char* sql) {
  const Result<QSqlQuery*> rows = database.query(sql);
  if (!rows) {
    return rows.error();
  }
  std::vector<Prompt> list;
  while ((*rows)->next()) {
    list.push_back({(*rows)->value(0).toLongLong(), (*rows)->value(1).toString()});
  }
  (*rows)->finish();
  return list;
}

/// Prompts that neither a request nor a picture has, with their words in the text index.
Result<void> checkPrompts(Database& database, bool repair, std::vector<Finding>& findings) {
  const Result<std::vector<Prompt>> unused =
      prompts(database,
              "SELECT id, CASE is_indexed WHEN 1 THEN text END FROM prompts WHERE id NOT IN (SELECT prompt FROM requests) "
              "AND id NOT IN (SELECT prompt FROM pictures)");
  if (!unused) {
    return unused.error();
  }
  for (std::size_t i = 0; repair && i < unused->size(); ++i) {
    const Prompt& prompt = (*unused)[i];
    if (!prompt.text.isNull()) {
      if (auto done = database.change("INSERT INTO prompt_grams(prompt_grams, rowid, grams) VALUES ('delete', ?, ?)",
                                      {prompt.id, promptGrams(prompt.text)});
          !done) {
        return done.error();
      }
    }
    if (auto done = database.change("DELETE FROM prompts WHERE id = ?", {prompt.id}); !done) {
      return done.error();
    }
  }
  if (!unused->empty()) {
    findings.push_back(orphans("prompts", static_cast<qint64>(unused->size()), repair));
  }
  return {};
}

/// The words of a text that is gone are not known any more: the whole index is made again.
Result<void> remakeTextIndex(Database& database) {
  for (const char* sql : {"INSERT INTO prompt_grams(prompt_grams) VALUES ('delete-all')", "UPDATE prompts SET is_indexed = 0"}) {
    if (auto done = database.change(sql); !done) {
      return done.error();
    }
  }
  const Result<std::vector<Prompt>> all =
      prompts(database, "SELECT id, text FROM prompts WHERE id IN (SELECT prompt FROM pictures) ORDER BY id");
  if (!all) {
    return all.error();
  }
  for (const Prompt& prompt : *all) {
    if (auto indexed = indexPrompt(database, prompt.id, prompt.text); !indexed) {
      return indexed;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Finding>> checkReferences(Database& database, bool repair) {
  std::vector<Finding> findings;
  for (const Orphans& kind : kOrphans) {
    qint64 count = 0;
    if (auto checked = checkRows(database, kind.table, QLatin1String(kind.where), {}, repair, count); !checked) {
      return checked.error();
    }
    if (count > 0) {
      findings.push_back(orphans(kind.table, count, repair));
    }
  }
  if (auto checked = checkGaps(database, "jobs", "first_job", "jobs", repair, findings); !checked) {
    return checked.error();
  }
  if (auto checked = checkGaps(database, "requests", "first_request", "total", repair, findings); !checked) {
    return checked.error();
  }
  if (auto checked = checkPrompts(database, repair, findings); !checked) {
    return checked.error();
  }
  return findings;
}

Result<std::vector<Finding>> checkTextIndex(Database& database, bool repair) {
  std::vector<Finding> findings;
  const Result<QVariant> strays =
      database.value("SELECT count(*) FROM prompt_grams_docsize WHERE id NOT IN (SELECT id FROM prompts WHERE is_indexed = 1)");
  if (!strays) {
    return strays.error();
  }
  if (strays->toLongLong() > 0) {
    findings.push_back({FindingKind::OrphanRows, QStringLiteral("prompt_grams"), repair,
                        QStringLiteral("The text index has %1 entries of prompts that are gone%2.")
                            .arg(strays->toLongLong())
                            .arg(repair ? QStringLiteral("; it was made again") : QString())});
    if (repair) {
      if (auto remade = remakeTextIndex(database); !remade) {
        return remade.error();
      }
    }
  }
  const Result<std::vector<Prompt>> missing =
      prompts(database,
              "SELECT id, text FROM prompts WHERE id IN (SELECT prompt FROM pictures) AND (is_indexed = 0 OR id NOT IN "
              "(SELECT id FROM prompt_grams_docsize)) ORDER BY id");
  if (!missing) {
    return missing.error();
  }
  for (const Prompt& prompt : *missing) {
    findings.push_back({FindingKind::PromptNotIndexed, QStringLiteral("prompts"), repair,
                        QStringLiteral("A search would not find the prompt '%1'%2.")
                            .arg(prompt.text.left(60), repair ? QStringLiteral("; it does now") : QString())});
    if (!repair) {
      continue;
    }
    if (auto reset = database.change("UPDATE prompts SET is_indexed = 0 WHERE id = ?", {prompt.id}); !reset) {
      return reset.error();
    }
    if (auto indexed = indexPrompt(database, prompt.id, prompt.text); !indexed) {
      return indexed.error();
    }
  }
  return findings;
}

}  // namespace polyptych::gallery
