#include "ui/queue/queue_model.h"

#include <QIODevice>
#include <QLocale>
#include <QMimeData>
#include <QSet>
#include <algorithm>
#include <iterator>

#include "ui/devices/device_card.h"
#include "ui/elided.h"
#include "ui/error_text.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using queue::JobRow;
using queue::JobState;

constexpr int kRefreshMs = 300;
constexpr int kPage = 200;
/// More changes at once than these are told as a new table.
constexpr int kMostSteps = 200;
/// Rows that are read again in a millisecond, with room for other work.
constexpr int kRowsAMillisecond = 20;
const QString kMimeType = QStringLiteral("application/x-polyptych-jobs");

bool isSame(const JobRow& a, const JobRow& b) {
  return a.state == b.state && a.attempts == b.attempts && a.deaths == b.deaths && a.change == b.change && a.error == b.error &&
         a.count == b.count;
}

QColor colourOf(JobState state) {
  const Tokens& t = currentTokens();
  switch (state) {
    case JobState::Leased:
      return t.good;
    case JobState::Failed:
      return t.bad;
    case JobState::Parked:
      return t.warning;
    default:
      return t.secondary;
  }
}

}  // namespace

QString stateWords(JobState state) {
  switch (state) {
    case JobState::Waiting:
      return QStringLiteral("○ ") + QueueModel::tr("Waiting");
    case JobState::Leased:
      return QStringLiteral("● ") + QueueModel::tr("In work");
    case JobState::Done:
      return QStringLiteral("✓ ") + QueueModel::tr("Done");
    case JobState::Failed:
      return QStringLiteral("■ ") + QueueModel::tr("Failed");
    case JobState::Parked:
      return QStringLiteral("▲ ") + QueueModel::tr("Parked");
    case JobState::Cancelled:
      return QStringLiteral("– ") + QueueModel::tr("Cancelled");
  }
  return {};
}

QueueModel::QueueModel(QueueLibrary& library, QObject* parent) : QAbstractTableModel(parent), m_library(library) {
  m_timer.setSingleShot(true);
  connect(&m_timer, &QTimer::timeout, this, &QueueModel::read);
  connect(&library, &QueueLibrary::partRead, this, &QueueModel::take);
  connect(&library, &QueueLibrary::failed, this, [this] { m_isReading = false; });
}

void QueueModel::setFilter(const queue::JobFilter& filter) {
  m_query.filter = filter;
  m_query.limit = kPage;
  read();
}

void QueueModel::refresh() {
  m_isStale = true;
  if (m_isActive && !m_timer.isActive() && !m_isReading) {
    m_timer.start(std::max(kRefreshMs, m_query.limit / kRowsAMillisecond));
  }
}

void QueueModel::setActive(bool isActive) {
  m_isActive = isActive;
  if (isActive && m_isStale) {
    read();
  }
}

void QueueModel::read() {
  m_isStale = false;
  m_isReading = true;
  m_ticket = m_library.read(m_query);
}

void QueueModel::take(const QueuePart& part) {
  if (part.ticket != m_ticket) {
    return;
  }
  m_isReading = false;
  m_isWhole = part.isWhole;
  m_isTaking = true;
  if (part.isContinued) {
    append(part.rows);
  } else {
    m_counts = part.counts;
    m_runs = part.runs;
    merge(part.rows);
  }
  m_isTaking = false;
  Q_EMIT updated();
  if (m_isStale) {
    refresh();
  }
}

/// Those that are not here yet.
void QueueModel::append(const std::vector<JobRow>& rows) {
  QSet<qint64> known;
  known.reserve(static_cast<qsizetype>(m_rows.size()));
  for (const JobRow& row : m_rows) {
    known.insert(row.id);
  }
  std::vector<JobRow> fresh;
  std::ranges::copy_if(rows, std::back_inserter(fresh), [&known](const JobRow& row) { return !known.contains(row.id); });
  if (!fresh.empty()) {
    beginInsertRows({}, rowCount(), rowCount() + static_cast<int>(fresh.size()) - 1);
    m_rows.insert(m_rows.end(), fresh.begin(), fresh.end());
    endInsertRows();
  }
}

/// Rows that go, come or move are told one by one, so that selection and place of a view stay.
void QueueModel::merge(const std::vector<JobRow>& rows) {
  QHash<qint64, int> places;
  places.reserve(static_cast<qsizetype>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    places.insert(rows[i].id, static_cast<int>(i));
  }
  const auto isGone = [&places](const JobRow& row) { return !places.contains(row.id); };
  const auto gone = std::ranges::count_if(m_rows, isGone);
  if (gone > kMostSteps || rows.size() > m_rows.size() - static_cast<std::size_t>(gone) + kMostSteps * kPage) {
    beginResetModel();
    m_rows = rows;
    endResetModel();
    return;
  }
  for (int last = rowCount() - 1; last >= 0; --last) {
    if (isGone(at(last))) {
      int first = last;
      while (first > 0 && isGone(at(first - 1))) {
        --first;
      }
      beginRemoveRows({}, first, last);
      m_rows.erase(m_rows.begin() + first, m_rows.begin() + last + 1);
      endRemoveRows();
      last = first;
    }
  }
  const auto placeOf = [&places](const JobRow& row) { return places.value(row.id); };
  if (!std::ranges::is_sorted(m_rows, {}, placeOf)) {
    Q_EMIT layoutAboutToBeChanged({}, VerticalSortHint);
    const QModelIndexList before = persistentIndexList();
    std::vector<qint64> ids;
    for (const QModelIndex& old : before) {
      ids.push_back(at(old.row()).id);
    }
    std::ranges::sort(m_rows, {}, placeOf);
    QHash<qint64, int> now;
    for (int row = 0; row < rowCount(); ++row) {
      now.insert(at(row).id, row);
    }
    QModelIndexList after;
    for (qsizetype i = 0; i < before.size(); ++i) {
      after << index(now.value(ids[static_cast<std::size_t>(i)]), before[i].column());
    }
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged({}, VerticalSortHint);
  }
  for (std::size_t i = 0; i < rows.size();) {
    if (i < m_rows.size() && m_rows[i].id == rows[i].id) {
      if (!isSame(m_rows[i], rows[i])) {
        m_rows[i] = rows[i];
        Q_EMIT dataChanged(index(static_cast<int>(i), 0), index(static_cast<int>(i), ColumnCount - 1));
      }
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < rows.size() && (i >= m_rows.size() || rows[end].id != m_rows[i].id)) {
      ++end;
    }
    beginInsertRows({}, static_cast<int>(i), static_cast<int>(end) - 1);
    m_rows.insert(m_rows.begin() + static_cast<std::ptrdiff_t>(i), rows.begin() + static_cast<std::ptrdiff_t>(i),
                  rows.begin() + static_cast<std::ptrdiff_t>(end));
    endInsertRows();
    i = end;
  }
}

void QueueModel::noteStep(quint64 runId, const backend::SlotStatus& status) {
  Work& work = m_work[status.slotId];
  if (work.runId == runId && work.index == status.index) {
    return;
  }
  work = {status.slotId, runId, status.index};
  for (int row = 0; row < rowCount() && at(row).state == JobState::Leased; ++row) {
    Q_EMIT dataChanged(index(row, Device), index(row, Device), {Qt::DisplayRole});
  }
}

QString QueueModel::deviceOf(const JobRow& row) const {
  if (row.state != JobState::Leased) {
    return {};
  }
  for (const Work& work : m_work) {
    if (work.runId == row.runId && work.index >= row.firstIndex && work.index < row.firstIndex + row.count) {
      return slotName(work.device);
    }
  }
  return {};
}

int QueueModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int QueueModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant QueueModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const JobRow& row = at(index.row());
  const QLocale locale;
  switch (role) {
    case IdRole:
      return row.id;
    case StateRole:
      return static_cast<int>(row.state);
    case RunRole:
      return row.runId;
    case Qt::ForegroundRole:
      return index.column() == State ? colourOf(row.state)
             : index.column() == Prompt && row.state != JobState::Cancelled && row.state != JobState::Done
                 ? currentTokens().text
                 : currentTokens().secondary;
    case Qt::ToolTipRole:
      if (index.column() == Prompt) {
        return wrappedTip(row.prompt);
      }
      return index.column() == Why && row.error ? wrappedTip(tipOf(textOf(*row.error))) : QVariant();
    case Qt::DisplayRole:
      break;
    default:
      return {};
  }
  switch (index.column()) {
    case Run:
      return locale.toString(row.runNumber);
    case Prompt:
      return row.prompt.simplified();
    case Pictures:
      return row.count == 1
                 ? locale.toString(row.firstIndex + 1)
                 : QStringLiteral("%1–%2").arg(locale.toString(row.firstIndex + 1), locale.toString(row.firstIndex + row.count));
    case State:
      return stateWords(row.state);
    case Device:
      return deviceOf(row);
    case Why: {
      QStringList words;
      if (row.error) {
        words << fewWords(row.error->code);
      }
      if (row.attempts > 1) {
        words << tr("%n attempt(s)", nullptr, row.attempts);
      }
      if (!row.change.isEmpty()) {
        words << row.change;
      }
      return words.join(QStringLiteral(" · "));
    }
    default:
      return {};
  }
}

QVariant QueueModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
    return {};
  }
  const QString names[] = {tr("Run"), tr("Prompt"), tr("Pictures"), tr("State"), tr("Device"), tr("Why")};
  return section >= 0 && section < ColumnCount ? names[section] : QVariant();
}

Qt::ItemFlags QueueModel::flags(const QModelIndex& index) const {
  if (!index.isValid()) {
    return Qt::ItemIsDropEnabled;
  }
  const bool isWaiting = at(index.row()).state == JobState::Waiting;
  return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren |
         (isWaiting ? Qt::ItemIsDragEnabled : Qt::NoItemFlags);
}

void QueueModel::readMore() {
  if (!m_isWhole && !m_isReading && !m_rows.empty()) {
    const int more = std::max(kPage, rowCount());
    m_query.limit = rowCount() + more;
    QueueQuery query{m_query.filter, more, m_rows.back().rank - 1};  // others may stand at the same place
    m_isReading = true;
    m_ticket = m_library.read(query);
  }
}

QStringList QueueModel::mimeTypes() const { return {kMimeType}; }

QMimeData* QueueModel::mimeData(const QModelIndexList& indexes) const {
  QByteArray bytes;
  QDataStream stream(&bytes, QIODevice::WriteOnly);
  for (const QModelIndex& index : indexes) {
    if (index.column() == 0 && at(index.row()).state == JobState::Waiting) {
      stream << at(index.row()).id;
    }
  }
  auto* dragged = new QMimeData;
  dragged->setData(kMimeType, bytes);
  return dragged;
}

bool QueueModel::dropMimeData(const QMimeData* dragged, Qt::DropAction, int row, int, const QModelIndex& parent) {
  QDataStream stream(dragged->data(kMimeType));
  std::vector<qint64> jobs;
  while (!stream.atEnd()) {
    qint64 id = 0;
    stream >> id;
    jobs.push_back(id);
  }
  int place = row >= 0 ? row : parent.isValid() ? parent.row() : rowCount();
  // Before the next one that waits.
  while (place < rowCount() && (at(place).state != JobState::Waiting || std::ranges::find(jobs, at(place).id) != jobs.end())) {
    ++place;
  }
  // Behind the last row that is here there may be others that are not.
  if (!jobs.empty() && (place < rowCount() || m_isWhole)) {
    Q_EMIT moveWanted(jobs, place < rowCount() ? at(place).id : 0);
  }
  // The rows come in their new order when the backend has put them there.
  return false;
}

}  // namespace polyptych::ui
