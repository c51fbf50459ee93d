#include "core/gallery/picture_settings.h"

#include <QTest>

#include "tests/gallery/foreign_png.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;

/// Settings out of pictures, of ours and of AUTOMATIC1111's program.
class TestPictureSettings : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void ourOwnPictureGivesAllBack() {
    const QTemporaryDir folder;
    const auto record = tests::recordOf(1, {QStringLiteral("등대, 해 질 녘")}, QString());
    const auto metadata = tests::metadataOf(record, 0);
    const QString path = folder.filePath(QStringLiteral("own.png"));
    tests::writeFile(path, tests::pngOf(metadata));
    const auto read = gallery::readPictureSettings(path);
    QVERIFY(read.isOk());
    QVERIFY(read->request.prompt == metadata.request.prompt);
    QCOMPARE(read->request.seed, metadata.request.seed);
    QCOMPARE(read->request.width, 16);
  }

  void theOtherProgramsTextIsUnderstood() {
    const auto read = gallery::settingsFromParameters(QStringLiteral(
        "a red boat,\nat sea\nNegative prompt: blurry, low quality\nSteps: 28, Sampler: DPM++ 2M, Schedule type: Karras, "
        "CFG scale: 6.5, Seed: 4294967297, Size: 640x512, Model hash: abc, Model: \"some, model\", Clip skip: 2, Version: 1.9"));
    QVERIFY(read.isOk());
    const auto& request = read->request;
    QCOMPARE(request.prompt, std::string("a red boat,\nat sea"));
    QCOMPARE(*request.negativePrompt, std::string("blurry, low quality"));
    QCOMPARE(request.steps, 28);
    QCOMPARE(request.scheduler, std::string("DPM++ 2M Karras"));
    QCOMPARE(request.guidanceScale, 6.5);
    QCOMPARE(request.seed, std::uint64_t(4294967297));
    QCOMPARE(request.width, 640);
    QCOMPARE(request.height, 512);
    QCOMPARE(*request.clipSkip, 1);
  }

  void whatCannotBeMeantStaysAsItIs_data() {
    QTest::addColumn<QString>("fields");
    QTest::newRow("no size") << QStringLiteral("Size: 0x0");
    QTest::newRow("half a size") << QStringLiteral("Size: 512x");
    QTest::newRow("huge") << QStringLiteral("Size: 999999x999999");
    QTest::newRow("words") << QStringLiteral("Size: wide, Seed: many, CFG scale: much");
  }
  void whatCannotBeMeantStaysAsItIs() {
    QFETCH(QString, fields);
    const auto read = gallery::settingsFromParameters(QStringLiteral("a\nSteps: 20, ") + fields);
    QVERIFY(read.isOk());
    QCOMPARE(read->request.width, 512);
    QCOMPARE(read->request.height, 512);
    QCOMPARE(read->request.steps, 20);
  }

  void stepsStayWithinTheLimits() {
    QCOMPARE(gallery::settingsFromParameters(QStringLiteral("Steps: 99999999999, Sampler: Euler"))->request.steps, 1);
    QCOMPARE(gallery::settingsFromParameters(QStringLiteral("Steps: 5000, Sampler: Euler"))->request.steps, domain::kMaxSteps);
  }

  void theOtherProgramsTextIsFoundThoughItIsPacked_data() {
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("head");
    QTest::newRow("zTXt") << QByteArray("zTXt") << QByteArray("parameters\0\0", 12);
    QTest::newRow("iTXt") << QByteArray("iTXt") << QByteArray("parameters\0\1\0\0\0", 15);
  }
  void theOtherProgramsTextIsFoundThoughItIsPacked() {
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, head);
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("packed.png"));
    // qCompress() puts the length in front of the stream.
    tests::writeFile(path, tests::pngWithChunk(type, head + qCompress("a red boat\nSteps: 28, Sampler: Euler, Seed: 7").mid(4)));
    const auto read = gallery::readPictureSettings(path);
    QVERIFY(read.isOk());
    QCOMPARE(read->request.prompt, std::string("a red boat"));
    QCOMPARE(read->request.steps, 28);
    QCOMPARE(read->request.seed, std::uint64_t(7));
    tests::writeFile(path, tests::pngWithChunk(type, head + "no stream"));
    QCOMPARE(gallery::readPictureSettings(path).error().code, ErrorCode::Corrupt);
  }

  void otherFilesHaveNoSettings() {
    const QTemporaryDir folder;
    QCOMPARE(gallery::readPictureSettings(folder.filePath(QStringLiteral("none.png"))).error().code, ErrorCode::NotFound);
    const QString path = folder.filePath(QStringLiteral("text.png"));
    tests::writeFile(path, "no picture");
    QVERIFY(!gallery::readPictureSettings(path).isOk());
    QCOMPARE(gallery::settingsFromParameters(QStringLiteral("only words")).error().code, ErrorCode::NotFound);
    QCOMPARE(gallery::settingsFromParameters(QString()).error().code, ErrorCode::NotFound);
  }
};

QTEST_GUILESS_MAIN(TestPictureSettings)
#include "tst_picture_settings.moc"
