#include <signal.h>

#include <QtTest>

#include "tests/distributed/group_processes.h"

namespace {

/// What the probe gives every phase.
constexpr int kPhaseLimitMs = 2000;

class Processes : public polyptych::tests::GroupProcesses {
 public:
  explicit Processes(int size, const QString& host = QStringLiteral("127.0.0.1"))
      : GroupProcesses(size, QStringLiteral(GROUP_PROBE), host) {}
  QProcess& start(int rank, const QStringList& actions, const QString& version = QStringLiteral("1")) {
    return GroupProcesses::start(rank, QStringList{version} + actions);
  }
};

}  // namespace

/// Groups of real processes on this machine, over Gloo.
class TestGroup : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void doesCollectives_data() {
    QTest::addColumn<int>("size");
    for (const int size : {1, 2, 4}) {
      QTest::addRow("%d", size) << size;
    }
  }
  void doesCollectives() {
    QFETCH(int, size);
    Processes group(size);
    for (int rank = 0; rank < size; ++rank) {
      group.start(rank, {"barrier", "broadcast", "all-gather", "objects", "count", "barrier"});
    }
    QByteArray gathered = "all-gather";
    QByteArray objects = "objects";
    for (int rank = 0; rank < size; ++rank) {
      gathered += " " + QByteArray::number(2 * (rank + 1));
      objects += " [" + QByteArray(rank, 'x') + "]";
    }
    QSet<QByteArray> counts;
    for (int rank = 0; rank < size; ++rank) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains("broadcast 549755289600.000000\n"), said.constData());
      QVERIFY2(said.contains(gathered + "\n"), said.constData());
      QVERIFY2(said.contains(objects + "\n"), said.constData());
      QVERIFY2(said.endsWith("done\n"), said.constData());
      for (int count = 1; count <= size; ++count) {
        if (said.contains("count " + QByteArray::number(count) + "\n")) {
          counts.insert(QByteArray::number(count));
        }
      }
    }
    QCOMPARE(counts.size(), size);
  }

  void asksNoNameServiceForAddresses() {
    Processes group(1);
    group.start(0, {"name"});
    const QByteArray said = group.end(0);
    QVERIFY2(said.contains("name 127.0.0.1\n"), said.constData());
  }

  /// What Gloo's first write after a peer's death gives the process.
  void livesOnAfterAWriteToADeadPeer() {
    Processes group(1);
    group.start(0, {"broken-pipe"});
    const QByteArray said = group.end(0);
    QVERIFY2(said.endsWith("broken-pipe\ndone\n"), said.constData());
  }

  void namesRanksThatDoNotCome() {
    Processes group(3);
    group.start(0, {"barrier"});
    group.start(1, {"barrier"});
    group.start(2, {"hang-before"});
    for (const int rank : {0, 1}) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains("error timeout") && said.contains("rank 2 of 3 did not come to 127.0.0.1"), said.constData());
    }
  }

  void refusesOtherVersions() {
    Processes group(2);
    group.start(0, {"barrier"});
    group.start(1, {"barrier"}, QStringLiteral("2"));
    const QByteArray first = group.end(0);
    const QByteArray second = group.end(1);
    for (const QByteArray& said : {first, second}) {
      QVERIFY2(said.contains("error version_mismatch Rank "), said.constData());
    }
  }

  void refusesARankThatIsThereTwice() {
    Processes group(2);
    group.start(0, {"hang"});
    QVERIFY(group.waitFor(0, "store"));
    group.start(1, {"hang"});
    QVERIFY(group.waitFor(1, "joined"));
    group.start(1, {"hang"});
    const QByteArray said = group.end(2);
    QVERIFY2(said.contains("error invalid_argument Rank 1 is there 2 times"), said.constData());
  }

  void endsWhenARankIsKilled_data() {
    QTest::addColumn<QStringList>("actions");
    QTest::addColumn<QByteArray>("until");
    QTest::newRow("in broadcasts") << QStringList{"broadcasts"} << QByteArray("broadcasts");
    QTest::newRow("before a barrier") << QStringList{"hang"} << QByteArray("joined");
  }
  void endsWhenARankIsKilled() {
    QFETCH(QStringList, actions);
    QFETCH(QByteArray, until);
    Processes group(3);
    for (int rank = 0; rank < 3; ++rank) {
      group.start(rank, rank == 1 || actions.front() != "hang" ? actions : QStringList{"barrier"});
    }
    QVERIFY(group.waitFor(1, until));
    QElapsedTimer clock;
    clock.start();
    ::kill(static_cast<pid_t>(group.of(1).processId()), SIGKILL);
    for (const int rank : {0, 2}) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains("error ") && said.contains("rank 1 ("), said.constData());
    }
    // The phase's time, the time to ask who is missing, and the time that a loaded machine takes for everything else.
    QVERIFY2(clock.elapsed() < kPhaseLimitMs + 1000 + 10'000, qPrintable(QString::number(clock.elapsed())));
  }

  void endsWhenARankHangs() {
    Processes group(3);
    group.start(0, {"barrier"});
    group.start(1, {"hang"});
    group.start(2, {"barrier"});
    for (const int rank : {0, 2}) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains("In the barrier, rank ") && said.contains("Without an answer: rank 1 ("), said.constData());
    }
  }

  void endsWhenTheStoreIsKilled() {
    Processes group(3);
    group.start(0, {"hang"});
    group.start(1, {"barrier"});
    group.start(2, {"barrier"});
    for (int rank = 0; rank < 3; ++rank) {
      QVERIFY(group.waitFor(rank, "joined"));
    }
    ::kill(static_cast<pid_t>(group.of(0).processId()), SIGKILL);
    for (const int rank : {1, 2}) {
      const QByteArray said = group.end(rank);
      QVERIFY2(said.contains("error ") && said.contains("The store of the group is gone"), said.constData());
    }
  }

  void saysThatThePortIsTaken() {
    Processes group(2);
    QTcpServer taken;
    QVERIFY(taken.listen(QHostAddress::Any, group.port));
    group.start(0, {"barrier"});
    const QByteArray said = group.end(0);
    QVERIFY2(said.contains("error already_exists") && said.contains("Choose another MASTER_PORT"), said.constData());
  }

  void saysThatNobodyListens() {
    Processes group(2);
    group.start(1, {"barrier"});
    const QByteArray said = group.end(0);
    QVERIFY2(said.contains("error timeout") && said.contains("MASTER_ADDR and MASTER_PORT"), said.constData());
  }

  void saysThatTheHostHasNoAddress() {
    Processes group(2, QStringLiteral("no-such-host.invalid"));
    group.start(1, {"barrier"});
    const QByteArray said = group.end(0);
    QVERIFY2(said.contains("error ") && said.contains("MASTER_ADDR"), said.constData());
  }

  void isGivenUpFromAnotherThread() {
    Processes group(2);
    group.start(0, {"abort-soon", "barrier"});
    group.start(1, {"hang"});
    const QByteArray said = group.end(0);
    QVERIFY2(said.contains("error cancelled The group was given up."), said.constData());
  }

  void staysEndedAfterAFailure() {
    Processes group(2);
    group.start(0, {"again"});
    group.start(1, {"hang"});
    const QByteArray said = group.end(0);
    QVERIFY2(said.contains("again same\n"), said.constData());
  }
};

QTEST_GUILESS_MAIN(TestGroup)
#include "tst_group.moc"
