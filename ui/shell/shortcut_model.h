#pragma once

#include <QAbstractListModel>
#include <QVector>

#include "ui/shell/actions.h"

namespace polyptych::ui {

/// All actions under the headings of their categories, or those that a few letters, or keys, mean.
class ShortcutModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role { IdRole = Qt::UserRole, KeysRole, IsChangedRole };

  explicit ShortcutModel(const Actions& actions, QObject* parent = nullptr);

  void setQuery(const QString& query);
  QModelIndex indexOf(const QString& id) const;
  int rowCount(const QModelIndex& parent = {}) const override;
  /// A heading has no IdRole.
  QVariant data(const QModelIndex& index, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

 private:
  struct Row {
    QString id;  ///< empty: the heading of `category`
    ActionCategory category;
  };
  void look();

  const Actions& m_actions;
  QString m_query;
  QVector<Row> m_rows;
};

}  // namespace polyptych::ui
