#include <sys/resource.h>

#include <QtTest>
#include <thread>

#include "core/base/thread_priority.h"

using namespace polyptych;

class TestThreadPriority : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aThreadGivesWayOnceAndAlone() {
    const int before = ::getpriority(PRIO_PROCESS, 0);
    if (before > 10) {
      QSKIP("This process gives way too much already.");
    }
    int once = 0;
    int twice = 0;
    std::thread([&] {
      base::giveWay();
      once = ::getpriority(PRIO_PROCESS, 0);
      base::giveWay();
      twice = ::getpriority(PRIO_PROCESS, 0);
    }).join();
    QCOMPARE(once, before + 5);
    QCOMPARE(twice, once);
    QCOMPARE(::getpriority(PRIO_PROCESS, 0), before);
  }
};

QTEST_GUILESS_MAIN(TestThreadPriority)
#include "tst_thread_priority.moc"
