#include "ui/shell/action_list_model.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ui/shell/actions.h"
#include "ui/shell/fuzzy.h"

namespace polyptych::ui {
namespace {

/// Its own words first; the English ones and the category's are found too, but count less.
constexpr int kEnglishCost = 4;
constexpr int kCategoryCost = 6;

std::optional<int> scoreOf(const Actions& actions, const QString& id, const QString& query) {
  std::optional<int> best;
  const auto take = [&](std::optional<int> score, int cost) {
    if (score && (!best || *score - cost > *best)) {
      best = *score - cost;
    }
  };
  take(fuzzyScore(query, actions.text(id)), 0);
  take(fuzzyScore(query, actions.englishText(id)), kEnglishCost);
  take(fuzzyScore(query, Actions::categoryText(actions.category(id)) + u' ' + actions.text(id)), kCategoryCost);
  return best;
}

}  // namespace

ActionListModel::ActionListModel(const Actions& actions, QObject* parent) : QAbstractListModel(parent), m_actions(actions) {
  connect(&actions, &Actions::changed, this, &ActionListModel::look);
  look();
}

void ActionListModel::setQuery(const QString& query) {
  m_query = query;
  look();
}

void ActionListModel::look() {
  struct Found {
    int score;
    QString id;
  };
  std::vector<Found> found;
  for (const QString& id : m_actions.ids()) {
    if (!m_actions.isEnabled(id) || id == QLatin1String("program.actionList")) {
      continue;
    }
    if (const auto score = scoreOf(m_actions, id, m_query)) {
      const auto recent = m_actions.recent().indexOf(id);
      // Used lately: before what fits equally well, and before everything where nothing was typed.
      const int bonus = recent < 0 ? 0 : static_cast<int>(m_actions.recent().size() - recent);
      found.push_back({m_query.trimmed().isEmpty() ? bonus : *score * 100 + bonus, id});
    }
  }
  std::ranges::stable_sort(found, {}, [this](const Found& one) { return m_actions.category(one.id); });
  std::ranges::stable_sort(found, std::ranges::greater(), &Found::score);
  QStringList ids;
  for (const Found& one : found) {
    ids << one.id;
  }
  beginResetModel();
  m_ids = std::move(ids);
  endResetModel();
}

int ActionListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_ids.size()); }

QVariant ActionListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const QString& id = m_ids[index.row()];
  switch (role) {
    case Qt::DisplayRole:
      return m_actions.text(id);
    case Qt::AccessibleTextRole: {
      const QString keys = m_actions.keysText(id);
      return keys.isEmpty() ? m_actions.text(id) : m_actions.text(id) + QStringLiteral(", ") + keys;
    }
    case IdRole:
      return id;
    case CategoryRole:
      return Actions::categoryText(m_actions.category(id));
    case KeysRole:
      return m_actions.keysText(id).split(QStringLiteral(" , "), Qt::SkipEmptyParts);
    default:
      return {};
  }
}

}  // namespace polyptych::ui
