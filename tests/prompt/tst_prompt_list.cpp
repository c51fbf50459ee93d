#include <QTest>
#include <string>
#include <vector>

#include "core/domain/request.h"
#include "core/prompt/prompt_list.h"

using polyptych::base::ErrorCode;
using polyptych::prompt::parsePromptList;
using Prompts = std::vector<std::string>;

class TestPromptList : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsOnePromptALine_data();
  void readsOnePromptALine();
  void refusesWithLineNumber_data();
  void refusesWithLineNumber();
  void takesPromptOfOneMegabyteWhole();
  void takesLongestPromptAndRefusesOneByteMore();
};

void TestPromptList::readsOnePromptALine_data() {
  QTest::addColumn<QByteArray>("text");
  QTest::addColumn<QByteArrayList>("expected");
  using L = QByteArrayList;
  QTest::newRow("two lines") << QByteArray("a cat\na dog\n") << L{"a cat", "a dog"};
  QTest::newRow("no newline at the end") << QByteArray("a cat\na dog") << L{"a cat", "a dog"};
  QTest::newRow("blank lines") << QByteArray("\n\n a cat \n \t \n\na dog\n\n") << L{"a cat", "a dog"};
  QTest::newRow("CRLF") << QByteArray("a cat\r\n\r\na dog\r\n") << L{"a cat", "a dog"};
  QTest::newRow("byte order mark") << QByteArray(
                                          "\xEF\xBB\xBF"
                                          "a cat\n")
                                   << L{"a cat"};
  QTest::newRow("Korean") << QByteArray("밤하늘 아래 고양이\n") << L{"밤하늘 아래 고양이"};
  QTest::newRow("blanks of other scripts") << QByteArray("\u3000\n\u00A0\u2003 \n\u3000a\u3000cat\u00A0\n") << L{"a\u3000cat"};
  QTest::newRow("inner blanks stay") << QByteArray("a  cat\tsits\n") << L{"a  cat\tsits"};
}

void TestPromptList::readsOnePromptALine() {
  QFETCH(QByteArray, text);
  QFETCH(QByteArrayList, expected);
  const auto prompts = parsePromptList(text.toStdString(), "list.txt");
  QVERIFY(prompts.isOk());
  QCOMPARE(static_cast<qsizetype>(prompts->size()), expected.size());
  for (qsizetype i = 0; i < expected.size(); ++i) {
    QCOMPARE(QByteArray::fromStdString((*prompts)[static_cast<std::size_t>(i)]), expected[i]);
  }
}

void TestPromptList::refusesWithLineNumber_data() {
  QTest::addColumn<QByteArray>("text");
  QTest::addColumn<QString>("words");
  QTest::newRow("Latin-1") << QByteArray("a cat\nun caf\xE9 noir\n") << "Line 2 of list.txt is not UTF-8 (byte 7 of the line)";
  QTest::newRow("cut in a letter") << QByteArray("\xED\x95") << "Line 1 of list.txt is not UTF-8";
  QTest::newRow("zero byte") << QByteArray("a\nb\nc\0d\n", 8) << "Line 3 of list.txt has a zero byte";
  QTest::newRow("UTF-16") << QByteArray(
                                 "\xFF\xFE"
                                 "a\0",
                                 4)
                          << "Line 1 of list.txt is not UTF-8";
  QTest::newRow("empty") << QByteArray() << "list.txt has no prompt in it";
  QTest::newRow("blank") << QByteArray(" \n\t\r\n\n") << "list.txt has no prompt in it";
  QTest::newRow("mark alone") << QByteArray("\xEF\xBB\xBF") << "list.txt has no prompt in it";
}

void TestPromptList::refusesWithLineNumber() {
  QFETCH(QByteArray, text);
  QFETCH(QString, words);
  const auto prompts = parsePromptList(text.toStdString(), "list.txt");
  QVERIFY(!prompts.isOk());
  QCOMPARE(prompts.error().code, ErrorCode::InvalidArgument);
  QVERIFY2(QString::fromStdString(prompts.error().message).contains(words), prompts.error().message.c_str());
}

void TestPromptList::takesPromptOfOneMegabyteWhole() {
  const std::string prompt(1u << 20, 'x');
  const auto prompts = parsePromptList(prompt + "\n", "list.txt");
  QVERIFY(prompts.isOk());
  QVERIFY(*prompts == Prompts{prompt});
}

void TestPromptList::takesLongestPromptAndRefusesOneByteMore() {
  const std::string longest(polyptych::domain::kMaxPromptBytes, 'x');
  QVERIFY(parsePromptList(longest, "list.txt").isOk());
  const auto prompts = parsePromptList("a cat\n" + longest + "x\n", "list.txt");
  QVERIFY(!prompts.isOk());
  QVERIFY(prompts.error().message.starts_with("Line 2 of list.txt is longer than"));
}

QTEST_GUILESS_MAIN(TestPromptList)
#include "tst_prompt_list.moc"
