#pragma once

#include <QString>

namespace polyptych::models {

/// Name of the model that comes with the program and is taken where nobody chose one.
inline constexpr char kDemoModelName[] = "demo";

/// The folder of the program's own data: POLYPTYCH_DATA_DIR, else ../share/polyptych beside the program's folder. It may be
/// absent.
QString dataFolder();

/// Folder below dataFolder() whose folders are models.
QString bundledModelsFolder();

/// True if a model of that name came with the program.
bool isBundledModel(const QString& name);

/// The folder of a model that came with the program if `reference` is its name, else `reference` itself: to be given to
/// checkpoint::resolveModelReference(). A folder here with the name of such a model is meant by "./name".
QString withBundledModels(const QString& reference);

}  // namespace polyptych::models
