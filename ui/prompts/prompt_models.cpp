#include "ui/prompts/prompt_models.h"

#include <utility>

namespace polyptych::ui {
namespace {

constexpr int kDelayMs = 150;

}  // namespace

PromptModels::PromptModels(PromptListModel& list, Check check, QObject* parent)
    : QObject(parent), m_list(list), m_check(std::move(check)) {
  m_threads.setMaxThreadCount(1);
  m_timer.setSingleShot(true);
  m_timer.setInterval(kDelayMs);
  connect(&m_timer, &QTimer::timeout, this, &PromptModels::look);
  connect(&list, &PromptListModel::edited, &m_timer, qOverload<>(&QTimer::start));
}

PromptModels::~PromptModels() {
  m_threads.clear();
  m_threads.waitForDone();
}

const base::Error* PromptModels::problemOf(const prompt::PromptEntry& entry) const {
  if (!entry.model) {
    return nullptr;
  }
  const auto found = m_problems.constFind(QString::fromStdString(*entry.model));
  return found == m_problems.constEnd() ? nullptr : &*found;
}

void PromptModels::checkAgain() {
  m_checked.clear();
  look();
}

void PromptModels::look() {
  if (m_isLooking) {
    return;
  }
  QSet<QString> unknown;
  for (const prompt::PromptEntry& entry : m_list.entries()) {
    if (entry.model) {
      if (const QString reference = QString::fromStdString(*entry.model); !m_checked.contains(reference)) {
        unknown << reference;
      }
    }
  }
  if (unknown.isEmpty()) {
    return;
  }
  m_isLooking = true;
  m_checked.unite(unknown);
  m_threads.start([this, unknown] {
    QHash<QString, std::optional<base::Error>> found;
    for (const QString& reference : unknown) {
      found.insert(reference, m_check(reference));
    }
    QMetaObject::invokeMethod(
        this,
        [this, found] {
          m_isLooking = false;
          for (auto one = found.begin(); one != found.end(); ++one) {
            if (*one) {
              m_problems.insert(one.key(), **one);
            } else {
              m_problems.remove(one.key());
            }
          }
          Q_EMIT changed();
          look();
        },
        Qt::QueuedConnection);
  });
}

}  // namespace polyptych::ui
