#pragma once

#include <QAbstractListModel>
#include <QString>
#include <QStringList>

namespace polyptych::ui {

class Actions;

/// The actions that a few typed letters may mean, best first; without letters those used last, then all the others. Only what can
/// be done now.
class ActionListModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role { IdRole = Qt::UserRole, CategoryRole, KeysRole };

  explicit ActionListModel(const Actions& actions, QObject* parent = nullptr);

  void setQuery(const QString& query);
  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 private:
  void look();

  const Actions& m_actions;
  QString m_query;
  QStringList m_ids;
};

}  // namespace polyptych::ui
