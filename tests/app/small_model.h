#pragma once

#include <QString>
#include <string>

#include "tests/checkpoint/model_builder.h"
#include "tests/tokenizer/small_vocabulary.h"

namespace small {

/// A model folder whose files all open, with the tokenizer of small_vocabulary.h; 32x32 pixels unless asked otherwise. Only a
/// fake worker can make pictures with it.
inline polyptych::tests::ModelBuilder model(const QString& folder) {
  polyptych::tests::ModelBuilder builder(std::filesystem::path(folder.toStdString()));
  const auto files = oldFiles();
  builder.texts["tokenizer/vocab.json"] = *files.vocabJson;
  builder.texts["tokenizer/merges.txt"] = *files.mergesTxt;
  builder.texts["tokenizer/tokenizer_config.json"] = *files.configJson;
  builder.write();
  return builder;
}

}  // namespace small
