#include <QtTest>
#include <numeric>

#include "core/cluster/split.h"

using namespace polyptych::cluster;
using polyptych::base::ErrorCode;

// tests/parity/split_parity.py holds the same functions against accelerate itself.
class TestSplit : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void sharesAreAcceleratesOwn_data() {
    QTest::addColumn<int>("length");
    QTest::addColumn<int>("world");
    QTest::addColumn<QVector<int>>("sizes");
    QTest::newRow("3 over 2") << 3 << 2 << QVector<int>{2, 1};
    QTest::newRow("5 over 4") << 5 << 4 << QVector<int>{2, 1, 1, 1};
    QTest::newRow("17 over 4") << 17 << 4 << QVector<int>{5, 4, 4, 4};
    QTest::newRow("2 over 4") << 2 << 4 << QVector<int>{1, 1, 0, 0};
    QTest::newRow("nothing over 3") << 0 << 3 << QVector<int>{0, 0, 0};
    QTest::newRow("7 alone") << 7 << 1 << QVector<int>{7};
  }
  void sharesAreAcceleratesOwn() {
    QFETCH(int, length);
    QFETCH(int, world);
    QFETCH(QVector<int>, sizes);
    std::size_t next = 0;
    for (int rank = 0; rank < world; ++rank) {
      const auto share = shareOf(static_cast<std::size_t>(length), world, rank);
      QVERIFY(share.isOk());
      QCOMPARE(share->begin, next);
      QCOMPARE(static_cast<int>(share->size()), sizes[rank]);
      next = share->end;
    }
    QCOMPARE(next, static_cast<std::size_t>(length));
  }

  void everyElementIsInExactlyOneShare() {
    for (int world = 1; world <= 9; ++world) {
      for (std::size_t length = 0; length <= 40; ++length) {
        std::vector<int> list(length);
        std::iota(list.begin(), list.end(), 0);
        std::vector<int> joined;
        for (int rank = 0; rank < world; ++rank) {
          const std::vector<int> part = take(list, *shareOf(length, world, rank));
          joined.insert(joined.end(), part.begin(), part.end());
        }
        QCOMPARE(joined, list);
      }
    }
  }

  void paddingRepeatsTheLastElement() {
    const std::vector<std::string> list{"a", "b", "c"};
    QCOMPARE(take(list, *shareOf(3, 2, 0, true)), (std::vector<std::string>{"a", "b"}));
    QCOMPARE(take(list, *shareOf(3, 2, 1, true)), (std::vector<std::string>{"c", "c"}));
    QCOMPARE(take(list, *shareOf(3, 4, 3, true)), (std::vector<std::string>{"c"}));
    QCOMPARE(take(list, *shareOf(3, 1, 0, true)), list);
  }

  void dictionariesAreSplitListByListAndStayWhole() {
    const std::map<std::string, std::vector<int>> dictionary{{"prompt", {1, 2, 3}}, {"seed", {7, 8, 9}}};
    const auto part = splitDictionary(dictionary, 2, 1, true);
    QVERIFY(part.isOk());
    QCOMPARE(part->at("prompt"), (std::vector<int>{3, 3}));
    QCOMPARE(part->at("seed"), (std::vector<int>{9, 9}));
    QCOMPARE(dictionary.at("prompt").size(), std::size_t(3));
    const auto again = splitDictionary(dictionary, 2, 1, true);
    QVERIFY(*again == *part);
    QVERIFY(splitDictionary<int>({}, 2, 1)->empty());
  }

  void refusesWhatCannotBeSplit() {
    QCOMPARE(shareOf(3, 0, 0).error().code, ErrorCode::InvalidArgument);
    QCOMPARE(shareOf(3, 2, 2).error().code, ErrorCode::InvalidArgument);
    QCOMPARE(shareOf(3, 2, -1).error().code, ErrorCode::InvalidArgument);
    QVERIFY(shareOf(0, 2, 0, true).error().message.find("empty list") != std::string::npos);
    const auto uneven = splitDictionary<int>({{"prompt", {1, 2}}, {"seed", {1}}}, 2, 0);
    QVERIFY(!uneven.isOk());
    QVERIFY(uneven.error().message.find("'seed' has 1") != std::string::npos);
  }
};

QTEST_GUILESS_MAIN(TestSplit)
#include "tst_split.moc"
