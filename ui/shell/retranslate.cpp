#include "ui/shell/retranslate.h"

#include <QEvent>
#include <utility>

namespace polyptych::ui {
namespace {

class Retranslator : public QObject {
 public:
  Retranslator(QWidget* widget, std::function<void()> setTexts) : QObject(widget), m_setTexts(std::move(setTexts)) {
    widget->installEventFilter(this);
  }
  bool eventFilter(QObject*, QEvent* event) override {
    if (event->type() == QEvent::LanguageChange) {
      m_setTexts();
    }
    return false;
  }

 private:
  std::function<void()> m_setTexts;
};

}  // namespace

void retranslated(QWidget* widget, std::function<void()> setTexts) {
  setTexts();
  new Retranslator(widget, std::move(setTexts));
}

}  // namespace polyptych::ui
