#pragma once

#include <QAbstractTableModel>
#include <QVector>
#include <optional>
#include <vector>

#include "core/domain/device_choice.h"
#include "core/models/memory_estimate.h"
#include "core/models/model_list.h"

namespace polyptych::ui {

struct ModelEntry {
  models::ModelSummary summary;
  std::optional<models::ModelShape> shape;  ///< of one that can be used
};

/// The models of the machine, a row each, and whether they fit on some devices.
class ModelsTable : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Name, Family, Size, Precision, Memory, ColumnCount };
  enum Role {
    ReferenceRole = Qt::UserRole,
    PathRole,
    UsableRole,
    DefaultRole,
    NoteRole,   ///< second line: where it comes from, or why it cannot be used
    FactsRole,  ///< family, size and precision in a line
    FitRole,    ///< int of the worst models::Fit on the devices; nothing if it is not known
  };

  using QAbstractTableModel::QAbstractTableModel;

  void setEntries(QVector<ModelEntry> entries);
  void setDevices(std::vector<domain::DeviceInfo> devices);
  void setDefault(const QString& reference);
  /// Words in another language.
  void retranslate();

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  QString note(const models::ModelSummary& model) const;
  QString memoryText(const ModelEntry& entry) const;
  QString memoryTip(const ModelEntry& entry) const;

  QVector<ModelEntry> m_entries;
  std::vector<domain::DeviceInfo> m_devices;
  QString m_default;
};

}  // namespace polyptych::ui
