#pragma once

#include <QHash>
#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/gallery/manifest_row.h"
#include "core/gallery/picture_marks.h"
#include "core/library/location.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::gallery {

/// Which pictures; everything that is given must be true of them.
struct PictureFilter {
  enum class Trash { Without, Only, With };

  QString text;  ///< anywhere in the prompt, as searchForm() compares; empty: any prompt
  int minStars = 0;
  std::optional<int> pick;  ///< -1 rejected, 0 neither, 1 picked
  QStringList tags;         ///< all of them
  QString album;
  quint64 runId = 0;
  QString model;      ///< exact name
  QString scheduler;  ///< exact name
  std::optional<int> width;
  std::optional<int> height;
  std::optional<qint64> sinceMs;  ///< made at that time or later
  std::optional<qint64> untilMs;  ///< made before that time
  Trash trash = Trash::Without;

  friend bool operator==(const PictureFilter&, const PictureFilter&) = default;
};

enum class PictureOrder {
  Newest,
  Oldest,
  Run,   ///< by run's id and index: for one run
  Stars  ///< most stars first, then newest
};

/// Place of a picture in any order; a page goes on behind it.
struct PictureKey {
  qint64 id = 0;
  qint64 madeMs = 0;
  qint64 runId = 0;
  qint64 index = 0;
  int stars = 0;
};

/// What a grid or a list shows.
struct PictureRow {
  qint64 id = 0;
  quint64 runId = 0;
  qint64 runNumber = 0;
  qint64 index = 0;
  QString path;  ///< absolute
  QString prompt;
  quint64 seed = 0;
  int width = 0;
  int height = 0;
  qint64 bytes = 0;
  qint64 madeMs = 0;
  int stars = 0;
  int pick = 0;
  bool isTrashed = false;

  PictureKey key() const { return {id, madeMs, static_cast<qint64>(runId), index, stars}; }
};

/// Everything there is about one picture.
struct PictureDetails {
  PictureRow row;
  domain::PictureMetadata metadata;  ///< index and promptIndex: those in the run
  PictureOrigin origin;
  PictureMarks marks;
};

/// What somebody keeps of every picture of a library: small, so that 100 000 of them are a few MB.
struct PictureEntry {
  qint64 id = 0;
  quint64 runId = 0;
  qint64 index = 0;
  qint64 madeMs = 0;
  qint64 prompt = 0;  ///< number of its text: equal numbers, equal texts; the reverse is not so
  int width = 0;
  int height = 0;
  qint8 stars = 0;
  qint8 pick = 0;
  bool isTrashed = false;
};

/// Orders of entries().
enum class EntryOrder {
  Runs,  ///< newest run first; in a run by index
  Newest,
  Oldest
};

/// A run as a heading of its pictures.
struct RunHeading {
  quint64 id = 0;
  qint64 number = 0;
  qint64 createdMs = 0;
  QString title;
};

/// A word that pictures can be chosen by, and how many have it.
struct NameCount {
  QString name;
  qint64 count = 0;
};

/// Equal for equal texts: what promptTexts() gives.
quint64 promptTextNumber(const QString& text);

/// Reads pictures from a library's index. For one thread; beside a backend that writes. Errors are those of library::Database.
class PictureReader {
 public:
  /// Opens the index of a library for reading alone. @return NotFound, Unsupported (newer), Corrupt, Io
  static base::Result<std::unique_ptr<PictureReader>> open(const library::Location& location);
  /// @param database  must outlive this
  PictureReader(library::Database& database, const library::Location& location);
  ~PictureReader();

  /// At most `limit` pictures behind `after`, or from the beginning.
  base::Result<std::vector<PictureRow>> page(const PictureFilter& filter, PictureOrder order, int limit,
                                             const std::optional<PictureKey>& after = {});
  base::Result<qint64> count(const PictureFilter& filter);
  /// Nothing if it is not there.
  base::Result<std::optional<PictureDetails>> details(qint64 picture);
  /// The id of a run's picture; nothing if there is none.
  base::Result<std::optional<qint64>> find(quint64 runId, qint64 index);

  /// The id of the run with a number; nothing if there is none.
  base::Result<std::optional<quint64>> findRun(qint64 number);

  /// All pictures of a filter, given as they are found: a first part soon, the rest together. `take` says whether it wants more.
  /// @return Cancelled if it did not
  base::Result<void> entries(const PictureFilter& filter, EntryOrder order, std::size_t firstPart,
                             const std::function<bool(std::vector<PictureEntry> part, bool isLast)>& take,
                             const std::function<bool()>& isWanted);
  /// One picture as entries() gives it; nothing if it is not there.
  base::Result<std::optional<PictureEntry>> entry(quint64 runId, qint64 index);
  /// In the order of the ids; without those that are not there.
  base::Result<std::vector<PictureRow>> rowsOf(const std::vector<qint64>& ids) { return rows(ids); }
  /// Every run, newest first.
  base::Result<std::vector<RunHeading>> runs();
  /// For each PictureEntry::prompt a number that is equal for equal texts.
  base::Result<QHash<qint64, quint64>> promptTexts();

  // What pictures outside of the trash have, most frequent first.
  base::Result<std::vector<NameCount>> tags();
  base::Result<std::vector<NameCount>> albums();
  base::Result<std::vector<NameCount>> models();
  base::Result<std::vector<NameCount>> schedulers();
  /// How many have that many stars or more: [0] is all of them.
  base::Result<std::vector<qint64>> starCounts();
  /// Their local days, newest first, as "2026-11-25".
  base::Result<std::vector<NameCount>> days();
  /// By RunHeading::id.
  base::Result<QHash<quint64, qint64>> runCounts();

 private:
  struct Query;
  base::Result<std::vector<qint64>> idsOf(const Query& query, const QString& more, int limit);
  base::Result<std::vector<qint64>> ids(const Query& query, const QString& match, int limit);
  base::Result<std::vector<qint64>> idsByStars(const PictureFilter& filter, int limit, const std::optional<PictureKey>& after);
  base::Result<std::vector<PictureRow>> rows(const std::vector<qint64>& ids);
  base::Result<std::vector<NameCount>> names(const char* sql);

  std::unique_ptr<library::Database> m_owned;
  library::Database& m_database;
  const library::Location m_location;
};

}  // namespace polyptych::gallery
