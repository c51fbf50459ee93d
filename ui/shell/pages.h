#pragma once

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QStackedWidget>

#include "ui/shell/page.h"

namespace polyptych::ui {

/// The pages of the centre, by name. Leaving one goes back to what stood there before the first of them was opened.
class Pages : public QObject {
  Q_OBJECT
 public:
  explicit Pages(QStackedWidget* centre);

  void add(const QString& name, Page* page);
  void open(const QString& name);
  void leave();
  /// "" if none is open.
  QString current() const;

 Q_SIGNALS:
  void opened(const QString& name);

 private:
  QStackedWidget* m_centre;
  QHash<QString, Page*> m_pages;
  QPointer<QWidget> m_before;
  QPointer<QWidget> m_focusBefore;
};

}  // namespace polyptych::ui
