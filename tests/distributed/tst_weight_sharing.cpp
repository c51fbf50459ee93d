#include <QtTest>

#include "tests/distributed/group_processes.h"

namespace {

constexpr int kTensors = 26;

class Processes : public polyptych::tests::GroupProcesses {
 public:
  explicit Processes(int size) : GroupProcesses(size, QStringLiteral(WEIGHT_PROBE)), m_size(size) {}
  /// @param slow  milliseconds that a rank takes for tensor `slowAt`
  void startAll(const QString& source, int root, const QList<int>& slow, int slowAt = 0, int failRank = -1, int failAt = 0,
                int extraRank = -1) {
    for (int rank = 0; rank < m_size; ++rank) {
      start(rank, {source, QString::number(root), QString::number(slow.value(rank, slow.last())), QString::number(slowAt),
                   QString::number(failRank), QString::number(failAt), QString::number(extraRank)});
    }
  }

 private:
  const int m_size;
};

QByteArray reads(const char* source, int count, const char* more = "") {
  return QByteArray(source) + " reads " + QByteArray::number(count) + " of " + QByteArray::number(kTensors) + more + "\n";
}

}  // namespace

class TestWeightSharing : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void givesAllRanksTheSame_data() {
    QTest::addColumn<int>("size");
    QTest::addColumn<QString>("source");
    QTest::addColumn<int>("root");
    QTest::newRow("files") << 3 << "files" << 0;
    QTest::newRow("broadcast") << 3 << "broadcast" << 0;
    QTest::newRow("broadcast from another rank") << 3 << "broadcast" << 2;
    QTest::newRow("one rank") << 1 << "broadcast" << 0;
  }
  void givesAllRanksTheSame() {
    QFETCH(int, size);
    QFETCH(QString, source);
    QFETCH(int, root);
    Processes group(size);
    group.startAll(source, root, {0});
    for (int rank = 0; rank < size; ++rank) {
      const QByteArray said = group.end(rank);
      const bool isReader = source == QLatin1String("files") || rank == root;
      QVERIFY2(said.contains(reads(source.toLatin1().constData(), isReader ? kTensors : 0)) && !said.contains("wrong"),
               said.constData());
    }
  }

  /// The times of this machine decide: a slow reader makes sending the better choice, and a slow sender reading.
  void takesTheFasterWay_data() {
    QTest::addColumn<QList<int>>("slow");
    QTest::addColumn<int>("slowAt");
    QTest::addColumn<bool>("isSent");
    QTest::newRow("a rank that reads slowly") << QList<int>{0, 2000, 0} << 0 << true;
    // Nothing here can make the sending itself slow; the root's part in the second bucket counts as sending.
    QTest::newRow("a root that sends slowly") << QList<int>{2000, 0, 0} << 1 << false;
  }
  void takesTheFasterWay() {
    QFETCH(QList<int>, slow);
    QFETCH(int, slowAt);
    QFETCH(bool, isSent);
    Processes group(3);
    group.startAll(QStringLiteral("measured"), 0, slow, slowAt);
    for (int rank = 0; rank < 3; ++rank) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.startsWith(isSent ? "broadcast reads " : "files reads ") && said.contains(" measured\n") &&
                   !said.contains("wrong"),
               said.constData());
      QVERIFY2(said.contains("MB of weights came from ") && said.contains("(reading "), said.constData());
      // The first bucket, a tensor, is every rank's own, the second one the root's; the others read it never, or all that
      // follow.
      const int expected = rank == 0 ? kTensors : isSent ? 1 : kTensors - 1;
      QVERIFY2(said.contains(reads(isSent ? "broadcast" : "files", expected, " measured")), said.constData());
    }
  }

  void readsWhatIsTooLittleToMeasure() {
    Processes group(2);
    group.start(0, {"measured-small", "0", "0", "0", "-1", "0", "-1"});
    group.start(1, {"measured-small", "0", "0", "0", "-1", "0", "-1"});
    for (const int rank : {0, 1}) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains(reads("files", kTensors)), said.constData());
    }
  }

  void endsOnAllRanksWhenTheRootCannotRead_data() {
    QTest::addColumn<QString>("source");
    QTest::addColumn<int>("at");
    QTest::newRow("broadcast, first") << "broadcast" << 0;
    QTest::newRow("broadcast, in the middle") << "broadcast" << 13;
    QTest::newRow("measured, in the first bucket") << "measured" << 0;
    QTest::newRow("measured, in the second bucket") << "measured" << 1;
  }
  void endsOnAllRanksWhenTheRootCannotRead() {
    QFETCH(QString, source);
    QFETCH(int, at);
    Processes group(3);
    group.startAll(source, 1, {0}, 0, 1, at);
    for (int rank = 0; rank < 3; ++rank) {
      const QByteArray said = group.end(rank);
      const QByteArray expected = rank == 1 ? QByteArray("error corrupt Tensor ") : QByteArray("could not read the weights");
      QVERIFY2(said.contains("error ") && said.contains(expected), said.constData());
    }
  }

  void refusesOtherLists() {
    Processes group(3);
    group.startAll(QStringLiteral("broadcast"), 0, {0}, 0, -1, 0, 2);
    for (int rank = 0; rank < 3; ++rank) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains("error invalid_argument Rank 2 shares other weights than rank 0"), said.constData());
    }
  }

  void refusesARootThatIsNoRank() {
    Processes group(1);  // of several, the first to refuse would take the store away from those that still join
    group.startAll(QStringLiteral("broadcast"), 1, {0});
    const QByteArray said = group.end(0);
    QVERIFY2(said.contains("error invalid_argument Weights cannot be shared from rank 1 of 1"), said.constData());
  }
};

QTEST_GUILESS_MAIN(TestWeightSharing)
#include "tst_weight_sharing.moc"
