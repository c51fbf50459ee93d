#include "core/gallery/export/export_names.h"

#include <QDateTime>
#include <QFileInfo>
#include <QRegularExpression>
#include <algorithm>

#include "core/gallery/picture_name.h"

namespace polyptych::gallery {
namespace {

constexpr int kMaxPartBytes = 180;
constexpr int kLeastDigits = 3;

const QRegularExpression& wordPattern() {
  static const QRegularExpression pattern(QStringLiteral("\\{([a-z]+)\\}"));
  return pattern;
}

/// One part of a path: nothing that a file system forbids or hides.
QString cleanPart(const QString& part) {
  QString clean;
  for (const QChar c : part) {
    clean += c.category() == QChar::Other_Control || QStringLiteral("<>:\"|?*\\").contains(c) ? QChar(u'-') : c;
  }
  clean = clean.trimmed();
  while (clean.endsWith(u'.') || clean.endsWith(u' ')) {
    clean.chop(1);
  }
  while (clean.startsWith(u'.')) {
    clean.remove(0, 1);
  }
  while (clean.toUtf8().size() > kMaxPartBytes) {
    clean.chop(1);
    if (!clean.isEmpty() && clean.back().isHighSurrogate()) {
      clean.chop(1);
    }
  }
  return clean.trimmed();
}

}  // namespace

QStringList templateWords() {
  return {QStringLiteral("index"), QStringLiteral("prompt"), QStringLiteral("seed"),  QStringLiteral("date"),
          QStringLiteral("time"),  QStringLiteral("model"),  QStringLiteral("run"),   QStringLiteral("number"),
          QStringLiteral("width"), QStringLiteral("height"), QStringLiteral("steps"), QStringLiteral("stars"),
          QStringLiteral("name")};
}

QStringList unknownWords(const QString& nameTemplate) {
  QStringList unknown;
  const QStringList known = templateWords();
  for (auto match = wordPattern().globalMatch(nameTemplate); match.hasNext();) {
    const QString word = match.next().captured(1);
    if (!known.contains(word) && !unknown.contains(word)) {
      unknown << word;
    }
  }
  return unknown;
}

QString exportName(const QString& nameTemplate, const PictureRow& row, const domain::PictureMetadata& metadata, qint64 number,
                   qint64 count) {
  const QDateTime made = QDateTime::fromMSecsSinceEpoch(row.madeMs);
  const auto digits = static_cast<int>(std::max<qsizetype>(kLeastDigits, QString::number(count).size()));
  const auto valueOf = [&](const QString& word) -> QString {
    if (word == QLatin1String("index")) {
      return QStringLiteral("%1").arg(number, digits, 10, QLatin1Char('0'));
    }
    if (word == QLatin1String("prompt")) {
      return slugOf(row.prompt.toStdString());
    }
    if (word == QLatin1String("seed")) {
      return QString::number(row.seed);
    }
    if (word == QLatin1String("date")) {
      return made.toString(QStringLiteral("yyyy-MM-dd"));
    }
    if (word == QLatin1String("time")) {
      return made.toString(QStringLiteral("HHmmss"));
    }
    if (word == QLatin1String("model")) {
      return slugOf(metadata.modelName);
    }
    if (word == QLatin1String("run")) {
      return QString::number(row.runNumber);
    }
    if (word == QLatin1String("number")) {
      return QString::number(row.index + 1);
    }
    if (word == QLatin1String("width")) {
      return QString::number(row.width);
    }
    if (word == QLatin1String("height")) {
      return QString::number(row.height);
    }
    if (word == QLatin1String("steps")) {
      return QString::number(metadata.request.steps);
    }
    if (word == QLatin1String("stars")) {
      return QString::number(row.stars);
    }
    if (word == QLatin1String("name")) {
      return QFileInfo(row.path).completeBaseName();
    }
    return u'{' + word + u'}';
  };
  QString name;
  qsizetype at = 0;
  for (auto match = wordPattern().globalMatch(nameTemplate); match.hasNext();) {
    const auto one = match.next();
    name += nameTemplate.mid(at, one.capturedStart() - at) + valueOf(one.captured(1));
    at = one.capturedEnd();
  }
  name += nameTemplate.mid(at);
  QStringList parts;
  for (const QString& part : name.split(u'/')) {
    if (const QString clean = cleanPart(part); !clean.isEmpty()) {
      parts << clean;
    }
  }
  return parts.isEmpty() ? QStringLiteral("picture") : parts.join(u'/');
}

QString UniqueNames::take(const QString& name) {
  const auto keyOf = [](const QString& text) { return text.normalized(QString::NormalizationForm_C).toCaseFolded(); };
  const QString key = keyOf(name);
  if (!m_taken.contains(key)) {
    m_taken.insert(key, 1);
    return name;
  }
  QString unique;
  int number = m_taken.value(key);
  do {
    unique = QStringLiteral("%1-%2").arg(name).arg(++number);
  } while (m_taken.contains(keyOf(unique)));
  m_taken.insert(key, number);
  m_taken.insert(keyOf(unique), 1);
  return unique;
}

}  // namespace polyptych::gallery
