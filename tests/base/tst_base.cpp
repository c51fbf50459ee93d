#include <QtTest>

#include "core/base/checked.h"
#include "core/base/result.h"
#include "core/base/utf8.h"

using namespace polyptych::base;

class TestBase : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyCodeSurvivesItsName() {
    for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
      const auto code = static_cast<ErrorCode>(i);
      QCOMPARE(errorCodeFromString(toString(code)), code);
    }
    QCOMPARE(errorCodeFromString("nonsense"), ErrorCode::Internal);
  }

  void resultHoldsValueOrError() {
    Result<int> good = 7;
    QVERIFY(good.isOk());
    QCOMPARE(*good, 7);
    Result<int> bad = Error{ErrorCode::Io, "no", {}};
    QVERIFY(!bad);
    QCOMPARE(bad.error().code, ErrorCode::Io);
    Result<void> nothing;
    QVERIFY(nothing.isOk());
  }

  void findsTheFirstBadByte_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("at");
    QTest::newRow("empty") << QByteArray("") << -1;
    QTest::newRow("korean") << QByteArray("\xED\x95\x9C") << -1;
    QTest::newRow("emoji") << QByteArray("\xF0\x9F\x98\x80") << -1;
    QTest::newRow("latin-1") << QByteArray("caf\xE9 au lait") << 3;
    QTest::newRow("overlong") << QByteArray("a\xC0\x80") << 1;
    QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << 0;
    QTest::newRow("above U+10FFFF") << QByteArray("\xF4\x90\x80\x80") << 0;
    QTest::newRow("cut") << QByteArray("ab\xE2\x82") << 2;
  }
  void findsTheFirstBadByte() {
    QFETCH(QByteArray, text);
    QFETCH(int, at);
    const auto found = firstInvalidUtf8(std::string_view(text.constData(), std::size_t(text.size())));
    QCOMPARE(found ? int(*found) : -1, at);
  }

  void prefixNeverCutsACodePoint() {
    const std::string text = "a\xED\x95\x9C";
    QCOMPARE(utf8Prefix(text, 3), std::string_view("a"));
    QCOMPARE(utf8Prefix(text, 4), std::string_view(text));
  }

  void arithmeticTellsOverflow() {
    QVERIFY(!checkedMul<std::size_t>(std::size_t(1) << 40, std::size_t(1) << 40));
    QCOMPARE(*checkedAdd(2, 3), 5);
  }
};

QTEST_APPLESS_MAIN(TestBase)
#include "tst_base.moc"
