#include "ui/shell/shortcut_model.h"

#include "ui/shell/fuzzy.h"

namespace polyptych::ui {

ShortcutModel::ShortcutModel(const Actions& actions, QObject* parent) : QAbstractListModel(parent), m_actions(actions) {
  connect(&actions, &Actions::changed, this, [this] {
    // The same rows, as a rule: whoever stands on one stays there.
    const auto before = m_rows.size();
    look();
    if (before == m_rows.size() && before > 0) {
      Q_EMIT dataChanged(index(0), index(static_cast<int>(before) - 1));
    }
  });
  look();
}

void ShortcutModel::setQuery(const QString& query) {
  m_query = query;
  look();
}

void ShortcutModel::look() {
  QVector<Row> rows;
  for (int number = 0; number <= static_cast<int>(ActionCategory::Program); ++number) {
    const auto category = static_cast<ActionCategory>(number);
    const auto heading = rows.size();
    for (const QString& id : m_actions.ids()) {
      if (m_actions.category(id) == category && (m_query.trimmed().isEmpty() || fuzzyScore(m_query, m_actions.text(id)) ||
                                                 fuzzyScore(m_query, m_actions.englishText(id)) ||
                                                 m_actions.keysText(id).contains(m_query.trimmed(), Qt::CaseInsensitive))) {
        rows.append({id, category});
      }
    }
    if (rows.size() > heading) {
      rows.insert(heading, {QString(), category});
    }
  }
  const auto isSame = [](const Row& a, const Row& b) { return a.id == b.id && a.category == b.category; };
  if (std::equal(rows.begin(), rows.end(), m_rows.begin(), m_rows.end(), isSame)) {
    return;
  }
  beginResetModel();
  m_rows = std::move(rows);
  endResetModel();
}

QModelIndex ShortcutModel::indexOf(const QString& id) const {
  for (int row = 0; row < m_rows.size(); ++row) {
    if (!id.isEmpty() && m_rows[row].id == id) {
      return index(row);
    }
  }
  return {};
}

int ShortcutModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

QVariant ShortcutModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const Row& row = m_rows[index.row()];
  if (row.id.isEmpty()) {
    return role == Qt::DisplayRole ? QVariant(Actions::categoryText(row.category)) : QVariant();
  }
  switch (role) {
    case Qt::DisplayRole:
      return m_actions.text(row.id);
    case Qt::AccessibleTextRole: {
      const QString keys = m_actions.keysText(row.id);
      return m_actions.text(row.id) + QStringLiteral(", ") + (keys.isEmpty() ? tr("no keys") : keys);
    }
    case IdRole:
      return row.id;
    case KeysRole:
      return m_actions.keysText(row.id).split(QStringLiteral(" , "), Qt::SkipEmptyParts);
    case IsChangedRole:
      return m_actions.keys(row.id) != m_actions.defaultKeys(row.id);
    default:
      return {};
  }
}

Qt::ItemFlags ShortcutModel::flags(const QModelIndex& index) const {
  if (!index.isValid() || m_rows[index.row()].id.isEmpty()) {
    return Qt::NoItemFlags;
  }
  return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
}

}  // namespace polyptych::ui
