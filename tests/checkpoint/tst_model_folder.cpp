#include <QCryptographicHash>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <filesystem>
#include <string>

#include "core/checkpoint/hugging_face_cache.h"
#include "core/checkpoint/model_folder.h"
#include "core/checkpoint/sha256.h"
#include "core/checkpoint/weight_files.h"
#include "tests/checkpoint/model_builder.h"

using namespace polyptych;
using namespace polyptych::checkpoint;
using polyptych::tests::ModelBuilder;

namespace fs = std::filesystem;

namespace {

constexpr const char* kUNetFile = "unet/diffusion_pytorch_model.safetensors";
constexpr const char* kVaeFile = "vae/diffusion_pytorch_model.safetensors";
constexpr const char* kTextFile = "text_encoder/model.safetensors";
constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

QString messageOf(const base::Error& error) { return QString::fromStdString(error.message); }

std::vector<std::string> fileNames(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) {
    names.push_back(file.filename().string());
  }
  return names;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace

class TestModelFolder : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init();

  void opensAFolder();
  void readsTheSizeOfItsPictures();
  void givesBothSpellingsOfTextEncoderNames_data();
  void givesBothSpellingsOfTextEncoderNames();
  void givesOldVaeAttentionItsNewNames();

  void parsesWeightFileNames_data();
  void parsesWeightFileNames();
  void takesTheOnlyVariantThereIs();
  void takesTheVariantAskedFor();
  void mixesInPlainFilesWithAWarning();
  void refusesAVariantThatIsNotThere();
  void refusesPartsWithoutACommonVariant();
  void readsShards_data();
  void readsShards();
  void takesEitherFileName();
  void guardsShardPaths_data();
  void guardsShardPaths();
  void listsShardsThatAreMissing();
  void refusesLinksOutOfTheFolder();
  void followsLinksIntoTheBlobsOfACache();

  void neverOpensPickles_data();
  void neverOpensPickles();
  void refusesSingleFiles();
  void listsMissingParts();
  void listsMissingWeights();
  void refusesClasses_data();
  void refusesClasses();
  void refusesPartsThatDoNotFit_data();
  void refusesPartsThatDoNotFit();
  void refusesBrokenPipelineIndexes_data();
  void refusesBrokenPipelineIndexes();
  void survivesEveryTruncationOfItsTexts();

  void resolvesFolders();
  void resolvesNamesOfTheCache();
  void honoursTheCacheVariables();
  void refusesReferences_data();
  void refusesReferences();
  void listsTheCache();

  void hashesLikeSha256sum();
  void sha256MatchesKnownValues_data();
  void sha256MatchesKnownValues();
  void hashDependsOnContentAlone();
  void hashComesFromTheCacheUntilAFileChanges();
  void hashSurvivesABrokenCache();

 private:
  fs::path root() const { return fs::path(m_dir->path().toStdString()); }
  ModelBuilder builder(const char* name = "model") const { return ModelBuilder(root() / name); }
  /// A snapshot in a cache under root(): files are links into blobs, as huggingface_hub lays them out.
  fs::path makeSnapshot(const ModelBuilder& source, const std::string& repository, const std::string& ref,
                        const std::string& commit);

  std::unique_ptr<QTemporaryDir> m_dir;
};

void TestModelFolder::init() {
  m_dir = std::make_unique<QTemporaryDir>();
  QVERIFY(m_dir->isValid());
  for (const char* const name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"}) {
    qunsetenv(name);
  }
  qputenv("HOME", m_dir->path().toUtf8());
}

fs::path TestModelFolder::makeSnapshot(const ModelBuilder& source, const std::string& repository, const std::string& ref,
                                       const std::string& commit) {
  const fs::path home = root() / ".cache" / "huggingface" / "hub" / ("models--" + replaced(repository, "/", "--"));
  const fs::path snapshot = home / "snapshots" / commit;
  fs::create_directories(home / "blobs");
  fs::create_directories((home / "refs" / ref).parent_path());
  std::ofstream(home / "refs" / ref) << commit;
  source.write();
  int number = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source.folder())) {
    if (entry.is_regular_file()) {
      const fs::path relative = entry.path().lexically_relative(source.folder());
      const fs::path blob = home / "blobs" / (commit.substr(0, 4) + std::to_string(number++));
      fs::copy_file(entry.path(), blob);
      fs::create_directories((snapshot / relative).parent_path());
      fs::create_symlink(blob.lexically_relative((snapshot / relative).parent_path()), snapshot / relative);
    }
  }
  return snapshot;
}

void TestModelFolder::opensAFolder() {
  ModelBuilder model = builder("모델 with spaces");
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY2(folder, folder ? "" : folder.error().message.c_str());
  QCOMPARE(folder->path, model.folder());
  QCOMPARE(folder->pipelineClass, std::string("StableDiffusionPipeline"));
  QCOMPARE(folder->variant, std::string());
  QCOMPARE(folder->textEncoder.hiddenSize, 32);
  QCOMPARE(folder->unet.blockOutChannels, (std::vector<int>{32, 64}));
  QCOMPARE(folder->vae.sampleSize, 64);
  QCOMPARE(folder->scheduler.className, std::string("PNDMScheduler"));
  QCOMPARE(folder->tokenizerFolder, model.folder() / "tokenizer");
  QVERIFY(!folder->hasSafetyChecker);
  QVERIFY(!folder->requiresSafetyChecker);
  QVERIFY(folder->warnings.empty());
  const auto weights = folder->openWeights(Component::UNet);
  QVERIFY(weights);
  QCOMPARE(weights->names(), std::vector<std::string>{"conv_in.weight"});
  const auto again = openModelFolder(model.folder() / "");
  QVERIFY(again);
  QCOMPARE(again->path, folder->path);

  model.texts["model_index.json"] = replaced(replaced(model.texts["model_index.json"], R"("safety_checker":[null,null])",
                                                      R"("safety_checker":["stable_diffusion","StableDiffusionSafetyChecker"])"),
                                             R"("requires_safety_checker":false,)", "");
  model.write();
  const auto guarded = openModelFolder(model.folder());
  QVERIFY(guarded);
  QVERIFY(guarded->hasSafetyChecker);
  QVERIFY(guarded->requiresSafetyChecker);
}

void TestModelFolder::readsTheSizeOfItsPictures() {
  ModelBuilder model = builder();
  model.write();
  const auto square = openModelFolder(model.folder());
  QVERIFY(square);
  QCOMPARE(square->defaultWidth, 32);
  QCOMPARE(square->defaultHeight, 32);
  const std::string unet = model.texts["unet/config.json"];
  model.writeFile("unet/config.json", replaced(unet, R"("sample_size":16)", R"("sample_size":[24,16])"));
  const auto wide = openModelFolder(model.folder());
  QVERIFY(wide);
  QCOMPARE(wide->defaultHeight, 48);
  QCOMPARE(wide->defaultWidth, 32);
  model.writeFile("unet/config.json", replaced(unet, R"("sample_size":16)", R"("sample_size":null)"));
  const auto unknown = openModelFolder(model.folder());
  QVERIFY(unknown);
  QCOMPARE(unknown->defaultWidth, 128);
  model.writeFile("unet/config.json",
                  replaced(replaced(unet, R"("_diffusers_version":"0.42.1")", R"("_diffusers_version":"0.6.0")"),
                           R"("sample_size":16)", R"("sample_size":32)"));
  const auto old = openModelFolder(model.folder());
  QVERIFY(old);
  QCOMPARE(old->defaultWidth, 128);
  model.writeFile("unet/config.json", replaced(unet, R"("sample_size":16)", R"("sample_size":60000)"));
  const auto huge = openModelFolder(model.folder());
  QVERIFY(!huge);
  QCOMPARE(huge.error().code, base::ErrorCode::ModelUnusable);
}

void TestModelFolder::givesBothSpellingsOfTextEncoderNames_data() {
  QTest::addColumn<QStringList>("names");
  QTest::newRow("with prefix") << QStringList{"text_model.embeddings.position_ids", "text_model.final_layer_norm.bias",
                                              "text_model.encoder.layers.0.mlp.fc1.bias", "text_projection.weight"};
  QTest::newRow("without") << QStringList{"embeddings.position_ids", "final_layer_norm.bias", "encoder.layers.0.mlp.fc1.bias",
                                          "text_projection.weight"};
}

void TestModelFolder::givesBothSpellingsOfTextEncoderNames() {
  QFETCH(QStringList, names);
  ModelBuilder model = builder();
  model.weights[kTextFile].clear();
  for (const QString& name : names) {
    model.weights[kTextFile].push_back(name.toStdString());
  }
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(folder);
  const auto weights = folder->openWeights(Component::TextEncoder);
  QVERIFY2(weights, weights ? "" : weights.error().message.c_str());
  QCOMPARE(weights->names(), (std::vector<std::string>{"text_model.encoder.layers.0.mlp.fc1.bias",
                                                       "text_model.final_layer_norm.bias", "text_projection.weight"}));
}

void TestModelFolder::givesOldVaeAttentionItsNewNames() {
  ModelBuilder model = builder();
  model.weights[kVaeFile] = {"decoder.mid_block.attentions.0.query.weight",    "decoder.mid_block.attentions.0.key.bias",
                             "decoder.mid_block.attentions.0.value.weight",    "decoder.mid_block.attentions.0.proj_attn.weight",
                             "decoder.mid_block.attentions.0.group_norm.bias", "decoder.conv_in.weight"};
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(folder);
  const auto weights = folder->openWeights(Component::Vae);
  QVERIFY(weights);
  QCOMPARE(weights->names(), (std::vector<std::string>{
                                 "decoder.conv_in.weight", "decoder.mid_block.attentions.0.group_norm.bias",
                                 "decoder.mid_block.attentions.0.to_k.bias", "decoder.mid_block.attentions.0.to_out.0.weight",
                                 "decoder.mid_block.attentions.0.to_q.weight", "decoder.mid_block.attentions.0.to_v.weight"}));
}

void TestModelFolder::parsesWeightFileNames_data() {
  QTest::addColumn<QString>("name");
  QTest::addColumn<QString>("expected");
  const auto row = [](const char* name, const char* expected) { QTest::newRow(name) << QString(name) << QString(expected); };
  row("model.safetensors", "model||single");
  row("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model||single");
  row("diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model|fp16|single");
  row("diffusion_pytorch_model.non_ema.safetensors", "diffusion_pytorch_model|non_ema|single");
  row("model-00001-of-00002.safetensors", "model||shard");
  row("model.fp16-00001-of-00002.safetensors", "model|fp16|shard");
  row("model-00001-of-00002.fp16.safetensors", "model|fp16|shard");
  row("model.safetensors.index.json", "model||index");
  row("model.safetensors.index.fp16.json", "model|fp16|index");
  row("model.safetensors.fp16.index.json", "model|fp16|index");
  row("model.fp16.safetensors.index.json", "model|fp16|index");
  row("model.fp16.index.json", "");
  row("model.a.b.safetensors", "");
  row("model_ema.safetensors", "");
  row("model-0001-of-0002.safetensors", "");
  row("pytorch_model.bin", "");
  row("config.json", "");
  row("model", "");
  row("", "");
}

void TestModelFolder::parsesWeightFileNames() {
  QFETCH(QString, name);
  QFETCH(QString, expected);
  const auto parsed = parseWeightFileName(name.toStdString());
  QString found;
  if (parsed) {
    const char* const kind = parsed->kind == WeightFileName::Kind::Single  ? "single"
                             : parsed->kind == WeightFileName::Kind::Shard ? "shard"
                                                                           : "index";
    found = QString("%1|%2|%3").arg(QString::fromStdString(parsed->stem), QString::fromStdString(parsed->variant), kind);
  }
  QCOMPARE(found, expected);
}

void TestModelFolder::takesTheOnlyVariantThereIs() {
  ModelBuilder model = builder();
  model.moveWeights(kUNetFile, "unet/diffusion_pytorch_model.fp16.safetensors");
  model.moveWeights(kVaeFile, "vae/diffusion_pytorch_model.fp16.safetensors");
  model.moveWeights(kTextFile, "text_encoder/model.fp16.safetensors");
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY2(folder, folder ? "" : folder.error().message.c_str());
  QCOMPARE(folder->variant, std::string("fp16"));
  QCOMPARE(fileNames(folder->unetFiles), std::vector<std::string>{"diffusion_pytorch_model.fp16.safetensors"});
  QVERIFY(folder->warnings.empty());
}

void TestModelFolder::takesTheVariantAskedFor() {
  ModelBuilder model = builder();
  model.weights["unet/diffusion_pytorch_model.fp16.safetensors"] = {"half"};
  model.weights["vae/diffusion_pytorch_model.fp16.safetensors"] = {"half"};
  model.weights["text_encoder/model.fp16.safetensors"] = {"half"};
  model.write();
  const auto plain = openModelFolder(model.folder());
  QVERIFY(plain);
  QCOMPARE(plain->variant, std::string());
  QCOMPARE(fileNames(plain->vaeFiles), std::vector<std::string>{"diffusion_pytorch_model.safetensors"});
  const auto half = openModelFolder(model.folder(), "fp16");
  QVERIFY(half);
  QCOMPARE(half->variant, std::string("fp16"));
  QCOMPARE(fileNames(half->vaeFiles), std::vector<std::string>{"diffusion_pytorch_model.fp16.safetensors"});
  QCOMPARE(half->openWeights(Component::UNet)->names(), std::vector<std::string>{"half"});
}

void TestModelFolder::mixesInPlainFilesWithAWarning() {
  ModelBuilder model = builder();
  model.moveWeights(kUNetFile, "unet/diffusion_pytorch_model.fp16.safetensors");
  model.write();
  for (const char* const variant : {"", "fp16"}) {
    const auto folder = openModelFolder(model.folder(), variant);
    QVERIFY2(folder, folder ? "" : folder.error().message.c_str());
    QCOMPARE(folder->variant, std::string("fp16"));
    QCOMPARE(fileNames(folder->vaeFiles), std::vector<std::string>{"diffusion_pytorch_model.safetensors"});
    QCOMPARE(folder->warnings.size(), std::size_t{2});
  }
}

void TestModelFolder::refusesAVariantThatIsNotThere() {
  ModelBuilder model = builder();
  model.weights["unet/diffusion_pytorch_model.ema.safetensors"] = {"x"};
  model.write();
  const auto folder = openModelFolder(model.folder(), "fp16");
  QVERIFY(!folder);
  QCOMPARE(folder.error().code, base::ErrorCode::NotFound);
  QVERIFY2(messageOf(folder.error()).contains("(there are: ema, plain files)"), folder.error().message.c_str());
}

void TestModelFolder::refusesPartsWithoutACommonVariant() {
  ModelBuilder model = builder();
  model.moveWeights(kUNetFile, "unet/diffusion_pytorch_model.fp16.safetensors");
  model.moveWeights(kVaeFile, "vae/diffusion_pytorch_model.bf16.safetensors");
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QCOMPARE(folder.error().code, base::ErrorCode::ModelUnusable);
  const auto half = openModelFolder(model.folder(), "fp16");
  QVERIFY(!half);
  QCOMPARE(half.error().code, base::ErrorCode::ModelUnusable);
}

void TestModelFolder::readsShards_data() {
  QTest::addColumn<QString>("index");
  QTest::addColumn<QString>("first");
  QTest::addColumn<QString>("second");
  QTest::addColumn<QString>("variant");
  QTest::newRow("plain") << "diffusion_pytorch_model.safetensors.index.json"
                         << "diffusion_pytorch_model-00001-of-00002.safetensors"
                         << "diffusion_pytorch_model-00002-of-00002.safetensors"
                         << "";
  QTest::newRow("variant") << "diffusion_pytorch_model.safetensors.index.fp16.json"
                           << "diffusion_pytorch_model.fp16-00001-of-00002.safetensors"
                           << "diffusion_pytorch_model.fp16-00002-of-00002.safetensors"
                           << "fp16";
  QTest::newRow("variant, old spelling") << "diffusion_pytorch_model.safetensors.fp16.index.json"
                                         << "diffusion_pytorch_model-00001-of-00002.fp16.safetensors"
                                         << "diffusion_pytorch_model-00002-of-00002.fp16.safetensors"
                                         << "fp16";
}

void TestModelFolder::readsShards() {
  QFETCH(QString, index);
  QFETCH(QString, first);
  QFETCH(QString, second);
  QFETCH(QString, variant);
  ModelBuilder model = builder();
  model.weights.erase(kUNetFile);
  model.weights["unet/" + first.toStdString()] = {"a", "b"};
  model.weights["unet/" + second.toStdString()] = {"c"};
  model.texts["unet/" + index.toStdString()] =
      QString(R"({"metadata":{"total_size":48},"weight_map":{"c":"%2","a":"%1","b":"%1"}})").arg(first, second).toStdString();
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY2(folder, folder ? "" : folder.error().message.c_str());
  QCOMPARE(QString::fromStdString(folder->variant), variant);
  QCOMPARE(fileNames(folder->unetFiles), (std::vector<std::string>{first.toStdString(), second.toStdString()}));
  QCOMPARE(fileNames(folder->indexFiles), std::vector<std::string>{index.toStdString()});
  const auto weights = folder->openWeights(Component::UNet);
  QVERIFY(weights);
  QCOMPARE(weights->names(), (std::vector<std::string>{"a", "b", "c"}));
  const auto files = modelFiles(*folder);
  QVERIFY(std::find(files.begin(), files.end(), "unet/" + index.toStdString()) != files.end());
}

void TestModelFolder::takesEitherFileName() {
  ModelBuilder model = builder();
  model.moveWeights(kUNetFile, "unet/model.safetensors");
  model.moveWeights(kTextFile, "text_encoder/diffusion_pytorch_model.safetensors");
  model.weights["vae/model.safetensors"] = {"other"};
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY2(folder, folder ? "" : folder.error().message.c_str());
  QCOMPARE(fileNames(folder->unetFiles), std::vector<std::string>{"model.safetensors"});
  QCOMPARE(fileNames(folder->textEncoderFiles), std::vector<std::string>{"diffusion_pytorch_model.safetensors"});
  QCOMPARE(fileNames(folder->vaeFiles), std::vector<std::string>{"diffusion_pytorch_model.safetensors"});
}

void TestModelFolder::guardsShardPaths_data() {
  QTest::addColumn<QString>("index");
  QTest::addColumn<base::ErrorCode>("code");
  QTest::addColumn<QString>("word");
  using base::ErrorCode;
  const auto row = [](const char* name, const QString& file, ErrorCode code, const char* word) {
    QTest::newRow(name) << QString(R"({"metadata":{},"weight_map":{"a":"%1"}})").arg(file) << code << QString(word);
  };
  row("upwards", "../vae/diffusion_pytorch_model.safetensors", ErrorCode::Corrupt, "not a plain file name");
  row("absolute", "/etc/passwd", ErrorCode::Corrupt, "not a plain file name");
  row("below", "sub/x.safetensors", ErrorCode::Corrupt, "not a plain file name");
  row("backslash", "..\\\\x.safetensors", ErrorCode::Corrupt, "not a plain file name");
  row("parent", "..", ErrorCode::Corrupt, "not a plain file name");
  row("empty", "", ErrorCode::Corrupt, "not a plain file name");
  row("NUL", "x\\u0000.safetensors", ErrorCode::Corrupt, "not a plain file name");
  row("pickle", "diffusion_pytorch_model-00001-of-00001.bin", ErrorCode::ModelUnusable, "pickle");
  row("absent", "diffusion_pytorch_model-00001-of-00001.safetensors", ErrorCode::ModelUnusable, "lacks files");
  QTest::newRow("no map") << "{}" << ErrorCode::Corrupt << "weight_map";
  QTest::newRow("empty map") << R"({"weight_map":{}})" << ErrorCode::Corrupt << "weight_map";
  QTest::newRow("map is a list") << R"({"weight_map":["a"]})" << ErrorCode::Corrupt << "weight_map";
  QTest::newRow("file is a number") << R"({"weight_map":{"a":1}})" << ErrorCode::Corrupt << "no file name";
  QTest::newRow("not JSON") << R"({"weight_map":)" << ErrorCode::Corrupt << "not valid JSON";
  QTest::newRow("a list") << "[]" << ErrorCode::Corrupt << "weight_map";
}

void TestModelFolder::guardsShardPaths() {
  QFETCH(QString, index);
  QFETCH(base::ErrorCode, code);
  QFETCH(QString, word);
  ModelBuilder model = builder();
  model.weights.erase(kUNetFile);
  model.weights["unet/sub/x.safetensors"] = {"a"};
  model.texts["unet/diffusion_pytorch_model.safetensors.index.json"] = index.toStdString();
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QVERIFY2(messageOf(folder.error()).contains(word), folder.error().message.c_str());
  QCOMPARE(folder.error().code, code);
}

void TestModelFolder::listsShardsThatAreMissing() {
  ModelBuilder model = builder();
  model.weights.erase(kUNetFile);
  model.weights["unet/diffusion_pytorch_model-00002-of-00003.safetensors"] = {"b"};
  model.texts["unet/diffusion_pytorch_model.safetensors.index.json"] =
      R"({"weight_map":{"a":"diffusion_pytorch_model-00001-of-00003.safetensors","b":"diffusion_pytorch_model-00002-of-00003.safetensors",
          "c":"diffusion_pytorch_model-00003-of-00003.safetensors"}})";
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QVERIFY(messageOf(folder.error()).contains("model-00001-of-00003.safetensors"));
  QVERIFY(messageOf(folder.error()).contains("model-00003-of-00003.safetensors"));
  QVERIFY(!messageOf(folder.error()).contains("model-00002-of-00003.safetensors"));
  model.texts.erase("unet/diffusion_pytorch_model.safetensors.index.json");
  fs::remove(model.folder() / "unet/diffusion_pytorch_model.safetensors.index.json");
  const auto orphan = openModelFolder(model.folder());
  QVERIFY(!orphan);
  QVERIFY(messageOf(orphan.error()).contains("unet/diffusion_pytorch_model.safetensors.index.json"));
}

void TestModelFolder::refusesLinksOutOfTheFolder() {
  ModelBuilder model = builder();
  model.weights.erase(kUNetFile);
  const char* const shard = "diffusion_pytorch_model-00001-of-00001.safetensors";
  model.texts["unet/diffusion_pytorch_model.safetensors.index.json"] = std::string(R"({"weight_map":{"a":")") + shard + R"("}})";
  model.write();
  ModelBuilder elsewhere = builder("elsewhere");
  elsewhere.writeFile("real.safetensors", elsewhere.safetensors({"a"}));
  fs::create_symlink(elsewhere.folder() / "real.safetensors", model.folder() / "unet" / shard);
  const auto out = openModelFolder(model.folder());
  QVERIFY(!out);
  QVERIFY2(messageOf(out.error()).contains("link out of the model's folder"), out.error().message.c_str());
  fs::remove(model.folder() / "unet" / shard);
  fs::rename(elsewhere.folder() / "real.safetensors", model.folder() / "unet" / "real");
  fs::create_symlink("real", model.folder() / "unet" / shard);
  const auto inside = openModelFolder(model.folder());
  QVERIFY2(inside, inside ? "" : inside.error().message.c_str());
}

void TestModelFolder::followsLinksIntoTheBlobsOfACache() {
  ModelBuilder model = builder();
  model.weights.erase(kUNetFile);
  model.weights["unet/diffusion_pytorch_model-00001-of-00001.safetensors"] = {"a"};
  model.texts["unet/diffusion_pytorch_model.safetensors.index.json"] =
      R"({"weight_map":{"a":"diffusion_pytorch_model-00001-of-00001.safetensors"}})";
  const fs::path snapshot = makeSnapshot(model, "org/name", "main", kCommit);
  QVERIFY(fs::is_symlink(snapshot / "unet/diffusion_pytorch_model-00001-of-00001.safetensors"));
  const auto folder = openModelFolder(snapshot);
  QVERIFY2(folder, folder ? "" : folder.error().message.c_str());
  QVERIFY(folder->openWeights(Component::UNet));
}

void TestModelFolder::neverOpensPickles_data() {
  QTest::addColumn<QString>("name");
  QTest::newRow("bin") << "unet/diffusion_pytorch_model.bin";
  QTest::newRow("variant") << "unet/diffusion_pytorch_model.fp16.bin";
  QTest::newRow("text encoder") << "text_encoder/pytorch_model.bin";
  QTest::newRow("ckpt") << "vae/vae.ckpt";
  QTest::newRow("pt") << "vae/vae.pt";
  QTest::newRow("pth") << "vae/vae.pth";
}

void TestModelFolder::neverOpensPickles() {
  QFETCH(QString, name);
  ModelBuilder model = builder();
  const std::string component = name.section('/', 0, 0).toStdString();
  std::erase_if(model.weights, [&](const auto& entry) { return entry.first.starts_with(component + "/"); });
  model.texts[name.toStdString()] = "pickle";
  model.write();
  // A file that cannot be read: opening it would show.
  fs::permissions(model.folder() / name.toStdString(), fs::perms::none);
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QCOMPARE(folder.error().code, base::ErrorCode::ModelUnusable);
  const QString message = messageOf(folder.error());
  QVERIFY2(
      message.contains(name.section('/', 1)) && message.contains("safetensors version") && message.contains("save_pretrained"),
      qPrintable(message));
  const auto file = openModelFolder(model.folder() / name.toStdString());
  QVERIFY(!file);
  QVERIFY(messageOf(file.error()).contains("pickle"));
}

void TestModelFolder::refusesSingleFiles() {
  ModelBuilder model = builder();
  model.writeFile("all.safetensors", "x");
  model.writeFile("notes.txt", "x");
  const auto single = openModelFolder(model.folder() / "all.safetensors");
  QVERIFY(!single);
  QCOMPARE(single.error().code, base::ErrorCode::Unsupported);
  const auto notes = openModelFolder(model.folder() / "notes.txt");
  QVERIFY(!notes);
  QCOMPARE(notes.error().code, base::ErrorCode::NotFound);
}

void TestModelFolder::listsMissingParts() {
  ModelBuilder model = builder();
  model.texts.erase("unet/config.json");
  model.texts.erase("tokenizer/merges.txt");
  model.texts["model_index.json"] =
      replaced(model.texts["model_index.json"], R"("scheduler":["diffusers","PNDMScheduler"])", R"("scheduler":[null,null])");
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QCOMPARE(folder.error().code, base::ErrorCode::ModelUnusable);
  const QString message = messageOf(folder.error());
  for (const char* const part : {"unet/config.json", "tokenizer/merges.txt", "scheduler (model_index.json does not name it)"}) {
    QVERIFY2(message.contains(part), qPrintable(message));
  }
  QVERIFY2(!message.contains("vae"), qPrintable(message));
  model.writeFile("tokenizer/tokenizer.json", "{}");
  QVERIFY(!messageOf(openModelFolder(model.folder()).error()).contains("tokenizer"));
}

void TestModelFolder::listsMissingWeights() {
  ModelBuilder model = builder();
  model.weights.clear();
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QCOMPARE(folder.error().code, base::ErrorCode::ModelUnusable);
  QVERIFY2(messageOf(folder.error())
               .contains("text_encoder/model.safetensors, unet/diffusion_pytorch_model.safetensors, "
                         "vae/diffusion_pytorch_model.safetensors"),
           folder.error().message.c_str());
}

void TestModelFolder::refusesClasses_data() {
  QTest::addColumn<QString>("from");
  QTest::addColumn<QString>("to");
  QTest::newRow("SDXL") << "StableDiffusionPipeline"
                        << "StableDiffusionXLPipeline";
  QTest::newRow("inpainting") << "StableDiffusionPipeline"
                              << "StableDiffusionInpaintPipeline";
  QTest::newRow("text encoder") << "CLIPTextModel"
                                << "CLIPTextModelWithProjection";
  QTest::newRow("tokenizer") << "CLIPTokenizer"
                             << "T5Tokenizer";
  QTest::newRow("unet") << "UNet2DConditionModel"
                        << "UNet3DConditionModel";
  QTest::newRow("vae") << "AutoencoderKL"
                       << "AutoencoderTiny";
}

void TestModelFolder::refusesClasses() {
  QFETCH(QString, from);
  QFETCH(QString, to);
  ModelBuilder model = builder();
  model.texts["model_index.json"] =
      replaced(model.texts["model_index.json"], "\"" + from.toStdString() + "\"", "\"" + to.toStdString() + "\"");
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QCOMPARE(folder.error().code, base::ErrorCode::Unsupported);
  QVERIFY2(messageOf(folder.error()).contains(to), folder.error().message.c_str());
}

void TestModelFolder::refusesPartsThatDoNotFit_data() {
  QTest::addColumn<QString>("file");
  QTest::addColumn<QString>("from");
  QTest::addColumn<QString>("to");
  QTest::addColumn<base::ErrorCode>("code");
  QTest::addColumn<QString>("word");
  using base::ErrorCode;
  const QString unet = "unet/config.json";
  QTest::newRow("inpainting") << unet << "{"
                              << R"({"in_channels":9,)" << ErrorCode::Unsupported << "inpainting";
  QTest::newRow("learned sigma") << unet << "{"
                                 << R"({"out_channels":8,)" << ErrorCode::Unsupported << "output channels";
  QTest::newRow("text width") << unet << R"("cross_attention_dim":32)"
                              << R"("cross_attention_dim":64)" << ErrorCode::ModelUnusable << "different models";
  QTest::newRow("SDXL's UNet")
      << unet << "{"
      << R"({"addition_embed_type":"text_time","addition_time_embed_dim":8,"projection_class_embeddings_input_dim":80,)"
      << ErrorCode::Unsupported << "text_time";
  QTest::newRow("grey pictures") << "vae/config.json"
                                 << "{"
                                 << R"({"out_channels":1,)" << ErrorCode::Unsupported << "3 channels";
  QTest::newRow("a block nobody has") << unet << "\"DownBlock2D\""
                                      << "\"KDownBlock2D\"" << ErrorCode::Unsupported << "KDownBlock2D";
  QTest::newRow("broken scheduler") << "scheduler/scheduler_config.json"
                                    << "{"
                                    << "[" << ErrorCode::Corrupt << "not valid JSON";
}

void TestModelFolder::refusesPartsThatDoNotFit() {
  QFETCH(QString, file);
  QFETCH(QString, from);
  QFETCH(QString, to);
  QFETCH(base::ErrorCode, code);
  QFETCH(QString, word);
  ModelBuilder model = builder();
  std::string& text = model.texts[file.toStdString()];
  text = replaced(text, from.toStdString(), to.toStdString());
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QVERIFY2(messageOf(folder.error()).contains(word), folder.error().message.c_str());
  QCOMPARE(folder.error().code, code);
}

void TestModelFolder::refusesBrokenPipelineIndexes_data() {
  QTest::addColumn<QString>("text");
  QTest::newRow("not JSON") << "{";
  QTest::newRow("a list") << "[]";
  QTest::newRow("no class") << "{}";
  QTest::newRow("class is a number") << R"({"_class_name":1})";
  QTest::newRow("entry of one") << R"({"_class_name":"StableDiffusionPipeline","unet":["diffusers"]})";
  QTest::newRow("entry of numbers") << R"({"_class_name":"StableDiffusionPipeline","unet":[1,2]})";
  QTest::newRow("option is a text") << R"({"_class_name":"StableDiffusionPipeline","requires_safety_checker":"no"})";
}

void TestModelFolder::refusesBrokenPipelineIndexes() {
  QFETCH(QString, text);
  ModelBuilder model = builder();
  model.texts["model_index.json"] = text.toStdString();
  model.write();
  const auto folder = openModelFolder(model.folder());
  QVERIFY(!folder);
  QCOMPARE(folder.error().code, base::ErrorCode::Corrupt);
}

void TestModelFolder::survivesEveryTruncationOfItsTexts() {
  ModelBuilder model = builder();
  model.write();
  for (const char* const name : {"model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json",
                                 "scheduler/scheduler_config.json"}) {
    const std::string whole = model.texts[name];
    for (std::size_t length = 0; length < whole.size(); ++length) {
      model.writeFile(name, whole.substr(0, length));
      const auto folder = openModelFolder(model.folder());
      QVERIFY2(!folder, name);
      QCOMPARE(folder.error().code, base::ErrorCode::Corrupt);
    }
    model.writeFile(name, whole);
  }
  QVERIFY(openModelFolder(model.folder()));
}

void TestModelFolder::resolvesFolders() {
  ModelBuilder model = builder("my model");
  model.write();
  const auto spec = resolveModelReference(model.folder().string() + "/");
  QVERIFY2(spec, spec ? "" : spec.error().message.c_str());
  QCOMPARE(spec->folder, model.folder().string());
  QCOMPARE(spec->name, std::string("my model"));
  QVERIFY(spec->hash.empty());
  const auto home = resolveModelReference("~/my model");
  QVERIFY(home);
  QCOMPARE(home->folder, model.folder().string());
}

void TestModelFolder::resolvesNamesOfTheCache() {
  const fs::path snapshot = makeSnapshot(builder(), "org/name", "main", kCommit);
  const std::string older = "ffff456789abcdef0123456789abcdef01234567";
  ModelBuilder second = builder("second");
  const fs::path branch = makeSnapshot(second, "org/name", "refs/pr/1", older);
  const auto main = resolveModelReference("org/name");
  QVERIFY2(main, main ? "" : main.error().message.c_str());
  QCOMPARE(main->folder, snapshot.string());
  QCOMPARE(main->name, std::string("org/name"));
  QCOMPARE(resolveModelReference("org/name@main")->folder, snapshot.string());
  QCOMPARE(resolveModelReference("org/name@refs/pr/1")->folder, branch.string());
  QCOMPARE(resolveModelReference("org/name@" + older)->folder, branch.string());
  QCOMPARE(resolveModelReference(snapshot.string())->name, std::string("org/name"));
}

void TestModelFolder::honoursTheCacheVariables() {
  QCOMPARE(huggingFaceCache(), root() / ".cache/huggingface/hub");
  qputenv("XDG_CACHE_HOME", "/xdg");
  QCOMPARE(huggingFaceCache(), fs::path("/xdg/huggingface/hub"));
  qputenv("HF_HOME", "~/hf");
  QCOMPARE(huggingFaceCache(), root() / "hf/hub");
  qputenv("HUGGINGFACE_HUB_CACHE", "/old");
  QCOMPARE(huggingFaceCache(), fs::path("/old"));
  qputenv("HF_HUB_CACHE", "/new");
  QCOMPARE(huggingFaceCache(), fs::path("/new"));
  qputenv("HF_HUB_CACHE", "");
  QCOMPARE(huggingFaceCache(), fs::path("/old"));
}

void TestModelFolder::refusesReferences_data() {
  QTest::addColumn<QString>("reference");
  QTest::addColumn<base::ErrorCode>("code");
  QTest::addColumn<QString>("word");
  using base::ErrorCode;
  QTest::newRow("empty") << "" << ErrorCode::InvalidArgument << "empty";
  QTest::newRow("not downloaded") << "other/name" << ErrorCode::NotFound << "hf download other/name";
  QTest::newRow("another revision") << "org/name@v2" << ErrorCode::NotFound << "(there are: broken, gone, main)";
  QTest::newRow("another commit") << "org/name@abcdef" << ErrorCode::NotFound << "abcdef";
  QTest::newRow("upwards") << "org/name@../../main" << ErrorCode::NotFound << "no name of the Hugging Face cache";
  QTest::newRow("absolute") << "/no/such/folder" << ErrorCode::NotFound << "/no/such/folder";
  QTest::newRow("three parts") << "a/b/c" << ErrorCode::NotFound << "org/name@revision";
  QTest::newRow("dots") << "../x" << ErrorCode::NotFound << "org/name@revision";
  QTest::newRow("ref without a commit") << "org/name@broken" << ErrorCode::Corrupt << "does not hold a commit";
  QTest::newRow("ref without files") << "org/name@gone" << ErrorCode::NotFound << "does not hold the files";
}

void TestModelFolder::refusesReferences() {
  QFETCH(QString, reference);
  QFETCH(base::ErrorCode, code);
  QFETCH(QString, word);
  const fs::path snapshot = makeSnapshot(builder(), "org/name", "main", kCommit);
  const fs::path refs = snapshot.parent_path().parent_path() / "refs";
  std::ofstream(refs / "broken") << "../../../etc";
  std::ofstream(refs / "gone") << "1111111111111111111111111111111111111111\n";
  const auto spec = resolveModelReference(reference.toStdString());
  QVERIFY(!spec);
  QVERIFY2(messageOf(spec.error()).contains(word), spec.error().message.c_str());
  QCOMPARE(spec.error().code, code);
}

void TestModelFolder::listsTheCache() {
  QVERIFY(listCachedModels(huggingFaceCache()).empty());
  makeSnapshot(builder("a"), "org/name", "main", kCommit);
  makeSnapshot(builder("b"), "another", "v1", kCommit);
  fs::create_directories(huggingFaceCache() / "datasets--x--y" / "refs");
  const auto models = listCachedModels(huggingFaceCache());
  QCOMPARE(models.size(), std::size_t{2});
  QCOMPARE(models[0].name, std::string("another@v1"));
  QCOMPARE(models[1].name, std::string("org/name"));
  QVERIFY(openModelFolder(models[1].snapshot));
}

// sha256sum over the listing that sha256sum prints for the files in byte order.
void TestModelFolder::hashesLikeSha256sum() {
  ModelBuilder model = builder();
  model.write();
  const auto spec = resolveModelReference(model.folder().string());
  QVERIFY(spec);
  const auto hash = modelHash(*spec, {});
  QVERIFY2(hash, hash ? "" : hash.error().message.c_str());
  std::string listing;
  const std::vector<std::string> names = {"model_index.json",
                                          "scheduler/scheduler_config.json",
                                          "text_encoder/config.json",
                                          "text_encoder/model.safetensors",
                                          "tokenizer/merges.txt",
                                          "tokenizer/tokenizer_config.json",
                                          "tokenizer/vocab.json",
                                          "unet/config.json",
                                          "unet/diffusion_pytorch_model.safetensors",
                                          "vae/config.json",
                                          "vae/diffusion_pytorch_model.safetensors"};
  for (const std::string& name : names) {
    QFile file(QString::fromStdString((model.folder() / name).string()));
    QVERIFY(file.open(QIODevice::ReadOnly));
    listing += QCryptographicHash::hash(file.readAll(), QCryptographicHash::Sha256).toHex().toStdString() + "  " + name + "\n";
  }
  const QByteArray expected = QCryptographicHash::hash(QByteArray::fromStdString(listing), QCryptographicHash::Sha256).toHex();
  QCOMPARE(QByteArray::fromStdString(*hash), expected);
}

void TestModelFolder::sha256MatchesKnownValues_data() {
  QTest::addColumn<int>("size");
  for (const int size : {0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000, 100000}) {
    QTest::addRow("%d bytes", size) << size;
  }
}

// Against Qt's own SHA-256, for the code with the processor's instructions (where it has them) and without.
void TestModelFolder::sha256MatchesKnownValues() {
  QFETCH(int, size);
  QByteArray data(size, '\0');
  for (int i = 0; i < size; ++i) {
    data[i] = static_cast<char>(i * 131 + (i >> 8));
  }
  const QByteArray expected = QCryptographicHash::hash(data, QCryptographicHash::Sha256).toHex();
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data.constData()), static_cast<std::size_t>(size));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{100}, std::size_t{1000000}}) {
    for (Sha256 hash : {Sha256(), Sha256::portable()}) {
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        hash.add(bytes.subspan(at, std::min(piece, bytes.size() - at)));
      }
      QCOMPARE(QByteArray::fromStdString(hash.finish()), expected);
    }
  }
}

void TestModelFolder::hashDependsOnContentAlone() {
  ModelBuilder one = builder("one");
  one.write();
  ModelBuilder two = builder("two");
  two.texts["README.md"] = "not loaded";
  two.write();
  const auto hashOf = [](const ModelBuilder& model) { return *modelHash(*resolveModelReference(model.folder().string()), {}); };
  QCOMPARE(hashOf(one), hashOf(two));
  const std::string before = hashOf(two);
  two.writeFile("vae/config.json", two.texts["vae/config.json"] + " ");
  QVERIFY(hashOf(two) != before);
}

void TestModelFolder::hashComesFromTheCacheUntilAFileChanges() {
  ModelBuilder model = builder();
  model.write();
  const auto spec = *resolveModelReference(model.folder().string());
  const fs::path cache = root() / "state" / "hashes.json";
  const std::string first = *modelHash(spec, cache);
  QFile file(QString::fromStdString(cache.string()));
  QVERIFY(file.open(QIODevice::ReadOnly));
  QByteArray text = file.readAll();
  file.close();
  QCOMPARE(*modelHash(spec, cache), first);
  // A false entry shows that the cache is believed, and that it no longer is once the file has changed.
  const qsizetype at = text.indexOf("\"sha256\": \"", text.indexOf("vae/config.json"));
  QVERIFY(at > 0);
  for (int i = 0; i < 64; ++i) {
    text[at + 11 + i] = '0';
  }
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write(text);
  file.close();
  QVERIFY(*modelHash(spec, cache) != first);
  model.writeFile("vae/config.json", model.texts["vae/config.json"] + " ");
  const std::string changed = *modelHash(spec, cache);
  QCOMPARE(changed, *modelHash(spec, {}));
  model.writeFile("vae/config.json", model.texts["vae/config.json"]);
  QCOMPARE(*modelHash(spec, cache), first);
}

void TestModelFolder::hashSurvivesABrokenCache() {
  ModelBuilder model = builder();
  model.write();
  const auto spec = *resolveModelReference(model.folder().string());
  const std::string expected = *modelHash(spec, {});
  const fs::path cache = root() / "hashes.json";
  for (const char* const text :
       {"", "{", "[]", R"({"version":1})", R"({"version":9,"files":{}})", R"({"version":1,"files":{"x":1}})"}) {
    std::ofstream(cache, std::ios::trunc) << text;
    const auto hash = modelHash(spec, cache);
    QVERIFY(hash);
    QCOMPARE(*hash, expected);
  }
  QCOMPARE(*modelHash(spec, root() / "model"), expected);
  QCOMPARE(*modelHash(spec, "/proc/cannot/be/made"), expected);
}

QTEST_GUILESS_MAIN(TestModelFolder)
#include "tst_model_folder.moc"
