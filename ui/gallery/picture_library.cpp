#include "ui/gallery/picture_library.h"

#include <QFileInfo>
#include <QTimer>
#include <algorithm>
#include <utility>

namespace polyptych::ui {
namespace {

/// Enough to fill a large screen with small tiles.
constexpr std::size_t kFirstPart = 400;
constexpr int kSearching = 0;
constexpr int kReading = 1;
/// A picture is told of when it is in the index; the time is for a library that is being opened.
constexpr int kEntryTries = 6;
constexpr int kEntryRetryMs = 400;

gallery::EntryOrder entryOrderOf(GalleryQuery::Order order) {
  switch (order) {
    case GalleryQuery::Order::Runs:
      return gallery::EntryOrder::Runs;
    case GalleryQuery::Order::Oldest:
      return gallery::EntryOrder::Oldest;
    case GalleryQuery::Order::Newest:
    case GalleryQuery::Order::Stars:
      break;
  }
  return gallery::EntryOrder::Newest;
}

}  // namespace

PictureLibrary::PictureLibrary(std::optional<library::Location> location, QObject* parent)
    : QObject(parent), m_location(std::move(location)) {
  if (!m_location) {
    return;
  }
  for (int i = 0; i < 2; ++i) {
    m_readers[i] = std::make_unique<Reader>(*m_location);
    m_readers[i]->moveToThread(&m_threads[i]);
    m_threads[i].start();
  }
}

PictureLibrary::~PictureLibrary() {
  m_isEnding = true;
  ++m_lastQuery;
  for (int i = 0; i < 2; ++i) {
    if (m_readers[i]) {
      // Its connection belongs to its thread, which deletes it at its end.
      connect(&m_threads[i], &QThread::finished, m_readers[i].release(), &QObject::deleteLater);
      m_threads[i].quit();
      m_threads[i].wait();
    }
  }
}

template <typename Answer>
void PictureLibrary::answer(Answer answer) {
  // It waits for its threads before it goes.
  QMetaObject::invokeMethod(this, std::move(answer), Qt::QueuedConnection);
}

void PictureLibrary::onThread(int thread, Reading reading) {
  if (!m_location) {
    return;
  }
  Reader* place = m_readers[thread].get();
  QMetaObject::invokeMethod(
      place,
      [this, place, reading = std::move(reading)] {
        if (m_isEnding) {
          return;
        }
        std::optional<base::Error> error;
        if (gallery::PictureReader* reader = place->reader(error)) {
          reading(*reader);
        } else if (error) {
          answer([this, error = *error] { Q_EMIT failed(error); });
        }
      },
      Qt::QueuedConnection);
}

quint64 PictureLibrary::query(const GalleryQuery& query) {
  const quint64 ticket = ++m_lastQuery;
  onThread(kSearching, [this, ticket, query](gallery::PictureReader& reader) {
    const auto isWanted = [this, ticket] { return m_lastQuery == ticket; };
    if (!isWanted()) {
      return;
    }
    EntryPart part;
    part.ticket = ticket;
    part.isFirst = true;
    if (auto runs = reader.runs()) {
      for (gallery::RunHeading& run : *runs) {
        part.runs.insert(run.id, std::move(run));
      }
    }
    if (query.grouping == GalleryQuery::Grouping::Prompt) {
      if (auto texts = reader.promptTexts()) {
        part.promptTexts = *std::move(texts);
      }
    }
    // By stars the first ones are known when all are.
    const std::size_t first = query.order == GalleryQuery::Order::Stars ? 0 : kFirstPart;
    const auto take = [&](std::vector<gallery::PictureEntry> entries, bool isLast) {
      if (query.order == GalleryQuery::Order::Stars) {
        std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.stars > b.stars; });
      }
      part.entries = std::move(entries);
      part.isLast = isLast;
      answer([this, part = std::exchange(part, EntryPart())] { Q_EMIT entriesFound(part); });
      part.ticket = ticket;
      return isWanted();
    };
    const auto read = reader.entries(query.filter, entryOrderOf(query.order), first, take, isWanted);
    if (!read && read.error().code != base::ErrorCode::Cancelled) {
      answer([this, error = read.error()] { Q_EMIT failed(error); });
    }
  });
  if (!m_location || !QFileInfo::exists(m_location->databaseFile())) {
    EntryPart none;
    none.ticket = ticket;
    none.isFirst = none.isLast = true;
    answer([this, none] { Q_EMIT entriesFound(none); });
  }
  return ticket;
}

void PictureLibrary::askRows(const std::vector<qint64>& ids) {
  onThread(kReading, [this, ids](gallery::PictureReader& reader) {
    if (auto rows = reader.rowsOf(ids)) {
      answer([this, rows = *std::move(rows)] { Q_EMIT rowsRead(rows); });
    }
  });
}

void PictureLibrary::askRowsThen(const std::vector<qint64>& ids, std::function<void(std::vector<gallery::PictureRow>)> take) {
  onThread(kReading, [this, ids, take = std::move(take)](gallery::PictureReader& reader) {
    auto rows = reader.rowsOf(ids);
    answer([rows = rows ? *std::move(rows) : std::vector<gallery::PictureRow>(), take] { take(rows); });
  });
}

void PictureLibrary::askDetails(qint64 id) {
  onThread(kReading, [this, id](gallery::PictureReader& reader) {
    const auto details = reader.details(id);
    if (details && *details) {
      answer([this, found = **details] { Q_EMIT detailsRead(found); });
    }
  });
}

void PictureLibrary::askEntry(quint64 runId, qint64 index) { lookForEntry(runId, index, kEntryTries); }

void PictureLibrary::lookForEntry(quint64 runId, qint64 index, int triesLeft) {
  onThread(kReading, [this, runId, index, triesLeft](gallery::PictureReader& reader) {
    const auto entry = reader.entry(runId, index);
    if (entry && *entry) {
      answer([this, found = **entry] { Q_EMIT entryFound(found); });
    } else if (triesLeft > 0) {
      answer([this, runId, index, triesLeft] {
        QTimer::singleShot(kEntryRetryMs, this, [this, runId, index, triesLeft] { lookForEntry(runId, index, triesLeft - 1); });
      });
    }
  });
}

void PictureLibrary::askFacets() {
  onThread(kReading, [this](gallery::PictureReader& reader) {
    Facets facets;
    const auto stars = reader.starCounts();
    facets.stars = stars ? *stars : std::vector<qint64>(gallery::kMaxStars + 1, 0);
    const auto countOf = [&](const gallery::PictureFilter& filter) {
      const auto count = reader.count(filter);
      return count ? *count : 0;
    };
    gallery::PictureFilter filter;
    filter.pick = 1;
    facets.picks = countOf(filter);
    filter.pick = -1;
    facets.rejects = countOf(filter);
    filter = {};
    filter.trash = gallery::PictureFilter::Trash::Only;
    facets.trashed = countOf(filter);
    const auto names = [](auto read) { return read ? *std::move(read) : std::vector<gallery::NameCount>(); };
    facets.tags = names(reader.tags());
    facets.albums = names(reader.albums());
    facets.models = names(reader.models());
    facets.days = names(reader.days());
    const auto counts = reader.runCounts();
    if (auto runs = reader.runs(); runs && counts) {
      for (gallery::RunHeading& run : *runs) {
        if (const qint64 count = counts->value(run.id); count > 0) {
          facets.runs.emplace_back(std::move(run), count);
        }
      }
    }
    answer([this, facets = std::move(facets)] { Q_EMIT facetsCounted(facets); });
  });
}

}  // namespace polyptych::ui
