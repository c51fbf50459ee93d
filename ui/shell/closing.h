#pragma once

#include <QCheckBox>
#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <array>

#include "core/backend/backend.h"
#include "ui/shell/overlay.h"
#include "ui/shell/preferences.h"

namespace polyptych::ui {

/// The question what becomes of the work when the window closes. The backend is another process: it can go on.
class ClosingSheet : public Overlay {
  Q_OBJECT
 public:
  ClosingSheet(QWidget* window, const Preferences& preferences);

  void setPictures(qint64 pictures);
  bool isToBeRemembered() const { return m_remembers->isChecked(); }

 Q_SIGNALS:
  void chosen(polyptych::ui::ClosingChoice choice);

 protected:
  QSize cardSize() const override;
  QWidget* first() const override { return m_choices[0]; }

 private:
  void setTexts();

  qint64 m_pictures = 0;
  QLabel* m_title;
  QLabel* m_sentence;
  std::array<QPushButton*, 3> m_choices{};
  std::array<QLabel*, 3> m_names{};  ///< words of the choices, over their explanations
  std::array<QLabel*, 3> m_explanations{};
  QCheckBox* m_remembers;
  QPushButton* m_cancel;
};

/// Closes the window once what was chosen is done.
class Closing : public QObject {
  Q_OBJECT
 public:
  /// All of them outlive it.
  Closing(QWidget& window, backend::Backend& backend, Preferences& preferences);

  /// For closeEvent(). @param pictures  that wait or are being made; 0: nothing to ask
  /// @return true: close now; else the window is asked to close again when it may
  bool mayClose(qint64 pictures);

 private:
  void begin(ClosingChoice choice);
  void next();
  void finish();

  QWidget& m_window;
  backend::Backend& m_backend;
  Preferences& m_preferences;
  ClosingSheet* m_sheet;
  std::vector<backend::Command> m_steps;  ///< the last one first
  quint64 m_asked = 0;
  QTimer m_patience;
  bool m_isReady = false;
};

}  // namespace polyptych::ui
