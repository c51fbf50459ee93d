#include <signal.h>

#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

#include "tests/distributed/group_processes.h"

using polyptych::tests::GroupProcesses;

/// One picture on two devices: real engines, the demo model, Gloo.
class TestGuidanceSplit : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void makesTheSamePictures_data() {
    QTest::addColumn<int>("batch");
    QTest::newRow("one picture") << 1;
    QTest::newRow("three pictures") << 3;
  }
  void makesTheSamePictures() {
    QFETCH(int, batch);
    GroupProcesses group(2, QStringLiteral(GUIDANCE_PROBE));
    group.start(0, arguments(8, batch, "leader"));
    group.start(1, arguments(8, batch, "helper"));
    const QByteArray leader = group.end(0);
    QVERIFY2(leader.contains("pictures " + QByteArray::number(batch) + "\n") && !leader.contains("warning"), leader.constData());
    QVERIFY2(group.end(1).contains("pictures 0\n"), group.end(1).constData());
    compare("leader", alone(8, batch));
  }

  void goesOnAloneWhenTheHelperDies() {
    GroupProcesses group(2, QStringLiteral(GUIDANCE_PROBE));
    group.start(0, arguments(30, 1, "leader"));
    group.start(1, arguments(30, 1, "helper"));
    QVERIFY(group.waitFor(1, "step 3"));
    ::kill(static_cast<pid_t>(group.of(1).processId()), SIGKILL);
    const QByteArray leader = group.end(0);
    QVERIFY2(leader.contains("warning The second device was lost in the middle of picture 0") && leader.contains("pictures 1\n"),
             leader.constData());
    compare("leader", alone(30, 1));
  }

  void endsWhenTheLeaderDies() {
    GroupProcesses group(2, QStringLiteral(GUIDANCE_PROBE));
    group.start(0, arguments(30, 1, "leader"));
    group.start(1, arguments(30, 1, "helper"));
    QVERIFY(group.waitFor(0, "step 3"));
    ::kill(static_cast<pid_t>(group.of(0).processId()), SIGKILL);
    QVERIFY2(group.end(1).contains("cancelled\n"), group.end(1).constData());
  }

 private:
  QStringList arguments(int steps, int batch, const QString& out) const {
    return {QStringLiteral(MODEL_FOLDER), QString::number(steps), QString::number(batch), m_folder.filePath(out)};
  }
  QByteArray read(const QString& name) const {
    QFile file(m_folder.filePath(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
  }
  QString alone(int steps, int batch) {
    GroupProcesses one(1, QStringLiteral(GUIDANCE_PROBE));
    one.start(0, arguments(steps, batch, "alone"));
    (void)one.end(0);
    return "alone";
  }
  /// Within 1/255 for 99.9 % of all values: halves that are predicted by themselves are summed in another order.
  void compare(const QString& one, const QString& other) const {
    const QByteArray a = read(one);
    const QByteArray b = read(other);
    QVERIFY(!a.isEmpty());
    QCOMPARE(a.size(), b.size());
    qsizetype far = 0;
    for (qsizetype i = 0; i < a.size(); ++i) {
      far += std::abs(int(uchar(a[i])) - int(uchar(b[i]))) > 1 ? 1 : 0;
    }
    QVERIFY2(static_cast<double>(far) <= 0.001 * static_cast<double>(a.size()), qPrintable(QString::number(far)));
  }

  QTemporaryDir m_folder;
};

QTEST_GUILESS_MAIN(TestGuidanceSplit)
#include "tst_guidance_split.moc"
