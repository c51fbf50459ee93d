#include "ui/shell/preferences.h"

#include <QSettings>
#include <algorithm>
#include <utility>

namespace polyptych::ui {
namespace {

constexpr int kFewestPreviews = 1;
constexpr int kMostPreviews = 10;

/// Words in the file, in the order of the enumerators.
const QStringList& languageWords() {
  static const QStringList words{QStringLiteral("system"), QStringLiteral("en"), QStringLiteral("ko")};
  return words;
}
const QStringList& themeWords() {
  static const QStringList words{QStringLiteral("system"), QStringLiteral("light"), QStringLiteral("dark")};
  return words;
}
const QStringList& closingWords() {
  static const QStringList words{QStringLiteral("ask"), QStringLiteral("goOn"), QStringLiteral("finishCurrent"),
                                 QStringLiteral("stop")};
  return words;
}

template <typename Choice>
Choice choiceOf(const QStringList& words, const QVariant& word) {
  return static_cast<Choice>(std::max<qsizetype>(0, words.indexOf(word.toString())));
}

/// Every value with its key; `visit` is called as visit(key, member, to QVariant, from QVariant).
template <typename Visit>
void visitAll(Visit visit) {
  const auto word = [&](const char* key, auto member, const QStringList& words) {
    using Choice = std::remove_cvref_t<decltype(std::declval<PreferenceValues>().*member)>;
    visit(
        key, member, [&words](Choice choice) { return QVariant(words[static_cast<int>(choice)]); },
        [&words](const QVariant& value) { return choiceOf<Choice>(words, value); });
  };
  const auto plain = [&](const char* key, auto member) {
    using Value = std::remove_cvref_t<decltype(std::declval<PreferenceValues>().*member)>;
    visit(
        key, member, [](const Value& value) { return QVariant::fromValue(value); },
        [](const QVariant& value) { return value.value<Value>(); });
  };
  word("language", &PreferenceValues::language, languageWords());
  word("theme", &PreferenceValues::theme, themeWords());
  word("closing", &PreferenceValues::closing, closingWords());
  plain("reducesMotion", &PreferenceValues::reducesMotion);
  plain("showsPreviews", &PreferenceValues::showsPreviews);
  plain("previewsPerSecond", &PreferenceValues::previewsPerSecond);
  plain("notifiesAtEnd", &PreferenceValues::notifiesAtEnd);
  plain("library", &PreferenceValues::library);
  plain("modelFolders", &PreferenceValues::modelFolders);
  plain("defaultModel", &PreferenceValues::defaultModel);
}

}  // namespace

Preferences::Preferences(bool isStored, QObject* parent) : QObject(parent), m_isStored(isStored) {
  if (!isStored) {
    return;
  }
  QSettings settings;
  settings.beginGroup(QStringLiteral("preferences"));
  visitAll([&](const char* key, auto member, auto, auto from) {
    const QVariant value = settings.value(QLatin1String(key));
    if (value.isValid()) {
      m_values.*member = from(value);
    }
  });
  m_values.previewsPerSecond = std::clamp(m_values.previewsPerSecond, kFewestPreviews, kMostPreviews);
}

void Preferences::change(const std::function<void(PreferenceValues&)>& change) {
  const PreferenceValues before = m_values;
  change(m_values);
  if (before == m_values) {
    return;
  }
  if (m_isStored) {
    QSettings settings;
    settings.beginGroup(QStringLiteral("preferences"));
    visitAll([&](const char* key, auto member, auto to, auto) {
      if (before.*member != m_values.*member) {
        settings.setValue(QLatin1String(key), to(m_values.*member));
      }
    });
  }
  Q_EMIT changed(before);
}

void Preferences::override(const std::function<void(PreferenceValues&)>& change) { change(m_values); }

}  // namespace polyptych::ui
