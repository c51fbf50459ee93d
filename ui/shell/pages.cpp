#include "ui/shell/pages.h"

namespace polyptych::ui {

Pages::Pages(QStackedWidget* centre) : QObject(centre), m_centre(centre) {}

void Pages::add(const QString& name, Page* page) {
  m_pages.insert(name, page);
  m_centre->addWidget(page);
  connect(page, &Page::left, this, &Pages::leave);
}

QString Pages::current() const { return m_pages.key(qobject_cast<Page*>(m_centre->currentWidget())); }

void Pages::open(const QString& name) {
  Page* page = m_pages.value(name);
  if (page == nullptr || page == m_centre->currentWidget()) {
    return;
  }
  if (current().isEmpty()) {
    m_before = m_centre->currentWidget();
    m_focusBefore = m_centre->window()->focusWidget();
  }
  m_centre->setCurrentWidget(page);
  Q_EMIT opened(name);
  if (!page->isAncestorOf(m_centre->window()->focusWidget())) {
    page->setFocus();
  }
}

void Pages::leave() {
  if (current().isEmpty()) {
    return;
  }
  QWidget* before = m_before != nullptr ? m_before.data() : m_centre->widget(0);
  m_centre->setCurrentWidget(before);
  (m_focusBefore != nullptr && m_focusBefore->isVisible() && m_focusBefore->isEnabled() ? m_focusBefore.data() : before)
      ->setFocus();
}

}  // namespace polyptych::ui
