#pragma once

#include <QAbstractTableModel>
#include <QDateTime>
#include <QHash>
#include <deque>

#include "core/backend/backend.h"

namespace polyptych::ui {

/// What the devices did, the newest first: states as they changed, pictures, failures.
class DeviceLog : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Time, Device, Event, ColumnCount };
  /// Events that are kept.
  static constexpr int kMost = 4000;

  using QAbstractTableModel::QAbstractTableModel;

  /// @param device  as people call it
  void add(const QString& device, const QString& event, bool isTrouble = false);
  /// Tells a state that is another than the last one of the slot; steps are no news.
  void noteStatus(const QString& device, const backend::SlotStatus& status);
  void notePicture(const QString& device, const backend::PictureEvent& picture);
  void noteFailure(const QString& device, const backend::FailureEvent& failure);
  /// Lines for people, the oldest first. @param device  empty: of all
  QString text(const QString& device) const;
  bool isTrouble(int row) const { return m_events[static_cast<std::size_t>(row)].isTrouble; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  struct Entry {
    QDateTime at;
    QString device;
    QString event;
    bool isTrouble = false;
  };

  std::deque<Entry> m_events;        ///< the newest first
  QHash<QString, QString> m_states;  ///< by slot
};

}  // namespace polyptych::ui
