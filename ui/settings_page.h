#pragma once

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QPushButton>
#include <QSpinBox>
#include <QTimer>
#include <functional>
#include <optional>
#include <vector>

#include "core/backend/backend.h"
#include "ui/elided.h"
#include "ui/shell/page.h"

namespace polyptych::ui {

class Preferences;

/// What can be chosen. Everything takes effect at once; the limits are the library's, the rest is this window's.
class SettingsPage : public Page {
  Q_OBJECT
 public:
  /// @param library  the folder that is open
  SettingsPage(Preferences& preferences, const QString& library, QWidget* parent = nullptr);

  /// What the library has. Before the first call the fields of the limits wait.
  void setLimits(const pool::SupervisionLimits& limits);
  /// Asks which folder.
  void chooseLibrary();

 Q_SIGNALS:
  void limitsWanted(const polyptych::pool::SupervisionLimits& limits);
  /// An empty folder: the one that is used where nobody named one.
  void libraryWanted(const QString& folder);
  void modelsWanted();

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  using Words = std::function<QString()>;
  QVBoxLayout* addSection(const Words& title);
  void addRow(QVBoxLayout* section, const Words& label, const Words& hint, QWidget* control);
  void addText(std::function<void()> setText);
  QComboBox* makeChoice(const char* name, const std::vector<Words>& words);
  QSpinBox* makeNumber(const char* name, int most, const Words& unit, const Words& zero);
  void makeLook();
  void makeWork();
  void makeLibrary(const QString& library);
  void makeLimits();
  void showValues();
  void showLimits(const pool::SupervisionLimits& limits);
  void sendLimits();

  Preferences& m_preferences;
  std::vector<std::function<void()>> m_texts;
  QVBoxLayout* m_sections;
  QComboBox* m_language;
  QComboBox* m_theme;
  QCheckBox* m_reducesMotion;
  QCheckBox* m_previews;
  QSpinBox* m_previewRate;
  QCheckBox* m_notifies;
  QComboBox* m_closing;
  std::optional<pool::SupervisionLimits> m_limits;
  QWidget* m_limitFields;
  QLabel* m_limitHint;
  QSpinBox* m_releaseAfter;
  QSpinBox* m_stopAfter;
  QSpinBox* m_deaths;
  QSpinBox* m_deviceBreaker;
  QSpinBox* m_overallBreaker;
  QCheckBox* m_smaller;
  QDoubleSpinBox* m_reserve;
  QTimer m_later;
  bool m_isShowing = false;
};

}  // namespace polyptych::ui
