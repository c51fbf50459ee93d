#pragma once

#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <QVector>
#include <utility>

#include "core/base/result.h"
#include "core/models/model_list.h"

namespace polyptych::models {

/// A part of a model whose weights are used.
struct ComponentDescription {
  QString name;       ///< "unet"
  QString className;  ///< "UNet2DConditionModel"
  qint64 parameters = 0;
  qint64 bytes = 0;   ///< of its tensors
  QString precision;  ///< as ModelSummary::precision
  QStringList files;  ///< names inside the component's folder, in reading order
  /// Settings that decide what it computes, in order: {"block_out_channels", "320, 640, 1280, 1280"}.
  QVector<std::pair<QString, QString>> settings;
};

/// What `polyptych-cli show-model` prints.
struct ModelDescription {
  ModelSummary summary;
  QString pipelineClass;
  int width = 0;  ///< the size of picture that the model was made for, pixels
  int height = 0;
  QVector<ComponentDescription> components;
  QString schedulerClass;
  QVector<std::pair<QString, QString>> schedulerSettings;  ///< as they stand after the pipeline's repairs, sorted by key
  bool hasSafetyChecker = false;
  QStringList notes;  ///< sentences: the safety checker that is not run, files mixed in from another variant
};

/// Opens a model and tells what it is. Errors: those of checkpoint::resolveModelReference() and of reading the weights' headers.
base::Result<ModelDescription> describeModel(const QString& reference);

QJsonObject toJson(const ModelDescription& model);

/// Lines for people, each ended by a line feed.
QString toText(const ModelDescription& model);

}  // namespace polyptych::models
