#include <QtTest>
#include <map>

#include "core/cluster/launch_environment.h"

using namespace polyptych::cluster;

namespace {

/// "RANK=1 WORLD_SIZE=2"
Variables variablesFrom(const QString& text) {
  std::map<std::string, std::string> values;
  for (const QString& word : text.split(' ', Qt::SkipEmptyParts)) {
    values[word.section('=', 0, 0).toStdString()] = word.section('=', 1).toStdString();
  }
  return [values](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

QString textOf(const LaunchEnvironment& found) {
  return QStringLiteral("%1 %2/%3 local %4/%5 %6:%7 restarts %8 id %9")
      .arg(QString::fromStdString(std::string(nameOf(found.launcher))))
      .arg(found.rank)
      .arg(found.worldSize)
      .arg(found.localRank)
      .arg(found.localWorldSize)
      .arg(QString::fromStdString(found.masterAddress))
      .arg(found.masterPort)
      .arg(found.restartCount)
      .arg(QString::fromStdString(found.runId));
}

// What the launchers gave to a process, recorded from them with `env` and cut to what matters.
const QString kTorchrun = QStringLiteral(
    "LOCAL_RANK=1 RANK=5 GROUP_RANK=1 ROLE_RANK=5 LOCAL_WORLD_SIZE=4 WORLD_SIZE=8 ROLE_WORLD_SIZE=8 MASTER_ADDR=node1 "
    "MASTER_PORT=29400 TORCHELASTIC_RESTART_COUNT=2 TORCHELASTIC_MAX_RESTARTS=3 TORCHELASTIC_RUN_ID=job7 OMP_NUM_THREADS=1");
const QString kOpenMpi = QStringLiteral(
    "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 OMPI_COMM_WORLD_LOCAL_RANK=1 "
    "OMPI_UNIVERSE_SIZE=2 PMIX_RANK=1");
const QString kSlurm = QStringLiteral(
    "SLURM_JOB_ID=4711 SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_LOCALID=1 SLURM_NODEID=1 SLURM_STEP_NUM_TASKS=7 SLURM_NTASKS=7 "
    "SLURM_STEP_TASKS_PER_NODE=4,3 SLURM_STEP_NODELIST=gpu[07-08] SLURM_JOB_NODELIST=gpu[07-08]");

}  // namespace

class TestLaunchEnvironment : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsWhatLaunchersSet_data() {
    QTest::addColumn<QString>("variables");
    QTest::addColumn<QString>("expected");
    QTest::newRow("none") << "HOME=/home/a"
                          << "none 0/1 local 0/1 :0 restarts 0 id ";
    QTest::newRow("torchrun") << kTorchrun << "torchrun 5/8 local 1/4 node1:29400 restarts 2 id job7";
    QTest::newRow("one process of torchrun")
        << "LOCAL_RANK=0 RANK=0 LOCAL_WORLD_SIZE=1 WORLD_SIZE=1 MASTER_ADDR=127.0.0.1 MASTER_PORT=29500"
        << "torchrun 0/1 local 0/1 127.0.0.1:29500 restarts 0 id ";
    QTest::newRow("open mpi on one machine") << kOpenMpi << "openmpi 1/2 local 1/2 127.0.0.1:29500 restarts 0 id ";
    QTest::newRow("open mpi on two")
        << QString(kOpenMpi).replace("LOCAL_SIZE=2", "LOCAL_SIZE=1").replace("LOCAL_RANK=1", "LOCAL_RANK=0") +
               " MASTER_ADDR=a MASTER_PORT=1234"
        << "openmpi 1/2 local 0/1 a:1234 restarts 0 id ";
    QTest::newRow("mvapich") << "MV2_COMM_WORLD_RANK=2 MV2_COMM_WORLD_SIZE=4 MV2_COMM_WORLD_LOCAL_RANK=2 "
                                "MV2_COMM_WORLD_LOCAL_SIZE=4"
                             << "mvapich 2/4 local 2/4 127.0.0.1:29500 restarts 0 id ";
    QTest::newRow("hydra") << "PMI_RANK=1 PMI_SIZE=2 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2"
                           << "pmi 1/2 local 1/2 127.0.0.1:29500 restarts 0 id ";
    QTest::newRow("slurm") << kSlurm << "slurm 5/7 local 1/3 gpu07:14711 restarts 0 id 4711";
    QTest::newRow("slurm, equal nodes") << QString(kSlurm).replace("=4,3", "=4(x2)").replace("TASKS=7", "TASKS=8")
                                        << "slurm 5/8 local 1/4 gpu07:14711 restarts 0 id 4711";
    QTest::newRow("slurm with a master") << kSlurm + " MASTER_ADDR=head MASTER_PORT=77"
                                         << "slurm 5/7 local 1/3 head:77 restarts 0 id 4711";
    QTest::newRow("slurm with pmi2") << kSlurm + " PMI_FD=11 PMI_JOBID=4711.0 PMI_RANK=5 PMI_SIZE=7"
                                     << "slurm 5/7 local 1/3 gpu07:14711 restarts 0 id 4711";
    QTest::newRow("slurm with a world size") << kSlurm + " WORLD_SIZE=7 MASTER_ADDR=head MASTER_PORT=77"
                                             << "slurm 5/7 local 1/3 head:77 restarts 0 id 4711";
    QTest::newRow("script of a batch job") << "SLURM_JOB_ID=4711 SLURM_PROCID=0 SLURM_NTASKS=8 SLURM_JOB_NODELIST=gpu[07-08]"
                                           << "none 0/1 local 0/1 :0 restarts 0 id ";
    QTest::newRow("torchrun inside srun") << kTorchrun + " " + kSlurm << "torchrun 5/8 local 1/4 node1:29400 restarts 2 id job7";
    QTest::newRow("mpirun inside srun") << kOpenMpi + " " + QString(kSlurm).replace("PROCID=5", "PROCID=0")
                                        << "openmpi 1/2 local 1/2 127.0.0.1:29500 restarts 0 id 4711";
    QTest::newRow("two sets that agree") << kOpenMpi + " RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 MASTER_ADDR=a"
                                         << "torchrun 1/2 local 1/2 a:29500 restarts 0 id ";
    QTest::newRow("empty is not set") << "RANK= WORLD_SIZE="
                                      << "none 0/1 local 0/1 :0 restarts 0 id ";
  }
  void readsWhatLaunchersSet() {
    QFETCH(QString, variables);
    QFETCH(QString, expected);
    const auto found = detectLaunchEnvironment(variablesFrom(variables));
    QVERIFY2(found.isOk(), found ? "" : found.error().message.c_str());
    QCOMPARE(textOf(*found), expected);
  }

  void refusesWhatCannotBe_data() {
    QTest::addColumn<QString>("variables");
    QTest::addColumn<QString>("problem");
    QTest::newRow("world size missing") << "RANK=0"
                                        << "RANK is set and WORLD_SIZE is not";
    QTest::newRow("rank missing") << "WORLD_SIZE=2"
                                  << "WORLD_SIZE is set and RANK is not";
    QTest::newRow("local rank missing") << "RANK=0 WORLD_SIZE=2"
                                        << "LOCAL_RANK is not set";
    QTest::newRow("no number") << "RANK=zero WORLD_SIZE=2 LOCAL_RANK=0"
                               << "RANK is 'zero'";
    QTest::newRow("number and more") << "RANK=1x WORLD_SIZE=2 LOCAL_RANK=0"
                                     << "RANK is '1x'";
    QTest::newRow("negative") << "RANK=-1 WORLD_SIZE=2 LOCAL_RANK=0"
                              << "RANK is '-1'";
    QTest::newRow("no processes") << "RANK=0 WORLD_SIZE=0 LOCAL_RANK=0"
                                  << "WORLD_SIZE is '0'";
    QTest::newRow("rank above the size") << "RANK=2 WORLD_SIZE=2 LOCAL_RANK=0"
                                         << "Rank 2 of 2";
    QTest::newRow("local rank above its size") << "RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 LOCAL_WORLD_SIZE=1 MASTER_ADDR=a"
                                               << "local rank 1 of 1";
    QTest::newRow("more here than anywhere") << "RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 LOCAL_WORLD_SIZE=3 MASTER_ADDR=a"
                                             << "local rank 1 of 3";
    QTest::newRow("port") << "RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 MASTER_PORT=70000"
                          << "MASTER_PORT is '70000'";
    QTest::newRow("no master") << "RANK=1 WORLD_SIZE=2 LOCAL_RANK=0 LOCAL_WORLD_SIZE=1"
                               << "MASTER_ADDR is not set";
    QTest::newRow("two launchers") << kOpenMpi + " RANK=0 WORLD_SIZE=4 LOCAL_RANK=0 LOCAL_WORLD_SIZE=4 MASTER_ADDR=a"
                                   << "OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE say rank 1 of 2";
    QTest::newRow("another world size than slurm's") << kSlurm + " WORLD_SIZE=8"
                                                     << "WORLD_SIZE is set and RANK is not";
    QTest::newRow("node list") << QString(kSlurm).replace("SLURM_STEP_NODELIST=gpu[07-08]", "SLURM_STEP_NODELIST=gpu[07-")
                               << "SLURM_STEP_NODELIST";
    QTest::newRow("tasks of nodes") << QString(kSlurm).replace("=4,3", "=4(y2)") << "SLURM_STEP_TASKS_PER_NODE";
  }
  void refusesWhatCannotBe() {
    QFETCH(QString, variables);
    QFETCH(QString, problem);
    const auto found = detectLaunchEnvironment(variablesFrom(variables));
    QVERIFY(!found.isOk());
    QVERIFY2(found.error().message.find(problem.toStdString()) != std::string::npos, found.error().message.c_str());
  }

  void tellsWhy() {
    const auto found = detectLaunchEnvironment(variablesFrom(kSlurm));
    QVERIFY(found.isOk());
    QStringList reasons;
    for (const Reason& reason : found->reasons) {
      reasons << QString::fromStdString(reason.variable + " " + reason.value + " " + reason.meaning);
    }
    QVERIFY2(reasons.contains("SLURM_PROCID 5 rank"), qPrintable(reasons.join('\n')));
    QVERIFY(reasons.contains("SLURM_STEP_NODELIST gpu[07-08] master address"));
    QVERIFY(reasons.contains("SLURM_JOB_ID 4711 master port"));
  }

  void seesTheStoreOfTorchrunsAgent() {
    const auto agents = detectLaunchEnvironment(variablesFrom(kTorchrun + " TORCHELASTIC_USE_AGENT_STORE=True"));
    QVERIFY(agents.isOk() && agents->hasAgentStore);
    const auto ours = detectLaunchEnvironment(variablesFrom(kTorchrun + " TORCHELASTIC_USE_AGENT_STORE=False"));
    QVERIFY(ours.isOk() && !ours->hasAgentStore);
    QVERIFY(!detectLaunchEnvironment(variablesFrom(kTorchrun))->hasAgentStore);
  }

  void readsTheProcessItself() {
    qputenv("RANK", "1");
    qputenv("WORLD_SIZE", "3");
    qputenv("LOCAL_RANK", "1");
    qputenv("LOCAL_WORLD_SIZE", "3");
    const auto found = detectLaunchEnvironment();
    QVERIFY(found.isOk());
    QCOMPARE(found->rank, 1);
    QCOMPARE(found->worldSize, 3);
  }
};

QTEST_GUILESS_MAIN(TestLaunchEnvironment)
#include "tst_launch_environment.moc"
