#include <QtTest>

#include "core/domain/device_choice.h"

using namespace polyptych::domain;
using polyptych::base::ErrorCode;

namespace {

const DeviceInfo kCpu{"cpu", DeviceKind::Cpu, "Test CPU", "", 0, 0, 4, -1, -1};
const DeviceInfo kFirst{"cuda:0", DeviceKind::Cuda, "Card A", "GPU-aaaa1111-0000", 0, 0, 0, -1, -1};
const DeviceInfo kSecond{"cuda:1", DeviceKind::Cuda, "Card B", "GPU-aaaa2222-0000", 0, 0, 0, -1, -1};
const std::vector<DeviceInfo> kTwoCards{kCpu, kFirst, kSecond};
const std::vector<DeviceInfo> kNoCard{kCpu};
const std::vector<int> kFourCores{0, 1, 4, 5};

QStringList idsOf(const std::vector<DeviceSlot>& chosen) {
  QStringList ids;
  for (const DeviceSlot& slot : chosen) {
    ids << QString::fromStdString(slot.id);
  }
  return ids;
}

}  // namespace

class TestDeviceChoice : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void listsBecomeSlots_data() {
    QTest::addColumn<QString>("list");
    QTest::addColumn<bool>("hasCards");
    QTest::addColumn<QStringList>("ids");
    QTest::newRow("empty with cards") << "" << true << QStringList{"cuda:0", "cuda:1"};
    QTest::newRow("empty without cards") << "" << false << QStringList{"cpu:0"};
    QTest::newRow("all with cards") << "all" << true << QStringList{"cuda:0", "cuda:1"};
    QTest::newRow("all without cards") << "ALL" << false << QStringList{"cpu:0"};
    QTest::newRow("cpu") << "cpu" << true << QStringList{"cpu:0"};
    QTest::newRow("three slots") << "cpu:3" << false << QStringList{"cpu:0", "cpu:1", "cpu:2"};
    QTest::newRow("cpu named twice") << "cpu,cpu:2" << false << QStringList{"cpu:0", "cpu:1", "cpu:2"};
    QTest::newRow("one card") << "cuda:1" << true << QStringList{"cuda:1"};
    QTest::newRow("two workers on one card") << "cuda:1, cuda:1 ,cuda:1" << true << QStringList{"cuda:1", "cuda:1#2", "cuda:1#3"};
    QTest::newRow("card by all and by name") << "all,cuda:0" << true << QStringList{"cuda:0", "cuda:1", "cuda:0#2"};
    QTest::newRow("uuid") << "GPU-aaaa2222-0000" << true << QStringList{"cuda:1"};
    QTest::newRow("beginning of a uuid") << "gpu-AAAA1" << true << QStringList{"cuda:0"};
    QTest::newRow("pair of cards") << "cuda:0+cuda:1" << true << QStringList{"cuda:0+cuda:1"};
    QTest::newRow("pair by uuid, the other way round") << " GPU-aaaa2 + GPU-aaaa1 " << true << QStringList{"cuda:1+cuda:0"};
    QTest::newRow("pair on the CPU") << "CPU+cpu" << false << QStringList{"cpu:0+cpu:1"};
    QTest::newRow("two pairs and more") << "cpu+cpu,cpu:2,cpu + cpu:1" << false
                                        << QStringList{"cpu:0+cpu:1", "cpu:2", "cpu:3", "cpu:4+cpu:5"};
    QTest::newRow("pair beside its cards") << "cuda:0,cuda:0+cuda:1" << true << QStringList{"cuda:0", "cuda:0#2+cuda:1"};
    QTest::newRow("mixed, in order") << "cuda:1,cpu,cuda:0" << true << QStringList{"cuda:1", "cpu:0", "cuda:0"};
  }
  void listsBecomeSlots() {
    QFETCH(QString, list);
    QFETCH(bool, hasCards);
    QFETCH(QStringList, ids);
    const auto chosen = chooseDevices(list.toStdString(), hasCards ? kTwoCards : kNoCard, kFourCores);
    QVERIFY2(chosen.isOk(), chosen ? "" : chosen.error().message.c_str());
    QCOMPARE(idsOf(*chosen), ids);
  }

  void refusesWordsThatCannotBeMeant_data() {
    QTest::addColumn<QString>("list");
    QTest::addColumn<bool>("isMissing");
    QTest::newRow("unknown word") << "tpu" << false;
    QTest::newRow("no slots") << "cpu:0" << false;
    QTest::newRow("negative slots") << "cpu:-1" << false;
    QTest::newRow("too many slots") << "cpu:257" << false;
    QTest::newRow("too many slots in sum") << "cpu:256,cpu" << false;
    QTest::newRow("slots overflow") << "cpu:99999999999" << false;
    QTest::newRow("slots with text") << "cpu:2x" << false;
    QTest::newRow("cuda without number") << "cuda" << false;
    QTest::newRow("cuda with text") << "cuda:x" << false;
    QTest::newRow("empty place") << "cuda:0,,cuda:1" << false;
    QTest::newRow("comma at the end") << "cuda:0," << false;
    QTest::newRow("uuid without digits") << "GPU-" << false;
    QTest::newRow("uuid of two cards") << "GPU-aaaa" << false;
    QTest::newRow("pair of three") << "cpu+cpu+cpu" << false;
    QTest::newRow("pair of one") << "cpu+" << false;
    QTest::newRow("pair of none") << "+" << false;
    QTest::newRow("pair of several") << "cpu:2+cpu" << false;
    QTest::newRow("pair of all") << "cuda:0+all" << false;
    QTest::newRow("pair of a card and the CPU") << "cuda:0+cpu" << false;
    QTest::newRow("pair of one card twice") << "cuda:1+GPU-aaaa2" << false;
    QTest::newRow("pair with an unknown word") << "cpu+tpu" << false;
    QTest::newRow("pair with a card that is not there") << "cuda:0+cuda:2" << true;
    QTest::newRow("too long") << QString(20000, QChar('c')) << false;
    QTest::newRow("card that is not there") << "cuda:2" << true;
    QTest::newRow("uuid that is not there") << "GPU-bbbb" << true;
  }
  void refusesWordsThatCannotBeMeant() {
    QFETCH(QString, list);
    QFETCH(bool, isMissing);
    const auto chosen = chooseDevices(list.toStdString(), kTwoCards, kFourCores);
    QVERIFY(!chosen);
    QCOMPARE(int(chosen.error().code), int(isMissing ? ErrorCode::NotFound : ErrorCode::InvalidArgument));
    QVERIFY(!chosen.error().message.empty());
    if (isMissing) {
      QVERIFY(QString::fromStdString(chosen.error().message).contains("cuda:0 (Card A, GPU-aaaa1111-0000)"));
    }
  }

  void slotsTellTheirDevice() {
    const auto chosen = chooseDevices("cuda:1,cuda:1,cpu", kTwoCards, kFourCores);
    QVERIFY(chosen.isOk());
    QVERIFY((*chosen)[1] == (DeviceSlot{"cuda:1#2", DeviceKind::Cuda, "Card B", "GPU-aaaa2222-0000", {}}));
    QVERIFY((*chosen)[2] == (DeviceSlot{"cpu:0", DeviceKind::Cpu, "Test CPU", "", kFourCores}));
    QVERIFY(!(*chosen)[2].partner);
  }

  void pairsTellTheirSecondDevice() {
    const auto chosen = chooseDevices("cuda:1+cuda:0,cpu+cpu", kTwoCards, kFourCores);
    QVERIFY(chosen.isOk());
    QVERIFY((*chosen)[0] == (DeviceSlot{"cuda:1+cuda:0",
                                        DeviceKind::Cuda,
                                        "Card B",
                                        "GPU-aaaa2222-0000",
                                        {},
                                        PartnerDevice{"Card A", "GPU-aaaa1111-0000", {}}}));
    QVERIFY((*chosen)[1] ==
            (DeviceSlot{"cpu:0+cpu:1", DeviceKind::Cpu, "Test CPU", "", {0, 1}, PartnerDevice{"Test CPU", "", {4, 5}}}));
  }

  void refusesAPairWithACardThatHasNoUuid() {
    DeviceInfo nameless = kSecond;
    nameless.uuid.clear();
    const auto chosen = chooseDevices("cuda:0+cuda:1", {kCpu, kFirst, nameless}, kFourCores);
    QVERIFY(!chosen);
    QVERIFY2(chosen.error().message.find("'cuda:1' has no UUID") != std::string::npos, chosen.error().message.c_str());
  }

  void coresAreDisjointWhileTheyLast_data() {
    QTest::addColumn<QString>("list");
    QTest::addColumn<QList<QList<int>>>("cores");
    QTest::newRow("one") << "cpu" << QList<QList<int>>{{0, 1, 4, 5}};
    QTest::newRow("two") << "cpu:2" << QList<QList<int>>{{0, 1}, {4, 5}};
    QTest::newRow("three") << "cpu:3" << QList<QList<int>>{{0, 1}, {4}, {5}};
    QTest::newRow("four") << "cpu:4" << QList<QList<int>>{{0}, {1}, {4}, {5}};
    QTest::newRow("six") << "cpu:6" << QList<QList<int>>{{0}, {1}, {4}, {5}, {0, 1, 4, 5}, {0, 1, 4, 5}};
    QTest::newRow("a card between") << "cpu,cuda:0,cpu" << QList<QList<int>>{{0, 1}, {}, {4, 5}};
  }
  void coresAreDisjointWhileTheyLast() {
    QFETCH(QString, list);
    QFETCH(QList<QList<int>>, cores);
    const auto chosen = chooseDevices(list.toStdString(), kTwoCards, kFourCores);
    QVERIFY(chosen.isOk());
    QList<QList<int>> got;
    for (const DeviceSlot& slot : *chosen) {
      got << QList<int>(slot.cores.begin(), slot.cores.end());
    }
    QCOMPARE(got, cores);
  }
};

QTEST_APPLESS_MAIN(TestDeviceChoice)
#include "tst_device_choice.moc"
