#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QThreadPool>
#include <QTimer>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/clip_tokenizer.h"
#include "ui/prompts/prompt_list_model.h"

namespace polyptych::ui {

/// How much of a prompt a model reads.
struct PromptLength {
  int tokens = 0;
  int limit = 0;  ///< most tokens that are read
  int words = 0;  ///< that begin beyond it, or are cut by it
  int kept = 0;   ///< where the first of those begins, in UTF-16 units; the length of the text if there is none

  bool isOver() const { return tokens > limit; }
};

/// @param text  words are what stands between white space
PromptLength lengthOf(const tokenizer::ClipTokenizer& tokenizer, const QString& text);

/// Lengths of all prompts of a list, counted on a thread of its own.
class PromptLengths : public QObject {
  Q_OBJECT
 public:
  using OpenTokenizer = std::function<base::Result<tokenizer::ClipTokenizer>(const QString& modelReference)>;

  /// @param open  is called on the thread and may block. `list` outlives it.
  PromptLengths(PromptListModel& list, OpenTokenizer open, QObject* parent = nullptr);
  ~PromptLengths() override;

  /// All are counted anew.
  void setModel(const QString& reference);
  /// Nothing if it is not known (yet).
  const PromptLength* find(const std::string& prompt) const;
  /// Nothing as long as no model was found.
  std::shared_ptr<const tokenizer::ClipTokenizer> tokenizer() const { return m_tokenizer; }

 Q_SIGNALS:
  /// More is known, or less.
  void changed();

 private:
  void look();
  void count(std::vector<std::string> prompts);

  PromptListModel& m_list;
  OpenTokenizer m_open;
  QString m_reference;
  quint64 m_generation = 0;  ///< of the model; what comes for another is late
  std::shared_ptr<const tokenizer::ClipTokenizer> m_tokenizer;
  QHash<std::size_t, PromptLength> m_lengths;  ///< by the text's hash
  bool m_isCounting = false;
  QTimer m_timer;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
