#include "ui/shell/labelled_field.h"

#include <QLabel>
#include <QVBoxLayout>

#include "ui/shell/page.h"
#include "ui/theme.h"

namespace polyptych::ui {

QWidget* labelledField(QLabel*& label, QWidget* field, QWidget* parent) {
  auto* box = new QWidget(parent);
  auto* layout = new QVBoxLayout(box);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(Metrics::kTight);
  label = makeLabel("label", box);
  label->setBuddy(field);
  layout->addWidget(label);
  layout->addWidget(field);
  return box;
}

}  // namespace polyptych::ui
