#include <QtTest>

#include "tests/distributed/group_processes.h"

namespace {

constexpr int kSize = 3;

class Processes : public polyptych::tests::GroupProcesses {
 public:
  Processes() : GroupProcesses(kSize, QStringLiteral(FEED_PROBE)) {}
  /// The store is kept by a process of its own: any rank may die.
  bool startAll(const QString& way, const QString& fault, int faulty) {
    for (int rank = 0; rank < kSize; ++rank) {
      start(rank, {way, fault, QString::number(faulty)});
    }
    start(0, {QStringLiteral("serve")});  // the fourth process
    return waitFor(kSize, "serving");
  }
};

}  // namespace

/// The weights of a first load, from one rank or from files.
class TestWeightFeed : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void fillsOnce_data() {
    QTest::addColumn<QString>("way");
    QTest::newRow("broadcast") << "broadcast";
    QTest::newRow("measured") << "measured";
  }
  void fillsOnce() {
    QFETCH(QString, way);
    Processes group;
    QVERIFY(group.startAll(way, QStringLiteral("none"), -1));
    for (int rank = 0; rank < kSize; ++rank) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains("met right") && said.endsWith("once\n"), said.constData());
      QVERIFY2(said.contains(rank == 0 ? "report: 4 MB of weights came from " : "report: none"), said.constData());
      if (way == QLatin1String("broadcast")) {
        QVERIFY2(said.contains(rank == 0 ? "reads 16 " : "reads 0 "), said.constData());
      }
    }
  }

  /// Nobody waits long, nobody takes what is half filled, and rank 0 says why.
  void leavesTheFilesToEveryRank_data() {
    QTest::addColumn<QString>("fault");
    QTest::addColumn<int>("faulty");
    QTest::addColumn<bool>("hasMet");
    QTest::addColumn<bool>("speaks");  ///< the faulty rank comes to its end
    QTest::addColumn<QByteArray>("sentence");
    QTest::newRow("a rank dies") << "die" << 1 << true << false << QByteArray("In the sharing of the weights");
    QTest::newRow("the last rank dies") << "die" << 2 << true << false << QByteArray("In the sharing of the weights");
    QTest::newRow("the reader dies") << "die" << 0 << true << false << QByteArray();
    QTest::newRow("a rank hangs") << "hang" << 2 << true << false << QByteArray("In the sharing of the weights");
    QTest::newRow("the reader hangs") << "hang" << 0 << true << false << QByteArray();
    QTest::newRow("the reader cannot read") << "unreadable" << 0 << true << true << QByteArray("The disk is broken.");
    QTest::newRow("another list") << "other" << 1 << true << true << QByteArray("Rank 1 shares other weights than rank 0");
    QTest::newRow("a rank that does not come") << "absent" << 1 << false << false << QByteArray("rank 1 of 3 did not come");
    QTest::newRow("a rank that comes again")
        << "again" << 2 << false << true << QByteArray("The worker of rank 2 was started again");
    QTest::newRow("cancelled while a rank hangs") << "cancel" << 2 << true << false << QByteArray("none");
  }
  void leavesTheFilesToEveryRank() {
    QFETCH(QString, fault);
    QFETCH(int, faulty);
    QFETCH(bool, hasMet);
    QFETCH(bool, speaks);
    QFETCH(QByteArray, sentence);
    Processes group;
    QVERIFY(group.startAll(QStringLiteral("broadcast"), fault, faulty));
    for (int rank = 0; rank < kSize; ++rank) {
      if (rank == faulty && !speaks) {
        continue;
      }
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains(hasMet ? "met unfilled" : "alone unfilled") && said.contains(" soon\n") && said.endsWith("once\n"),
               said.constData());
      if (rank == 0) {
        const bool isQuiet = sentence == "none";
        QVERIFY2(said.contains(isQuiet ? "report: none" : "report: Each rank reads the weights from its own files: ") &&
                     said.contains(sentence),
                 said.constData());
      }
    }
  }
};

QTEST_GUILESS_MAIN(TestWeightFeed)
#include "tst_weight_feed.moc"
