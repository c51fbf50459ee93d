#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QtTest>

#include "core/gallery/prompt_grams.h"
#include "core/library/database.h"

using namespace polyptych;
using gallery::searchForm;
using library::Database;

namespace {

/// Prompts in a library's text index; `find` gives their numbers.
class Index {
 public:
  explicit Index(const QStringList& prompts) : m_database(Database::open(m_folder.filePath("index"), Database::Mode::ReadWrite)) {
    QVERIFY(m_database && (*m_database)->change("BEGIN"));
    for (qsizetype i = 0; i < prompts.size(); ++i) {
      QVERIFY(
          (*m_database)->insert("INSERT INTO prompt_grams(rowid, grams) VALUES (?, ?)", {i, gallery::promptGrams(prompts[i])}));
    }
    QVERIFY((*m_database)->change("COMMIT"));
  }

  QList<int> find(const QString& text) {
    QList<int> found;
    const auto rows =
        (*m_database)
            ->query("SELECT rowid FROM prompt_grams WHERE prompt_grams MATCH ? ORDER BY rowid", {gallery::gramsQuery(text)});
    while (rows && (*rows)->next()) {
      found << (*rows)->value(0).toInt();
    }
    return rows ? found : QList<int>{-1};
  }

 private:
  QTemporaryDir m_folder;
  base::Result<std::unique_ptr<Database>> m_database;
};

QList<int> containing(const QStringList& prompts, const QString& text) {
  QList<int> found;
  for (qsizetype i = 0; i < prompts.size(); ++i) {
    if (searchForm(prompts[i]).contains(searchForm(text))) {
      found << int(i);
    }
  }
  return found;
}

QString randomText(QRandomGenerator& random, int most) {
  // Many equal ones, so that near misses are common; the private-use ones are what the words are made with.
  static const QStringList parts = {"a",      "b",   "A",      "ab", " ",      "  ",     "\t",     "\"",     "*",  "-",
                                    "(",      "^",   "가",     "각", "등대",   "ㄱ",     "😀",      "é",      "e",  "\u0301",
                                    "\uE020", "ﬁ",   "\uE0FE", "1",  "\uE061", "\uE0FF", "\uFEFF", "\u3000", "ß",  "ss",
                                    "Ａ",     "AND", "\u00A0", ":",  "İ",      "\n",     "{",      "日本",   "，", "\u0001"};
  QString text;
  for (int left = random.bounded(most + 1); left > 0; --left) {
    text += parts[random.bounded(int(parts.size()))];
  }
  return text;
}

}  // namespace

class TestPromptGrams : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void comparesWhatLooksEqual() {
    QCOMPARE(searchForm("A  Lighthouse,\n\toil\u3000PAINT"), QString("a lighthouse, oil paint"));
    QCOMPARE(searchForm("ﬁn Ａ ÄΣ"), QString("fin a äσ"));
    QCOMPARE(searchForm(QString("한글").normalized(QString::NormalizationForm_D)), QString("한글"));
    QCOMPARE(searchForm(""), QString());
  }

  void findsSubstrings_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QList<int>>("expected");
    QTest::newRow("inside a word") << "ighthou" << QList<int>{0};
    QTest::newRow("over a blank") << "e, oi" << QList<int>{0};
    QTest::newRow("two letters") << "li" << QList<int>{0};
    QTest::newRow("other case") << "LIGHT" << QList<int>{0};
    QTest::newRow("Korean") << "등대" << QList<int>{1};
    QTest::newRow("Korean inside") << "대가 있" << QList<int>{1};
    QTest::newRow("one syllable") << "등" << QList<int>{1};
    QTest::newRow("the last character alone") << "😀" << QList<int>{2};
    QTest::newRow("the only character") << "x" << QList<int>{3};
    QTest::newRow("emoji") << "at 😀" << QList<int>{2};
    QTest::newRow("words of the query language") << "cat OR dog" << QList<int>{};
    QTest::newRow("quotation mark") << "\"" << QList<int>{};
    QTest::newRow("not in order") << "paint oil" << QList<int>{};
    QTest::newRow("longer than a prompt") << "a lighthouse, oil paint and more" << QList<int>{};
  }

  void findsSubstrings() {
    QFETCH(QString, text);
    QFETCH(QList<int>, expected);
    Index index({"a Lighthouse, oil paint", "작은 등대가 있는 바다", "a cat 😀", "x"});
    QCOMPARE(index.find(text), expected);
  }

  void findsNothingForNothing() { QVERIFY(gallery::gramsQuery("").isEmpty()); }

  void agreesWithContainsOnRandomTexts() {
    const quint32 seed = QRandomGenerator::global()->generate();
    qInfo("seed %u", seed);
    QRandomGenerator random(seed);
    QStringList prompts;
    for (int i = 0; i < 400; ++i) {
      prompts << randomText(random, 20);
    }
    Index index(prompts);
    for (int i = 0; i < 3000; ++i) {
      QString text = randomText(random, 4);
      if (i % 2 == 0) {
        const QString prompt = searchForm(prompts[random.bounded(int(prompts.size()))]);
        const QList<uint> points = prompt.toUcs4();
        const auto part = points.mid(random.bounded(int(points.size()) + 1), random.bounded(1, 8));
        text = QString::fromUcs4(reinterpret_cast<const char32_t*>(part.constData()), part.size());
      }
      if (searchForm(text).isEmpty()) {
        continue;
      }
      QVERIFY2(index.find(text) == containing(prompts, text), text.toUtf8().toHex());
    }
  }
};

QTEST_APPLESS_MAIN(TestPromptGrams)
#include "tst_prompt_grams.moc"
