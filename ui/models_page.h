#pragma once

#include <QPushButton>
#include <QThreadPool>
#include <QTreeView>
#include <functional>
#include <vector>

#include "core/models/model_description.h"
#include "ui/elided.h"
#include "ui/models_table.h"
#include "ui/shell/page.h"

namespace polyptych::ui {

class Preferences;

/// Which models there are, whether they fit, and where they are looked for.
class ModelsPage : public Page {
  Q_OBJECT
 public:
  using ListModels = std::function<QVector<models::ModelSummary>(const QStringList&)>;
  using DescribeModel = std::function<base::Result<models::ModelDescription>(const QString&)>;

  /// @param folders  of the command line, beside those of the preferences
  /// Both functions are called on a thread and may block.
  ModelsPage(Preferences& preferences, QStringList folders, ListModels list, DescribeModel describe, QWidget* parent = nullptr);
  ~ModelsPage() override;

  /// Every folder that is looked through.
  QStringList folders() const;
  void setDevices(const std::vector<domain::DeviceInfo>& ticked) { m_table->setDevices(ticked); }
  /// Looks at the disk again.
  void refresh();

 Q_SIGNALS:
  /// The models that there are now.
  void listed(const QVector<polyptych::models::ModelSummary>& models);
  void defaultChosen(const QString& reference);

 protected:
  void showEvent(QShowEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void updateFolders();
  void updateFoot();
  void addFolder();
  void chooseDefault();

  Preferences& m_preferences;
  const QStringList m_givenFolders;
  const ListModels m_list;
  const DescribeModel m_describe;
  ModelsTable* m_table;
  QTreeView* m_view;
  QLabel* m_sentence;
  QPushButton* m_refresh;
  QPushButton* m_default;
  QPushButton* m_show;
  QPushButton* m_add;
  QLabel* m_foldersTitle;
  QVBoxLayout* m_folderRows;
  int m_look = 0;
  bool m_isLooking = false;
  bool m_wasListed = false;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
