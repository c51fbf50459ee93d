#pragma once

#include <QObject>
#include <QTranslator>
#include <memory>
#include <vector>

#include "ui/shell/preferences.h"

namespace polyptych::ui {

/// The language of the program: its own texts, Qt's, and the form of numbers. Changes while the program runs: every widget gets
/// QEvent::LanguageChange.
class Language : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;
  ~Language() override;

  void apply(LanguageChoice choice);

 private:
  void clear();

  std::vector<std::unique_ptr<QTranslator>> m_translators;
};

}  // namespace polyptych::ui
