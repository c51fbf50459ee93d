#include <QTemporaryDir>
#include <QtTest>

#include "core/backend/device_slots.h"
#include "core/library/database.h"

using namespace polyptych;
using domain::DeviceKind;
using domain::DeviceSlot;
using domain::PartnerDevice;

class TestDeviceSlots : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void areReadAsTheyWereStored() {
    const QTemporaryDir folder;
    const auto database = library::Database::open(folder.filePath(QStringLiteral("library")), library::Database::Mode::ReadWrite);
    QVERIFY(database.isOk());
    QVERIFY(backend::readSlots(**database)->empty());
    const std::vector<DeviceSlot> slots{
        {"cuda:0", DeviceKind::Cuda, "Card", "GPU-1", {}},
        {"cpu:0", DeviceKind::Cpu, "CPU", "", {0, 3}},
        {"cuda:1+cuda:2", DeviceKind::Cuda, "Card", "GPU-2", {}, PartnerDevice{"Other card", "GPU-3", {}}},
        {"cpu:1+cpu:2", DeviceKind::Cpu, "CPU", "", {1}, PartnerDevice{"CPU", "", {2, 4}}}};
    QVERIFY(backend::storeSlots(**database, slots));
    const auto read = backend::readSlots(**database);
    QVERIFY(read.isOk());
    QVERIFY(*read == slots);
  }
};

QTEST_GUILESS_MAIN(TestDeviceSlots)
#include "tst_device_slots.moc"
