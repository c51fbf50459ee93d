#include "ui/prompts/prompt_lengths.h"

#include <algorithm>
#include <utility>

namespace polyptych::ui {
namespace {

constexpr int kDelayMs = 150;
constexpr std::size_t kAtOnce = 2000;
/// Of prompts that nobody has in the list any more.
constexpr qsizetype kMostKept = 2'000'000;

}  // namespace

PromptLength lengthOf(const tokenizer::ClipTokenizer& tokenizer, const QString& text) {
  PromptLength length;
  length.limit = static_cast<int>(tokenizer.maxLength()) - 2;
  length.tokens = static_cast<int>(tokenizer.encodeWhole(text.toStdString()).size());
  length.kept = static_cast<int>(text.size());
  if (!length.isOver()) {
    return length;
  }
  std::vector<std::pair<int, int>> words;  // begin, end
  for (int i = 0; i < text.size(); ++i) {
    if (!text[i].isSpace()) {
      if (i == 0 || text[i - 1].isSpace()) {
        words.emplace_back(i, i);
      }
      words.back().second = i + 1;
    }
  }
  const auto fits = [&](const std::pair<int, int>& word) {
    return static_cast<int>(tokenizer.encodeWhole(text.left(word.second).toStdString()).size()) <= length.limit;
  };
  const auto first = std::ranges::partition_point(words, fits);
  length.words = static_cast<int>(words.end() - first);
  length.kept = first == words.end() ? length.kept : first->first;
  return length;
}

PromptLengths::PromptLengths(PromptListModel& list, OpenTokenizer open, QObject* parent)
    : QObject(parent), m_list(list), m_open(std::move(open)) {
  m_threads.setMaxThreadCount(1);
  m_timer.setSingleShot(true);
  m_timer.setInterval(kDelayMs);
  connect(&m_timer, &QTimer::timeout, this, &PromptLengths::look);
  connect(&list, &PromptListModel::edited, &m_timer, qOverload<>(&QTimer::start));
}

PromptLengths::~PromptLengths() {
  m_threads.clear();
  m_threads.waitForDone();
}

void PromptLengths::setModel(const QString& reference) {
  if (reference == m_reference) {
    return;
  }
  m_reference = reference;
  ++m_generation;
  m_tokenizer.reset();
  m_lengths.clear();
  Q_EMIT changed();
  if (reference.isEmpty()) {
    return;
  }
  m_threads.start([this, reference, generation = m_generation] {
    auto opened = m_open(reference);
    std::shared_ptr<const tokenizer::ClipTokenizer> tokenizer;
    if (opened) {
      tokenizer = std::make_shared<const tokenizer::ClipTokenizer>(std::move(*opened));
    }
    QMetaObject::invokeMethod(
        this,
        [this, tokenizer, generation] {
          if (generation == m_generation) {
            m_tokenizer = tokenizer;
            look();
          }
        },
        Qt::QueuedConnection);
  });
}

const PromptLength* PromptLengths::find(const std::string& prompt) const {
  const auto found = m_lengths.constFind(std::hash<std::string>()(prompt));
  return found == m_lengths.constEnd() ? nullptr : &*found;
}

void PromptLengths::look() {
  if (!m_tokenizer || m_isCounting) {
    return;
  }
  if (m_lengths.size() > kMostKept) {
    m_lengths.clear();
  }
  std::vector<std::string> unknown;
  for (const prompt::PromptEntry& entry : m_list.entries()) {
    if (!m_lengths.contains(std::hash<std::string>()(entry.prompt))) {
      unknown.push_back(entry.prompt);
      if (unknown.size() == kAtOnce) {
        break;
      }
    }
  }
  if (!unknown.empty()) {
    count(std::move(unknown));
  }
}

void PromptLengths::count(std::vector<std::string> prompts) {
  m_isCounting = true;
  m_threads.start([this, prompts = std::move(prompts), tokenizer = m_tokenizer, generation = m_generation] {
    std::vector<std::pair<std::size_t, PromptLength>> lengths;
    lengths.reserve(prompts.size());
    for (const std::string& prompt : prompts) {
      lengths.emplace_back(std::hash<std::string>()(prompt), lengthOf(*tokenizer, QString::fromStdString(prompt)));
    }
    QMetaObject::invokeMethod(
        this,
        [this, lengths = std::move(lengths), generation] {
          m_isCounting = false;
          if (generation == m_generation) {
            for (const auto& [hash, length] : lengths) {
              m_lengths.insert(hash, length);
            }
            Q_EMIT changed();
          }
          look();
        },
        Qt::QueuedConnection);
  });
}

}  // namespace polyptych::ui
