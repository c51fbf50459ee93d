#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QScopeGuard>
#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <fstream>
#include <memory>

#include "core/models/bundled_models.h"
#include "core/models/model_description.h"
#include "core/models/model_list.h"
#include "tests/checkpoint/model_builder.h"

using namespace polyptych;
using namespace polyptych::models;
using polyptych::tests::ModelBuilder;

namespace fs = std::filesystem;

class TestModels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init();
  void listsNothingOnAnEmptyMachine();
  void listsFoldersAndTheCache();
  void tellsAModelOnce();
  void knowsBundledModelsByName();
  void tellsWhyAModelCannotBeUsed();
  void tellsFamilyVariantAndPrecision();
  void describesAModel();
  void notesTheSafetyChecker();
  void describingFailsWithTheReason();
  void writesJson();
  void writesText();

 private:
  fs::path root() const { return fs::path(m_dir->path().toStdString()); }
  QString path(const char* name) const { return m_dir->filePath(QString::fromUtf8(name)); }
  ModelBuilder builder(const char* name) const { return ModelBuilder(root() / name); }

  std::unique_ptr<QTemporaryDir> m_dir;
};

void TestModels::init() {
  m_dir = std::make_unique<QTemporaryDir>();
  qputenv("HF_HUB_CACHE", m_dir->filePath("hub").toUtf8());
}

void TestModels::listsNothingOnAnEmptyMachine() {
  QVERIFY(listModels().isEmpty());
  QVERIFY(listModels({path("nowhere"), m_dir->path()}).isEmpty());
}

void TestModels::listsFoldersAndTheCache() {
  builder("models/B 모델").write();
  builder("models/a").write();
  builder("single").write();
  QDir(m_dir->path()).mkpath("models/no model");
  const std::string commit = "0123456789abcdef0123456789abcdef01234567";
  builder(("hub/models--org--name/snapshots/" + commit).c_str()).write();
  fs::create_directories(root() / "hub/models--org--name/refs");
  std::ofstream(root() / "hub/models--org--name/refs/main") << commit;

  const auto models = listModels({path("models"), path("single")});
  QStringList names;
  for (const ModelSummary& model : models) {
    names.append(model.name);
    QVERIFY2(model.isUsable, qPrintable(model.reason));
    const auto spec = checkpoint::resolveModelReference(model.reference.toStdString());
    QVERIFY(spec);
    QCOMPARE(QString::fromStdString(spec->folder), model.path);
  }
  QCOMPARE(names, (QStringList{"a", QString::fromUtf8("B 모델"), "org/name", "single"}));
  QCOMPARE(models[2].reference, QString("org/name"));
}

void TestModels::knowsBundledModelsByName() {
  const auto restored = qScopeGuard([before = qgetenv("POLYPTYCH_DATA_DIR")] { qputenv("POLYPTYCH_DATA_DIR", before); });
  qputenv("POLYPTYCH_DATA_DIR", path("program").toUtf8());
  QCOMPARE(withBundledModels("demo"), QString("demo"));
  builder("program/models/demo").write();
  QVERIFY(isBundledModel("demo"));
  for (const char* const other : {"", ".", "..", "../models/demo", "./demo", "other"}) {
    QVERIFY2(!isBundledModel(other), other);
  }
  QCOMPARE(withBundledModels("demo"), path("program/models/demo"));
  QCOMPARE(withBundledModels("org/name"), QString("org/name"));
  const auto models = listModels({path("program/models")});
  QCOMPARE(models.size(), 1);
  QCOMPARE(models[0].name, QString("demo"));
  QCOMPARE(models[0].reference, QString("demo"));
  const auto description = describeModel("demo");
  QVERIFY(description);
  QCOMPARE(description->summary.path, path("program/models/demo"));
}

void TestModels::tellsAModelOnce() {
  builder("models/a").write();
  QVERIFY(QFile::link(path("models/a"), path("link")));
  QCOMPARE(listModels({path("models"), path("models/a"), path("link")}).size(), 1);
}

void TestModels::tellsWhyAModelCannotBeUsed() {
  ModelBuilder xl = builder("models/xl");
  xl.writeFile("model_index.json", R"({"_class_name":"StableDiffusionXLPipeline"})");
  xl.writeFile("unet/diffusion_pytorch_model.safetensors", std::string(100, 'x'));
  ModelBuilder damaged = builder("models/damaged");
  damaged.write();
  damaged.writeFile("vae/diffusion_pytorch_model.safetensors", "garbage");
  const auto models = listModels({path("models")});
  QCOMPARE(models.size(), 2);
  QCOMPARE(models[0].name, QString("damaged"));
  QVERIFY(!models[0].isUsable);
  QVERIFY2(models[0].reason.contains("vae/diffusion_pytorch_model.safetensors is too short"), qPrintable(models[0].reason));
  QVERIFY(!models[1].isUsable);
  QCOMPARE(models[1].family, QString("StableDiffusionXLPipeline"));
  QVERIFY(models[1].reason.contains("StableDiffusionXLPipeline"));
  QCOMPARE(models[1].bytes, qint64{100});
}

void TestModels::tellsFamilyVariantAndPrecision() {
  ModelBuilder model = builder("m");
  model.dtype = checkpoint::Dtype::F16;
  model.moveWeights("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors");
  model.moveWeights("vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.fp16.safetensors");
  model.moveWeights("text_encoder/model.safetensors", "text_encoder/model.fp16.safetensors");
  model.texts["text_encoder/config.json"] = R"({"hidden_size":768,"num_attention_heads":12})";
  QString unet = QString::fromStdString(model.texts["unet/config.json"]);
  model.texts["unet/config.json"] = unet.replace("\"cross_attention_dim\":32", "\"cross_attention_dim\":768").toStdString();
  model.write();
  ModelSummary summary = summarize(path("m"), "m", path("m"));
  QVERIFY2(summary.isUsable, qPrintable(summary.reason));
  QCOMPARE(summary.family, QString("Stable Diffusion 1.x"));
  QCOMPARE(summary.variant, QString("fp16"));
  QCOMPARE(summary.variants, QStringList{"fp16"});
  QCOMPARE(summary.precision, QString("fp16"));

  model.dtype = checkpoint::Dtype::F32;
  model.writeFile("vae/diffusion_pytorch_model.fp16.safetensors", model.safetensors({"a", "b", "c"}));
  model.writeFile("vae/diffusion_pytorch_model.safetensors", model.safetensors({"a"}));
  summary = summarize(path("m"), "m", path("m"));
  QCOMPARE(summary.precision, QString("fp32 + fp16"));
  QCOMPARE(summary.variants, (QStringList{"", "fp16"}));
  qint64 bytes = 0;
  const auto folder = checkpoint::openModelFolder(root() / "m");
  QVERIFY(folder);
  for (const std::string& file : checkpoint::modelFiles(*folder)) {
    bytes += static_cast<qint64>(fs::file_size(root() / "m" / file));
  }
  QCOMPARE(summary.bytes, bytes);
}

void TestModels::describesAModel() {
  ModelBuilder model = builder("m");
  model.weights["unet/diffusion_pytorch_model.safetensors"] = {"a", "b", "c"};
  model.texts["scheduler/scheduler_config.json"] = R"({"beta_end":0.012,"steps_offset":0,"prediction_type":"v_prediction"})";
  model.write();
  const auto description = describeModel(path("m"));
  QVERIFY2(description, description ? "" : description.error().message.c_str());
  QCOMPARE(description->pipelineClass, QString("StableDiffusionPipeline"));
  QCOMPARE(description->width, 32);
  QCOMPARE(description->height, 32);
  QCOMPARE(description->components.size(), 3);
  const ComponentDescription& unet = description->components[1];
  QCOMPARE(unet.name, QString("unet"));
  QCOMPARE(unet.parameters, qint64{12});
  QCOMPARE(unet.bytes, qint64{48});
  QCOMPARE(unet.files, QStringList{"diffusion_pytorch_model.safetensors"});
  QVERIFY(unet.settings.contains({"block_out_channels", "32, 64"}));
  QCOMPARE(description->schedulerClass, QString("PNDMScheduler"));
  QCOMPARE(description->schedulerSettings,
           (QVector<std::pair<QString, QString>>{
               {"beta_end", "0.012"}, {"prediction_type", "\"v_prediction\""}, {"steps_offset", "1"}}));
  QVERIFY(description->notes.isEmpty());
}

void TestModels::notesTheSafetyChecker() {
  ModelBuilder model = builder("m");
  QString index = QString::fromStdString(model.texts["model_index.json"]);
  model.texts["model_index.json"] =
      index.replace(R"("safety_checker":[null,null])", R"("safety_checker":["a","B"])").toStdString();
  model.write();
  const auto description = describeModel(path("m"));
  QVERIFY(description);
  QVERIFY(description->hasSafetyChecker);
  QCOMPARE(description->notes, QStringList{"The model has a safety checker; this program does not run it."});
}

void TestModels::describingFailsWithTheReason() {
  const auto absent = describeModel("org/absent");
  QVERIFY(!absent);
  QCOMPARE(absent.error().code, base::ErrorCode::NotFound);
  ModelBuilder model = builder("m");
  model.write();
  model.writeFile("unet/diffusion_pytorch_model.safetensors", "garbage!");
  const auto damaged = describeModel(path("m"));
  QVERIFY(!damaged);
  QCOMPARE(damaged.error().code, base::ErrorCode::Corrupt);
}

void TestModels::writesJson() {
  ModelBuilder model = builder("m");
  model.write();
  const auto description = describeModel(path("m"));
  QVERIFY(description);
  const QJsonObject object = toJson(*description);
  QCOMPARE(object["name"].toString(), QString("m"));
  QCOMPARE(object["usable"].toBool(), true);
  QVERIFY(!object.contains("reason"));
  QCOMPARE(object["width"].toInt(), 32);
  QCOMPARE(object["safety_checker"].toBool(true), false);
  QCOMPARE(object["components"].toArray().size(), 3);
  const QJsonObject scheduler = object["scheduler"].toObject();
  QCOMPARE(scheduler["class"].toString(), QString("PNDMScheduler"));
  QCOMPARE(scheduler["settings"].toObject()["beta_end"].toDouble(), 0.012);
  QCOMPARE(scheduler["settings"].toObject()["skip_prk_steps"].toBool(), true);
  QCOMPARE(scheduler["settings"].toObject()["beta_schedule"].toString(), QString("scaled_linear"));
  builder("bad").writeFile("model_index.json", "{}");
  const auto models = listModels({path("bad")});
  QCOMPARE(models.size(), 1);
  QVERIFY(!toJson(models[0])["reason"].toString().isEmpty());
  QCOMPARE(toJson(models[0])["usable"].toBool(true), false);
}

void TestModels::writesText() {
  builder("m").write();
  const auto description = describeModel(path("m"));
  QVERIFY(description);
  const QString text = toText(*description);
  for (const char* const line : {"m\n", "  folder        ", "32 x 32", "  unet          UNet2DConditionModel, ",
                                 "  scheduler     PNDMScheduler\n", "beta_end: 0.012\n"}) {
    QVERIFY2(text.contains(line), qPrintable(text));
  }
  QCOMPARE(sizeText(4'265'000'000), QString("4.3 GB"));
  QCOMPARE(sizeText(999), QString("999 bytes"));
}

QTEST_GUILESS_MAIN(TestModels)
#include "tst_models.moc"
