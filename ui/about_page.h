#pragma once

#include <QGridLayout>
#include <QThreadPool>
#include <QVector>
#include <functional>
#include <utility>

#include "ui/shell/page.h"

namespace polyptych::ui {

/// What somebody is told on the page: {"SQLite", "3.40.1"}.
using Versions = QVector<std::pair<QString, QString>>;

/// What the program is, which versions it is made of, and under which licences.
class AboutPage : public Page {
  Q_OBJECT
 public:
  /// @param versions  called on a thread; may block
  explicit AboutPage(std::function<Versions()> versions, QWidget* parent = nullptr);
  ~AboutPage() override;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void showVersions(const Versions& versions);

  const std::function<Versions()> m_versions;
  QGridLayout* m_grid;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
