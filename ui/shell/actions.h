#pragma once

#include <QAction>
#include <QHash>
#include <QKeySequence>
#include <QList>
#include <QObject>
#include <QStringList>
#include <functional>

class QMenu;
class QWidget;

namespace polyptych::ui {

/// What an action is about; the order of the shortcut sheet.
enum class ActionCategory { Run, Prompts, Gallery, Queue, Devices, View, Program };

/// Every action of the window, under an id that never changes. What is here stands in the action list and on the shortcut sheet,
/// and its keys can be changed there.
///
///     actions.add("queue.toggle", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show or hide the queue"),
///                 ActionCategory::View, {Qt::Key_Q}, [this] { toggleQueue(); });
class Actions : public QObject {
  Q_OBJECT
 public:
  /// @param isStored  whether changed keys and what was used last outlive the program
  Actions(QWidget* window, bool isStored, QObject* parent = nullptr);

  /// @param id       "queue.toggle": is stored, is not shown
  /// @param text     English, sentence case, marked as above; shown in the program's language
  /// @param keys     to begin with; the first is the one that is shown beside it
  /// @param context  the keys work while this widget or one inside it has the focus; nothing: in the whole window
  /// @return what to enable, disable, or put on a menu; owned by the context
  QAction* add(const QString& id, const char* text, ActionCategory category, const QList<QKeySequence>& keys,
               std::function<void()> handler, QWidget* context = nullptr);

  /// In the order in which they were added.
  const QStringList& ids() const { return m_ids; }
  /// Nothing if there is no such action (any more).
  QAction* action(const QString& id) const;
  QString text(const QString& id) const;
  /// Without translation: people look for these words too.
  QString englishText(const QString& id) const;
  ActionCategory category(const QString& id) const;
  bool isEnabled(const QString& id) const;
  void trigger(const QString& id);

  /// An item with the action's words and keys, in a menu that is opened for once. Its keys are shown, not heard.
  QAction* addTo(QMenu& menu, const QString& id, bool isEnabled = true);

  QList<QKeySequence> keys(const QString& id) const;
  QList<QKeySequence> defaultKeys(const QString& id) const;
  void setKeys(const QString& id, const QList<QKeySequence>& keys);
  /// The other action that would hear these keys where `id` does; empty if none would.
  QString conflictOf(const QString& id, const QKeySequence& keys) const;

  /// Ids that were triggered, the last one first.
  const QStringList& recent() const { return m_recent; }

  /// "Ctrl+Enter", as the platform writes it; several with " , " between. Empty if it has no keys.
  QString keysText(const QString& id) const;

  static QString categoryText(ActionCategory category);

 Q_SIGNALS:
  /// An action was added, or has other keys, other words or another state.
  void changed();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Entry {
    QAction* action = nullptr;
    const char* text = nullptr;
    ActionCategory category = ActionCategory::Program;
    QList<QKeySequence> defaultKeys;
    QWidget* context = nullptr;
  };

  void remember(const QString& id);
  void retranslate();

  QWidget* m_window;
  const bool m_isStored;
  QStringList m_ids;
  QHash<QString, Entry> m_entries;
  QStringList m_recent;
};

/// A tool tip: `words`, and the keys of an action in brackets if it has any.
QString tipWithKeys(const QString& words, const Actions& actions, const QString& id);

/// One sequence as people read it: "Ctrl+Enter" also where Qt says "Return".
QString keyText(const QKeySequence& keys);

}  // namespace polyptych::ui
