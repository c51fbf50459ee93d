#pragma once

#include <QAbstractTableModel>
#include <QHash>
#include <QTimer>
#include <vector>

#include "core/backend/backend.h"
#include "ui/queue/queue_library.h"

namespace polyptych::ui {

/// The jobs of the queue in their order, as many as were scrolled to. What changes is read again a moment later.
class QueueModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Run, Prompt, Pictures, State, Device, Why, ColumnCount };
  enum Role { IdRole = Qt::UserRole, StateRole, RunRole };

  /// `library` outlives it.
  explicit QueueModel(QueueLibrary& library, QObject* parent = nullptr);

  void setFilter(const queue::JobFilter& filter);
  const queue::JobFilter& filter() const { return m_query.filter; }
  /// Something may be different. Only while somebody looks.
  void refresh();
  void setActive(bool isActive);
  /// Twice as many rows; those that are here are not read again. Not by fetchMore(): a tree view calls that until there is
  /// nothing left.
  void readMore();
  /// Every row of the filter is here.
  bool isWhole() const { return m_isWhole; }
  /// Rows go or come because others were read: whoever has selected them did nothing.
  bool isTaking() const { return m_isTaking; }
  const queue::JobRow& at(int row) const { return m_rows[static_cast<std::size_t>(row)]; }
  const queue::JobCounts& counts() const { return m_counts; }
  const std::vector<queue::RunRow>& runs() const { return m_runs; }
  /// Which device works at which picture.
  void noteStep(quint64 runId, const backend::SlotStatus& status);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  Qt::DropActions supportedDropActions() const override { return Qt::MoveAction; }
  QStringList mimeTypes() const override;
  QMimeData* mimeData(const QModelIndexList& indexes) const override;
  bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column, const QModelIndex& parent) override;

 Q_SIGNALS:
  /// Rows, counts or runs were read.
  void updated();
  /// Jobs were dragged to before another; 0: to behind all.
  void moveWanted(const std::vector<qint64>& jobs, qint64 before);

 private:
  struct Work {
    QString device;
    quint64 runId = 0;
    qint64 index = 0;
  };

  void read();
  void take(const QueuePart& part);
  void merge(const std::vector<queue::JobRow>& rows);
  void append(const std::vector<queue::JobRow>& rows);
  QString deviceOf(const queue::JobRow& row) const;

  QueueLibrary& m_library;
  QueueQuery m_query;
  quint64 m_ticket = 0;
  bool m_isActive = false;
  bool m_isStale = true;
  bool m_isReading = false;
  bool m_isWhole = false;
  bool m_isTaking = false;
  std::vector<queue::JobRow> m_rows;
  queue::JobCounts m_counts;
  std::vector<queue::RunRow> m_runs;
  QHash<QString, Work> m_work;  ///< by slot
  QTimer m_timer;
};

/// "● In work", "▲ Parked"
QString stateWords(queue::JobState state);

}  // namespace polyptych::ui
