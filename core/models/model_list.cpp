#include "core/models/model_list.h"

#include <QDir>
#include <QDirIterator>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocale>
#include <QSet>
#include <algorithm>
#include <map>
#include <utility>

#include "core/checkpoint/hugging_face_cache.h"
#include "core/checkpoint/weight_files.h"
#include "core/models/bundled_models.h"

namespace polyptych::models {
namespace {

namespace fs = std::filesystem;
using checkpoint::Component;
using checkpoint::Dtype;

constexpr int kSd1TextWidth = 768;
constexpr int kSd2TextWidth = 1024;
constexpr qint64 kMaxIndexBytes = 4 << 20;

fs::path toPath(const QString& text) { return QFile::encodeName(text).toStdString(); }

QString fromPath(const fs::path& path) { return QFile::decodeName(path.c_str()); }

bool isModelFolder(const QString& path) { return QFileInfo(path + "/model_index.json").isFile(); }

QString precisionName(Dtype dtype) {
  switch (dtype) {
    case Dtype::F32:
      return "fp32";
    case Dtype::F16:
      return "fp16";
    case Dtype::BF16:
      return "bf16";
    case Dtype::F64:
      return "fp64";
    case Dtype::F8E4M3:
    case Dtype::F8E5M2:
    case Dtype::F8E4M3Fnuz:
    case Dtype::F8E5M2Fnuz:
      return "fp8";
    default:
      return {};
  }
}

QStringList variantsIn(const fs::path& folder) {
  QSet<QString> names;
  for (const char* const component : {"text_encoder", "unet", "vae"}) {
    for (const auto& [variant, entry] : checkpoint::listWeights(folder / component, "diffusion_pytorch_model").variants) {
      names.insert(QString::fromStdString(variant));
    }
  }
  QStringList list(names.begin(), names.end());
  list.sort();
  return list;
}

qint64 bytesOfWeights(const QString& path) {
  qint64 bytes = 0;
  QDirIterator files(path, {"*.safetensors"}, QDir::Files, QDirIterator::Subdirectories);
  while (files.hasNext()) {
    files.next();
    bytes += files.fileInfo().size();
  }
  return bytes;
}

QString pipelineClassIn(const QString& path) {
  QFile file(path + "/model_index.json");
  if (!file.open(QIODevice::ReadOnly) || file.size() > kMaxIndexBytes) {
    return {};
  }
  return QJsonDocument::fromJson(file.readAll()).object().value("_class_name").toString();
}

}  // namespace

QString familyOf(const checkpoint::ModelFolder& model) {
  switch (model.textEncoder.hiddenSize) {
    case kSd1TextWidth:
      return "Stable Diffusion 1.x";
    case kSd2TextWidth:
      return "Stable Diffusion 2.x";
    default:
      return "Stable Diffusion";
  }
}

QString precisionOf(const std::vector<checkpoint::WeightSet>& weights) {
  std::map<QString, std::uint64_t> bytes;
  for (const checkpoint::WeightSet& set : weights) {
    for (const std::string& name : set.names()) {
      const checkpoint::TensorView* const view = set.find(name);
      if (const QString precision = precisionName(view->dtype); !precision.isEmpty()) {
        bytes[precision] += view->bytes.size();
      }
    }
  }
  std::vector<std::pair<std::uint64_t, QString>> order;
  for (const auto& [precision, count] : bytes) {
    order.emplace_back(count, precision);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  QStringList names;
  for (const auto& [count, precision] : order) {
    names.append(precision);
  }
  return names.join(" + ");
}

QString sizeText(qint64 bytes) { return QLocale::c().formattedDataSize(bytes, 1, QLocale::DataSizeSIFormat); }

ModelSummary summarize(const QString& path, const QString& name, const QString& reference) {
  ModelSummary summary;
  summary.name = name;
  summary.reference = reference;
  summary.path = path;
  summary.variants = variantsIn(toPath(path));
  const auto model = checkpoint::openModelFolder(toPath(path));
  if (!model) {
    summary.family = pipelineClassIn(path);
    summary.reason = QString::fromStdString(model.error().message);
    summary.bytes = bytesOfWeights(path);
    return summary;
  }
  summary.path = fromPath(model->path);
  summary.family = familyOf(*model);
  summary.variant = QString::fromStdString(model->variant);
  for (const std::string& file : checkpoint::modelFiles(*model)) {
    summary.bytes += QFileInfo(fromPath(model->path / file)).size();
  }
  std::vector<checkpoint::WeightSet> weights;
  for (const Component component : {Component::TextEncoder, Component::UNet, Component::Vae}) {
    auto set = model->openWeights(component);
    if (!set) {
      summary.reason = QString::fromStdString(set.error().message);
      return summary;
    }
    weights.push_back(std::move(*set));
  }
  summary.precision = precisionOf(weights);
  summary.isUsable = true;
  return summary;
}

QVector<ModelSummary> listModels(const QStringList& folders) {
  QVector<ModelSummary> models;
  QSet<QString> seen;
  const auto add = [&](const QString& path, const QString& name, const QString& reference) {
    const QString canonical = QFileInfo(path).canonicalFilePath();
    if (isModelFolder(path) && !seen.contains(canonical)) {
      seen.insert(canonical);
      models.append(summarize(path, name, reference));
    }
  };
  const QDir bundled(bundledModelsFolder());
  for (const QString& name : bundled.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
    add(bundled.filePath(name), name, name);
  }
  for (const checkpoint::CachedModel& cached : checkpoint::listCachedModels(checkpoint::huggingFaceCache())) {
    const QString name = QString::fromStdString(cached.name);
    add(fromPath(cached.snapshot), name, name);
  }
  for (const QString& folder : folders) {
    const QDir dir(folder);
    const QString path = dir.absolutePath();
    if (isModelFolder(path)) {
      add(path, dir.dirName(), path);
      continue;
    }
    for (const QFileInfo& entry : dir.entryInfoList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
      add(entry.absoluteFilePath(), entry.fileName(), entry.absoluteFilePath());
    }
  }
  std::stable_sort(models.begin(), models.end(), [](const ModelSummary& a, const ModelSummary& b) {
    const int order = QString::compare(a.name, b.name, Qt::CaseInsensitive);
    return order != 0 ? order < 0 : a.path < b.path;
  });
  return models;
}

QJsonObject toJson(const ModelSummary& model) {
  QJsonObject object{{"name", model.name},
                     {"reference", model.reference},
                     {"path", model.path},
                     {"family", model.family},
                     {"variants", QJsonArray::fromStringList(model.variants)},
                     {"variant", model.variant},
                     {"precision", model.precision},
                     {"bytes", model.bytes},
                     {"usable", model.isUsable}};
  if (!model.reason.isEmpty()) {
    object.insert("reason", model.reason);
  }
  return object;
}

}  // namespace polyptych::models
