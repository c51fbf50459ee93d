#include "core/models/model_description.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTextStream>
#include <limits>

#include "core/models/bundled_models.h"

namespace polyptych::models {
namespace {

namespace fs = std::filesystem;
using checkpoint::Component;
using checkpoint::ModelFolder;
using Settings = QVector<std::pair<QString, QString>>;

QString number(double value) { return QString::number(value, 'g', 12); }

QString yesOrNo(bool value) { return value ? "true" : "false"; }

QString joined(const std::vector<int>& list) {
  QStringList texts;
  for (const int value : list) {
    texts.append(QString::number(value));
  }
  return texts.join(", ");
}

QString joined(const std::vector<std::string>& list) {
  QStringList texts;
  for (const std::string& value : list) {
    texts.append(QString::fromStdString(value));
  }
  return texts.join(", ");
}

Settings settingsOf(const checkpoint::TextEncoderConfig& config) {
  return {{"hidden_size", QString::number(config.hiddenSize)},
          {"num_hidden_layers", QString::number(config.numHiddenLayers)},
          {"num_attention_heads", QString::number(config.numAttentionHeads)},
          {"hidden_act", QString::fromStdString(config.hiddenAct)},
          {"max_position_embeddings", QString::number(config.maxPositionEmbeddings)},
          {"vocab_size", QString::number(config.vocabSize)}};
}

Settings settingsOf(const checkpoint::UNetConfig& config) {
  Settings settings = {{"in_channels", QString::number(config.inChannels)},
                       {"block_out_channels", joined(config.blockOutChannels)},
                       {"down_block_types", joined(config.downBlockTypes)},
                       {"mid_block_type", config.midBlockType ? QString::fromStdString(*config.midBlockType) : QString("none")},
                       {"up_block_types", joined(config.upBlockTypes)},
                       {"layers_per_block", joined(config.layersPerBlock)},
                       {"attention_head_dim", joined(config.numAttentionHeads)},
                       {"cross_attention_dim", joined(config.crossAttentionDim)},
                       {"use_linear_projection", yesOrNo(config.useLinearProjection)},
                       {"upcast_attention", yesOrNo(config.upcastAttention)}};
  if (config.timeCondProjDim) {
    settings.append({"time_cond_proj_dim", QString::number(*config.timeCondProjDim)});
  }
  return settings;
}

Settings settingsOf(const checkpoint::VaeConfig& config) {
  return {{"latent_channels", QString::number(config.latentChannels)},
          {"block_out_channels", joined(config.blockOutChannels)},
          {"layers_per_block", QString::number(config.layersPerBlock)},
          {"sample_size", QString::number(config.sampleSize)},
          {"scaling_factor", number(config.scalingFactor)},
          {"force_upcast", yesOrNo(config.forceUpcast)}};
}

/// Elements of all tensors, stopping at the largest number there is.
qint64 parametersOf(const checkpoint::WeightSet& weights) {
  qint64 total = 0;
  for (const std::string& name : weights.names()) {
    const checkpoint::TensorView* const view = weights.find(name);
    const auto elements = static_cast<qint64>(view->bytes.size() * 8 / static_cast<std::size_t>(checkpoint::bitsOf(view->dtype)));
    total = elements > std::numeric_limits<qint64>::max() - total ? std::numeric_limits<qint64>::max() : total + elements;
  }
  return total;
}

base::Result<ComponentDescription> describe(const ModelFolder& model, Component component) {
  const auto weights = model.openWeights(component);
  if (!weights) {
    return weights.error();
  }
  ComponentDescription out;
  out.name = QString::fromUtf8(checkpoint::toString(component).data());
  switch (component) {
    case Component::TextEncoder:
      out.className = "CLIPTextModel";
      out.settings = settingsOf(model.textEncoder);
      break;
    case Component::UNet:
      out.className = "UNet2DConditionModel";
      out.settings = settingsOf(model.unet);
      break;
    case Component::Vae:
      out.className = "AutoencoderKL";
      out.settings = settingsOf(model.vae);
      break;
  }
  out.parameters = parametersOf(*weights);
  out.bytes = static_cast<qint64>(weights->totalBytes());
  out.precision = precisionOf({*weights});
  for (const fs::path& file : model.filesOf(component)) {
    out.files.append(QFile::decodeName(file.filename().c_str()));
  }
  return out;
}

QJsonObject toJson(const Settings& settings) {
  QJsonObject object;
  for (const auto& [key, value] : settings) {
    object.insert(key, value);
  }
  return object;
}

QString parameterText(qint64 count) {
  constexpr qint64 kMillion = 1'000'000;
  return count < kMillion ? QString("%1 thousand").arg(count / 1000.0, 0, 'f', 1)
                          : QString("%1 million").arg(static_cast<double>(count) / kMillion, 0, 'f', 1);
}

}  // namespace

base::Result<ModelDescription> describeModel(const QString& reference) {
  const auto spec = checkpoint::resolveModelReference(QFile::encodeName(withBundledModels(reference)).toStdString());
  if (!spec) {
    return spec.error();
  }
  const auto model = checkpoint::openModelFolder(spec->folder, spec->variant);
  if (!model) {
    return model.error();
  }
  ModelDescription out;
  out.summary = summarize(QFile::decodeName(spec->folder.c_str()), QFile::decodeName(spec->name.c_str()), reference);
  out.pipelineClass = QString::fromStdString(model->pipelineClass);
  out.width = model->defaultWidth;
  out.height = model->defaultHeight;
  for (const Component component : {Component::TextEncoder, Component::UNet, Component::Vae}) {
    auto part = describe(*model, component);
    if (!part) {
      return part.error();
    }
    out.components.append(std::move(*part));
  }
  out.schedulerClass = QString::fromStdString(model->scheduler.className);
  std::map<std::string, std::string> values = model->scheduler.values;
  values.insert(model->scheduler.repairedDefaults.begin(), model->scheduler.repairedDefaults.end());
  for (const auto& [key, value] : values) {
    out.schedulerSettings.append({QString::fromStdString(key), QString::fromStdString(value)});
  }
  out.hasSafetyChecker = model->hasSafetyChecker;
  if (model->hasSafetyChecker) {
    out.notes.append("The model has a safety checker; this program does not run it.");
  }
  for (const std::string& warning : model->warnings) {
    out.notes.append(QString::fromStdString(warning));
  }
  return out;
}

QJsonObject toJson(const ModelDescription& model) {
  QJsonObject object = toJson(model.summary);
  object.insert("pipeline", model.pipelineClass);
  object.insert("width", model.width);
  object.insert("height", model.height);
  QJsonArray components;
  for (const ComponentDescription& part : model.components) {
    components.append(QJsonObject{{"name", part.name},
                                  {"class", part.className},
                                  {"parameters", part.parameters},
                                  {"bytes", part.bytes},
                                  {"precision", part.precision},
                                  {"files", QJsonArray::fromStringList(part.files)},
                                  {"settings", toJson(part.settings)}});
  }
  object.insert("components", components);
  QJsonObject scheduler;
  for (const auto& [key, value] : model.schedulerSettings) {
    // The values are JSON texts; a document cannot be a bare value, so each is read inside a list.
    const QJsonArray list = QJsonDocument::fromJson("[" + value.toUtf8() + "]").array();
    scheduler.insert(key, list.isEmpty() ? QJsonValue(value) : list.first());
  }
  object.insert("scheduler", QJsonObject{{"class", model.schedulerClass}, {"settings", scheduler}});
  object.insert("safety_checker", model.hasSafetyChecker);
  object.insert("notes", QJsonArray::fromStringList(model.notes));
  return object;
}

QString toText(const ModelDescription& model) {
  QString text;
  QTextStream out(&text);
  const ModelSummary& summary = model.summary;
  out << summary.name << "\n";
  out << "  folder        " << summary.path << "\n";
  out << "  family        " << summary.family << " (" << model.pipelineClass << ")\n";
  out << "  picture       " << model.width << " x " << model.height << "\n";
  out << "  weights       " << summary.precision;
  if (!summary.variant.isEmpty()) {
    out << ", variant " << summary.variant;
  }
  out << ", " << sizeText(summary.bytes) << " on disk\n";
  for (const ComponentDescription& part : model.components) {
    out << "  " << part.name.leftJustified(14) << part.className << ", " << parameterText(part.parameters) << " parameters, "
        << part.precision << ", " << part.files.join(", ") << "\n";
    for (const auto& [key, value] : part.settings) {
      out << "      " << key << ": " << value << "\n";
    }
  }
  out << "  scheduler     " << model.schedulerClass << "\n";
  for (const auto& [key, value] : model.schedulerSettings) {
    out << "      " << key << ": " << value << "\n";
  }
  for (const QString& note : model.notes) {
    out << "  note: " << note << "\n";
  }
  return text;
}

}  // namespace polyptych::models
