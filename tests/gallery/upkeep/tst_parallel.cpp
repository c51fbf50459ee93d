#include <QtTest>
#include <vector>

#include "core/gallery/upkeep/parallel.h"

using namespace polyptych;

class TestParallel : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void doesEveryWorkOnce_data() {
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("threads");
    for (const int count : {0, 1, 31, 32, 33, 64, 1000, 100000}) {
      for (const int threads : {0, 1, 2, 8}) {
        QTest::addRow("%d on %d", count, threads) << count << threads;
      }
    }
  }

  /// Neighbours are written by different threads, and read by this one when it is over: ThreadSanitizer has a look, too.
  void doesEveryWorkOnce() {
    QFETCH(int, count);
    QFETCH(int, threads);
    std::vector<int> done(static_cast<std::size_t>(count));
    gallery::inParallel(done.size(), threads, [&](std::size_t i) { ++done[i]; });
    QCOMPARE(std::count(done.begin(), done.end(), 1), count);
  }
};

QTEST_APPLESS_MAIN(TestParallel)
#include "tst_parallel.moc"
