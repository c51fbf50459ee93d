#include <QtTest>

#include "core/queue/batch_choice.h"

using polyptych::queue::BatchFacts;
using polyptych::queue::chooseBatch;

class TestBatchChoice : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void chooses_data() {
    QTest::addColumn<bool>("hasCpu");
    QTest::addColumn<double>("freeGigabytes");
    QTest::addColumn<double>("modelGigabytes");
    QTest::addColumn<int>("side");
    QTest::addColumn<QMap<int, double>>("measured");
    QTest::addColumn<int>("batch");
    using Measured = QMap<int, double>;
    QTest::newRow("cpu") << true << 100.0 << 2.0 << 512 << Measured() << 1;
    QTest::newRow("nothing known of memory") << false << 0.0 << 2.0 << 512 << Measured() << 1;
    QTest::newRow("plenty") << false << 24.0 << 2.0 << 512 << Measured() << 8;
    QTest::newRow("8 GB") << false << 8.0 << 2.0 << 512 << Measured() << 2;
    QTest::newRow("6 GB") << false << 6.0 << 2.0 << 512 << Measured() << 2;
    QTest::newRow("model alone is too much") << false << 2.0 << 2.0 << 512 << Measured() << 1;
    QTest::newRow("large pictures") << false << 24.0 << 2.0 << 1024 << Measured() << 2;
    QTest::newRow("larger is no faster") << false << 24.0 << 2.0 << 512 << Measured{{1, 1.0}, {2, 0.99}, {4, 0.98}} << 1;
    QTest::newRow("larger is faster") << false << 24.0 << 2.0 << 512 << Measured{{1, 1.0}, {2, 0.8}, {4, 0.79}} << 2;
    QTest::newRow("the next is tried") << false << 24.0 << 2.0 << 512 << Measured{{1, 1.0}, {2, 0.8}} << 4;
    QTest::newRow("the next does not fit") << false << 8.0 << 2.0 << 512 << Measured{{1, 1.0}, {2, 0.8}} << 2;
    QTest::newRow("what was measured fits no more") << false << 4.5 << 2.0 << 512 << Measured{{4, 0.5}} << 1;
  }
  void chooses() {
    QFETCH(bool, hasCpu);
    QFETCH(double, freeGigabytes);
    QFETCH(double, modelGigabytes);
    QFETCH(int, side);
    using Measured = QMap<int, double>;
    QFETCH(Measured, measured);
    BatchFacts facts;
    facts.hasCpu = hasCpu;
    facts.freeBytes = static_cast<std::uint64_t>(freeGigabytes * 1e9);
    facts.modelBytes = static_cast<std::uint64_t>(modelGigabytes * 1e9);
    facts.pixels = std::int64_t{1} * side * side;
    for (auto it = measured.begin(); it != measured.end(); ++it) {
      facts.secondsPerPicture[it.key()] = it.value();
    }
    QTEST(chooseBatch(facts), "batch");
  }
};

QTEST_GUILESS_MAIN(TestBatchChoice)
#include "tst_batch_choice.moc"
