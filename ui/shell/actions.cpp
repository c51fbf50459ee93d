#include "ui/shell/actions.h"

#include <QCoreApplication>
#include <QEvent>
#include <QMenu>
#include <QSettings>
#include <QWidget>
#include <algorithm>
#include <utility>

namespace polyptych::ui {
namespace {

constexpr qsizetype kRecent = 8;

QString keysSetting(const QString& id) { return QStringLiteral("shortcuts/") + id; }
const QString& recentSetting() {
  static const QString key = QStringLiteral("actions/recent");
  return key;
}

}  // namespace

Actions::Actions(QWidget* window, bool isStored, QObject* parent) : QObject(parent), m_window(window), m_isStored(isStored) {
  window->installEventFilter(this);
  if (isStored) {
    m_recent = QSettings().value(recentSetting()).toStringList().mid(0, kRecent);
  }
}

QAction* Actions::add(const QString& id, const char* text, ActionCategory category, const QList<QKeySequence>& keys,
                      std::function<void()> handler, QWidget* context) {
  Q_ASSERT(!m_entries.contains(id));
  QWidget* owner = context != nullptr ? context : m_window;
  auto* action = new QAction(owner);
  action->setObjectName(id);
  action->setAutoRepeat(false);
  action->setShortcutContext(context != nullptr ? Qt::WidgetWithChildrenShortcut : Qt::WindowShortcut);
  owner->addAction(action);
  m_ids << id;
  m_entries.insert(id, {action, text, category, keys, context});
  action->setText(this->text(id));
  // What was stored may have another action's keys by now, if that one was added later: the defaults give way.
  const QVariant stored = m_isStored ? QSettings().value(keysSetting(id)) : QVariant();
  QList<QKeySequence> own;
  if (stored.isValid()) {
    for (const QString& word : stored.toStringList()) {
      if (!word.isEmpty()) {
        own << QKeySequence(word, QKeySequence::PortableText);
      }
    }
  } else {
    std::copy_if(keys.begin(), keys.end(), std::back_inserter(own),
                 [&](const QKeySequence& sequence) { return conflictOf(id, sequence).isEmpty(); });
  }
  action->setShortcuts(own);
  connect(action, &QAction::triggered, this, [this, id, handler = std::move(handler)] {
    remember(id);
    handler();
  });
  connect(action, &QAction::changed, this, &Actions::changed);
  connect(action, &QObject::destroyed, this, [this, id] {
    m_entries.remove(id);
    m_ids.removeOne(id);
    Q_EMIT changed();
  });
  Q_EMIT changed();
  return action;
}

QAction* Actions::action(const QString& id) const { return m_entries.value(id).action; }

QString Actions::text(const QString& id) const {
  const char* english = m_entries.value(id).text;
  return english == nullptr ? QString() : QCoreApplication::translate("polyptych::ui::Actions", english);
}

QString Actions::englishText(const QString& id) const { return QString::fromUtf8(m_entries.value(id).text); }

ActionCategory Actions::category(const QString& id) const { return m_entries.value(id).category; }

bool Actions::isEnabled(const QString& id) const {
  const QAction* one = action(id);
  return one != nullptr && one->isEnabled();
}

void Actions::trigger(const QString& id) {
  if (QAction* one = action(id)) {
    one->trigger();
  }
}

QAction* Actions::addTo(QMenu& menu, const QString& id, bool isEnabled) {
  QAction* item = menu.addAction(text(id));
  item->setEnabled(isEnabled);
  item->setShortcut(keys(id).value(0));
  item->setShortcutContext(Qt::WidgetShortcut);
  connect(item, &QAction::triggered, this, [this, id] { trigger(id); });
  return item;
}

QList<QKeySequence> Actions::keys(const QString& id) const {
  const QAction* one = action(id);
  return one == nullptr ? QList<QKeySequence>() : one->shortcuts();
}

QList<QKeySequence> Actions::defaultKeys(const QString& id) const { return m_entries.value(id).defaultKeys; }

void Actions::setKeys(const QString& id, const QList<QKeySequence>& keys) {
  QAction* one = action(id);
  if (one == nullptr || one->shortcuts() == keys) {
    return;
  }
  if (m_isStored) {
    if (keys == defaultKeys(id)) {
      QSettings().remove(keysSetting(id));
    } else {
      QStringList words;
      for (const QKeySequence& sequence : keys) {
        words << sequence.toString(QKeySequence::PortableText);
      }
      // An empty list would read as nothing stored.
      QSettings().setValue(keysSetting(id), words.isEmpty() ? QStringList{QString()} : words);
    }
  }
  one->setShortcuts(keys);
}

QString Actions::conflictOf(const QString& id, const QKeySequence& keys) const {
  const QWidget* context = m_entries.value(id).context;
  for (const QString& other : m_ids) {
    const Entry entry = m_entries.value(other);
    if (other == id || !entry.action->shortcuts().contains(keys)) {
      continue;
    }
    // Two widgets neither of which is inside the other never hear the same key.
    const bool isApart = context != nullptr && entry.context != nullptr && context != entry.context &&
                         !context->isAncestorOf(entry.context) && !entry.context->isAncestorOf(context);
    if (!isApart) {
      return other;
    }
  }
  return {};
}

QString Actions::keysText(const QString& id) const {
  QStringList words;
  for (const QKeySequence& sequence : keys(id)) {
    const QString word = keyText(sequence);
    if (!words.contains(word)) {
      words << word;
    }
  }
  return words.join(QStringLiteral(" , "));
}

QString Actions::categoryText(ActionCategory category) {
  switch (category) {
    case ActionCategory::Run:
      return tr("Generating");
    case ActionCategory::Prompts:
      return tr("Prompts");
    case ActionCategory::Gallery:
      return tr("Gallery");
    case ActionCategory::Queue:
      return tr("Queue");
    case ActionCategory::Devices:
      return tr("Devices");
    case ActionCategory::View:
      return tr("View");
    case ActionCategory::Program:
      return tr("Program");
  }
  return {};
}

bool Actions::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_window && event->type() == QEvent::LanguageChange) {
    retranslate();
  }
  return QObject::eventFilter(watched, event);
}

void Actions::retranslate() {
  for (const QString& id : std::as_const(m_ids)) {
    action(id)->setText(text(id));
  }
  Q_EMIT changed();
}

void Actions::remember(const QString& id) {
  m_recent.removeOne(id);
  m_recent.prepend(id);
  m_recent = m_recent.mid(0, kRecent);
  if (m_isStored) {
    QSettings().setValue(recentSetting(), m_recent);
  }
}

QString keyText(const QKeySequence& keys) {
  QString text = keys.toString(QKeySequence::NativeText);
  text.replace(QStringLiteral("Return"), QStringLiteral("Enter"));
  // Arrows as they stand on the keys, whatever the language calls them.
  for (const auto& [name, sign] :
       {std::pair{"Up", u'↑'}, std::pair{"Down", u'↓'}, std::pair{"Left", u'←'}, std::pair{"Right", u'→'}}) {
    const QString word = QCoreApplication::translate("QShortcut", name);
    if (text == word || text.endsWith(u'+' + word)) {
      text = text.chopped(word.size()) + QChar(sign);
      break;
    }
  }
  return text;
}

QString tipWithKeys(const QString& words, const Actions& actions, const QString& id) {
  const QString keys = actions.keysText(id);
  return keys.isEmpty() ? words : QStringLiteral("%1 (%2)").arg(words, keys);
}

}  // namespace polyptych::ui
