#pragma once

#include <QString>
#include <QStringList>
#include <optional>
#include <vector>

namespace polyptych::gallery {

/// What people say about a picture. Kept in the library's rows and in the picture's sidecar.
struct PictureMarks {
  int stars = 0;                    ///< 0 to 5
  int pick = 0;                     ///< -1 rejected, 0, 1 picked
  QStringList tags;                 ///< sorted, each once
  QStringList albums;               ///< as tags
  std::optional<qint64> trashedMs;  ///< since 1970, UTC; nothing: not in the trash

  bool isEmpty() const { return *this == PictureMarks(); }
  friend bool operator==(const PictureMarks&, const PictureMarks&) = default;
};

/// What is to be different of some pictures; what is not given stays as it is.
struct MarkChange {
  std::vector<qint64> pictures;  ///< PictureRow::id
  std::optional<int> stars;      ///< 0 to 5
  std::optional<int> pick;       ///< -1 rejected, 0 neither, 1 picked
  QStringList addedTags;
  QStringList removedTags;
  QString addedAlbum;
  QString removedAlbum;
  std::optional<bool> isTrashed;
};

inline constexpr int kMaxStars = 5;
inline constexpr qsizetype kMaxNameCharacters = 200;

/// A tag's or an album's name as it is kept: NFC, one blank for any white space, none around it. Nothing for a name that is
/// empty, longer than kMaxNameCharacters or has control characters in it.
std::optional<QString> markName(const QString& typed);

}  // namespace polyptych::gallery
