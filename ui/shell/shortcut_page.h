#pragma once

#include <QKeySequence>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>

#include "ui/shell/page.h"

namespace polyptych::ui {

class Actions;
class KeyRecorder;
class ShortcutModel;

/// Which keys do what; and other keys for it, if one likes.
class ShortcutPage : public Page {
  Q_OBJECT
 public:
  explicit ShortcutPage(Actions& actions, QWidget* parent = nullptr);

 protected:
  void showEvent(QShowEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QString currentId() const;
  void record();
  void onRecorded(const QKeySequence& keys);
  void endRecording();
  void updateFoot();
  void say(const QString& sentence);

  Actions& m_actions;
  ShortcutModel* m_model;
  QLineEdit* m_query;
  QListView* m_list;
  QLabel* m_sentence;
  KeyRecorder* m_recorder;
  QPushButton* m_change;
  QPushButton* m_remove;
  QPushButton* m_reset;
  QPushButton* m_resetAll;
  QPushButton* m_takeOver;
  QPushButton* m_keep;
  bool m_isRecording = false;
  QKeySequence m_asked;  ///< that another action has
};

}  // namespace polyptych::ui
