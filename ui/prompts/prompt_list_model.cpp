#include "ui/prompts/prompt_list_model.h"

#include <QLocale>
#include <QUndoCommand>
#include <algorithm>
#include <numeric>

namespace polyptych::ui {
namespace {

constexpr int kUndoLimit = 200;
/// More separate places than these are not told one by one.
constexpr std::size_t kMostRanges = 64;

std::vector<int> sorted(QList<int> rows) {
  std::ranges::sort(rows);
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return {rows.begin(), rows.end()};
}

template <typename Rows, typename RowOf>
std::vector<std::pair<std::size_t, std::size_t>> rangesOf(const Rows& rows, RowOf rowOf) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || rowOf(rows[i]) != rowOf(rows[i - 1]) + 1) {
      ranges.emplace_back(i, i);
    }
    ranges.back().second = i;
  }
  return ranges;
}

}  // namespace

class PromptListModel::Insertion : public QUndoCommand {
 public:
  Insertion(PromptListModel& model, Placed entries, const QString& what)
      : QUndoCommand(what), m_model(model), m_entries(std::move(entries)) {
    for (const auto& [row, entry] : m_entries) {
      m_rows.push_back(row);
    }
  }
  void redo() override { m_model.put(std::exchange(m_entries, {})); }
  void undo() override { m_entries = m_model.take(m_rows); }

 private:
  PromptListModel& m_model;
  Placed m_entries;
  std::vector<int> m_rows;
};

class PromptListModel::Removal : public QUndoCommand {
 public:
  Removal(PromptListModel& model, std::vector<int> rows, const QString& what)
      : QUndoCommand(what), m_model(model), m_rows(std::move(rows)) {}
  void redo() override { m_entries = m_model.take(m_rows); }
  void undo() override { m_model.put(std::exchange(m_entries, {})); }

 private:
  PromptListModel& m_model;
  std::vector<int> m_rows;
  Placed m_entries;
};

class PromptListModel::Order : public QUndoCommand {
 public:
  /// @param order  which old row stands at each new one
  Order(PromptListModel& model, std::vector<int> order, const QString& what)
      : QUndoCommand(what), m_model(model), m_order(std::move(order)), m_back(m_order.size()) {
    for (std::size_t i = 0; i < m_order.size(); ++i) {
      m_back[static_cast<std::size_t>(m_order[i])] = static_cast<int>(i);
    }
  }
  void redo() override { m_model.reorder(m_order); }
  void undo() override { m_model.reorder(m_back); }

 private:
  PromptListModel& m_model;
  std::vector<int> m_order;
  std::vector<int> m_back;
};

class PromptListModel::Change : public QUndoCommand {
 public:
  Change(PromptListModel& model, Placed before, Placed after, const QString& what)
      : QUndoCommand(what), m_model(model), m_before(std::move(before)), m_after(std::move(after)) {}
  void redo() override { m_model.set(m_after); }
  void undo() override { m_model.set(m_before); }

 private:
  PromptListModel& m_model;
  Placed m_before;
  Placed m_after;
};

class PromptListModel::Exchange : public QUndoCommand {
 public:
  Exchange(PromptListModel& model, Entries entries, const QString& what)
      : QUndoCommand(what), m_model(model), m_entries(std::move(entries)) {}
  void redo() override { m_model.exchange(m_entries); }
  void undo() override { m_model.exchange(m_entries); }

 private:
  PromptListModel& m_model;
  Entries m_entries;
};

PromptListModel::PromptListModel(QObject* parent) : QAbstractListModel(parent) { m_undo.setUndoLimit(kUndoLimit); }

void PromptListModel::insert(int row, Entries entries) {
  if (entries.empty()) {
    return;
  }
  const auto number = static_cast<int>(entries.size());
  Placed placed;
  placed.reserve(entries.size());
  for (Entry& entry : entries) {
    placed.emplace_back(row++, std::move(entry));
  }
  m_undo.push(new Insertion(*this, std::move(placed), tr("Add %n prompt(s)", nullptr, number)));
}

void PromptListModel::remove(QList<int> rows) {
  if (!rows.isEmpty()) {
    auto ordered = sorted(std::move(rows));
    const auto number = static_cast<int>(ordered.size());
    m_undo.push(new Removal(*this, std::move(ordered), tr("Remove %n prompt(s)", nullptr, number)));
  }
}

int PromptListModel::move(QList<int> rows, int before) {
  const auto moved = sorted(std::move(rows));
  std::vector<int> order;
  order.reserve(m_entries.size());
  const auto isMoved = [&moved](int row) { return std::ranges::binary_search(moved, row); };
  int first = 0;
  for (int row = 0; row <= rowCount(); ++row) {
    if (row == before) {
      first = static_cast<int>(order.size());
      order.insert(order.end(), moved.begin(), moved.end());
    }
    if (row < rowCount() && !isMoved(row)) {
      order.push_back(row);
    }
  }
  if (!std::ranges::is_sorted(order)) {
    m_undo.push(new Order(*this, std::move(order), tr("Move %n prompt(s)", nullptr, static_cast<int>(moved.size()))));
  }
  return first;
}

int PromptListModel::duplicate(QList<int> rows) {
  const auto ordered = sorted(std::move(rows));
  if (ordered.empty()) {
    return -1;
  }
  Entries copies;
  for (const int row : ordered) {
    copies.push_back(at(row));
  }
  const int first = ordered.back() + 1;
  insert(first, std::move(copies));
  return first;
}

void PromptListModel::change(const QList<int>& rows, const QString& what, const std::function<void(Entry&)>& edit) {
  Placed before;
  Placed after;
  for (const int row : sorted(rows)) {
    Entry entry = at(row);
    edit(entry);
    if (!(entry == at(row))) {
      before.emplace_back(row, at(row));
      after.emplace_back(row, std::move(entry));
    }
  }
  if (!after.empty()) {
    m_undo.push(new Change(*this, std::move(before), std::move(after), what));
  }
}

void PromptListModel::replaceAll(Entries entries) {
  if (!(entries == m_entries)) {
    m_undo.push(new Exchange(*this, std::move(entries), tr("Replace the list")));
  }
}

void PromptListModel::restore(Entries entries) {
  exchange(entries);
  m_undo.clear();
}

void PromptListModel::put(Placed entries) {
  const auto ranges = rangesOf(entries, [](const auto& placed) { return placed.first; });
  const bool isTold = ranges.size() <= kMostRanges;
  if (!isTold) {
    beginResetModel();
    Entries all;
    all.reserve(m_entries.size() + entries.size());
    auto old = m_entries.begin();
    for (auto& [row, entry] : entries) {
      while (static_cast<int>(all.size()) < row) {
        all.push_back(std::move(*old++));
      }
      all.push_back(std::move(entry));
    }
    all.insert(all.end(), std::make_move_iterator(old), std::make_move_iterator(m_entries.end()));
    m_entries = std::move(all);
    recount();
    endResetModel();
    Q_EMIT edited();
    return;
  }
  for (const auto& [first, last] : ranges) {
    const int row = entries[first].first;
    beginInsertRows({}, row, entries[last].first);
    std::vector<Entry> part;
    for (std::size_t i = first; i <= last; ++i) {
      count(entries[i].second, 1);
      part.push_back(std::move(entries[i].second));
    }
    m_entries.insert(m_entries.begin() + row, std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
    endInsertRows();
  }
  Q_EMIT edited();
}

PromptListModel::Placed PromptListModel::take(const std::vector<int>& rows) {
  Placed taken;
  taken.reserve(rows.size());
  for (const int row : rows) {
    taken.emplace_back(row, at(row));
  }
  const auto ranges = rangesOf(rows, [](int row) { return row; });
  if (ranges.size() > kMostRanges) {
    beginResetModel();
    Entries left;
    for (int row = 0; row < rowCount(); ++row) {
      if (!std::ranges::binary_search(rows, row)) {
        left.push_back(std::move(m_entries[static_cast<std::size_t>(row)]));
      }
    }
    m_entries = std::move(left);
    recount();
    endResetModel();
  } else {
    for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
      const int first = rows[range->first];
      const int last = rows[range->second];
      beginRemoveRows({}, first, last);
      for (int row = first; row <= last; ++row) {
        count(at(row), -1);
      }
      m_entries.erase(m_entries.begin() + first, m_entries.begin() + last + 1);
      endRemoveRows();
    }
  }
  Q_EMIT edited();
  return taken;
}

void PromptListModel::reorder(const std::vector<int>& order) {
  Q_EMIT layoutAboutToBeChanged({}, VerticalSortHint);
  Entries entries;
  entries.reserve(order.size());
  std::vector<int> placeOf(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    entries.push_back(std::move(m_entries[static_cast<std::size_t>(order[i])]));
    placeOf[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  m_entries = std::move(entries);
  const QModelIndexList before = persistentIndexList();
  QModelIndexList after;
  for (const QModelIndex& old : before) {
    after << index(placeOf[static_cast<std::size_t>(old.row())]);
  }
  changePersistentIndexList(before, after);
  Q_EMIT layoutChanged({}, VerticalSortHint);
  Q_EMIT edited();
}

void PromptListModel::set(const Placed& entries) {
  for (const auto& [row, entry] : entries) {
    count(at(row), -1);
    count(entry, 1);
    m_entries[static_cast<std::size_t>(row)] = entry;
  }
  for (const auto& [first, last] : rangesOf(entries, [](const auto& placed) { return placed.first; })) {
    Q_EMIT dataChanged(index(entries[first].first), index(entries[last].first));
  }
  Q_EMIT edited();
}

void PromptListModel::exchange(Entries& entries) {
  beginResetModel();
  std::swap(m_entries, entries);
  recount();
  endResetModel();
  Q_EMIT edited();
}

void PromptListModel::count(const Entry& entry, int sign) {
  if (!entry.isEnabled) {
    return;
  }
  m_enabled += sign;
  if (entry.images) {
    m_owning += sign;
    m_ownPictures += qint64{sign} * *entry.images;
  } else {
    m_sharing += sign;
  }
}

void PromptListModel::recount() {
  m_enabled = m_sharing = m_owning = m_ownPictures = 0;
  for (const Entry& entry : m_entries) {
    count(entry, 1);
  }
}

int PromptListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

QVariant PromptListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const Entry& entry = at(index.row());
  switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
      return QString::fromStdString(entry.prompt);
    case Qt::CheckStateRole:
      return entry.isEnabled ? Qt::Checked : Qt::Unchecked;
    case Qt::AccessibleTextRole: {
      QStringList words{QString::fromStdString(entry.prompt)};
      if (!entry.isEnabled) {
        words << tr("off");
      }
      return (words + differencesOf(entry)).join(QStringLiteral(", "));
    }
    default:
      return {};
  }
}

bool PromptListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return false;
  }
  if (role == Qt::EditRole) {
    const std::string text = value.toString().simplified().toStdString();
    if (text.empty()) {
      return false;
    }
    change({index.row()}, tr("Edit %n prompt(s)", nullptr, 1), [&text](Entry& entry) { entry.prompt = text; });
    return true;
  }
  if (role == Qt::CheckStateRole) {
    const bool isEnabled = value.toInt() == Qt::Checked;
    change({index.row()}, isEnabled ? tr("Turn %n prompt(s) on", nullptr, 1) : tr("Turn %n prompt(s) off", nullptr, 1),
           [isEnabled](Entry& entry) { entry.isEnabled = isEnabled; });
    return true;
  }
  return false;
}

Qt::ItemFlags PromptListModel::flags(const QModelIndex& index) const {
  return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsEditable | Qt::ItemIsUserCheckable |
                               Qt::ItemIsDragEnabled | Qt::ItemNeverHasChildren
                         : Qt::ItemIsDropEnabled;
}

QStringList differencesOf(const prompt::PromptEntry& entry) {
  QStringList words;
  if (entry.width) {
    words << QStringLiteral("%1×%2").arg(*entry.width).arg(*entry.height);
  }
  if (entry.images) {
    words << QStringLiteral("×%1").arg(*entry.images);
  }
  if (entry.seed) {
    words << PromptListModel::tr("seed %1").arg(*entry.seed);
  }
  if (entry.steps) {
    words << PromptListModel::tr("%n step(s)", nullptr, *entry.steps);
  }
  if (entry.guidanceScale) {
    words << PromptListModel::tr("guidance %1").arg(QLocale().toString(*entry.guidanceScale, 'g', 3));
  }
  if (entry.scheduler) {
    words << QString::fromStdString(*entry.scheduler);
  }
  if (entry.negativePrompt) {
    words << PromptListModel::tr("negative");
  }
  if (entry.model) {
    words << QString::fromStdString(*entry.model);
  }
  return words;
}

}  // namespace polyptych::ui
