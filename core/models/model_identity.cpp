#include "core/models/model_identity.h"

#include <QFile>
#include <QStandardPaths>

#include "core/checkpoint/model_folder.h"

namespace polyptych::models {

base::Result<std::string> hashOfModel(const domain::ModelSpec& model) {
  const QString cache = QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation);
  const QByteArray path =
      cache.isEmpty() ? QByteArray() : QFile::encodeName(cache + QStringLiteral("/polyptych/model-hashes.json"));
  return checkpoint::modelHash(model, path.toStdString());
}

}  // namespace polyptych::models
