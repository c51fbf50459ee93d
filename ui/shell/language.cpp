#include "ui/shell/language.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>

namespace polyptych::ui {
namespace {

QLocale localeOf(LanguageChoice choice) {
  switch (choice) {
    case LanguageChoice::English:
      return QLocale(QLocale::English);
    case LanguageChoice::Korean:
      return QLocale(QLocale::Korean);
    case LanguageChoice::System:
      break;
  }
  return QLocale::system();
}

}  // namespace

Language::~Language() { clear(); }

void Language::clear() {
  for (const auto& translator : m_translators) {
    QCoreApplication::removeTranslator(translator.get());
  }
  m_translators.clear();
}

void Language::apply(LanguageChoice choice) {
  const QLocale locale = localeOf(choice);
  clear();
  QLocale::setDefault(locale);
  const QString folder = QStringLiteral(":/translations");
  auto qt = std::make_unique<QTranslator>();
  if (qt->load(locale, QStringLiteral("qtbase"), QStringLiteral("_"), QLibraryInfo::path(QLibraryInfo::TranslationsPath))) {
    QCoreApplication::installTranslator(qt.get());
    m_translators.push_back(std::move(qt));
  }
  // English has a file too, for its plural forms; it stands in for languages that are not there.
  auto own = std::make_unique<QTranslator>();
  if (own->load(locale, QStringLiteral("polyptych"), QStringLiteral("_"), folder) ||
      own->load(QStringLiteral("polyptych_en"), folder)) {
    QCoreApplication::installTranslator(own.get());
    m_translators.push_back(std::move(own));
  }
}

}  // namespace polyptych::ui
