#include "ui/gallery/arrangement.h"

#include <QDate>
#include <QDateTime>
#include <QSet>
#include <algorithm>

#include "core/gallery/prompt_grams.h"

namespace polyptych::ui {
namespace {

using gallery::PictureEntry;
using Order = GalleryQuery::Order;
using Grouping = GalleryQuery::Grouping;
using Items = std::vector<GalleryItem>;

/// Julian days of times, asked mostly in order.
class DayFinder {
 public:
  quint64 of(qint64 ms) {
    if (ms < m_begin || ms >= m_end) {
      const QDate day = QDateTime::fromMSecsSinceEpoch(ms).date();
      m_begin = day.startOfDay().toMSecsSinceEpoch();
      m_end = day.addDays(1).startOfDay().toMSecsSinceEpoch();
      m_day = static_cast<quint64>(day.toJulianDay());
    }
    return m_day;
  }

 private:
  qint64 m_begin = 0;
  qint64 m_end = 0;
  quint64 m_day = 0;
};

class Arranger {
 public:
  explicit Arranger(const ArrangementInput& input) : m_input(input) {}

  Items arranged() const {
    Items items = m_input.query.order == Order::Runs ? byRun() : byTime();
    m_input.pending.applyTo(items);
    using Trash = gallery::PictureFilter::Trash;
    if (!m_input.pending.isEmpty() && m_input.query.filter.trash != Trash::With) {
      const bool wantsTrash = m_input.query.filter.trash == Trash::Only;
      std::erase_if(items, [&](const GalleryItem& item) { return item.entry.isTrashed != wantsTrash; });
    }
    group(items);
    return items;
  }

 private:
  bool showsLive() const;
  bool isShown(const LiveRuns::Run& run, qint64 index) const;
  GalleryItem itemOf(quint64 runId, const LiveRuns::Run& run, qint64 index) const;
  Items byRun() const;
  Items byTime() const;
  void group(Items& items) const;

  const ArrangementInput& m_input;
};

bool Arranger::showsLive() const {
  const gallery::PictureFilter& filter = m_input.query.filter;
  return filter.minStars == 0 && !filter.pick && filter.tags.isEmpty() && filter.album.isEmpty() && filter.model.isEmpty() &&
         filter.scheduler.isEmpty() && !filter.untilMs && filter.trash != gallery::PictureFilter::Trash::Only;
}

bool Arranger::isShown(const LiveRuns::Run& run, qint64 index) const {
  const LiveRuns::Picture& live = run.pictures[static_cast<std::size_t>(index)];
  if (live.isDropped || (live.entry && live.entry->isTrashed)) {
    return false;
  }
  return m_input.searchForm.isEmpty() ||
         gallery::searchForm(QString::fromStdString(run.requests[static_cast<std::size_t>(index)].prompt))
             .contains(m_input.searchForm);
}

GalleryItem Arranger::itemOf(quint64 runId, const LiveRuns::Run& run, qint64 index) const {
  const LiveRuns::Picture& live = run.pictures[static_cast<std::size_t>(index)];
  const domain::GenerationRequest& request = run.requests[static_cast<std::size_t>(index)];
  GalleryItem item;
  if (live.entry) {
    item.entry = *live.entry;
  } else {
    item.entry.runId = runId;
    item.entry.index = index;
    item.entry.madeMs = run.bornMs;
    item.entry.width = request.width;
    item.entry.height = request.height;
  }
  item.state = live.state;
  if (m_input.query.grouping == Grouping::Prompt) {
    item.group = gallery::promptTextNumber(QString::fromStdString(request.prompt));
  }
  return item;
}

Items Arranger::byRun() const {
  struct Ranked {
    qint64 rank;
    quint64 id;
    const LiveRuns::Run* run;
  };
  std::vector<Ranked> live;
  if (showsLive()) {
    for (auto run = m_input.live.all().cbegin(); run != m_input.live.all().cend(); ++run) {
      if (m_input.query.filter.runId == 0 || m_input.query.filter.runId == run.key()) {
        const auto heading = m_input.headings.constFind(run.key());
        // What the library does not know yet is newer than all that it knows.
        live.push_back(
            {heading != m_input.headings.constEnd() ? heading->number : (qint64{1} << 60) + run->sequence, run.key(), &*run});
      }
    }
  }
  std::ranges::sort(live, [](const Ranked& a, const Ranked& b) { return a.rank > b.rank; });
  Items items;
  items.reserve(m_input.stored.size());
  const auto addRunOf = [&](const Ranked& ranked, std::size_t begin, std::size_t end) {
    const auto count = static_cast<qint64>(ranked.run->pictures.size());
    for (qint64 i = 0; i < count; ++i) {
      if (begin < end && m_input.stored[begin].index == i) {
        items.push_back({m_input.stored[begin++], 0, PictureState::Done});
      } else if (isShown(*ranked.run, i)) {
        items.push_back(itemOf(ranked.id, *ranked.run, i));
      }
    }
    for (; begin < end; ++begin) {
      items.push_back({m_input.stored[begin], 0, PictureState::Done});
    }
  };
  std::size_t next = 0;
  for (std::size_t begin = 0; begin < m_input.stored.size();) {
    const quint64 runId = m_input.stored[begin].runId;
    std::size_t end = begin;
    while (end < m_input.stored.size() && m_input.stored[end].runId == runId) {
      ++end;
    }
    const qint64 number = next < live.size() ? m_input.headings.value(runId).number : 0;
    bool isLive = false;
    while (next < live.size() && live[next].rank >= number) {
      if (live[next].id == runId) {
        addRunOf(live[next++], begin, end);
        isLive = true;
        break;
      }
      addRunOf(live[next++], 0, 0);
    }
    for (std::size_t i = begin; !isLive && i < end; ++i) {
      items.push_back({m_input.stored[i], 0, PictureState::Done});
    }
    begin = end;
  }
  // The end of what is known, but not of what is to come.
  for (; next < live.size() && m_input.isWhole; ++next) {
    addRunOf(live[next], 0, 0);
  }
  return items;
}

Items Arranger::byTime() const {
  Items items;
  items.reserve(m_input.stored.size());
  QSet<PictureKey> there;
  if (!m_input.live.isEmpty()) {
    for (const PictureEntry& entry : m_input.stored) {
      if (m_input.live.contains(entry.runId)) {
        there.insert({entry.runId, entry.index});
      }
    }
  }
  Items working;
  Items waiting;
  std::vector<std::pair<qint64, GalleryItem>> done;
  if (showsLive()) {
    std::vector<std::pair<qint64, quint64>> order;
    for (auto run = m_input.live.all().cbegin(); run != m_input.live.all().cend(); ++run) {
      if (m_input.query.filter.runId == 0 || m_input.query.filter.runId == run.key()) {
        order.emplace_back(run->sequence, run.key());
      }
    }
    std::ranges::sort(order);
    for (const auto& [sequence, runId] : order) {
      const LiveRuns::Run& run = *m_input.live.all().constFind(runId);
      for (qint64 i = 0; i < static_cast<qint64>(run.pictures.size()); ++i) {
        const LiveRuns::Picture& live = run.pictures[static_cast<std::size_t>(i)];
        if (there.contains({runId, i}) || !isShown(run, i)) {
          continue;
        }
        const GalleryItem item = itemOf(runId, run, i);
        if (live.state == PictureState::Done) {
          done.emplace_back(live.doneOrder, item);
        } else if (live.state == PictureState::Waiting) {
          waiting.push_back(item);
        } else {
          working.push_back(item);
        }
      }
    }
    std::ranges::sort(done, {}, &std::pair<qint64, GalleryItem>::first);
  }
  const bool isOldest = m_input.query.order == Order::Oldest;
  Items live;
  if (isOldest) {
    for (const auto& [order, item] : done) {
      live.push_back(item);
    }
    live.insert(live.end(), working.begin(), working.end());
    live.insert(live.end(), waiting.begin(), waiting.end());
  } else {
    // What waits comes in front of all others once it is there; until then it would push them off the screen.
    live = working;
    for (auto entry = done.rbegin(); entry != done.rend(); ++entry) {
      live.push_back(entry->second);
    }
  }
  auto split = m_input.stored.begin();
  if (isOldest) {
    split = m_input.isWhole ? m_input.stored.end() : m_input.stored.begin();
  } else if (m_input.query.order == Order::Stars) {
    split = std::ranges::find_if(m_input.stored, [](const PictureEntry& entry) { return entry.stars == 0; });
  }
  for (auto entry = m_input.stored.begin(); entry != split; ++entry) {
    items.push_back({*entry, 0, PictureState::Done});
  }
  if (!isOldest || m_input.isWhole) {
    items.insert(items.end(), live.begin(), live.end());
  }
  for (auto entry = split; entry != m_input.stored.end(); ++entry) {
    items.push_back({*entry, 0, PictureState::Done});
  }
  return items;
}

/// Puts pictures of one group behind one another, groups in the order of their first picture.
void Arranger::group(Items& items) const {
  if (m_input.query.grouping == Grouping::None) {
    return;
  }
  DayFinder days;
  const qint64 now = QDateTime::currentMSecsSinceEpoch();
  for (GalleryItem& item : items) {
    switch (m_input.query.grouping) {
      case Grouping::Run:
        item.group = item.entry.runId;
        break;
      case Grouping::Day:
        item.group = days.of(item.entry.id != 0 ? item.entry.madeMs : now);
        break;
      case Grouping::Prompt:
        item.group = item.entry.id != 0 ? m_input.promptTexts.value(item.entry.prompt, item.group) : item.group;
        break;
      case Grouping::None:
        break;
    }
  }
  QHash<quint64, int> places;
  bool isTogether = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0 && items[i].group == items[i - 1].group) {
      continue;
    }
    if (places.contains(items[i].group)) {
      isTogether = false;
    } else {
      places.insert(items[i].group, static_cast<int>(places.size()));
    }
  }
  if (!isTogether) {
    std::vector<Items> groups(static_cast<std::size_t>(places.size()));
    for (const GalleryItem& item : items) {
      groups[static_cast<std::size_t>(places.value(item.group))].push_back(item);
    }
    items.clear();
    for (const auto& one : groups) {
      items.insert(items.end(), one.begin(), one.end());
    }
  }
}

}  // namespace

std::vector<GalleryItem> arranged(const ArrangementInput& input) { return Arranger(input).arranged(); }

}  // namespace polyptych::ui
