#include "core/models/bundled_models.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace polyptych::models {

QString dataFolder() {
  const QString chosen = qEnvironmentVariable("POLYPTYCH_DATA_DIR");
  return QDir::cleanPath(chosen.isEmpty() ? QCoreApplication::applicationDirPath() + QStringLiteral("/../share/polyptych")
                                          : chosen);
}

QString bundledModelsFolder() { return dataFolder() + QStringLiteral("/models"); }

bool isBundledModel(const QString& name) {
  return !name.isEmpty() && !name.startsWith(QLatin1Char('.')) && !name.contains(QLatin1Char('/')) &&
         QFileInfo(bundledModelsFolder() + QLatin1Char('/') + name + QStringLiteral("/model_index.json")).isFile();
}

QString withBundledModels(const QString& reference) {
  return isBundledModel(reference) ? bundledModelsFolder() + QLatin1Char('/') + reference : reference;
}

}  // namespace polyptych::models
