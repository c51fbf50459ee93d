#include "ui/gallery/gallery_model.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <QMimeData>
#include <QUrl>
#include <algorithm>
#include <utility>

#include "core/gallery/prompt_grams.h"
#include "ui/elided.h"
#include "ui/gallery/arrangement.h"

namespace polyptych::ui {
namespace {

/// Paths of pictures that were made while the window was open.
constexpr qsizetype kMostPathsOfEnded = 50'000;

using gallery::PictureEntry;
using Grouping = GalleryQuery::Grouping;

constexpr int kRowsAtOnce = 160;
/// More pieces than that are not worth keeping every row in its place: the view lays itself out for each.
constexpr std::size_t kMostPieces = 256;
constexpr int kRefreshMs = 60;
constexpr int kFacetsMs = 250;

QString dayText(const QDate& day) {
  const QDate today = QDate::currentDate();
  if (day == today) {
    return QCoreApplication::translate("polyptych::ui::GalleryModel", "Today");
  }
  if (day == today.addDays(-1)) {
    return QCoreApplication::translate("polyptych::ui::GalleryModel", "Yesterday");
  }
  return QLocale().toString(day, QLocale::LongFormat);
}

}  // namespace

GalleryModel::GalleryModel(QObject* parent, qsizetype thumbnailBytes, std::optional<library::Location> location)
    : QAbstractListModel(parent),
      m_library(location),
      m_tiles(location.value_or(library::Location{QStringLiteral("/"), library::Location::Layout::Flat}), thumbnailBytes),
      m_rowData(m_library) {
  m_isSettled = !location;
  m_isComplete = !location;
  m_facetsTimer.setSingleShot(true);
  m_facetsTimer.setInterval(kFacetsMs);
  m_refreshTimer.setSingleShot(true);
  m_refreshTimer.setInterval(kRefreshMs);
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
        const GalleryItem& item = m_items[static_cast<std::size_t>(row)];
        if (LiveRuns::Picture* live = m_live.picture(item.entry.runId, item.entry.index)) {
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
  const GalleryItem& item = m_items[static_cast<std::size_t>(row)];
  const LiveRuns::Picture* live = std::as_const(m_live).picture(item.entry.runId, item.entry.index);
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
      if (const domain::GenerationRequest* request = m_live.request(item.key())) {
        return static_cast<qulonglong>(request->seed);
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

QString GalleryModel::pathOf(const GalleryItem& item, int row) const {
  if (item.state != State::Done) {
    return {};
  }
  if (const LiveRuns::Picture* live = m_live.picture(item.entry.runId, item.entry.index);
      live != nullptr && !live->path.isEmpty()) {
    return live->path;
  }
  const gallery::PictureRow* data = rowDataOf(row);
  return data != nullptr ? data->path : m_pathsOfEnded.value(item.entry.id);
}

QString GalleryModel::promptOf(const GalleryItem& item, int row) const {
  if (const domain::GenerationRequest* request = m_live.request(item.key())) {
    return QString::fromStdString(request->prompt);
  }
  const gallery::PictureRow* data = rowDataOf(row);
  return data != nullptr ? data->prompt : QString();
}

const gallery::PictureRow* GalleryModel::rowDataOf(int row) const {
  const qint64 id = m_items[static_cast<std::size_t>(row)].entry.id;
  if (id == 0) {
    return nullptr;
  }
  const gallery::PictureRow* data = m_rowData.of(id);
  if (data == nullptr && !m_rowData.isAsked(id)) {
    askRowsAround(row);
  }
  return data;
}

void GalleryModel::askRowsAround(int row) const {
  const int first = std::max(0, row - kRowsAtOnce / 8);
  const int last = std::min(rowCount(), row + kRowsAtOnce);
  for (int i = first; i < last; ++i) {
    m_rowData.ask(m_items[static_cast<std::size_t>(i)].entry.id, i);
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
    const std::optional<int> row = m_rowData.take(data);
    if (row && *row < rowCount() && m_items[static_cast<std::size_t>(*row)].entry.id == data.id) {
      note(*row);
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
  m_pending.beginQuery(m_ticket);
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
    m_pending.endQuery(part.ticket);
    if (m_library.hasLibrary()) {
      // Or their tiles would be blank until their rows are read.
      if (m_pathsOfEnded.size() > kMostPathsOfEnded) {
        m_pathsOfEnded.clear();
      }
      m_pathsOfEnded.insert(m_live.takeStored());
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
  if (LiveRuns::Picture* live = m_live.picture(entry.runId, entry.index)) {
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

void GalleryModel::rebuild(bool isOther) {
  apply(arranged({m_query, m_searchForm, m_entries, m_isComplete || m_isRefresh, m_live, m_pending, m_headings, m_promptTexts}),
        isOther);
}

void GalleryModel::changed() {
  m_areSectionsOld = true;
  m_areLiveRowsOld = true;
  m_rowsOfPath.clear();
}

/// Takes other items with as few changes of rows as there can be.
void GalleryModel::apply(std::vector<GalleryItem> items, bool isOther) {
  const auto same = [](const GalleryItem& a, const GalleryItem& b) { return a.key() == b.key(); };
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

void GalleryModel::splice(std::vector<GalleryItem>& items, int first, int oldEnd, int newEnd) {
  QSet<PictureKey> kept;
  for (int i = first; i < newEnd; ++i) {
    kept.insert(items[static_cast<std::size_t>(i)].key());
  }
  std::vector<std::pair<int, int>> gone;  // begin, end
  std::vector<PictureKey> stayed;
  QSet<PictureKey> before;
  for (int i = first; i < oldEnd; ++i) {
    const PictureKey key = m_items[static_cast<std::size_t>(i)].key();
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
    const PictureKey key = items[static_cast<std::size_t>(i)].key();
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
    GalleryItem& old = m_items[i];
    const GalleryItem& now = items[i];
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
  const GalleryItem& item = m_items[static_cast<std::size_t>(section.first)];
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
  const LiveRuns::Run* run = m_live.run(section.group);
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
  m_live.add(runId, requests, pictures);
  rebuild();
  if (m_library.hasLibrary() && std::ranges::any_of(pictures, [](const QString& path) { return !path.isEmpty(); })) {
    m_refreshTimer.start();
  }
}

int GalleryModel::rowOf(quint64 runId, qint64 index) const {
  if (m_areLiveRowsOld) {
    m_areLiveRowsOld = false;
    m_liveRows.clear();
    for (int row = 0; row < rowCount() && !m_live.isEmpty(); ++row) {
      const PictureEntry& entry = m_items[static_cast<std::size_t>(row)].entry;
      if (m_live.contains(entry.runId)) {
        m_liveRows.insert({entry.runId, entry.index}, row);
      }
    }
  }
  return m_liveRows.value({runId, index}, -1);
}

int GalleryModel::rowOfId(qint64 id) const {
  const auto found = std::ranges::find_if(m_items, [&](const GalleryItem& item) { return item.entry.id == id; });
  return id == 0 || found == m_items.end() ? -1 : static_cast<int>(found - m_items.begin());
}

void GalleryModel::touch(int row) { Q_EMIT dataChanged(index(row), index(row)); }

void GalleryModel::touchKey(quint64 runId, qint64 i) {
  const LiveRuns::Picture* live = m_live.picture(runId, i);
  const int row = rowOf(runId, i);
  if (row >= 0 && live != nullptr) {
    m_items[static_cast<std::size_t>(row)].state = live->state;
    touch(row);
  } else if (m_query.order != GalleryQuery::Order::Runs) {
    rebuild();
  }
}

void GalleryModel::setProgress(quint64 runId, qint64 first, int batch, double part) {
  for (qint64 i = first; i < first + batch; ++i) {
    if (m_live.setProgress(runId, i, part)) {
      touchKey(runId, i);
    }
  }
}

void GalleryModel::setPreview(quint64 runId, qint64 i, const domain::Image& preview) {
  if (m_live.setPreview(runId, i, preview)) {
    touchKey(runId, i);
  }
}

void GalleryModel::setDone(quint64 runId, qint64 i, const QString& path) {
  if (m_live.setDone(runId, i, path)) {
    touchKey(runId, i);
    m_library.askEntry(runId, i);
  }
}

void GalleryModel::setFailed(quint64 runId, qint64 i, const ErrorText& reason) {
  if (m_live.setFailed(runId, i, reason)) {
    touchKey(runId, i);
  }
}

void GalleryModel::dropUnfinished(quint64 runId) {
  if (!m_live.end(runId)) {
    return;
  }
  rebuild();
  if (m_library.hasLibrary()) {
    m_refreshTimer.start();
  }
}

void GalleryModel::setNothingInWork() {
  for (const auto& [runId, index] : m_live.takeBackWork()) {
    touchKey(runId, index);
  }
}

void GalleryModel::addPending(quint64 number, const backend::MarkChange& change) {
  m_pending.add(number, change);
  rebuild();
}

void GalleryModel::settlePending(quint64 number, bool isRefused) {
  if (isRefused) {
    m_pending.drop(number);
    rebuild();
  } else {
    m_pending.confirm(number);
    m_refreshTimer.start();
  }
}

void GalleryModel::onPicturesMarked(const std::vector<qint64>& pictures) {
  const QSet<qint64> ids(pictures.begin(), pictures.end());
  for (const LiveRuns::Run& run : m_live.all()) {
    for (const LiveRuns::Picture& live : run.pictures) {
      if (live.entry && ids.contains(live.entry->id)) {
        m_library.askEntry(live.entry->runId, live.entry->index);
      }
    }
  }
  // What is known of them stays until it is read again: tiles do not blink.
  m_rowData.renew(pictures);
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
  for (const GalleryItem& item : m_items) {
    if (item.entry.id != 0) {
      ids.push_back(item.entry.id);
    }
  }
  return ids;
}

void GalleryModel::prepare(int first, int last) const {
  for (int row = first; row <= last; ++row) {
    m_rowData.ask(m_items[static_cast<std::size_t>(row)].entry.id, row);
  }
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
