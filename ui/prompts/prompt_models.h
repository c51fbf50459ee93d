#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QThreadPool>
#include <QTimer>
#include <functional>
#include <optional>

#include "core/base/result.h"
#include "ui/prompts/prompt_list_model.h"

namespace polyptych::ui {

/// Whether the models that prompts of a list name of their own can be used, looked up on a thread.
class PromptModels : public QObject {
  Q_OBJECT
 public:
  /// Nothing if the model can be used.
  using Check = std::function<std::optional<base::Error>(const QString& modelReference)>;

  /// @param check  is called on the thread and may block. `list` outlives it.
  PromptModels(PromptListModel& list, Check check, QObject* parent = nullptr);
  ~PromptModels() override;

  /// Nothing if the prompt's own model can be used, if it has none, or if that is not known (yet).
  const base::Error* problemOf(const prompt::PromptEntry& entry) const;
  /// Models have come or gone: all are looked up again.
  void checkAgain();

 Q_SIGNALS:
  /// More is known, or something else.
  void changed();

 private:
  void look();

  PromptListModel& m_list;
  Check m_check;
  QHash<QString, base::Error> m_problems;  ///< by reference
  QSet<QString> m_checked;
  bool m_isLooking = false;
  QTimer m_timer;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
