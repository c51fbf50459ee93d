#include <QtTest>

#include "core/gallery/sidecar.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::PictureMarks;

Q_DECLARE_METATYPE(polyptych::gallery::PictureMarks)

class TestSidecar : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void readsWhatItWrote_data() {
    QTest::addColumn<PictureMarks>("marks");
    QTest::newRow("stars") << PictureMarks{4, 0, {}, {}, {}};
    QTest::newRow("rejected with stars") << PictureMarks{2, -1, {}, {}, {}};
    QTest::newRow("picked") << PictureMarks{0, 1, {}, {}, {}};
    QTest::newRow("trashed") << PictureMarks{0, 0, {}, {}, 1764041234567};
    QTest::newRow("names") << PictureMarks{0, 0, {"<a & \"b\">", "바다", "😀"}, {"Best of"}, {}};
    QTest::newRow("nothing") << PictureMarks{};
  }

  void readsWhatItWrote() {
    QFETCH(PictureMarks, marks);
    const auto read = gallery::fromXmp(gallery::toXmp(marks));
    QVERIFY2(read.isOk(), read ? "" : read.error().detail.c_str());
    QVERIFY(*read == marks);
  }

  void writesWhatOthersRead() {
    const QByteArray xmp = gallery::toXmp({3, -1, {"sea"}, {}, {}});
    QVERIFY(xmp.contains("xmp:Rating=\"-1\""));
    QVERIFY(xmp.contains("<dc:subject>"));
    QVERIFY(xmp.contains("<rdf:li>sea</rdf:li>"));
    QVERIFY(gallery::toXmp({3, 0, {}, {}, {}}).contains("xmp:Rating=\"3\""));
  }

  void readsWhatOthersWrite() {
    const auto read = gallery::fromXmp(
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:a='http://ns.adobe.com/xap/1.0/' xmlns:d='http://purl.org/dc/elements/1.1/'>"
        "<a:Rating>5</a:Rating><d:subject><rdf:Bag><rdf:li> two </rdf:li><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag>"
        "</d:subject><a:CreatorTool>x</a:CreatorTool></rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end='w'?>");
    QVERIFY2(read.isOk(), read ? "" : read.error().detail.c_str());
    QVERIFY((*read == PictureMarks{5, 0, {"one", "two"}, {}, {}}));
  }

  void keepsWhatOthersWrote() {
    const QByteArray theirs =
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/' xmp:Rating='2' crs:Exposure2012='+0.50'>"
        "<xmp:CreatorTool>somebody &amp; son</xmp:CreatorTool>"
        "<dc:subject><rdf:Bag><rdf:li>old</rdf:li></rdf:Bag></dc:subject>"
        "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>ë°°</rdf:li></rdf:Alt></dc:title>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end='w'?>";
    const PictureMarks marks{4, 1, {"new"}, {"Best"}, {}};
    const gallery::XmpMerge merged = gallery::mergeXmp(theirs, marks);
    QVERIFY(merged.hasForeign);
    const auto read = gallery::fromXmp(merged.xmp);
    QVERIFY2(read.isOk(), merged.xmp.constData());
    QVERIFY(*read == marks);
    for (const char* part : {"Exposure2012=\"+0.50\"", "somebody &amp; son", "x-default", "ë°°", "xpacket"}) {
      QVERIFY2(merged.xmp.contains(part), merged.xmp.constData());
    }
    QVERIFY(!merged.xmp.contains(">old<"));
    // Again and again the same.
    QCOMPARE(gallery::mergeXmp(merged.xmp, marks).xmp, merged.xmp);
    // Our own document has nothing of others in it; what cannot be read is written anew.
    QVERIFY(!gallery::mergeXmp(gallery::toXmp(marks), {}).hasForeign);
    QCOMPARE(gallery::mergeXmp("no xmp", marks).xmp, gallery::toXmp(marks));
    // On the disk: marks that go leave what others wrote; nothing else leaves nothing.
    QTemporaryDir folder;
    const QString picture = folder.filePath("a.png");
    tests::writeFile(picture + gallery::kSidecarEnd, theirs);
    QVERIFY(gallery::writeSidecar(picture, {}).isOk());
    QVERIFY(tests::readFile(picture + gallery::kSidecarEnd).contains("Exposure2012"));
    QVERIFY(gallery::readSidecar(picture)->isEmpty());
    tests::writeFile(picture + gallery::kSidecarEnd, gallery::toXmp(marks));
    QVERIFY(gallery::writeSidecar(picture, {}).isOk());
    QVERIFY(!QFile::exists(picture + gallery::kSidecarEnd));
  }

  void leavesOutWhatCannotBe() {
    QByteArray xmp = gallery::toXmp({3, 1, {"good", "bad"}, {}, 5});
    xmp.replace("xmp:Rating=\"3\"", "xmp:Rating=\"99\"").replace(">bad<", "> <").replace("Trashed=\"5\"", "Trashed=\"-5\"");
    const auto read = gallery::fromXmp(xmp);
    QVERIFY(read.isOk());
    QVERIFY((*read == PictureMarks{5, 1, {"good"}, {}, {}}));
  }

  void refusesWhatIsNone_data() {
    QTest::addColumn<QByteArray>("xmp");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("no XML") << QByteArray("rating: 3");
    QTest::newRow("other XML") << QByteArray("<a/>");
    QTest::newRow("entities") << QByteArray("<!DOCTYPE a [<!ENTITY b 'c'>]>") + gallery::toXmp({1, 0, {}, {}, {}}).mid(38);
    QTest::newRow("deep") << QByteArray("<a>").repeated(1000);
    QTest::newRow("long") << QByteArray(gallery::kMaxSidecarBytes + 1, ' ');
    QByteArray attributes;
    for (int i = 0; i < 2000; ++i) {
      attributes += " a" + QByteArray::number(i) + "=''";
    }
    QTest::newRow("many attributes") << "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'" + attributes + "/>";
    QTest::newRow("cut") << gallery::toXmp({1, 0, {"tag"}, {}, {}}).chopped(20);
  }

  void refusesWhatIsNone() {
    QFETCH(QByteArray, xmp);
    const auto read = gallery::fromXmp(xmp);
    QVERIFY(!read);
    QCOMPARE(read.error().code, ErrorCode::Corrupt);
  }

  /// It takes no longer than the same elements in a short one.
  void readsALongNamespace() {
    const auto elements = [](const QByteArray& space) {
      return "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:n='" + space + "'>" +
             QByteArray("<n:a/>").repeated(50000) + "</r:RDF>";
    };
    QElapsedTimer time;
    time.start();
    QVERIFY(gallery::fromXmp(elements("short")).isOk());
    const qint64 shortNs = time.nsecsElapsed();
    time.start();
    QVERIFY(gallery::fromXmp(elements(QByteArray(500000, 'n'))).isOk());
    QVERIFY2(time.nsecsElapsed() < 50 * shortNs, qPrintable(QString::number(time.nsecsElapsed() / shortNs)));
  }

  void followsTheRows() {
    tests::SampleLibrary library;
    const auto record = tests::recordOf(1, {"a"}, "d/r");
    library.addRun(record);
    const qint64 id = library.addPicture(record, 0);
    const QString picture = library.pathOf(record, 0);
    QVERIFY(gallery::readSidecar(picture)->isEmpty());
    QVERIFY(gallery::setStars(*library.database, id, 4).isOk());
    QVERIFY(gallery::saveSidecar(*library.database, library.location.picturesFolder(), id).isOk());
    QVERIFY(QFileInfo::exists(picture + ".xmp"));
    QCOMPARE(gallery::readSidecar(picture)->stars, 4);
    QVERIFY(gallery::setStars(*library.database, id, 0).isOk());
    QVERIFY(gallery::saveSidecar(*library.database, library.location.picturesFolder(), id).isOk());
    QVERIFY(!QFileInfo::exists(picture + ".xmp"));
    QVERIFY(gallery::saveSidecar(*library.database, library.location.picturesFolder(), id).isOk());
    tests::writeFile(picture + ".xmp", "damaged");
    QCOMPARE(gallery::readSidecar(picture).error().code, ErrorCode::Corrupt);
  }
};

QTEST_GUILESS_MAIN(TestSidecar)
#include "tst_sidecar.moc"
