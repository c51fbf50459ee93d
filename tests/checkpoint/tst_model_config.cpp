#include <QTest>
#include <string>

#include "core/checkpoint/model_config.h"

using namespace polyptych;
using namespace polyptych::checkpoint;

namespace {

using Ints = std::vector<int>;
using IntLists = std::vector<std::vector<int>>;

/// A UNet of four levels with more keys: R"("key":value)".
base::Result<UNetConfig> unetWith(const std::string& keys) { return parseUNetConfig("{" + keys + "}", "unet/config.json"); }

}  // namespace

class TestModelConfig : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void emptyFilesGiveTheLibrariesDefaults();
  void readsTheUNetOfStableDiffusion2();
  void expandsNumbersToLevels();
  void readsAsymmetricTransformerLayers();
  void readsUNetsWithoutAMiddle();
  void passesOverKeysThatChangeNothing();
  void refusesUNetValues_data();
  void refusesUNetValues();
  void repairsTheSampleSizeOfOldFiles_data();
  void repairsTheSampleSizeOfOldFiles();
  void readsTextEncoders();
  void readsTheTextPartOfAWholeClipModel();
  void refusesTextEncoderValues_data();
  void refusesTextEncoderValues();
  void readsVaes();
  void refusesVaeValues_data();
  void refusesVaeValues();
  void repairsSchedulers_data();
  void repairsSchedulers();
  void keepsSchedulerValuesAsWritten();
  void readsInfinitiesAsPythonWritesThem();
  void refusesFilesThatAreNoObjects_data();
  void refusesFilesThatAreNoObjects();
};

void TestModelConfig::emptyFilesGiveTheLibrariesDefaults() {
  const auto text = parseTextEncoderConfig("{}", "x");
  QVERIFY(text);
  QCOMPARE(text->hiddenSize, 512);
  QCOMPARE(text->numAttentionHeads, 8);
  QCOMPARE(text->eosTokenId, 49407);
  QCOMPARE(text->hiddenAct, std::string("quick_gelu"));
  const auto unet = parseUNetConfig("{}", "x");
  QVERIFY2(unet, unet ? "" : unet.error().message.c_str());
  QCOMPARE(unet->blockOutChannels, (Ints{320, 640, 1280, 1280}));
  QCOMPARE(unet->crossAttentionDim, (Ints{1280, 1280, 1280, 1280}));
  QCOMPARE(unet->numAttentionHeads, (Ints{8, 8, 8, 8}));
  QCOMPARE(unet->transformerLayersPerBlock, (IntLists{{1, 1}, {1, 1}, {1, 1}, {1, 1}}));
  QCOMPARE(unet->upTransformerLayersPerBlock, (IntLists{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}}));
  QCOMPARE(unet->midTransformerLayers, 1);
  QVERIFY(unet->sampleSize.empty());
  QVERIFY(unet->flipSinToCos);
  const auto vae = parseVaeConfig("{}", "x");
  QVERIFY(vae);
  QCOMPARE(vae->blockOutChannels, Ints{64});
  QCOMPARE(vae->scaleFactor(), 1);
  QCOMPARE(vae->scalingFactor, 0.18215);
  QVERIFY(vae->forceUpcast);
  QVERIFY(vae->useQuantConv && vae->usePostQuantConv && vae->midBlockAddAttention);
}

// Values of the published stabilityai/stable-diffusion-2-1 unet/config.json.
void TestModelConfig::readsTheUNetOfStableDiffusion2() {
  const auto unet = unetWith(
      R"("_class_name":"UNet2DConditionModel","_diffusers_version":"0.10.0.dev0","act_fn":"silu","attention_head_dim":[5,10,20,20],
         "block_out_channels":[320,640,1280,1280],"center_input_sample":false,"cross_attention_dim":1024,
         "down_block_types":["CrossAttnDownBlock2D","CrossAttnDownBlock2D","CrossAttnDownBlock2D","DownBlock2D"],
         "downsample_padding":1,"dual_cross_attention":false,"flip_sin_to_cos":true,"freq_shift":0,"in_channels":4,
         "layers_per_block":2,"mid_block_scale_factor":1,"norm_eps":1e-05,"norm_num_groups":32,"num_class_embeds":null,
         "only_cross_attention":false,"out_channels":4,"sample_size":96,
         "up_block_types":["UpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D"],
         "use_linear_projection":true,"upcast_attention":true)");
  QVERIFY2(unet, unet ? "" : unet.error().message.c_str());
  QCOMPARE(unet->numAttentionHeads, (Ints{5, 10, 20, 20}));
  QCOMPARE(unet->crossAttentionDim, (Ints{1024, 1024, 1024, 1024}));
  QCOMPARE(unet->sampleSize, (Ints{96, 96}));
  QVERIFY(unet->isSampleSizeInt);
  QVERIFY(unet->useLinearProjection);
  QVERIFY(unet->upcastAttention);
}

void TestModelConfig::expandsNumbersToLevels() {
  const auto unet =
      unetWith(R"("layers_per_block":[1,2,3,1],"transformer_layers_per_block":[1,2,10,4],"only_cross_attention":[true,false,
    false,false],"sample_size":[64,48],"cross_attention_dim":[8,16,24,32])");
  QVERIFY2(unet, unet ? "" : unet.error().message.c_str());
  QCOMPARE(unet->transformerLayersPerBlock, (IntLists{{1}, {2, 2}, {10, 10, 10}, {4}}));
  QCOMPARE(unet->midTransformerLayers, 4);
  QCOMPARE(unet->upTransformerLayersPerBlock, (IntLists{{4, 4}, {10, 10, 10, 10}, {2, 2, 2}, {1, 1}}));
  QCOMPARE(unet->onlyCrossAttention, (std::vector<bool>{true, false, false, false}));
  QCOMPARE(unet->sampleSize, (Ints{64, 48}));
  QVERIFY(!unet->isSampleSizeInt);
  QCOMPARE(unet->crossAttentionDim, (Ints{8, 16, 24, 32}));
}

// The three levels of segmind/SSD-1B, a distilled SDXL whose blocks have different depths inside.
void TestModelConfig::readsAsymmetricTransformerLayers() {
  const std::string base = R"("block_out_channels":[320,640,1280],"attention_head_dim":[5,10,20],
    "down_block_types":["DownBlock2D","CrossAttnDownBlock2D","CrossAttnDownBlock2D"],
    "up_block_types":["CrossAttnUpBlock2D","CrossAttnUpBlock2D","UpBlock2D"],"transformer_layers_per_block":[1,[2,2],[4,4]])";
  const auto unet = unetWith(base + R"(,"reverse_transformer_layers_per_block":[[4,4,10],[2,1,1],1])");
  QVERIFY2(unet, unet ? "" : unet.error().message.c_str());
  QCOMPARE(unet->transformerLayersPerBlock, (IntLists{{1, 1}, {2, 2}, {4, 4}}));
  QCOMPARE(unet->upTransformerLayersPerBlock, (IntLists{{4, 4, 10}, {2, 1, 1}, {1, 1, 1}}));
  QCOMPARE(unet->midTransformerLayers, 4);
  QVERIFY(!unetWith(base + R"(,"reverse_transformer_layers_per_block":[[4,4],[2,1,1],1])"));
  const auto nested = unetWith(R"("layers_per_block":2,"transformer_layers_per_block":[[1,2],[1,1],[1,1],[1,1]])");
  QVERIFY(!nested);
  QVERIFY(nested.error().message.find("reverse_transformer_layers_per_block") != std::string::npos);
}

void TestModelConfig::readsUNetsWithoutAMiddle() {
  const auto none = unetWith(R"("mid_block_type":null)");
  QVERIFY(none);
  QVERIFY(!none->midBlockType);
  const auto plain = unetWith(R"("mid_block_type":"UNetMidBlock2D")");
  QVERIFY(plain);
  QCOMPARE(*plain->midBlockType, std::string("UNetMidBlock2D"));
}

void TestModelConfig::passesOverKeysThatChangeNothing() {
  const auto unet =
      unetWith(R"("resnet_skip_time_act":true,"resnet_out_scale_factor":2.0,"cross_attention_norm":"layer_norm","dropout":0.5,
    "mid_block_only_cross_attention":true,"addition_embed_type_num_heads":3,"never_heard_of":{"a":[1]})");
  QVERIFY2(unet, unet ? "" : unet.error().message.c_str());
  const auto swish = unetWith(R"("act_fn":"swish","time_cond_proj_dim":256,"timestep_post_act":"gelu")");
  QVERIFY(swish);
  QCOMPARE(swish->actFn, std::string("silu"));
  QCOMPARE(*swish->timeCondProjDim, 256);
  QCOMPARE(*swish->timestepPostAct, std::string("gelu"));
}

void TestModelConfig::refusesUNetValues_data() {
  QTest::addColumn<QString>("keys");
  QTest::addColumn<base::ErrorCode>("code");
  QTest::addColumn<QString>("word");
  const auto row = [](const char* keys, base::ErrorCode code, const char* word) {
    QTest::newRow(keys) << QString(keys) << code << QString(word);
  };
  using base::ErrorCode;
  row(R"("down_block_types":["AttnDownBlock2D","DownBlock2D","DownBlock2D","DownBlock2D"])", ErrorCode::Unsupported,
      "AttnDownBlock2D");
  row(R"("up_block_types":["SkipUpBlock2D","UpBlock2D","UpBlock2D","UpBlock2D"])", ErrorCode::Unsupported, "SkipUpBlock2D");
  row(R"("mid_block_type":"UNetMidBlock2DSimpleCrossAttn")", ErrorCode::Unsupported, "UNetMidBlock2DSimpleCrossAttn");
  row(R"("act_fn":"elu")", ErrorCode::Unsupported, "elu");
  row(R"("class_embed_type":"timestep")", ErrorCode::Unsupported, "class_embed_type");
  row(R"("num_class_embeds":1000)", ErrorCode::Unsupported, "num_class_embeds");
  row(R"("encoder_hid_dim_type":"text_proj")", ErrorCode::Unsupported, "encoder_hid_dim_type");
  row(R"("encoder_hid_dim":1280)", ErrorCode::Unsupported, "encoder_hid_dim");
  row(R"("num_attention_heads":8)", ErrorCode::Unsupported, "num_attention_heads");
  row(R"("class_embeddings_concat":true)", ErrorCode::Unsupported, "class_embeddings_concat");
  row(R"("dual_cross_attention":true)", ErrorCode::Unsupported, "dual_cross_attention");
  row(R"("attention_type":"gated")", ErrorCode::Unsupported, "attention_type");
  row(R"("resnet_time_scale_shift":"scale_shift")", ErrorCode::Unsupported, "resnet_time_scale_shift");
  row(R"("time_embedding_type":"fourier")", ErrorCode::Unsupported, "time_embedding_type");
  row(R"("norm_num_groups":null)", ErrorCode::Unsupported, "norm_num_groups");
  row(R"("addition_embed_type":"image")", ErrorCode::Unsupported, "image");
  row(R"("addition_embed_type":"text_time")", ErrorCode::Corrupt, "addition_time_embed_dim");
  row(R"("block_out_channels":[320,640])", ErrorCode::Corrupt, "different lengths");
  row(R"("block_out_channels":[320,640,1280,1281])", ErrorCode::Corrupt, "1281");
  row(R"("block_out_channels":[320,640,1280,100000])", ErrorCode::Corrupt, "block_out_channels");
  row(R"("attention_head_dim":7)", ErrorCode::Corrupt, "attention_head_dim");
  row(R"("attention_head_dim":null)", ErrorCode::Corrupt, "attention_head_dim");
  row(R"("attention_head_dim":[8,8])", ErrorCode::Corrupt, "a list of 4");
  row(R"("layers_per_block":0)", ErrorCode::Corrupt, "layers_per_block");
  row(R"("layers_per_block":1000000)", ErrorCode::Corrupt, "layers_per_block");
  row(R"("layers_per_block":2.5)", ErrorCode::Corrupt, "2.5");
  row(R"("transformer_layers_per_block":[1,1])", ErrorCode::Corrupt, "transformer_layers_per_block");
  row(R"("transformer_layers_per_block":"one")", ErrorCode::Corrupt, "transformer_layers_per_block");
  row(R"("norm_num_groups":0)", ErrorCode::Corrupt, "norm_num_groups");
  row(R"("norm_eps":"small")", ErrorCode::Corrupt, "norm_eps");
  row(R"("flip_sin_to_cos":1)", ErrorCode::Corrupt, "flip_sin_to_cos");
  row(R"("sample_size":-1)", ErrorCode::Corrupt, "sample_size");
  row(R"("sample_size":[64])", ErrorCode::Corrupt, "sample_size");
  row(R"("sample_size":[64,64,64])", ErrorCode::Corrupt, "sample_size");
  row(R"("conv_in_kernel":2)", ErrorCode::Corrupt, "conv_in_kernel");
  row(R"("downsample_padding":2)", ErrorCode::Corrupt, "downsample_padding");
  row(R"("mid_block_scale_factor":0)", ErrorCode::Corrupt, "mid_block_scale_factor");
}

void TestModelConfig::refusesUNetValues() {
  QFETCH(QString, keys);
  QFETCH(base::ErrorCode, code);
  QFETCH(QString, word);
  const auto unet = unetWith(keys.toStdString());
  QVERIFY(!unet);
  const QString message = QString::fromStdString(unet.error().message);
  QVERIFY2(message.contains(word) && message.startsWith("unet/config.json ") && message.endsWith('.'), qPrintable(message));
  QCOMPARE(unet.error().code, code);
}

void TestModelConfig::repairsTheSampleSizeOfOldFiles_data() {
  QTest::addColumn<QString>("version");
  QTest::addColumn<QString>("size");
  QTest::addColumn<int>("expected");
  QTest::newRow("0.2.2") << "\"0.2.2\""
                         << "32" << 64;
  QTest::newRow("0.8.9") << "\"0.8.9\""
                         << "63" << 64;
  QTest::newRow("0.8.0.dev0") << "\"0.8.0.dev0\""
                              << "32" << 64;
  QTest::newRow("0.8") << "\"0.8\""
                       << "32" << 64;
  QTest::newRow("large already") << "\"0.6.0\""
                                 << "96" << 96;
  QTest::newRow("0.9.0.dev0 is new") << "\"0.9.0.dev0\""
                                     << "32" << 32;
  QTest::newRow("0.42.1") << "\"0.42.1\""
                          << "32" << 32;
  QTest::newRow("1.0.0") << "\"1.0.0\""
                         << "16" << 16;
  QTest::newRow("no version") << "null"
                              << "32" << 32;
  QTest::newRow("no number") << "\"main\""
                             << "32" << 32;
  QTest::newRow("a pair is left alone") << "\"0.2.2\""
                                        << "[32,32]" << 32;
}

void TestModelConfig::repairsTheSampleSizeOfOldFiles() {
  QFETCH(QString, version);
  QFETCH(QString, size);
  QFETCH(int, expected);
  const auto unet = unetWith("\"_diffusers_version\":" + version.toStdString() + ",\"sample_size\":" + size.toStdString());
  QVERIFY2(unet, unet ? "" : unet.error().message.c_str());
  QCOMPARE(unet->sampleSize, (Ints{expected, expected}));
}

void TestModelConfig::readsTextEncoders() {
  const auto config = parseTextEncoderConfig(
      R"({"model_type":"clip_text_model","hidden_size":1024,"hidden_act":"gelu","num_hidden_layers":23,"num_attention_heads":16,
          "intermediate_size":4096,"projection_dim":null,"pad_token_id":1,"bos_token_id":0,"eos_token_id":[2],"vocab_size":49408,
          "dtype":"float16"})",
      "x");
  QVERIFY2(config, config ? "" : config.error().message.c_str());
  QCOMPARE(config->numHiddenLayers, 23);
  QCOMPARE(config->hiddenAct, std::string("gelu"));
  QCOMPARE(config->projectionDim, 512);
  QCOMPARE(config->eosTokenId, 2);
  QCOMPARE(config->bosTokenId, 0);
}

void TestModelConfig::readsTheTextPartOfAWholeClipModel() {
  const auto config = parseTextEncoderConfig(
      R"({"model_type":"clip","hidden_size":7,"text_config":{"hidden_size":64,"vocab_size":99},"vision_config":{}})", "x");
  QVERIFY(config);
  QCOMPARE(config->hiddenSize, 64);
  QCOMPARE(config->vocabSize, 99);
}

void TestModelConfig::refusesTextEncoderValues_data() {
  QTest::addColumn<QString>("text");
  QTest::addColumn<base::ErrorCode>("code");
  QTest::newRow("type") << R"({"model_type":"t5"})" << base::ErrorCode::Unsupported;
  QTest::newRow("activation") << R"({"hidden_act":"relu"})" << base::ErrorCode::Unsupported;
  QTest::newRow("heads do not divide") << R"({"num_attention_heads":7})" << base::ErrorCode::Corrupt;
  QTest::newRow("no heads") << R"({"num_attention_heads":0})" << base::ErrorCode::Corrupt;
  QTest::newRow("size is a text") << R"({"hidden_size":"512"})" << base::ErrorCode::Corrupt;
  QTest::newRow("too many layers") << R"({"num_hidden_layers":100000})" << base::ErrorCode::Corrupt;
  QTest::newRow("attention mask") << R"({"use_attention_mask":true})" << base::ErrorCode::Unsupported;
  QTest::newRow("eps is null") << R"({"layer_norm_eps":null})" << base::ErrorCode::Corrupt;
}

void TestModelConfig::refusesTextEncoderValues() {
  QFETCH(QString, text);
  QFETCH(base::ErrorCode, code);
  const auto config = parseTextEncoderConfig(text.toStdString(), "x");
  QVERIFY(!config);
  QCOMPARE(config.error().code, code);
}

void TestModelConfig::readsVaes() {
  const auto vae = parseVaeConfig(
      R"({"block_out_channels":[128,256,512,512],"down_block_types":["DownEncoderBlock2D","DownEncoderBlock2D","DownEncoderBlock2D",
          "DownEncoderBlock2D"],"up_block_types":["UpDecoderBlock2D","UpDecoderBlock2D","UpDecoderBlock2D","UpDecoderBlock2D"],
          "latent_channels":2,"layers_per_block":2,"sample_size":[256,512],"scaling_factor":0.13025,"shift_factor":0.5,
          "latents_mean":[0.1,-0.2],"latents_std":[1,2],"force_upcast":false,"use_quant_conv":false,"use_post_quant_conv":false,
          "mid_block_add_attention":false})",
      "x");
  QVERIFY2(vae, vae ? "" : vae.error().message.c_str());
  QCOMPARE(vae->scaleFactor(), 8);
  QCOMPARE(vae->sampleSize, 256);
  QCOMPARE(vae->scalingFactor, 0.13025);
  QCOMPARE(*vae->shiftFactor, 0.5);
  QCOMPARE(vae->latentsMean, (std::vector<double>{0.1, -0.2}));
  QCOMPARE(vae->latentsStd, (std::vector<double>{1, 2}));
  QVERIFY(!vae->forceUpcast && !vae->useQuantConv && !vae->usePostQuantConv && !vae->midBlockAddAttention);
}

void TestModelConfig::refusesVaeValues_data() {
  QTest::addColumn<QString>("text");
  QTest::addColumn<base::ErrorCode>("code");
  QTest::newRow("down block") << R"({"down_block_types":["AttnDownEncoderBlock2D"]})" << base::ErrorCode::Unsupported;
  QTest::newRow("up block") << R"({"up_block_types":["AttnUpDecoderBlock2D"]})" << base::ErrorCode::Unsupported;
  QTest::newRow("activation") << R"({"act_fn":"tanh"})" << base::ErrorCode::Unsupported;
  QTest::newRow("lengths") << R"({"block_out_channels":[64,128]})" << base::ErrorCode::Corrupt;
  QTest::newRow("scaling by zero") << R"({"scaling_factor":0})" << base::ErrorCode::Corrupt;
  QTest::newRow("scaling is infinite") << R"({"scaling_factor":1e999})" << base::ErrorCode::Corrupt;
  QTest::newRow("means of another length") << R"({"latents_mean":[1]})" << base::ErrorCode::Corrupt;
  QTest::newRow("groups") << R"({"norm_num_groups":48})" << base::ErrorCode::Corrupt;
  QTest::newRow("layers per level") << R"({"layers_per_block":[1]})" << base::ErrorCode::Corrupt;
}

void TestModelConfig::refusesVaeValues() {
  QFETCH(QString, text);
  QFETCH(base::ErrorCode, code);
  const auto vae = parseVaeConfig(text.toStdString(), "x");
  QVERIFY(!vae);
  QCOMPARE(vae.error().code, code);
}

void TestModelConfig::repairsSchedulers_data() {
  QTest::addColumn<QString>("className");
  QTest::addColumn<QString>("text");
  QTest::addColumn<QString>("values");
  QTest::addColumn<QString>("defaults");
  QTest::newRow("as it should be") << "PNDMScheduler"
                                   << R"({"steps_offset":1})"
                                   << "steps_offset=1;"
                                   << "";
  QTest::newRow("offset 0") << "PNDMScheduler"
                            << R"({"steps_offset":0})"
                            << "steps_offset=1;"
                            << "";
  QTest::newRow("offset left out") << "PNDMScheduler"
                                   << "{}"
                                   << ""
                                   << "steps_offset=1;";
  QTest::newRow("offset null") << "PNDMScheduler"
                               << R"({"steps_offset":null})"
                               << "steps_offset=1;"
                               << "";
  QTest::newRow("clip true") << "DDIMScheduler"
                             << R"({"clip_sample":true,"steps_offset":1})"
                             << "clip_sample=false;steps_offset=1;"
                             << "";
  QTest::newRow("clip left out") << "DDIMScheduler"
                                 << R"({"steps_offset":1})"
                                 << "steps_offset=1;"
                                 << "clip_sample=false;";
  QTest::newRow("clip false") << "DDIMScheduler"
                              << R"({"clip_sample":false})"
                              << "clip_sample=false;"
                              << "steps_offset=1;";
  QTest::newRow("LCM does not clip by default") << "LCMScheduler"
                                                << "{}"
                                                << ""
                                                << "steps_offset=1;";
  QTest::newRow("a class without either") << "DPMSolverSinglestepScheduler"
                                          << "{}"
                                          << ""
                                          << "";
  QTest::newRow("a foreign key is repaired all the same") << "DPMSolverSinglestepScheduler"
                                                          << R"({"steps_offset":0,"clip_sample":true})"
                                                          << "clip_sample=false;steps_offset=1;"
                                                          << "";
}

void TestModelConfig::repairsSchedulers() {
  QFETCH(QString, className);
  QFETCH(QString, text);
  QFETCH(QString, values);
  QFETCH(QString, defaults);
  const auto config = parseSchedulerConfig(text.toStdString(), className.toStdString(), "x");
  QVERIFY2(config, config ? "" : config.error().message.c_str());
  QCOMPARE(QString::fromStdString(config->className), className);
  const auto shown = [](const std::map<std::string, std::string>& map) {
    QString line;
    for (const auto& [key, value] : map) {
      line += QString::fromStdString(key + "=" + value + ";");
    }
    return line;
  };
  QCOMPARE(shown(config->values), values);
  QCOMPARE(shown(config->repairedDefaults), defaults);
}

void TestModelConfig::keepsSchedulerValuesAsWritten() {
  const auto config = parseSchedulerConfig(
      R"({"_class_name":"EulerDiscreteScheduler","_diffusers_version":"0.42.1","beta_end":0.012,"beta_start":0.00085,"trained_betas":null,
          "prediction_type":"v_prediction","use_karras_sigmas":true,"list":[1,2.5]})",
      "", "x");
  QVERIFY(config);
  QCOMPARE(config->className, std::string("EulerDiscreteScheduler"));
  QCOMPARE(config->values, (std::map<std::string, std::string>{{"beta_end", "0.012"},
                                                               {"beta_start", "0.00085"},
                                                               {"list", "[1,2.5]"},
                                                               {"prediction_type", "\"v_prediction\""},
                                                               {"trained_betas", "null"},
                                                               {"use_karras_sigmas", "true"}}));
  QVERIFY(!parseSchedulerConfig("{}", "", "x"));
}

void TestModelConfig::readsInfinitiesAsPythonWritesThem() {
  const auto config = parseSchedulerConfig(
      R"({"_class_name":"DPMSolverMultistepScheduler","lambda_min_clipped": -Infinity, "a":[Infinity,NaN],"b":"-Infinity \" NaN"})",
      "", "x");
  QVERIFY2(config, config ? "" : config.error().message.c_str());
  QCOMPARE(config->values.at("lambda_min_clipped"), std::string(R"("-Infinity")"));
  QCOMPARE(config->values.at("a"), std::string(R"(["Infinity","NaN"])"));
  QCOMPARE(config->values.at("b"), std::string(R"("-Infinity \" NaN")"));
  QVERIFY(!parseSchedulerConfig(R"({"_class_name":"x","a":-Inf})", "", "x"));
}

void TestModelConfig::refusesFilesThatAreNoObjects_data() {
  QTest::addColumn<QByteArray>("text");
  QTest::newRow("empty") << QByteArray();
  QTest::newRow("a list") << QByteArray("[]");
  QTest::newRow("null") << QByteArray("null");
  QTest::newRow("cut") << QByteArray("{\"a\":");
  QTest::newRow("two") << QByteArray("{}{}");
  QTest::newRow("a tail behind a NUL") << QByteArray("{}\0garbage", 10);
  QTest::newRow("not UTF-8") << QByteArray("{\"a\":\"\xff\"}");
  QTest::newRow("too deep") << QByteArray("{\"a\":") + QByteArray(100000, '[') + QByteArray(100000, ']') + '}';
}

void TestModelConfig::refusesFilesThatAreNoObjects() {
  QFETCH(QByteArray, text);
  const std::string_view view(text.constData(), static_cast<std::size_t>(text.size()));
  const auto check = [](const auto& result) {
    QVERIFY(!result);
    QCOMPARE(result.error().code, base::ErrorCode::Corrupt);
    QVERIFY(result.error().message.starts_with("the file "));
  };
  check(parseTextEncoderConfig(view, "the file"));
  check(parseUNetConfig(view, "the file"));
  check(parseVaeConfig(view, "the file"));
  check(parseSchedulerConfig(view, "PNDMScheduler", "the file"));
}

QTEST_GUILESS_MAIN(TestModelConfig)
#include "tst_model_config.moc"
