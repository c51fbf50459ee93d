#include <QTest>

#include "tests/app/cli_program.h"

using namespace polyptych;
using tests::Ended;
using tests::Json;

/// `polyptych-cli env`.
class TestEnvCommand : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void tellsOneProcess() {
    const Ended plain = run("env", {});
    QCOMPARE(plain.code, 0);
    QCOMPARE(plain.output, QByteArray("One process: no launcher has set its variables.\n"));
    const Json json = Json::parse(run("env --json", {}).output.toStdString());
    QVERIFY(json["launcher"] == "none");
    QVERIFY(json["world_size"] == 1);
    QVERIFY(!json.contains("master_address"));
    QVERIFY(json["reasons"].empty());
  }
  void tellsWhatALauncherSaid() {
    const QByteArray variables = "RANK=1 LOCAL_RANK=1 WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29411";
    const Ended ended = run("env --json", variables);
    QCOMPARE(ended.code, 0);
    const Json json = Json::parse(ended.output.toStdString());
    QVERIFY(json["launcher"] == "torchrun");
    QVERIFY(json["rank"] == 1);
    QVERIFY(json["local_rank"] == 1);
    QVERIFY(json["world_size"] == 2);
    QVERIFY(json["master_address"] == "127.0.0.1");
    QVERIFY(json["master_port"] == 29411);
    QCOMPARE(json["reasons"].size(), std::size_t(6));
    const Ended plain = run("env", variables);
    QVERIFY2(plain.output.startsWith("Rank 1 of 2, on its machine 1 of 2, started by torchrun.\n"), plain.output.constData());
    QVERIFY(plain.output.contains("rank: RANK=1\n"));
  }
  void refusesContradictions() {
    const Ended ended = run("env --json", "RANK=1");
    QCOMPARE(ended.code, 2);
    QVERIFY(ended.output.isEmpty());
    QVERIFY2(ended.error.contains("WORLD_SIZE is not"), ended.error.constData());
  }

 private:
  static Ended run(const QByteArray& words, const QByteArray& variables) {
    tests::CliProgram cli;
    QProcess process;
    cli.begin(process, {"-c", "exec env -i PATH=\"$PATH\" HOME=\"$HOME\" " + variables + " \"$0\" " + words, POLYPTYCH_CLI_PATH},
              "/bin/sh");
    return cli.finish(process);
  }
};

QTEST_GUILESS_MAIN(TestEnvCommand)
#include "tst_env_command.moc"
