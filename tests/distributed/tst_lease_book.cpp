#include <QtTest>
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "core/distributed/lease_book.h"

using namespace polyptych;
using distributed::LeaseBook;
using distributed::LeaseOptions;
using distributed::RankState;
using distributed::Store;
using distributed::UnitLease;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kDeadAfter{400};

std::unique_ptr<Store> makeStore() {
  static int number = 0;
  auto store = Store::connect({"127.0.0.1", 0, true, "test" + std::to_string(++number) + "/"}, milliseconds(10'000));
  return store ? std::move(*store) : nullptr;
}

LeaseBook openBook(Store& store, int rank, int size, std::int64_t units) {
  LeaseOptions options;
  options.rank = rank;
  options.size = size;
  options.units = units;
  options.deadAfter = kDeadAfter;
  return *LeaseBook::open(store, options);
}

}  // namespace

class TestLeaseBook : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void givesEveryUnitOnceInSharesThatBecomeSmaller() {
    const auto store = makeStore();
    QVERIFY(store);
    std::vector<LeaseBook> books;
    for (int rank = 0; rank < 3; ++rank) {
      books.push_back(openBook(*store, rank, 3, 200));
    }
    std::vector<int> given(200);
    std::vector<std::int64_t> sizes;
    for (int turn = 0;; ++turn) {
      LeaseBook& book = books[std::size_t(turn % 3)];
      QVERIFY(book.look().isOk());
      const auto lease = book.take();
      QVERIFY(lease.isOk());
      if (!*lease) {
        break;
      }
      sizes.push_back((*lease)->count);
      for (std::int64_t unit = (*lease)->first; unit < (*lease)->first + (*lease)->count; ++unit) {
        ++given[std::size_t(unit)];
      }
      QCOMPARE(*book.isOver(), false);
      QVERIFY(book.finish(**lease).isOk());
    }
    QVERIFY(std::all_of(given.begin(), given.end(), [](int times) { return times == 1; }));
    QCOMPARE(sizes.front(), std::int64_t(16));
    QCOMPARE(sizes.back(), std::int64_t(1));
    QVERIFY(std::is_sorted(sizes.rbegin(), sizes.rend()));
    for (LeaseBook& book : books) {
      QCOMPARE(*book.isOver(), true);
    }
  }

  void givesWhatADeadRankHadToOthers() {
    const auto store = makeStore();
    LeaseBook living = openBook(*store, 0, 2, 2);
    LeaseBook dying = openBook(*store, 1, 2, 2);
    const auto lost = dying.take();
    QVERIFY(*lost);
    QCOMPARE((**living.take()).count, std::int64_t(1));
    const auto look = [&] { return (*living.look())[1]; };
    QCOMPARE(look(), RankState::Working);
    QVERIFY(!*living.take());  // it may still be at work
    QTRY_COMPARE_WITH_TIMEOUT(look(), RankState::Lost, 10'000);
    const auto taken = living.take();
    QVERIFY(*taken);
    QVERIFY(**taken == **lost);
    // It was not dead, only slow: what it made counts once.
    QVERIFY(living.finish(**taken).isOk());
    QVERIFY(dying.finish(**lost).isOk());
    QCOMPARE(*living.isOver(), false);
    QVERIFY(living.finish({1 - (*lost)->first, 1}).isOk());
    QCOMPARE(*living.isOver(), true);
  }

  void givesWhatARankHadBeforeItWasStartedAgainAtOnce() {
    const auto store = makeStore();
    LeaseBook other = openBook(*store, 0, 2, 1);
    LeaseBook before = openBook(*store, 1, 2, 1);
    QCOMPARE(before.incarnation(), std::int64_t(1));
    QVERIFY(*before.take());
    LeaseBook after = openBook(*store, 1, 2, 1);
    QCOMPARE(after.incarnation(), std::int64_t(2));
    QVERIFY(after.look().isOk());
    const auto again = after.take();
    QVERIFY(*again);
    QVERIFY(**again == (UnitLease{0, 1}));
    QVERIFY(other.look().isOk());
    QVERIFY(!*other.take());
  }

  void givesWhatARankGaveBackThatStays() {
    const auto store = makeStore();
    LeaseBook other = openBook(*store, 0, 2, 1);
    LeaseBook failing = openBook(*store, 1, 2, 1);
    QVERIFY(*failing.take());
    QVERIFY(other.look().isOk());
    QVERIFY(!*other.take());
    QVERIFY(failing.release().isOk());
    QCOMPARE((*other.look())[1], RankState::Working);
    QVERIFY(*other.take());
  }

  /// Two processes that were started as the same rank: the first must not keep alive what the second had.
  void countsNoSignsOfLifeOfAnEarlierStart() {
    const auto store = makeStore();
    LeaseBook other = openBook(*store, 0, 2, 1);
    LeaseBook first = openBook(*store, 1, 2, 1);
    LeaseBook second = openBook(*store, 1, 2, 1);
    QVERIFY(*second.take());
    QVERIFY(other.look().isOk());
    QVERIFY(!*other.take());
    const auto look = [&] {
      (void)first.beat();
      return (*other.look())[1];
    };
    QTRY_COMPARE_WITH_TIMEOUT(look(), RankState::Lost, 10'000);
    QVERIFY(*other.take());
  }

  void givesWhatARankHadThatLeft() {
    const auto store = makeStore();
    LeaseBook staying = openBook(*store, 0, 2, 1);
    LeaseBook leaving = openBook(*store, 1, 2, 1);
    QVERIFY(*leaving.take());
    QVERIFY(leaving.leave().isOk());
    QCOMPARE((*staying.look())[1], RankState::Left);
    QVERIFY(*staying.take());
  }

  void fillsTheGapOfARankThatDiedBetweenCountingAndWriting() {
    const auto store = makeStore();
    LeaseBook book = openBook(*store, 0, 1, 3);
    QVERIFY(store->add("lease-cursor", 1).isOk());
    std::vector<std::int64_t> firsts;
    QElapsedTimer clock;
    clock.start();
    while (!*book.isOver() && clock.elapsed() < 20'000) {
      QVERIFY(book.beat().isOk());
      QVERIFY(book.look().isOk());
      const auto lease = book.take();
      QVERIFY(lease.isOk());
      if (*lease) {
        firsts.push_back((*lease)->first);
        QVERIFY(book.finish(**lease).isOk());
      } else {
        QTest::qSleep(20);
      }
    }
    QCOMPARE(firsts, (std::vector<std::int64_t>{1, 2, 0}));
  }

  /// Ranks on threads, each with a connection of its own, that die at random and come again.
  void losesNothingWhenRanksDieAndComeAgain() {
    constexpr int kRanks = 4;
    constexpr std::int64_t kUnits = 150;
    const auto store = makeStore();
    std::mutex mutex;
    std::map<std::int64_t, int> made;
    std::atomic<int> deaths = 0;
    std::vector<std::thread> ranks;
    for (int rank = 0; rank < kRanks; ++rank) {
      ranks.emplace_back([&, rank] {
        std::mt19937 random(static_cast<unsigned>(rank) + 7);
        for (bool isOver = false; !isOver;) {
          const auto own = store->clone();
          LeaseBook book = openBook(**own, rank, kRanks, kUnits);
          while (!isOver) {
            (void)book.beat();
            (void)book.look();
            const auto lease = book.take();
            if (!lease || !*lease) {
              isOver = *book.isOver();
              std::this_thread::sleep_for(milliseconds(5));
              continue;
            }
            if (rank > 0 && random() % 4 == 0) {
              ++deaths;
              break;  // with the lease, not made or not told
            }
            {
              const std::lock_guard lock(mutex);
              for (std::int64_t unit = (*lease)->first; unit < (*lease)->first + (*lease)->count; ++unit) {
                ++made[unit];
              }
            }
            (void)book.finish(**lease);
          }
        }
      });
    }
    for (std::thread& rank : ranks) {
      rank.join();
    }
    QVERIFY(deaths > 0);
    QCOMPARE(made.size(), std::size_t(kUnits));
  }

  void refusesRanksThatCannotBe() {
    const auto store = makeStore();
    QVERIFY(!LeaseBook::open(*store, {.rank = 2, .size = 2}));
    QVERIFY(!LeaseBook::open(*store, {.rank = -1, .size = 2}));
  }
};

QTEST_GUILESS_MAIN(TestLeaseBook)
#include "tst_lease_book.moc"
