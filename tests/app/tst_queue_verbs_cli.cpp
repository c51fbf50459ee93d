#include <signal.h>

#include <QTest>

#include "core/library/lock.h"
#include "tests/app/cli_program.h"

using namespace polyptych;
using tests::Ended;
using tests::Json;

/// `queue` and `generate` at one library: the words of the one beside the other as it waits, works, or loses its backend.
class TestQueueVerbsCli : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    qputenv("POLYPTYCH_WORKER", POLYPTYCH_FAKE_WORKER_PATH);
    m_cli = std::make_unique<tests::CliProgram>();
  }

  void everyVerbBesideARunThatWaits() {
    QVERIFY(ok(queue({"pause"})));
    QProcess waiting;
    m_cli->begin(waiting, generate({"one", "two", "three", "four", "five"}));
    QTRY_COMPARE_WITH_TIMEOUT(states(), QByteArray("waiting waiting waiting waiting waiting"), tests::kPatienceMs);
    QCOMPARE(prompts(), QByteArray("one two three four five"));
    const std::vector<QByteArray> jobs = ids();

    Json done = answer(queue({"front", jobs[3]}));
    QVERIFY(done["did"] == "front" && done["changed"] == 1);
    QCOMPARE(prompts(), QByteArray("four one two three five"));
    QVERIFY(ok(queue({"undo", QByteArray::number(done["undo"].get<int>())})));
    QCOMPARE(prompts(), QByteArray("one two three four five"));
    QVERIFY(ok(queue({"move", jobs[0], "--before", jobs[4]})));
    QCOMPARE(prompts(), QByteArray("two three four one five"));
    QVERIFY(ok(queue({"move", jobs[1]})));
    QCOMPARE(prompts(), QByteArray("three four one five two"));

    done = answer(queue({"cancel", jobs[2], jobs[4]}));
    QVERIFY(done["changed"] == 2);
    QCOMPARE(prompts(), QByteArray("four one two"));
    QCOMPARE(prompts({"--state", "cancelled"}), QByteArray("three five"));
    QVERIFY(ok(queue({"undo", QByteArray::number(done["undo"].get<int>())})));
    QCOMPARE(prompts(), QByteArray("three four one five two"));
    QVERIFY(answer(queue({"cancel", "--run", "1", "--state", "in_work"}))["changed"] == 0);
    QVERIFY(answer(queue({"cancel", jobs[0]}))["changed"] == 1);
    QVERIFY(answer(queue({"retry", jobs[0]}))["changed"] == 1);
    QCOMPARE(states(), QByteArray("waiting waiting waiting waiting waiting"));

    // A run that is paused stays so when the queue goes on.
    QVERIFY(ok(queue({"pause", "--run", "1"})));
    QVERIFY(ok(queue({"resume"})));
    QVERIFY(runs()[0]["state"] == "paused" && runs()[0]["made"] == 0);
    QVERIFY(waiting.state() == QProcess::Running);
    QVERIFY(ok(queue({"resume", "--run", "1"})));
    const Ended made = m_cli->finish(waiting);
    QVERIFY2(made.code == 0, made.said.constData());
    QVERIFY2(made.error.contains("The queue is paused") && made.error.contains("queue resume"), made.said.constData());
    QCOMPARE(made.events("picture").size(), std::size_t(5));
    QVERIFY(runs()[0]["state"] == "finished" && runs()[0]["made"] == 5);
    QCOMPARE(prompts(), QByteArray());
    // In the order that was asked for last.
    QByteArrayList order;
    for (const Json& picture : made.events("picture")) {
      order << QByteArray::number(picture["index"].get<int>());
    }
    QCOMPARE(order.join(' '), QByteArray("2 3 0 4 1"));
  }

  void cancelAllEndsWhoWaits() {
    QProcess working;
    m_cli->begin(working, generate({"--images-per-prompt", "500", "one"}, {"--step-ms", "10"}));
    QTRY_VERIFY_WITH_TIMEOUT(states({"--state", "done"}).size() > 0, tests::kPatienceMs);
    const Json done = answer(queue({"cancel"}));
    QVERIFY2(done["changed"] > 100, done.dump().c_str());
    const Ended ended = m_cli->finish(working);
    QVERIFY2(ended.code == 130, ended.said.constData());
    QVERIFY(runs()[0]["state"] == "cancelled");
    QCOMPARE(prompts(), QByteArray());
  }

  /// Without --library and --out: the library in the user's folder for pictures, for every command.
  void theDefaultLibraryIsInTheFolderForPictures() {
    QByteArrayList words = generate({"one"});
    words.remove(words.indexOf("--library"), 2);
    const Ended made = m_cli->run(words);
    QVERIFY2(made.code == 0, made.said.constData());
    const library::Location location = library::defaultLocation();
    QVERIFY2(location.root.startsWith(QDir::homePath()) && location.root.endsWith("/Polyptych"), qPrintable(location.root));
    QVERIFY(QFileInfo::exists(location.databaseFile()));
    const Json pictures = Json::parse(m_cli->run({"pictures", "--json"}).output.toStdString());
    QVERIFY(pictures.size() == 1);
    QVERIFY(QString::fromStdString(pictures[0]["path"].get<std::string>()).startsWith(location.picturesFolder()));
    QVERIFY(Json::parse(m_cli->run({"runs", "--json"}).output.toStdString()).size() == 1);
    QVERIFY(QDir(location.root).removeRecursively());
  }

  void refusesWhatItCannotMean_data() {
    QTest::addColumn<QByteArrayList>("words");
    QTest::newRow("front of nothing") << QByteArrayList{"front"};
    QTest::newRow("pause of a job") << QByteArrayList{"pause", "1"};
    QTest::newRow("undo of nothing") << QByteArrayList{"undo"};
    QTest::newRow("undo of what was not") << QByteArrayList{"undo", "77"};
    QTest::newRow("before what does not wait") << QByteArrayList{"move", "1", "--before", "77"};
    QTest::newRow("a run that is not there") << QByteArrayList{"cancel", "--run", "77"};
    QTest::newRow("a list of a run that is not there") << QByteArrayList{"list", "--run", "77"};
  }
  void refusesWhatItCannotMean() {
    QFETCH(const QByteArrayList, words);
    QVERIFY(ok(m_cli->run(generate({"one"}))));
    const Ended ended = queue(words);
    QVERIFY2(ended.code == 2, ended.said.constData());
    QVERIFY2(ended.error.startsWith("polyptych-cli: ") && ended.error.size() > 30, ended.said.constData());
  }

  /// The backend is killed in the middle: the face that waits gets another, which asks; a word lets it go on.
  void asksAfterAnUncleanEnd_data() {
    QTest::addColumn<bool>("resumes");
    QTest::newRow("asks") << false;
    QTest::newRow("--resume") << true;
  }
  void asksAfterAnUncleanEnd() {
    QFETCH(const bool, resumes);
    QProcess working;
    QByteArrayList words{"--images-per-prompt", "40", "one"};
    if (resumes) {
      words << "--resume";
    }
    m_cli->begin(working, generate(words, {"--step-ms", "10"}));
    QTRY_VERIFY_WITH_TIMEOUT(states({"--state", "done"}).count("done") >= 3, tests::kPatienceMs);
    const auto holder =
        library::holderOf(library::locationAt(QString::fromUtf8(m_cli->path("library")), library::Location::Layout::Dated));
    QVERIFY(holder && *holder);
    QCOMPARE(::kill(static_cast<pid_t>((*holder)->pid), SIGKILL), 0);
    if (!resumes) {
      QByteArray said;
      QTRY_VERIFY_WITH_TIMEOUT((said += working.readAllStandardError()).contains("Nothing is lost"), tests::kPatienceMs);
      QVERIFY2(said.contains("polyptych-cli queue resume"), said.constData());
      QVERIFY(ok(queue({"resume"})));
    }
    const Ended made = m_cli->finish(working);
    QVERIFY2(made.code == 0, made.said.constData());
    QVERIFY(runs()[0]["made"] == 40 && runs()[0]["state"] == "finished");
    QCOMPARE(runs().size(), std::size_t(1));
    const Ended check = m_cli->run({"library", "check", "--library", m_cli->path("library"), "--json"});
    QVERIFY2(check.code == 0, check.said.constData());
    QVERIFY2(Json::parse(check.output.toStdString()).empty(), check.output.constData());
  }

 private:
  static bool ok(const Ended& ended) {
    if (ended.code != 0) {
      qWarning("%s", ended.said.constData());
    }
    return ended.code == 0;
  }
  static Json answer(const Ended& ended) { return ok(ended) ? Json::parse(ended.output.toStdString()) : Json(); }
  QByteArrayList generate(const QByteArrayList& more, const QByteArrayList& workerArguments = {"--step-ms", "0"}) const {
    QByteArrayList words = {"generate",  "--json",
                            "--library", m_cli->path("library"),
                            "--model",   m_cli->path("모델"),
                            "--worker",  POLYPTYCH_FAKE_WORKER_PATH,
                            "--steps",   "4",
                            "--seed",    "7",
                            "--width",   "64",
                            "--height",  "64",
                            "--devices", "cpu",
                            "--batch",   "1"};
    for (const QByteArray& argument : workerArguments) {
      words << "--worker-argument=" + argument;
    }
    return words + more;
  }
  Ended queue(const QByteArrayList& words) const {
    return m_cli->run(QByteArrayList{"queue"} + words + QByteArrayList{"--library", m_cli->path("library"), "--json"});
  }
  Json list(const QByteArrayList& more) const {
    const Ended ended = queue(QByteArrayList{"list"} + more);
    return ended.code == 0 ? Json::parse(ended.output.toStdString()) : Json::array();
  }
  QByteArray column(const char* name, const QByteArrayList& more) const {
    QByteArrayList values;
    for (const Json& job : list(more)) {
      values << (job[name].is_string() ? QByteArray::fromStdString(job[name].get<std::string>())
                                       : QByteArray::number(job[name].get<qint64>()));
    }
    return values.join(' ');
  }
  QByteArray states(const QByteArrayList& more = {}) const { return column("state", more); }
  QByteArray prompts(const QByteArrayList& more = {}) const { return column("prompt", more); }
  std::vector<QByteArray> ids() const {
    const QByteArrayList list = column("job", {}).split(' ');
    return {list.begin(), list.end()};
  }
  Json runs() const {
    return Json::parse(m_cli->run({"runs", "--library", m_cli->path("library"), "--json"}).output.toStdString());
  }

  std::unique_ptr<tests::CliProgram> m_cli;
};

QTEST_GUILESS_MAIN(TestQueueVerbsCli)
#include "tst_queue_verbs_cli.moc"
