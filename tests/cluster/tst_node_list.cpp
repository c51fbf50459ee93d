#include <QtTest>

#include "core/cluster/node_list.h"

using namespace polyptych::cluster;

class TestNodeList : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // Expected lists are what `scontrol show hostnames` prints for the same text.
  void expands_data() {
    QTest::addColumn<QString>("list");
    QTest::addColumn<QString>("hosts");
    QTest::newRow("one") << "login"
                         << "login";
    QTest::newRow("two") << "a,b"
                         << "a b";
    QTest::newRow("range") << "gpu[1-3]"
                           << "gpu1 gpu2 gpu3";
    QTest::newRow("zeros are kept") << "n[08-11]"
                                    << "n08 n09 n10 n11";
    QTest::newRow("width grows") << "n[9-11]"
                                 << "n9 n10 n11";
    QTest::newRow("ranges and numbers") << "gpu[01-02,07],login"
                                        << "gpu01 gpu02 gpu07 login";
    QTest::newRow("text behind") << "rack[1-2]-ib"
                                 << "rack1-ib rack2-ib";
    QTest::newRow("two brackets, the last runs fastest") << "r[1-2]n[1-2]"
                                                         << "r1n1 r1n2 r2n1 r2n2";
    QTest::newRow("order as given") << "b[3,1],a"
                                    << "b3 b1 a";
    QTest::newRow("domain") << "n[1-2].cluster.example"
                            << "n1.cluster.example n2.cluster.example";
  }
  void expands() {
    QFETCH(QString, list);
    QFETCH(QString, hosts);
    const auto expanded = expandNodeList(list.toStdString());
    QVERIFY2(expanded.isOk(), expanded ? "" : expanded.error().message.c_str());
    QStringList found;
    for (const std::string& host : *expanded) {
      found << QString::fromStdString(host);
    }
    QCOMPARE(found.join(' '), hosts);
  }

  void refusesWhatCannotBeRead_data() {
    QTest::addColumn<QString>("list");
    QTest::addColumn<QString>("problem");
    QTest::newRow("empty") << ""
                           << "it is empty";
    QTest::newRow("comma alone") << ","
                                 << "beside a comma";
    QTest::newRow("comma at the end") << "a,"
                                      << "beside a comma";
    QTest::newRow("not closed") << "n[1-2"
                                << "not closed";
    QTest::newRow("not opened") << "n1]"
                                << "not opened";
    QTest::newRow("empty brackets") << "n[]"
                                    << "no number";
    QTest::newRow("no number") << "n[a-b]"
                               << "no number";
    QTest::newRow("backwards") << "n[3-1]"
                               << "backwards";
    QTest::newRow("too large a number") << "n[1-99999999999999999999]"
                                        << "too large";
    QTest::newRow("too many") << "n[1-100001]"
                              << "more than 100000";
    QTest::newRow("too many by product") << "a[1-1000]b[1-1000]"
                                         << "more than 100000";
    QTest::newRow("too many by sum") << "a[1-60000],b[1-60000]"
                                     << "more than 100000";
    QTest::newRow("sign") << "n[-1]"
                          << "no number";
  }
  void refusesWhatCannotBeRead() {
    QFETCH(QString, list);
    QFETCH(QString, problem);
    const auto expanded = expandNodeList(list.toStdString());
    QVERIFY(!expanded.isOk());
    QVERIFY2(expanded.error().message.find(problem.toStdString()) != std::string::npos, expanded.error().message.c_str());
  }
};

QTEST_GUILESS_MAIN(TestNodeList)
#include "tst_node_list.moc"
