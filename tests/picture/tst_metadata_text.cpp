#include <QtTest>

#include "core/picture/metadata_text.h"
#include "tests/picture/sample_picture.h"

using namespace polyptych;
using base::ErrorCode;
using picture::metadataFromJson;
using picture::metadataJson;
using picture::parametersText;

class TestMetadataText : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void writesTheParametersText() {
    QCOMPARE(parametersText(tests::sampleMetadata()),
             std::string("a lighthouse, oil paint\n"
                         "Negative prompt: blurry\n"
                         "Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 18364758544493064720, Size: 16x8, "
                         "Model hash: 0123456789, Model: org/name, Clip skip: 2, CFG rescale: 0.7, Version: Polyptych 0.1.0"));
  }

  void leavesOutWhatIsNotSet() {
    domain::PictureMetadata metadata;
    metadata.request.prompt = "";
    metadata.request.negativePrompt = "";
    metadata.request.scheduler = "Euler";
    metadata.request.guidanceScale = 7;
    metadata.programVersion = "1";
    QCOMPARE(parametersText(metadata),
             std::string("\nSteps: 25, Sampler: Euler, CFG scale: 7, Seed: 0, Size: 512x512, Version: Polyptych 1"));
  }

  void quotesValuesThatWouldBeTakenForTwo() {
    domain::PictureMetadata metadata = tests::sampleMetadata();
    metadata.modelName = "a, \"b\": c";
    QVERIFY(QString::fromStdString(parametersText(metadata)).contains(R"(Model: "a, \"b\": c", Clip skip)"));
    metadata.request.prompt = std::string("nul\0here", 8);
    QVERIFY(QString::fromStdString(parametersText(metadata)).startsWith(QString::fromUtf8("nul\xEF\xBF\xBDhere\n")));
  }

  void writesTheDocumentedJson() {
    QCOMPARE(
        metadataJson(tests::sampleMetadata()),
        std::string(
            R"({"batch":2,"clipSkip":1,"computeType":"fp16","format":1,"guidance":7.5,"guidanceRescale":0.7,"height":8,"index":12,)"
            R"("model":{"hash":"0123456789abcdef","name":"org/name"},"negative":"blurry","noise":"model","program":"0.1.0",)"
            R"("prompt":"a lighthouse, oil paint","promptIndex":3,"scheduler":"DPM++ 2M Karras","seed":18364758544493064720,)"
            R"("steps":25,"threads":4,"vaeSlicing":true,"vaeTiling":true,"width":16})"));
  }

  void theJsonIsReadBack() {
    domain::PictureMetadata metadata = tests::sampleMetadata();
    QVERIFY(*metadataFromJson(metadataJson(metadata)) == metadata);
    metadata.request.negativePrompt.reset();
    metadata.request.clipSkip.reset();
    metadata.request.prompt = std::string("\0\n\"\\ \xED\x95\x9C \xF0\x9F\x98\x80 \x7F", 17);
    metadata.request.guidanceScale = 0.1;
    QVERIFY(*metadataFromJson(metadataJson(metadata)) == metadata);
  }

  void ignoresKeysOfOthers() {
    std::string json = metadataJson(tests::sampleMetadata());
    json.insert(1, R"("added":[1,{"x":2}],)");
    QVERIFY(*metadataFromJson(json) == tests::sampleMetadata());
  }

  void refusesANewerFormat() {
    std::string json = metadataJson(tests::sampleMetadata());
    json.replace(json.find("\"format\":1"), 10, "\"format\":2");
    QCOMPARE(metadataFromJson(json).error().code, ErrorCode::Unsupported);
  }

  void refusesEveryMissingOrWrongKey() {
    for (const char* key : {"batch",     "computeType", "format", "guidance", "guidanceRescale", "height",    "index",
                            "model",     "hash",        "name",   "noise",    "program",         "prompt",    "promptIndex",
                            "scheduler", "seed",        "steps",  "threads",  "vaeSlicing",      "vaeTiling", "width"}) {
      const std::string json = metadataJson(tests::sampleMetadata());
      const std::string quoted = std::string("\"") + key + "\":";
      std::string missing = json;
      missing.replace(missing.find(quoted), quoted.size(), "\"gone\":");
      QVERIFY2(!metadataFromJson(missing), key);
      QCOMPARE(metadataFromJson(missing).error().code, ErrorCode::Corrupt);
      std::string wrong = json;
      wrong.replace(wrong.find(quoted), quoted.size(), quoted + "null,\"gone\":");
      QVERIFY2(!metadataFromJson(wrong), key);
    }
  }

  void refusesWhatIsNoJsonObject_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("list") << QByteArray("[]");
    QTest::newRow("text") << QByteArray("\"x\"");
    QTest::newRow("no object at all") << QByteArray("{}");
    QTest::newRow("no UTF-8") << QByteArray("{\"format\":\"\xFF\"}");
    QTest::newRow("nested a million deep") << QByteArray(1000000, '[');
    QTest::newRow("a million values") << ("{\"a\":[" + QByteArray("1,").repeated(1000000) + "1]}");
    QTest::newRow("open string") << QByteArray("{\"a");
    QTest::newRow("backslash at the end") << QByteArray("{\"a\\");
  }
  void refusesWhatIsNoJsonObject() {
    QFETCH(QByteArray, text);
    const auto metadata = metadataFromJson(std::string_view(text.constData(), std::size_t(text.size())));
    QVERIFY(!metadata);
    QCOMPARE(metadata.error().code, ErrorCode::Corrupt);
  }

  void refusesEveryCut() {
    const std::string json = metadataJson(tests::sampleMetadata());
    for (std::size_t length = 0; length < json.size(); ++length) {
      QVERIFY(!metadataFromJson(std::string_view(json).substr(0, length)));
    }
  }
};

QTEST_APPLESS_MAIN(TestMetadataText)
#include "tst_metadata_text.moc"
