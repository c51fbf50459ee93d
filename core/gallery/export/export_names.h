#pragma once

#include <QHash>
#include <QString>

#include "core/domain/request.h"
#include "core/gallery/picture_reader.h"

namespace polyptych::gallery {

/// Words in braces that a name template may have.
QStringList templateWords();
/// Those in `nameTemplate` that are none of them.
QStringList unknownWords(const QString& nameTemplate);

/// A file's name without its ending, out of a template like "{date}/{index}-{prompt}": a slash makes a folder. Whatever stands in
/// a prompt or a model's name, the result is a relative path that every file system can keep.
/// @param number  of the picture among those that are exported, from 1. @param count  how many they are
QString exportName(const QString& nameTemplate, const PictureRow& row, const domain::PictureMetadata& metadata, qint64 number,
                   qint64 count);

/// Numbers names that came before: "a", "a-2", "a-3". File systems that take A for a are thought of.
class UniqueNames {
 public:
  QString take(const QString& name);

 private:
  QHash<QString, int> m_taken;  ///< name without case: the last number behind it
};

}  // namespace polyptych::gallery
