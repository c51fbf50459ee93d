#include "core/gallery/run_folder.h"

#include <span>

#include "core/gallery/difference.h"
#include "core/gallery/picture_name.h"
#include "core/picture/png.h"

namespace polyptych::gallery {

using base::Error;
using base::ErrorCode;
using base::Result;

Result<std::unique_ptr<RunFolder>> RunFolder::open(const QString& path, QString fingerprint,
                                                   FolderHandle::BeforeChange beforeChange) {
  Result<FolderHandle> handle = FolderHandle::open(path, std::move(beforeChange));
  if (!handle) {
    return handle.error();
  }
  if (const Result<void> prepared = handle->prepareForWriting(); !prepared) {
    return prepared.error();
  }
  return std::make_unique<RunFolder>(std::move(*handle), std::move(fingerprint));
}

QString RunFolder::nameOf(const domain::PictureMetadata& picture) {
  return pictureName(picture.request.index, picture.request.prompt);
}

Result<RunFolder::Saved> RunFolder::save(const domain::PictureMetadata& asked, const std::vector<std::byte>& png,
                                         IfOther ifOther) {
  const auto refuse = [](std::string detail) {
    return Error{ErrorCode::Corrupt, "A worker sent a picture that is not the one it was asked for.", std::move(detail)};
  };
  if (const auto whole = picture::checkPng(png, asked.request.width, asked.request.height); !whole) {
    return refuse(whole.error().message);
  }
  const Result<domain::PictureMetadata> metadata = picture::readPngMetadata(png);
  if (!metadata || *metadata != asked) {
    return refuse(metadata ? differenceOf(*metadata, asked) : metadata.error().message);
  }
  const QByteArray bytes = QByteArray::fromRawData(reinterpret_cast<const char*>(png.data()), static_cast<qsizetype>(png.size()));
  const QString name = nameOf(asked);
  const Result<void> written = m_folder.writeNew(name, bytes);
  if (written) {
    return Saved::Written;
  }
  if (written.error().code != ErrorCode::AlreadyExists) {
    return written.error();
  }
  const Result<QByteArray> there = m_folder.read(name, static_cast<qint64>(picture::kMaxPngBytes));
  if (there && *there == bytes) {
    return Saved::Equal;
  }
  if (ifOther == IfOther::Keep) {
    return Saved::Different;
  }
  const auto isOfThisRun = [&] {
    const auto other =
        picture::readPngMetadata(std::as_bytes(std::span(there->constData(), static_cast<std::size_t>(there->size()))));
    return other && *other == asked;
  };
  if (!there || !isOfThisRun()) {
    return Error{ErrorCode::AlreadyExists,
                 "The file '" + (path() + '/' + name).toStdString() +
                     "' was put there by somebody else and is not overwritten; move it away.",
                 {}};
  }
  if (const Result<void> replaced = m_folder.replace(name, bytes); !replaced) {
    return replaced.error();
  }
  return Saved::Written;
}

QByteArray RunFolder::rowOf(const domain::PictureMetadata& picture, const PictureOrigin& origin, const QDateTime& time) const {
  return toLine({picture, origin, nameOf(picture), m_fingerprint, time, std::nullopt});
}

QByteArray RunFolder::failureRowOf(const domain::PictureMetadata& picture, const PictureOrigin& origin, const Error& error,
                                   const QDateTime& time) const {
  return toLine({picture, origin, nameOf(picture), m_fingerprint, time, error});
}

Result<void> RunFolder::append(const QByteArray& rows) { return m_folder.append(QLatin1String(kManifestName), rows); }

}  // namespace polyptych::gallery
