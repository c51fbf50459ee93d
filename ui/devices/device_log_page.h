#pragma once

#include <QComboBox>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QTreeView>

#include "ui/devices/device_log.h"
#include "ui/shell/page.h"

namespace polyptych::ui {

/// The log of the devices, of one or of all.
class DeviceLogPage : public Page {
  Q_OBJECT
 public:
  /// `log` outlives it.
  explicit DeviceLogPage(DeviceLog& log, QWidget* parent = nullptr);

  void setDevices(const QStringList& names);
  /// Empty: all.
  void choose(const QString& device);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void filter();
  void updateNothing();

  DeviceLog& m_log;
  QSortFilterProxyModel m_filtered;
  QComboBox* m_device;
  QPushButton* m_copy;
  QTreeView* m_table;
  QLabel* m_nothing;
};

}  // namespace polyptych::ui
