#pragma once

#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <QVector>

#include "core/checkpoint/model_folder.h"

namespace polyptych::models {

/// One model of the machine in a line of a list. A plain value; no thread is special.
struct ModelSummary {
  QString name;          ///< what people call it: "org/name" or the folder's name
  QString reference;     ///< what withBundledModels() and checkpoint::resolveModelReference() take for it
  QString path;          ///< absolute folder
  QString family;        ///< "Stable Diffusion 1.x", "Stable Diffusion 2.x", or else the pipeline class
  QStringList variants;  ///< weight variants in the folder, "" for plain files, sorted
  QString variant;       ///< the one that is used
  QString precision;     ///< "fp32", "fp16", "bf16", or several with " + "; empty if the weights cannot be read
  qint64 bytes = 0;      ///< of the files that are used; of all safetensors files if the model cannot be used
  bool isUsable = false;
  QString reason;  ///< a sentence why it cannot be used; empty if it can
};

/// Every model in diffusers format that came with the program, in the Hugging Face cache and in `folders`. A folder may be a
/// model or hold models. Sorted by name; a model reached twice is told once. Reads configs and weight headers from the disk: not
/// for a thread that must not wait.
QVector<ModelSummary> listModels(const QStringList& folders = {});

/// The summary of a folder that has a model_index.json.
ModelSummary summarize(const QString& path, const QString& name, const QString& reference);

QJsonObject toJson(const ModelSummary& model);

/// "Stable Diffusion 1.x" for a text width of 768, "2.x" for 1024, else "Stable Diffusion".
QString familyOf(const checkpoint::ModelFolder& model);

/// Precision of some weights: the float types in them, most bytes first: "fp16", "fp32 + fp16".
QString precisionOf(const std::vector<checkpoint::WeightSet>& weights);

/// "4.3 GB", "22 MB"; powers of 1000.
QString sizeText(qint64 bytes);

}  // namespace polyptych::models
