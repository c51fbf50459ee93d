#include <QtTest>

#include "core/backend/limits_text.h"

using namespace polyptych;
using pool::SupervisionLimits;

class TestLimitsText : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyLimitComesBack() {
    SupervisionLimits limits;
    limits.maxDeathsPerUnit = 7;
    limits.maxOutOfMemoryPerUnit = 3;
    limits.restartBase = std::chrono::milliseconds(11);
    limits.restartFactor = 1.5;
    limits.restartMax = std::chrono::minutes(3);
    limits.maxRestartsInWindow = 9;
    limits.restartWindow = std::chrono::minutes(4);
    limits.deviceBreaker = 0;
    limits.overallBreaker = 12;
    limits.allowsSmallerSize = true;
    limits.smallestSide = 128;
    limits.releaseAfter = std::chrono::minutes(10);
    limits.stopAfter = std::chrono::minutes(60);
    limits.hostReserveBytes = std::uint64_t(5) << 30;
    const QByteArray json = backend::toJson(limits);
    const auto back = backend::limitsFromJson(json);
    QVERIFY2(back.isOk(), back ? "" : back.error().message.c_str());
    QCOMPARE(backend::toJson(*back), json);
    QCOMPARE(back->stopAfter, limits.stopAfter);
    QCOMPARE(back->hostReserveBytes, limits.hostReserveBytes);
  }
  void whatIsMissingStays() {
    SupervisionLimits before;
    before.deviceBreaker = 42;
    before.stopAfter = std::chrono::minutes(1);
    const auto after = backend::limitsFromJson(R"({"overallBreaker": 3, "stopAfter": null})", before);
    QVERIFY(after.isOk());
    QCOMPARE(after->deviceBreaker, 42);
    QCOMPARE(after->overallBreaker, 3);
    QVERIFY(!after->stopAfter);
  }
  void refusesWhatCannotBe_data() {
    QTest::addColumn<QByteArray>("json");
    QTest::newRow("no object") << QByteArray("[1]");
    QTest::newRow("damaged") << QByteArray("{\"deviceBreaker\":");
    QTest::newRow("another name") << QByteArray(R"({"deviceBraker": 3})");
    QTest::newRow("negative") << QByteArray(R"({"deviceBreaker": -1})");
    QTest::newRow("fraction") << QByteArray(R"({"deviceBreaker": 1.5})");
    QTest::newRow("text") << QByteArray(R"({"deviceBreaker": "3"})");
    QTest::newRow("too large") << QByteArray(R"({"deviceBreaker": 1e12})");
    QTest::newRow("refused by its meaning") << QByteArray(R"({"restartFactor": 0.1})");
    QTest::newRow("no flag") << QByteArray(R"({"allowsSmallerSize": 1})");
  }
  void refusesWhatCannotBe() {
    QFETCH(QByteArray, json);
    const auto limits = backend::limitsFromJson(json);
    QVERIFY(!limits.isOk());
    QCOMPARE(limits.error().code, base::ErrorCode::InvalidArgument);
    QVERIFY(!limits.error().message.empty());
  }
};

QTEST_GUILESS_MAIN(TestLimitsText)
#include "tst_limits_text.moc"
