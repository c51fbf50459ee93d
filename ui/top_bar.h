#pragma once

#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QWidget>
#include <chrono>
#include <vector>

#include "ui/run_progress.h"

class QDateTime;

namespace polyptych::ui {

class GenerateButton;

/// The bar above everything: name, Generate, Pause, Stop, how far the work is, search.
class TopBar : public QWidget {
  Q_OBJECT
 public:
  /// @param search  stands at its end
  explicit TopBar(QWidget* search, QWidget* parent = nullptr);

  /// Opens the menu.
  QPushButton* name() const { return m_name; }
  QPushButton* generate() const { return m_generate; }
  QPushButton* pause() const { return m_pause; }
  QPushButton* stop() const { return m_stop; }
  /// In the order of Tab.
  std::vector<QWidget*> tabs() const { return {m_name, m_generate, m_pause, m_stop, m_stopMenu, m_search}; }

  /// What Generate would make. It stays enabled while it checks: a button that is disabled gives the focus to whatever comes
  /// next.
  void setPictures(qint64 pictures, bool isChecking);
  /// The keys that do what Generate does.
  void setKeys(const QString& keys);

  /// How the work is.
  struct Work {
    const RunProgress* progress = nullptr;  ///< nothing: there is none
    bool isPaused = false;                  ///< nothing is begun
    bool isHeld = false;                    ///< and nothing will be until somebody says so
    bool isStopping = false;
    bool isLost = false;  ///< nobody is there to do any
  };
  void showWork(const Work& work);
  /// "done at 03:40"; from tomorrow on with the day.
  static QString endInWords(const QDateTime& now, std::chrono::seconds left);
  /// "42 %"; empty where nothing is counted.
  QString percent() const { return m_percent->text(); }

 Q_SIGNALS:
  void stopMenuWanted(const QPoint& at);
  /// The button that has the focus is about to be disabled; without another place it would go to a neighbour, for the next Space
  /// to press.
  void focusFreed();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void setEnabled(QPushButton* button, bool isEnabled);
  QString wordsOf(const Work& work, bool hasRate) const;
  void retranslate();
  void fit();

  QPushButton* m_name;
  GenerateButton* m_generateButton;
  QPushButton* m_generate;
  QPushButton* m_pause;
  QPushButton* m_stop;
  QPushButton* m_stopMenu;
  QLabel* m_progressText;
  QProgressBar* m_progressBar;
  QLabel* m_percent;
  QWidget* m_search;
  qint64 m_pictures = 0;
  bool m_isChecking = false;
  QString m_keys;
  Work m_work;
};

}  // namespace polyptych::ui
