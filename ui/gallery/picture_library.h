#pragma once

#include <QHash>
#include <QObject>
#include <QThread>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/gallery/picture_reader.h"
#include "ui/lazy_reader.h"

namespace polyptych::ui {

/// What the grid shows.
struct GalleryQuery {
  enum class Order { Runs, Newest, Oldest, Stars };
  enum class Grouping { None, Run, Prompt, Day };

  gallery::PictureFilter filter;
  Order order = Order::Runs;
  Grouping grouping = Grouping::Run;

  friend bool operator==(const GalleryQuery&, const GalleryQuery&) = default;
};

/// What pictures can be chosen by, and how many there are of each.
struct Facets {
  std::vector<qint64> stars;  ///< [n]: with n stars or more
  qint64 picks = 0;
  qint64 rejects = 0;
  qint64 trashed = 0;
  std::vector<gallery::NameCount> tags;
  std::vector<gallery::NameCount> albums;
  std::vector<gallery::NameCount> models;
  std::vector<gallery::NameCount> days;
  std::vector<std::pair<gallery::RunHeading, qint64>> runs;  ///< newest first
};

/// A part of an answer to a query.
struct EntryPart {
  quint64 ticket = 0;
  std::vector<gallery::PictureEntry> entries;
  bool isFirst = false;  ///< else behind the ones before
  bool isLast = false;
  QHash<quint64, gallery::RunHeading> runs;  ///< with the first part
  QHash<qint64, quint64> promptTexts;        ///< the same, if pictures are grouped by prompt
};

/// A library's index, read on two threads: one for queries, where a new one ends the one before, and one for what tiles and
/// panels ask. Lives on the thread that made it, where it answers by signals; no call waits.
class PictureLibrary : public QObject {
  Q_OBJECT
 public:
  /// Nothing: a library without pictures.
  explicit PictureLibrary(std::optional<library::Location> location, QObject* parent = nullptr);
  /// Waits for what is being read.
  ~PictureLibrary() override;

  bool hasLibrary() const { return m_location.has_value(); }
  /// entriesFound follows once or twice. @return number of the query
  quint64 query(const GalleryQuery& query);
  void askRows(const std::vector<qint64>& ids);
  void askDetails(qint64 id);
  /// entryFound follows once the picture is in the index, or never.
  void askEntry(quint64 runId, qint64 index);
  void askFacets();
  void askRowsThen(const std::vector<qint64>& ids, std::function<void(std::vector<gallery::PictureRow>)> take);

 Q_SIGNALS:
  void entriesFound(const polyptych::ui::EntryPart& part);
  void rowsRead(const std::vector<polyptych::gallery::PictureRow>& rows);
  void detailsRead(const polyptych::gallery::PictureDetails& details);
  void entryFound(const polyptych::gallery::PictureEntry& entry);
  void facetsCounted(const polyptych::ui::Facets& facets);
  void failed(const polyptych::base::Error& error);

 private:
  using Reader = LazyReader<gallery::PictureReader>;
  using Reading = std::function<void(gallery::PictureReader&)>;

  void onThread(int thread, Reading reading);
  void lookForEntry(quint64 runId, qint64 index, int triesLeft);
  template <typename Answer>
  void answer(Answer answer);

  const std::optional<library::Location> m_location;
  std::atomic<quint64> m_lastQuery = 0;
  std::atomic<bool> m_isEnding = false;
  QThread m_threads[2];
  std::unique_ptr<Reader> m_readers[2];
};

}  // namespace polyptych::ui
