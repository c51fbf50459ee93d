#pragma once

#include <QString>

#include "core/base/result.h"

namespace polyptych::library {

/// Where a library lies on the disk.
///
///   Dated:  <root>/library.sqlite, <root>/library.lock, pictures in <root>/pictures/<date>/<run>/
///   Flat:   <root>/.polyptych/library.sqlite, <root>/.polyptych/library.lock, pictures of its one run in <root> itself
struct Location {
  enum class Layout { Dated, Flat };

  QString root;  ///< absolute and clean
  Layout layout = Layout::Dated;

  /// Folder of the database and the lock.
  QString homeFolder() const;
  QString databaseFile() const;
  QString lockFile() const;
  /// What the paths of runs are relative to.
  QString picturesFolder() const;

  friend bool operator==(const Location&, const Location&) = default;
};

/// The library that is used where nobody named one: "Polyptych" in the user's folder for pictures.
Location defaultLocation();
/// The library in a folder, as a user typed it (relative to the current folder).
Location locationAt(const QString& folder, Location::Layout layout);

}  // namespace polyptych::library
