#include <QProcess>
#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/library/lock.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using Json = nlohmann::json;
using tests::SampleLibrary;

namespace {

constexpr int kPatienceMs = 60'000;

struct Ended {
  int code = -1;
  QByteArray output;
  QByteArray error;
};

Ended run(const QStringList& words) {
  QProcess process;
  process.start(QString::fromUtf8(POLYPTYCH_CLI_PATH), words);
  if (!process.waitForFinished(kPatienceMs)) {
    qFatal("polyptych-cli does not end");
  }
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput(),
          process.readAllStandardError()};
}

struct Filled : SampleLibrary {
  Filled() {
    addRun(record);
    addPictures(record);
  }
  Ended run(QStringList words) const { return ::run(words << "--library" << location.root); }

  library::RunRecord record = tests::recordOf(7, {"a lighthouse", "등대", "a cat"}, "2024-01-01/007-a");
};

}  // namespace

class TestLibraryCommands : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void showsPictures() {
    Filled library;
    const Ended all = library.run({"pictures"});
    QCOMPARE(all.code, 0);
    QCOMPARE(all.output.count('\n'), 3);
    QVERIFY(all.output.startsWith(library.pathOf(library.record, 2).toUtf8() + "  a cat\n"));
    const Ended one = library.run({"pictures", "--search", "등대", "--json"});
    const Json list = Json::parse(one.output.toStdString(), nullptr, false);
    QVERIFY(list.is_array() && list.size() == 1);
    QCOMPARE(list[0]["prompt"].get<std::string>(), std::string("등대"));
    QCOMPARE(list[0]["seed"].get<std::uint64_t>(), std::uint64_t(0xFFFFFFFFFFFFFF01ULL));
    QCOMPARE(list[0]["run"].get<int>(), 7);
    const Ended some = library.run({"pictures", "--limit", "2", "--run", "7"});
    QCOMPARE(some.output.count('\n'), 2);
    QVERIFY(some.error.contains("newest 2 of 3"));
    QCOMPARE(library.run({"pictures", "--stars", "1", "--json"}).output, QByteArray("[]\n"));
    QCOMPARE(library.run({"pictures", "--run", "8"}).code, 2);
  }

  void saysThatThereIsNoLibrary() {
    QTemporaryDir folder;
    for (const QStringList& words :
         {QStringList{"pictures"}, QStringList{"library", "check"}, QStringList{"library", "rebuild"}}) {
      const Ended ended = run(words + QStringList{"--library", folder.filePath("none")});
      QCOMPARE(ended.code, 2);
      QVERIFY(ended.error.contains("There is no library"));
      QVERIFY(!QFileInfo::exists(folder.filePath("none")));
    }
  }

  void checksAndMends() {
    Filled library;
    QCOMPARE(library.run({"library", "check"}).output, QByteArray("The library is whole.\n"));
    QFile::remove(library.pathOf(library.record, 1));
    const Ended seen = library.run({"library", "check"});
    QCOMPARE(seen.code, 1);
    QVERIFY(seen.output.contains(library.pathOf(library.record, 1).toUtf8()));
    QVERIFY(seen.output.contains("--repair mends them"));
    const Ended mended = library.run({"library", "check", "--repair", "--json"});
    QCOMPARE(mended.code, 0);
    const Json findings = Json::parse(mended.output.toStdString(), nullptr, false);
    QVERIFY(findings.is_array() && findings.size() == 2);
    QCOMPARE(findings[0]["kind"].get<std::string>(), std::string("missing_picture"));
    QVERIFY(findings[0]["repaired"].get<bool>());
    QCOMPARE(library.run({"library", "check"}).code, 0);
  }

  void rebuilds() {
    Filled library;
    library.database.reset();
    tests::writeFile(library.location.databaseFile(), QByteArray(5000, 'x'));
    const Ended damaged = library.run({"library", "check"});
    QCOMPARE(damaged.code, 1);
    QVERIFY(damaged.error.contains("library rebuild"));
    const Ended rebuilt = library.run({"library", "rebuild", "--json"});
    QCOMPARE(rebuilt.code, 0);
    const Json result = Json::parse(rebuilt.output.toStdString(), nullptr, false);
    QCOMPARE(result["pictures"].get<int>(), 3);
    QVERIFY(QFileInfo::exists(QString::fromStdString(result["set_aside"].get<std::string>())));
    QCOMPARE(library.run({"pictures"}).output.count('\n'), 3);
  }

  void exportsAndImports() {
    Filled library;
    const QString out = library.temporary.filePath("out");
    const Ended exported = library.run({"library", "export", out, "--search", "a", "--name", "{index} {prompt}"});
    QCOMPARE(exported.code, 0);
    QCOMPARE(exported.output, QByteArray("2 pictures were copied.\n"));
    QVERIFY(QFileInfo::exists(out + "/00002 a-cat.png"));
    QCOMPARE(library.run({"library", "export", out}).code, 2);
    const Ended doubles = library.run({"library", "import", out, "--json"});
    const Json result = Json::parse(doubles.output.toStdString(), nullptr, false);
    QCOMPARE(result["pictures"].get<int>(), 0);
    QCOMPARE(result["doubles"].size(), std::size_t(2));
    const QString fresh = library.temporary.filePath("fresh");
    QVERIFY(run({"library", "import", out, "--library", fresh}).output.startsWith("2 pictures were taken in.\n"));
    QCOMPARE(run({"library", "check", "--library", fresh}).code, 0);
    QCOMPARE(library.run({"library", "import", library.temporary.filePath("nowhere")}).code, 2);
  }

  void saysWhoHasTheLibrary() {
    Filled library;
    library::Holder holder;
    holder.program = "polyptych-core";
    const auto lock = library::Lock::acquire(library.location, holder);
    QVERIFY(lock.isOk());
    for (const QStringList& words : {QStringList{"library", "check", "--repair"}, QStringList{"library", "rebuild"},
                                     QStringList{"library", "import", library.temporary.path()}}) {
      const Ended ended = library.run(words);
      QCOMPARE(ended.code, 2);
      QVERIFY(ended.error.contains("polyptych-core"));
      QVERIFY(ended.error.contains(QByteArray::number(QCoreApplication::applicationPid())));
    }
    const Ended beside = library.run({"library", "check"});
    QCOMPARE(beside.code, 0);
    QVERIFY(beside.error.contains("is using the library"));
    QCOMPARE(library.run({"pictures"}).code, 0);
  }

  void worksOnTheFolderOfOneRun() {
    SampleLibrary library(library::Location::Layout::Flat);
    const auto record = tests::recordOf(1, {"a", "b"}, "");
    library.addRun(record);
    library.addPicture(record, 0);
    const QStringList out{"--out", library.location.root};
    QCOMPARE(run(QStringList{"pictures"} + out).output, library.pathOf(record, 0).toUtf8() + "  a\n");
    QVERIFY(run(QStringList{"library", "rebuild"} + out).output.contains("1 pictures of them are still to be made"));
    QCOMPARE(run(QStringList{"library", "check"} + out).code, 0);
    QCOMPARE(run(QStringList{"library", "import", library.temporary.path()} + out).code, 2);
  }
};

QTEST_GUILESS_MAIN(TestLibraryCommands)
#include "tst_library_commands.moc"
