#include "ui/gallery/gallery_model.h"

#include <QDateTime>
#include <QLocale>
#include <QMimeData>
#include <QUrl>
#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "core/gallery/prompt_grams.h"
#include "ui/elided.h"
#include "ui/images.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// Paths of pictures that were made while the window was open.
constexpr qsizetype kMostPathsOfEnded = 50'000;

using gallery::PictureEntry;
using Order = GalleryQuery::Order;
using Grouping = GalleryQuery::Grouping;

constexpr int kRowDataKept = 6000;
constexpr int kRowsAtOnce = 160;
/// More pieces than that are not worth keeping every row in its place: the view lays itself out for each.
constexpr std::size_t kMostPieces = 256;
constexpr int kRefreshMs = 60;
constexpr int kFacetsMs = 250;

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

QString dayText(const QDate& day) {
  const QDate today = QDate::currentDate();
  if (day == today) {
    return GalleryModel::tr("Today");
  }
  if (day == today.addDays(-1)) {
    return GalleryModel::tr("Yesterday");
  }
  return QLocale().toString(day, QLocale::LongFormat);
}

}  // namespace

GalleryModel::GalleryModel(QObject* parent, qsizetype thumbnailBytes, std::optional<library::Location> location)
    : QAbstractListModel(parent),
      m_library(location),
      m_tiles(location.value_or(library::Location{QStringLiteral("/"), library::Location::Layout::Flat}), thumbnailBytes),
      m_rowData(kRowDataKept) {
  m_isSettled = !location;
  m_isComplete = !location;
  m_askTimer.setSingleShot(true);
  m_askTimer.setInterval(0);
  m_facetsTimer.setSingleShot(true);
  m_facetsTimer.setInterval(kFacetsMs);
  m_refreshTimer.setSingleShot(true);
  m_refreshTimer.setInterval(kRefreshMs);
  connect(&m_askTimer, &QTimer::timeout, this, [this] { m_library.askRows(std::exchange(m_toAsk, {})); });
  connect(&m_facetsTimer, &QTimer::timeout, this, &GalleryModel::facetsWanted);
  connect(&m_refreshTimer, &QTimer::timeout, this, &GalleryModel::refresh);
  connect(&m_library, &PictureLibrary::entriesFound, this, &GalleryModel::onEntriesFound);
  connect(&m_library, &PictureLibrary::entryFound, this, &GalleryModel::onEntryFound);
  connect(&m_library, &PictureLibrary::rowsRead, this, &GalleryModel::onRowsRead);
  connect(&m_library, &PictureLibrary::failed, this, &GalleryModel::troubled);
  connect(&m_tiles, &TilePictures::changed, this, [this](const QString& path) {
    const QSet<int> rows = m_rowsOfPath.take(path);
    for (const int row : rows) {
      if (row < rowCount()) {
        const Item& item = m_items[static_cast<std::size_t>(row)];
        if (Live* live = liveOf(item.entry.runId, item.entry.index)) {
          live->preview = {};
        }
        touch(row);
      }
    }
  });
}

GalleryModel::~GalleryModel() = default;

int GalleryModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_items.size()); }

Qt::ItemFlags GalleryModel::flags(const QModelIndex& index) const {
  Qt::ItemFlags flags = QAbstractListModel::flags(index);
  if (index.isValid() && m_items[static_cast<std::size_t>(index.row())].state == State::Done) {
    flags |= Qt::ItemIsDragEnabled;
  }
  return flags;
}

QStringList GalleryModel::mimeTypes() const { return {QStringLiteral("text/uri-list")}; }

QMimeData* GalleryModel::mimeData(const QModelIndexList& indexes) const {
  QList<QUrl> urls;
  for (const QModelIndex& index : indexes) {
    if (const QString path = index.data(PathRole).toString(); !path.isEmpty()) {
      urls << QUrl::fromLocalFile(path);
    }
  }
  auto* data = new QMimeData;
  data->setUrls(urls);
  return data;
}

QVariant GalleryModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const int row = index.row();
  const Item& item = m_items[static_cast<std::size_t>(row)];
  const Live* live = liveOf(item.entry.runId, item.entry.index);
  switch (role) {
    case Qt::DecorationRole: {
      if (item.state != State::Done) {
        return live != nullptr ? live->preview : QPixmap();
      }
      const QString path = pathOf(item, row);
      if (path.isEmpty()) {
        return QPixmap();
      }
      m_rowsOfPath[path].insert(row);
      const QPixmap tile = m_tiles.of(path);
      return tile.isNull() && live != nullptr ? live->preview : tile;
    }
    case Qt::ToolTipRole: {
      const QString prompt = promptOf(item, row);
      return wrappedTip(item.state == State::Failed && live != nullptr ? prompt + u'\n' + tipOf(live->reason) : prompt);
    }
    case Qt::AccessibleTextRole: {
      QString text = promptOf(item, row);
      if (item.entry.stars > 0) {
        text += QStringLiteral(", ") + tr("%n star(s)", nullptr, item.entry.stars);
      }
      if (item.entry.pick != 0) {
        text += QStringLiteral(", ") + (item.entry.pick > 0 ? tr("picked") : tr("rejected"));
      }
      if (item.state != State::Done) {
        text += QStringLiteral(", ") + (item.state == State::Working  ? tr("in work")
                                        : item.state == State::Failed ? tr("failed")
                                                                      : tr("waiting"));
      }
      return text;
    }
    case StateRole:
      return QVariant::fromValue(item.state);
    case PathRole:
      return pathOf(item, row);
    case PartRole:
      return live != nullptr ? live->part : 0.0;
    case PromptRole:
      return promptOf(item, row);
    case SeedRole: {
      if (const Run* run = runOf(item.entry.runId);
          run != nullptr && static_cast<std::size_t>(item.entry.index) < run->requests.size()) {
        return static_cast<qulonglong>(run->requests[static_cast<std::size_t>(item.entry.index)].seed);
      }
      const gallery::PictureRow* data = rowDataOf(row);
      return data != nullptr ? static_cast<qulonglong>(data->seed) : QVariant();
    }
    case ReasonRole:
      return live != nullptr ? live->reason.sentence : QString();
    case IdRole:
      return item.entry.id;
    case StarsRole:
      return int{item.entry.stars};
    case PickRole:
      return int{item.entry.pick};
    case RunRole:
      return item.entry.runId;
    case IndexRole:
      return item.entry.index;
    case MadeRole:
      return item.entry.madeMs;
    default:
      return {};
  }
}

const GalleryModel::Run* GalleryModel::runOf(quint64 runId) const {
  const auto found = m_runs.constFind(runId);
  return found == m_runs.constEnd() ? nullptr : &*found;
}

GalleryModel::Live* GalleryModel::liveOf(quint64 runId, qint64 index) {
  const auto found = m_runs.find(runId);
  return found == m_runs.end() || index < 0 || static_cast<std::size_t>(index) >= found->pictures.size()
             ? nullptr
             : &found->pictures[static_cast<std::size_t>(index)];
}

const GalleryModel::Live* GalleryModel::liveOf(quint64 runId, qint64 index) const {
  return const_cast<GalleryModel*>(this)->liveOf(runId, index);
}

QString GalleryModel::pathOf(const Item& item, int row) const {
  if (item.state != State::Done) {
    return {};
  }
  if (const Live* live = liveOf(item.entry.runId, item.entry.index); live != nullptr && !live->path.isEmpty()) {
    return live->path;
  }
  const gallery::PictureRow* data = rowDataOf(row);
  return data != nullptr ? data->path : m_pathsOfEnded.value(item.entry.id);
}

QString GalleryModel::promptOf(const Item& item, int row) const {
  if (const Run* run = runOf(item.entry.runId);
      run != nullptr && static_cast<std::size_t>(item.entry.index) < run->requests.size()) {
    return QString::fromStdString(run->requests[static_cast<std::size_t>(item.entry.index)].prompt);
  }
  const gallery::PictureRow* data = rowDataOf(row);
  return data != nullptr ? data->prompt : QString();
}

const gallery::PictureRow* GalleryModel::rowDataOf(int row) const {
  const qint64 id = m_items[static_cast<std::size_t>(row)].entry.id;
  if (id == 0) {
    return nullptr;
  }
  const gallery::PictureRow* data = m_rowData.object(id);
  if (data == nullptr && !m_askedRows.contains(id)) {
    askRowsAround(row);
  }
  return data;
}

void GalleryModel::askRowsAround(int row) const {
  const int first = std::max(0, row - kRowsAtOnce / 8);
  const int last = std::min(rowCount(), row + kRowsAtOnce);
  for (int i = first; i < last; ++i) {
    const qint64 id = m_items[static_cast<std::size_t>(i)].entry.id;
    if (id != 0 && !m_askedRows.contains(id) && !m_rowData.contains(id)) {
      m_askedRows.insert(id, i);
      m_toAsk.push_back(id);
    }
  }
  if (!m_askTimer.isActive()) {
    m_askTimer.start();
  }
}

void GalleryModel::onRowsRead(const std::vector<gallery::PictureRow>& rows) {
  QSet<qint64> moved;
  int first = rowCount();
  int last = -1;
  const auto note = [&](int row) {
    first = std::min(first, row);
    last = std::max(last, row);
  };
  for (const gallery::PictureRow& data : rows) {
    const int row = m_askedRows.contains(data.id) ? m_askedRows.take(data.id) : -1;
    m_rowData.insert(data.id, new gallery::PictureRow(data));
    if (row >= 0 && row < rowCount() && m_items[static_cast<std::size_t>(row)].entry.id == data.id) {
      note(row);
    } else {
      moved.insert(data.id);
    }
  }
  for (int row = 0; row < rowCount() && !moved.isEmpty(); ++row) {
    if (moved.remove(m_items[static_cast<std::size_t>(row)].entry.id)) {
      note(row);
    }
  }
  if (last >= 0) {
    Q_EMIT dataChanged(index(first), index(last));
  }
}

void GalleryModel::setQuery(const GalleryQuery& query) {
  m_query = query;
  m_searchForm = gallery::searchForm(query.filter.text).trimmed();
  m_isRefresh = false;
  m_isComplete = false;
  m_arriving.clear();
  m_refreshTimer.stop();
  m_ticket = m_library.query(m_query);
}

void GalleryModel::refresh() {
  // A query that is on its way and shows something new is not to be held back.
  m_isRefresh = m_isRefresh || m_isComplete;
  m_arriving.clear();
  m_ticket = m_library.query(m_query);
  for (Pending& pending : m_pending) {
    if (pending.untilTicket == std::numeric_limits<quint64>::max()) {
      pending.untilTicket = m_ticket;
    }
  }
}

void GalleryModel::onEntriesFound(const EntryPart& part) {
  if (part.ticket != m_ticket) {
    return;
  }
  if (part.isFirst) {
    m_headings = part.runs;
    m_promptTexts = part.promptTexts;
    m_arriving = part.entries;
  } else {
    m_arriving.insert(m_arriving.end(), part.entries.begin(), part.entries.end());
  }
  if (part.isLast) {
    std::erase_if(m_pending,
                  [&](const Pending& pending) { return pending.untilTicket != 0 && pending.untilTicket <= part.ticket; });
    for (auto run = m_runs.begin(); run != m_runs.end();) {
      // A run that is over stands in the library with all that came of it.
      const bool isAllThere = run->isOver && m_library.hasLibrary() && std::ranges::all_of(run->pictures, [](const Live& live) {
                                return live.isDropped || live.entry.has_value();
                              });
      if (isAllThere) {
        // Or its tiles would be blank until their rows are read.
        if (m_pathsOfEnded.size() > kMostPathsOfEnded) {
          m_pathsOfEnded.clear();
        }
        for (const Live& live : run->pictures) {
          if (live.entry && !live.path.isEmpty()) {
            m_pathsOfEnded.insert(live.entry->id, live.path);
          }
        }
      }
      run = isAllThere ? m_runs.erase(run) : std::next(run);
    }
  }
  if (m_isRefresh && !part.isLast) {
    return;
  }
  m_entries = m_arriving;
  m_isComplete = part.isLast;
  rebuild(part.isFirst && !m_isRefresh);
  if (!std::exchange(m_isSettled, true) || part.isFirst) {
    Q_EMIT settled();
  }
  if (part.isLast) {
    m_arriving.clear();
    Q_EMIT completed();
  }
}

void GalleryModel::onEntryFound(const PictureEntry& entry) {
  if (Live* live = liveOf(entry.runId, entry.index)) {
    live->entry = entry;
    live->state = State::Done;
    const int row = rowOf(entry.runId, entry.index);
    if (row >= 0) {
      const quint64 group = m_items[static_cast<std::size_t>(row)].group;
      m_items[static_cast<std::size_t>(row)].entry = entry;
      m_items[static_cast<std::size_t>(row)].group = group;
      touch(row);
    }
    askFacetsSoon();
  }
}

bool GalleryModel::showsLive() const {
  const gallery::PictureFilter& filter = m_query.filter;
  return filter.minStars == 0 && !filter.pick && filter.tags.isEmpty() && filter.album.isEmpty() && filter.model.isEmpty() &&
         filter.scheduler.isEmpty() && !filter.untilMs && filter.trash != gallery::PictureFilter::Trash::Only;
}

bool GalleryModel::isShown(const Run& run, qint64 index) const {
  const Live& live = run.pictures[static_cast<std::size_t>(index)];
  if (live.isDropped || (live.entry && live.entry->isTrashed)) {
    return false;
  }
  return m_searchForm.isEmpty() ||
         gallery::searchForm(QString::fromStdString(run.requests[static_cast<std::size_t>(index)].prompt)).contains(m_searchForm);
}

void GalleryModel::addLive(std::vector<Item>& items, quint64 runId, const Run& run, qint64 index) const {
  const Live& live = run.pictures[static_cast<std::size_t>(index)];
  const domain::GenerationRequest& request = run.requests[static_cast<std::size_t>(index)];
  Item item;
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
  if (m_query.grouping == Grouping::Prompt) {
    item.group = gallery::promptTextNumber(QString::fromStdString(request.prompt));
  }
  items.push_back(item);
}

std::vector<GalleryModel::Item> GalleryModel::composedByRun() const {
  struct Ranked {
    qint64 rank;
    quint64 id;
    const Run* run;
  };
  std::vector<Ranked> live;
  if (showsLive()) {
    for (auto run = m_runs.cbegin(); run != m_runs.cend(); ++run) {
      if (m_query.filter.runId == 0 || m_query.filter.runId == run.key()) {
        const auto heading = m_headings.constFind(run.key());
        // What the library does not know yet is newer than all that it knows.
        live.push_back(
            {heading != m_headings.constEnd() ? heading->number : (qint64{1} << 60) + run->sequence, run.key(), &*run});
      }
    }
  }
  std::ranges::sort(live, [](const Ranked& a, const Ranked& b) { return a.rank > b.rank; });
  std::vector<Item> items;
  items.reserve(m_entries.size());
  const auto addRunOf = [&](const Ranked& ranked, std::size_t begin, std::size_t end) {
    const auto count = static_cast<qint64>(ranked.run->pictures.size());
    for (qint64 i = 0; i < count; ++i) {
      if (begin < end && m_entries[begin].index == i) {
        items.push_back({m_entries[begin++], 0, State::Done});
      } else if (isShown(*ranked.run, i)) {
        addLive(items, ranked.id, *ranked.run, i);
      }
    }
    for (; begin < end; ++begin) {
      items.push_back({m_entries[begin], 0, State::Done});
    }
  };
  std::size_t next = 0;
  for (std::size_t begin = 0; begin < m_entries.size();) {
    const quint64 runId = m_entries[begin].runId;
    std::size_t end = begin;
    while (end < m_entries.size() && m_entries[end].runId == runId) {
      ++end;
    }
    const qint64 number = next < live.size() ? m_headings.value(runId).number : 0;
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
      items.push_back({m_entries[i], 0, State::Done});
    }
    begin = end;
  }
  // The end of what is known, but not of what is to come.
  for (; next < live.size() && (m_isComplete || m_isRefresh); ++next) {
    addRunOf(live[next], 0, 0);
  }
  return items;
}

std::vector<GalleryModel::Item> GalleryModel::composedByTime() const {
  std::vector<Item> items;
  items.reserve(m_entries.size());
  QSet<Key> there;
  if (!m_runs.isEmpty()) {
    for (const PictureEntry& entry : m_entries) {
      if (m_runs.contains(entry.runId)) {
        there.insert({entry.runId, entry.index});
      }
    }
  }
  std::vector<Item> working;
  std::vector<Item> waiting;
  std::vector<std::pair<qint64, Item>> done;
  if (showsLive()) {
    std::vector<std::pair<qint64, quint64>> order;
    for (auto run = m_runs.cbegin(); run != m_runs.cend(); ++run) {
      if (m_query.filter.runId == 0 || m_query.filter.runId == run.key()) {
        order.emplace_back(run->sequence, run.key());
      }
    }
    std::ranges::sort(order);
    for (const auto& [sequence, runId] : order) {
      const Run& run = *m_runs.constFind(runId);
      for (qint64 i = 0; i < static_cast<qint64>(run.pictures.size()); ++i) {
        const Live& live = run.pictures[static_cast<std::size_t>(i)];
        if (there.contains({runId, i}) || !isShown(run, i)) {
          continue;
        }
        std::vector<Item> one;
        addLive(one, runId, run, i);
        if (live.state == State::Done) {
          done.emplace_back(live.doneOrder, one.front());
        } else if (live.state == State::Waiting) {
          waiting.push_back(one.front());
        } else {
          working.push_back(one.front());
        }
      }
    }
    std::ranges::sort(done, {}, &std::pair<qint64, Item>::first);
  }
  const bool isOldest = m_query.order == Order::Oldest;
  std::vector<Item> live;
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
  auto split = m_entries.begin();
  if (isOldest) {
    split = m_isComplete || m_isRefresh ? m_entries.end() : m_entries.begin();
  } else if (m_query.order == Order::Stars) {
    split = std::ranges::find_if(m_entries, [](const PictureEntry& entry) { return entry.stars == 0; });
  }
  for (auto entry = m_entries.begin(); entry != split; ++entry) {
    items.push_back({*entry, 0, State::Done});
  }
  if (!isOldest || m_isComplete || m_isRefresh) {
    items.insert(items.end(), live.begin(), live.end());
  }
  for (auto entry = split; entry != m_entries.end(); ++entry) {
    items.push_back({*entry, 0, State::Done});
  }
  return items;
}

/// What was changed here and is not confirmed yet.
void GalleryModel::overlay(std::vector<Item>& items) const {
  for (const Pending& pending : m_pending) {
    for (Item& item : items) {
      if (item.entry.id == 0 || !pending.ids.contains(item.entry.id)) {
        continue;
      }
      item.entry.stars = static_cast<qint8>(pending.change.stars.value_or(item.entry.stars));
      item.entry.pick = static_cast<qint8>(pending.change.pick.value_or(item.entry.pick));
      item.entry.isTrashed = pending.change.isTrashed.value_or(item.entry.isTrashed);
    }
  }
  if (!m_pending.empty() && m_query.filter.trash != gallery::PictureFilter::Trash::With) {
    const bool wantsTrash = m_query.filter.trash == gallery::PictureFilter::Trash::Only;
    std::erase_if(items, [&](const Item& item) { return item.entry.isTrashed != wantsTrash; });
  }
}

/// Puts pictures of one group behind one another, groups in the order of their first picture.
void GalleryModel::group(std::vector<Item>& items) const {
  if (m_query.grouping == Grouping::None) {
    return;
  }
  DayFinder days;
  const qint64 now = QDateTime::currentMSecsSinceEpoch();
  for (Item& item : items) {
    switch (m_query.grouping) {
      case Grouping::Run:
        item.group = item.entry.runId;
        break;
      case Grouping::Day:
        item.group = days.of(item.entry.id != 0 ? item.entry.madeMs : now);
        break;
      case Grouping::Prompt:
        item.group = item.entry.id != 0 ? m_promptTexts.value(item.entry.prompt, item.group) : item.group;
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
    std::vector<std::vector<Item>> groups(static_cast<std::size_t>(places.size()));
    for (const Item& item : items) {
      groups[static_cast<std::size_t>(places.value(item.group))].push_back(item);
    }
    items.clear();
    for (const auto& one : groups) {
      items.insert(items.end(), one.begin(), one.end());
    }
  }
}

std::vector<GalleryModel::Item> GalleryModel::composed() const {
  std::vector<Item> items = m_query.order == Order::Runs ? composedByRun() : composedByTime();
  overlay(items);
  group(items);
  return items;
}

void GalleryModel::rebuild(bool isOther) { apply(composed(), isOther); }

void GalleryModel::changed() {
  m_areSectionsOld = true;
  m_areLiveRowsOld = true;
  m_rowsOfPath.clear();
}

/// Takes other items with as few changes of rows as there can be.
void GalleryModel::apply(std::vector<Item> items, bool isOther) {
  const auto same = [](const Item& a, const Item& b) { return keyOf(a) == keyOf(b); };
  const auto oldCount = m_items.size();
  const auto newCount = items.size();
  std::size_t prefix = 0;
  while (prefix < oldCount && prefix < newCount && same(m_items[prefix], items[prefix])) {
    ++prefix;
  }
  std::size_t suffix = 0;
  while (suffix < oldCount - prefix && suffix < newCount - prefix &&
         same(m_items[oldCount - 1 - suffix], items[newCount - 1 - suffix])) {
    ++suffix;
  }
  if (isOther && prefix == 0 && suffix == 0) {
    beginResetModel();
    m_items = std::move(items);
    changed();
    endResetModel();
    return;
  }
  splice(items, static_cast<int>(prefix), static_cast<int>(oldCount - suffix), static_cast<int>(newCount - suffix));
}

void GalleryModel::splice(std::vector<Item>& items, int first, int oldEnd, int newEnd) {
  QSet<Key> kept;
  for (int i = first; i < newEnd; ++i) {
    kept.insert(keyOf(items[static_cast<std::size_t>(i)]));
  }
  std::vector<std::pair<int, int>> gone;  // begin, end
  std::vector<Key> stayed;
  QSet<Key> before;
  for (int i = first; i < oldEnd; ++i) {
    const Key key = keyOf(m_items[static_cast<std::size_t>(i)]);
    if (kept.contains(key)) {
      stayed.push_back(key);
      before.insert(key);
    } else if (!gone.empty() && gone.back().second == i) {
      ++gone.back().second;
    } else {
      gone.emplace_back(i, i + 1);
    }
  }
  std::vector<std::pair<int, int>> come;
  std::size_t at = 0;
  bool isInOrder = true;
  for (int i = first; i < newEnd; ++i) {
    const Key key = keyOf(items[static_cast<std::size_t>(i)]);
    if (before.contains(key)) {
      isInOrder = isInOrder && at < stayed.size() && stayed[at] == key;
      ++at;
    } else if (!come.empty() && come.back().second == i) {
      ++come.back().second;
    } else {
      come.emplace_back(i, i + 1);
    }
  }
  if (!isInOrder || gone.size() + come.size() > kMostPieces) {
    beginResetModel();
    m_items = std::move(items);
    changed();
    endResetModel();
    return;
  }
  for (auto piece = gone.rbegin(); piece != gone.rend(); ++piece) {
    beginRemoveRows({}, piece->first, piece->second - 1);
    m_items.erase(m_items.begin() + piece->first, m_items.begin() + piece->second);
    changed();
    endRemoveRows();
  }
  for (const auto& [begin, end] : come) {
    beginInsertRows({}, begin, end - 1);
    m_items.insert(m_items.begin() + begin, items.begin() + begin, items.begin() + end);
    changed();
    endInsertRows();
  }
  int firstChanged = -1;
  int lastChanged = -1;
  bool areGroupsOther = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Item& old = m_items[i];
    const Item& now = items[i];
    if (old.state != now.state || old.entry.id != now.entry.id || old.entry.stars != now.entry.stars ||
        old.entry.pick != now.entry.pick || old.entry.isTrashed != now.entry.isTrashed || old.group != now.group) {
      areGroupsOther = areGroupsOther || old.group != now.group;
      firstChanged = firstChanged < 0 ? static_cast<int>(i) : firstChanged;
      lastChanged = static_cast<int>(i);
    }
    old = now;
  }
  if (firstChanged >= 0) {
    Q_EMIT dataChanged(index(firstChanged), index(lastChanged));
  }
  if (areGroupsOther) {
    m_areSectionsOld = true;
    Q_EMIT regrouped();
  }
}

const std::vector<GalleryModel::Section>& GalleryModel::sections() const {
  if (m_areSectionsOld) {
    m_areSectionsOld = false;
    m_sections.clear();
    for (std::size_t i = 0; i < m_items.size(); ++i) {
      if (m_sections.empty() || m_items[i].group != m_sections.back().group) {
        m_sections.push_back({static_cast<int>(i), 0, m_items[i].group});
      }
      ++m_sections.back().count;
    }
  }
  return m_sections;
}

QString GalleryModel::titleOf(const Section& section) const {
  const Item& item = m_items[static_cast<std::size_t>(section.first)];
  switch (m_query.grouping) {
    case Grouping::None:
      return {};
    case Grouping::Day:
      return dayText(QDate::fromJulianDay(static_cast<qint64>(section.group)));
    case Grouping::Prompt:
      return promptOf(item, section.first).simplified();
    case Grouping::Run:
      break;
  }
  const auto heading = m_headings.constFind(section.group);
  const Run* run = runOf(section.group);
  const qint64 born = heading != m_headings.constEnd() ? heading->createdMs : run != nullptr ? run->bornMs : item.entry.madeMs;
  const QString title = heading != m_headings.constEnd()           ? heading->title
                        : run != nullptr && !run->requests.empty() ? QString::fromStdString(run->requests.front().prompt)
                                                                   : promptOf(item, section.first);
  const QDateTime time = QDateTime::fromMSecsSinceEpoch(born);
  return QStringLiteral("%1 %2 · %3")
      .arg(dayText(time.date()), QLocale().toString(time.time(), QLocale::ShortFormat), title.simplified());
}

void GalleryModel::addRun(quint64 runId, const std::vector<domain::GenerationRequest>& requests,
                          const std::vector<QString>& pictures) {
  Run& run = m_runs[runId];
  if (run.sequence == 0) {
    run.sequence = ++m_sequence;
    run.bornMs = QDateTime::currentMSecsSinceEpoch();
  }
  run.isOver = false;
  if (run.requests.size() < requests.size()) {
    run.requests = requests;
    run.pictures.resize(requests.size());
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Live& live = run.pictures[i];
    live.isDropped = false;
    if (i < pictures.size() && !pictures[i].isEmpty() && live.state != State::Done) {
      live.state = State::Done;
      live.path = pictures[i];
      live.doneOrder = ++m_sequence;
    }
  }
  rebuild();
  if (m_library.hasLibrary() && std::ranges::any_of(pictures, [](const QString& path) { return !path.isEmpty(); })) {
    m_refreshTimer.start();
  }
}

int GalleryModel::rowOf(quint64 runId, qint64 index) const {
  if (m_areLiveRowsOld) {
    m_areLiveRowsOld = false;
    m_liveRows.clear();
    for (int row = 0; row < rowCount() && !m_runs.isEmpty(); ++row) {
      const PictureEntry& entry = m_items[static_cast<std::size_t>(row)].entry;
      if (m_runs.contains(entry.runId)) {
        m_liveRows.insert({entry.runId, entry.index}, row);
      }
    }
  }
  return m_liveRows.value({runId, index}, -1);
}

int GalleryModel::rowOfId(qint64 id) const {
  const auto found = std::ranges::find_if(m_items, [&](const Item& item) { return item.entry.id == id; });
  return id == 0 || found == m_items.end() ? -1 : static_cast<int>(found - m_items.begin());
}

void GalleryModel::touch(int row) { Q_EMIT dataChanged(index(row), index(row)); }

void GalleryModel::touchKey(quint64 runId, qint64 i) {
  const Live* live = liveOf(runId, i);
  const int row = rowOf(runId, i);
  if (row >= 0 && live != nullptr) {
    m_items[static_cast<std::size_t>(row)].state = live->state;
    touch(row);
  } else if (m_query.order != Order::Runs) {
    rebuild();
  }
}

void GalleryModel::setProgress(quint64 runId, qint64 first, int batch, double part) {
  for (qint64 i = first; i < first + batch; ++i) {
    if (Live* live = liveOf(runId, i); live != nullptr && !live->isDropped && live->state != State::Done) {
      live->state = State::Working;
      live->part = part;
      touchKey(runId, i);
    }
  }
}

void GalleryModel::setPreview(quint64 runId, qint64 i, const domain::Image& preview) {
  if (Live* live = liveOf(runId, i); live != nullptr && live->state != State::Done && !preview.isNull()) {
    live->preview = QPixmap::fromImage(toQImage(preview));
    touchKey(runId, i);
  }
}

void GalleryModel::setDone(quint64 runId, qint64 i, const QString& path) {
  Live* live = liveOf(runId, i);
  if (live == nullptr) {
    return;
  }
  live->state = State::Done;
  live->path = path;
  live->doneOrder = ++m_sequence;
  touchKey(runId, i);
  m_library.askEntry(runId, i);
}

void GalleryModel::setFailed(quint64 runId, qint64 i, const ErrorText& reason) {
  if (Live* live = liveOf(runId, i); live != nullptr && live->state != State::Done) {
    live->state = State::Failed;
    live->reason = reason;
    touchKey(runId, i);
  }
}

void GalleryModel::dropUnfinished(quint64 runId) {
  const auto run = m_runs.find(runId);
  if (run == m_runs.end()) {
    return;
  }
  run->isOver = true;
  for (Live& live : run->pictures) {
    if (live.state == State::Waiting || live.state == State::Working) {
      live.state = State::Waiting;
      live.isDropped = true;
      live.preview = {};
    }
  }
  rebuild();
  if (m_library.hasLibrary()) {
    m_refreshTimer.start();
  }
}

void GalleryModel::setNothingInWork() {
  for (auto run = m_runs.begin(); run != m_runs.end(); ++run) {
    for (std::size_t i = 0; i < run->pictures.size(); ++i) {
      Live& live = run->pictures[i];
      if (live.state == State::Working) {
        live.state = State::Waiting;
        live.preview = {};
        touchKey(run.key(), static_cast<qint64>(i));
      }
    }
  }
}

void GalleryModel::addPending(quint64 number, const backend::MarkChange& change) {
  m_pending.push_back({number, change, QSet<qint64>(change.pictures.begin(), change.pictures.end()), 0});
  rebuild();
}

void GalleryModel::settlePending(quint64 number, bool isRefused) {
  if (isRefused) {
    std::erase_if(m_pending, [&](const Pending& pending) { return pending.number == number; });
    rebuild();
    return;
  }
  for (Pending& pending : m_pending) {
    if (pending.number == number) {
      pending.untilTicket = std::numeric_limits<quint64>::max();
    }
  }
  m_refreshTimer.start();
}

void GalleryModel::onPicturesMarked(const std::vector<qint64>& pictures) {
  const QSet<qint64> ids(pictures.begin(), pictures.end());
  for (auto run = m_runs.cbegin(); run != m_runs.cend(); ++run) {
    for (const Live& live : run->pictures) {
      if (live.entry && ids.contains(live.entry->id)) {
        m_library.askEntry(live.entry->runId, live.entry->index);
      }
    }
  }
  // What is known of them stays until it is read again: tiles do not blink.
  std::ranges::copy_if(pictures, std::back_inserter(m_toAsk), [this](qint64 id) { return m_rowData.contains(id); });
  m_askTimer.start();
  m_refreshTimer.start();
  askFacetsSoon();
}

int GalleryModel::nextDone(int row, int direction) const {
  for (int i = row; i >= 0 && i < rowCount(); i += direction) {
    if (m_items[static_cast<std::size_t>(i)].state == State::Done) {
      return i;
    }
  }
  return -1;
}

QSize GalleryModel::sizeOf(int row) const {
  const PictureEntry& entry = m_items[static_cast<std::size_t>(row)].entry;
  return {entry.width, entry.height};
}

std::vector<qint64> GalleryModel::idsOf(const QModelIndexList& indexes) const {
  std::vector<qint64> ids;
  for (const QModelIndex& index : indexes) {
    if (const qint64 id = m_items[static_cast<std::size_t>(index.row())].entry.id; id != 0) {
      ids.push_back(id);
    }
  }
  return ids;
}

std::vector<qint64> GalleryModel::allIds() const {
  std::vector<qint64> ids;
  for (const Item& item : m_items) {
    if (item.entry.id != 0) {
      ids.push_back(item.entry.id);
    }
  }
  return ids;
}

void GalleryModel::setVisible(int first, int last) {
  QSet<QString> paths;
  for (int row = std::max(0, first); row <= last && row < rowCount(); ++row) {
    if (const QString path = pathOf(m_items[static_cast<std::size_t>(row)], row); !path.isEmpty()) {
      paths.insert(path);
    }
  }
  m_tiles.keepOnly(paths);
  for (auto entry = m_rowsOfPath.begin(); entry != m_rowsOfPath.end();) {
    entry = paths.contains(entry.key()) ? std::next(entry) : m_rowsOfPath.erase(entry);
  }
}

}  // namespace polyptych::ui
