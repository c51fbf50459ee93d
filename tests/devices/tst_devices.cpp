#include <sched.h>
#include <unistd.h>

#include <QtTest>

#include "core/devices/device_list.h"
#include "core/devices/device_meter.h"

using namespace polyptych;
using devices::DeviceSources;
using devices::listDevices;

namespace {

void writeFile(const QString& path, const QByteArray& text) {
  QVERIFY(QDir().mkpath(QFileInfo(path).path()));
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  QCOMPARE(file.write(text), text.size());
}

DeviceSources withLibrary(const char* library) {
  DeviceSources sources;
  sources.nvmlLibrary = QString::fromLocal8Bit(library);
  sources.visibleDevices.reset();
  return sources;
}

QStringList idsOf(const std::vector<domain::DeviceInfo>& found) {
  QStringList ids;
  for (const domain::DeviceInfo& device : found) {
    ids << QString::fromStdString(device.id);
  }
  return ids;
}

}  // namespace

class TestDevices : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void cleanup() { qunsetenv("FAKE_NVML_FAULT"); }

  void tellsOfTheCpuWithoutADriver() {
    const auto found = listDevices(withLibrary("/nowhere/libnvidia-ml.so.1"));
    QCOMPARE(found.size(), std::size_t(1));
    QCOMPARE(found[0].id, std::string("cpu"));
    QVERIFY(!found[0].name.empty());
    QVERIFY(found[0].totalBytes > 0);
    QVERIFY(found[0].freeBytes <= found[0].totalBytes);
    QCOMPARE(std::size_t(found[0].cores), devices::usableCores().size());
  }

  void measuresGpusAndWhatIsOursOfThem() {
    devices::DeviceMeter meter(withLibrary(FAKE_NVML));
    devices::OwnProcesses own;
    own.onGpu["GPU-aaaa"] = {4711, 4712, 1};
    for (int time = 0; time < 2; ++time) {
      const auto readings = meter.measure(own);
      QCOMPARE(readings.size(), std::size_t(3));
      QCOMPARE(readings[1].deviceId, QString("cuda:0"));
      QCOMPARE(readings[1].totalBytes, std::uint64_t(2) << 33);
      QCOMPARE(readings[1].usedBytes, (std::uint64_t(2) << 33) - (std::uint64_t(1) << 32));
      QCOMPARE(readings[1].oursBytes, std::uint64_t(2) << 30);
      QCOMPARE(readings[1].utilisation, 0.76);
      QCOMPARE(readings[1].temperatureCelsius, 41);
      QCOMPARE(readings[1].powerWatts, 62.5);
      QCOMPARE(readings[1].powerLimitWatts, 250.0);
      QCOMPARE(readings[2].oursBytes, std::uint64_t(0));
    }
    // Of one of ours the driver does not say how much.
    QVERIFY(!meter.measure(own)[1].isOursKnown);
    QVERIFY(meter.measure(own)[2].isOursKnown);
    own.onGpu["GPU-aaaa"] = {4711};
    QVERIFY(meter.measure(own)[1].isOursKnown);
    qputenv("FAKE_NVML_FAULT", "values");
    const auto silent = meter.measure(own);
    QVERIFY(!silent[1].isOursKnown);
    QCOMPARE(silent[1].totalBytes, std::uint64_t(0));
    QCOMPARE(silent[1].utilisation, -1.0);
    QCOMPARE(silent[1].powerLimitWatts, -1.0);
  }

  void inAContainerTheDriverKnowsUsByOtherNumbers() {
    QTemporaryDir proc;
    QDir(proc.path()).mkpath("self/ns");
    DeviceSources sources = withLibrary(FAKE_NVML);
    sources.procFolder = proc.path();
    devices::OwnProcesses own;
    own.onGpu["GPU-aaaa"] = {1};
    for (const auto& [link, isKnown] : {std::pair{"pid:[4026531836]", true}, std::pair{"pid:[4026532999]", false}}) {
      QFile::remove(proc.filePath("self/ns/pid"));
      QVERIFY(QFile::link(link, proc.filePath("self/ns/pid")));
      devices::DeviceMeter meter(sources);
      QCOMPARE(meter.measure(own)[1].isOursKnown, isKnown);
    }
  }

  void measuresTheCpu() {
    QTemporaryDir proc;
    DeviceSources sources = withLibrary("/nowhere/libnvidia-ml.so.1");
    sources.procFolder = proc.path();
    const int core = devices::usableCores().front();
    const auto stat = [&](int busy, int idle) {
      // A core that is not ours is as busy as can be.
      writeFile(proc.filePath("stat"),
                QString("cpu  9 9 9 9\ncpu%1 %2 0 0 %3 0 0 0 0 0 0\ncpu999999 %4 0 0 0 0 0 0 0 0 0\nintr 1\n")
                    .arg(core)
                    .arg(busy)
                    .arg(idle)
                    .arg(busy * 1000)
                    .toLatin1());
    };
    writeFile(proc.filePath("meminfo"), "MemTotal: 1000 kB\nMemAvailable: 400 kB\n");
    writeFile(proc.filePath("77/statm"), "900 5 1 1 0 1 0\n");
    stat(100, 100);
    devices::DeviceMeter meter(sources);
    stat(130, 110);
    devices::OwnProcesses own;
    own.onCpu = {77, 78};  // the second has ended
    const auto readings = meter.measure(own);
    QCOMPARE(readings.size(), std::size_t(1));
    QCOMPARE(readings[0].deviceId, QString("cpu"));
    QCOMPARE(readings[0].totalBytes, std::uint64_t(1000) * 1024);
    QCOMPARE(readings[0].usedBytes, std::uint64_t(600) * 1024);
    QCOMPARE(readings[0].utilisation, 0.75);
    QCOMPARE(readings[0].oursBytes, std::uint64_t(5) * std::uint64_t(sysconf(_SC_PAGESIZE)));
    QCOMPARE(meter.measure({})[0].utilisation, -1.0);  // nothing has moved
  }

  void sortsGpusByTheirPlaceOnTheBus() {
    const auto found = listDevices(withLibrary(FAKE_NVML));
    QCOMPARE(idsOf(found), QStringList({"cpu", "cuda:0", "cuda:1"}));
    QCOMPARE(found[1].uuid, std::string("GPU-aaaa"));
    QCOMPARE(found[1].name, std::string("First GPU"));
    QCOMPARE(found[1].kind, domain::DeviceKind::Cuda);
    QCOMPARE(found[1].totalBytes, std::uint64_t(2) << 33);
    QCOMPARE(found[1].freeBytes, std::uint64_t(1) << 32);
    QCOMPARE(found[1].temperatureCelsius, 41);
    QCOMPARE(found[1].powerWatts, 62.5);
    QCOMPARE(found[2].uuid, std::string("GPU-bbbb"));
  }

  void aDriverThatDoesNotAnswerIsNoGpu_data() {
    QTest::addColumn<QByteArray>("fault");
    QTest::addColumn<QStringList>("expected");
    QTest::newRow("init") << QByteArray("init") << QStringList{"cpu"};
    QTest::newRow("count") << QByteArray("count") << QStringList{"cpu"};
    QTest::newRow("one handle") << QByteArray("handle") << QStringList{"cpu", "cuda:0"};
    QTest::newRow("no uuid") << QByteArray("uuid") << QStringList{"cpu", "cuda:1"};
  }
  void aDriverThatDoesNotAnswerIsNoGpu() {
    QFETCH(const QByteArray, fault);
    QFETCH(const QStringList, expected);
    qputenv("FAKE_NVML_FAULT", fault);
    QCOMPARE(idsOf(listDevices(withLibrary(FAKE_NVML))), expected);
  }

  void valuesThatAreNotGivenStayUnknown() {
    qputenv("FAKE_NVML_FAULT", "values");
    const auto found = listDevices(withLibrary(FAKE_NVML));
    QCOMPARE(found.size(), std::size_t(3));
    QCOMPARE(found[1].totalBytes, std::uint64_t(0));
    QCOMPARE(found[1].temperatureCelsius, -1);
    QCOMPARE(found[1].powerWatts, -1.0);
  }

  void aLibraryThatLacksFunctionsIsNoDriver() { QCOMPARE(idsOf(listDevices(withLibrary(OLD_NVML))), QStringList{"cpu"}); }

  void keepsToTheVisibleDevices_data() {
    QTest::addColumn<QByteArray>("visible");
    QTest::addColumn<QStringList>("expected");
    QTest::newRow("empty") << QByteArray("") << QStringList{"cpu"};
    QTest::newRow("none") << QByteArray("-1") << QStringList{"cpu"};
    QTest::newRow("number") << QByteArray("1") << QStringList{"cpu", "cuda:1"};
    QTest::newRow("both") << QByteArray("1,0") << QStringList{"cpu", "cuda:0", "cuda:1"};
    QTest::newRow("uuid") << QByteArray("GPU-aa") << QStringList{"cpu", "cuda:0"};
    QTest::newRow("behind a wrong one") << QByteArray("-1,0") << QStringList{"cpu"};
  }
  void keepsToTheVisibleDevices() {
    QFETCH(const QByteArray, visible);
    QFETCH(const QStringList, expected);
    DeviceSources sources = withLibrary(FAKE_NVML);
    sources.visibleDevices = visible;
    QCOMPARE(idsOf(listDevices(sources)), expected);
  }

  void readsNameAndMemory_data() {
    QTest::addColumn<QByteArray>("group");
    QTest::addColumn<QStringList>("files");
    QTest::addColumn<quint64>("total");
    QTest::addColumn<quint64>("free");
    const quint64 mega = 1 << 20;
    QTest::newRow("no limit") << QByteArray("0::/\n") << QStringList{"memory.max=max"} << 8192 * mega << 4096 * mega;
    QTest::newRow("version 2") << QByteArray("0::/a/b\n")
                               << QStringList{"a/b/memory.max=max", "a/memory.max=2147483648", "a/memory.current=1073741824",
                                              "a/memory.stat=anon 5\ninactive_file 536870912\n"}
                               << 2048 * mega << 1536 * mega;
    QTest::newRow("version 1") << QByteArray("5:cpu,memory:/x\n")
                               << QStringList{"memory/x/memory.limit_in_bytes=1073741824", "memory/x/memory.usage_in_bytes=0",
                                              "memory/memory.limit_in_bytes=9223372036854771712"}
                               << 1024 * mega << 1024 * mega;
    QTest::newRow("more used than allowed") << QByteArray("0::/\n")
                                            << QStringList{"memory.max=1073741824", "memory.current=2147483648"} << 1024 * mega
                                            << quint64(0);
    QTest::newRow("outside the namespace") << QByteArray("0::/../../x\n") << QStringList{"memory.max=1073741824"} << 1024 * mega
                                           << 1024 * mega;
  }
  void readsNameAndMemory() {
    QFETCH(const QByteArray, group);
    QFETCH(const QStringList, files);
    QFETCH(const quint64, total);
    QFETCH(const quint64, free);
    QTemporaryDir folder;
    writeFile(folder.filePath("proc/cpuinfo"), "processor\t: 0\nmodel name\t: A  Good CPU\n");
    writeFile(folder.filePath("proc/meminfo"), "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n");
    writeFile(folder.filePath("proc/self/cgroup"), group);
    for (const QString& file : files) {
      writeFile(folder.filePath("groups/" + file.section('=', 0, 0)), file.section('=', 1).toUtf8());
    }
    DeviceSources sources = withLibrary("/nowhere");
    sources.procFolder = folder.filePath("proc");
    sources.cgroupFolder = folder.filePath("groups");
    const auto found = listDevices(sources);
    QCOMPARE(found[0].name, std::string("A Good CPU"));
    QCOMPARE(quint64(found[0].totalBytes), total);
    QCOMPARE(quint64(found[0].freeBytes), free);
  }

  void aMachineThatTellsNothingStillHasACpu() {
    DeviceSources sources = withLibrary("/nowhere");
    sources.procFolder = sources.cgroupFolder = "/nowhere";
    const auto found = listDevices(sources);
    QCOMPARE(found[0].name, std::string("CPU"));
    QCOMPARE(found[0].totalBytes, std::uint64_t(0));
  }

  void coresAreThoseOfTheProcess() {
    const std::vector<int> all = devices::usableCores();
    QVERIFY(std::is_sorted(all.begin(), all.end()));
    cpu_set_t before;
    QCOMPARE(::sched_getaffinity(0, sizeof before, &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(std::size_t(all.back()), &one);
    QCOMPARE(::sched_setaffinity(0, sizeof one, &one), 0);
    const std::vector<int> pinned = devices::usableCores();
    QCOMPARE(::sched_setaffinity(0, sizeof before, &before), 0);
    QVERIFY(pinned == std::vector<int>{all.back()});
  }
};

QTEST_GUILESS_MAIN(TestDevices)
#include "tst_devices.moc"
