#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <limits>
#include <vector>

#include "app/polyptych-cli/json_text.h"

using polyptych::cli::jsonArray;
using polyptych::cli::JsonObject;
using polyptych::cli::jsonText;

class TestJsonText : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void writesWhatParsersRead();
  void keepsNumbersExact();
  void replacesBrokenUtf8();
};

void TestJsonText::writesWhatParsersRead() {
  std::string all;
  for (int c = 1; c < 128; ++c) {
    all += static_cast<char>(c);
  }
  all += "고양이 \xF0\x9F\x98\x80";
  const std::string json = JsonObject()
                               .text("text \"1\"", all)
                               .flag("yes", true)
                               .number("half", 0.5)
                               .number("nothing", std::numeric_limits<double>::quiet_NaN())
                               .raw("list", jsonArray(std::vector<std::string>{"1", jsonText("b")}, true))
                               .done();
  QVERIFY(json.find('\x01') == std::string::npos);
  const QJsonObject read = QJsonDocument::fromJson(QByteArray::fromStdString(json)).object();
  QCOMPARE(read.value("text \"1\"").toString(), QString::fromStdString(all));
  QCOMPARE(read.value("yes"), QJsonValue(true));
  QCOMPARE(read.value("half").toDouble(), 0.5);
  QVERIFY(read.value("nothing").isNull());
  QCOMPARE(read.value("list").toArray(), (QJsonArray{1, "b"}));
}

void TestJsonText::keepsNumbersExact() {
  const std::string json = JsonObject()
                               .number("a", std::numeric_limits<std::uint64_t>::max())
                               .number("b", std::numeric_limits<std::int64_t>::min())
                               .number("c", 0.1)
                               .done();
  QCOMPARE(json, std::string(R"({"a":18446744073709551615,"b":-9223372036854775808,"c":0.1})"));
}

void TestJsonText::replacesBrokenUtf8() {
  QCOMPARE(jsonText("a\xFF"
                    "b\xED"),
           std::string("\"a\xEF\xBF\xBD"
                       "b\xEF\xBF\xBD\""));
}

QTEST_GUILESS_MAIN(TestJsonText)
#include "tst_json_text.moc"
