#include "core/library/location.h"

#include <QDir>
#include <QStandardPaths>

namespace polyptych::library {

QString Location::homeFolder() const { return layout == Layout::Flat ? root + QStringLiteral("/.polyptych") : root; }

QString Location::databaseFile() const { return homeFolder() + QStringLiteral("/library.sqlite"); }

QString Location::lockFile() const { return homeFolder() + QStringLiteral("/library.lock"); }

QString Location::picturesFolder() const { return layout == Layout::Flat ? root : root + QStringLiteral("/pictures"); }

Location defaultLocation() {
  QString pictures = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
  if (pictures.isEmpty()) {
    pictures = QDir::homePath();
  }
  return locationAt(pictures + QStringLiteral("/Polyptych"), Location::Layout::Dated);
}

Location locationAt(const QString& folder, Location::Layout layout) {
  return {QDir::cleanPath(QDir::current().absoluteFilePath(folder)), layout};
}

}  // namespace polyptych::library
