#include "core/gallery/output_folder.h"

#include <QCryptographicHash>
#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "core/gallery/difference.h"
#include "core/picture/metadata_text.h"
#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr qint64 kMaxManifestBytes = qint64(4) << 30;
constexpr int kFingerprintDigits = 16;
constexpr char kAgain[] = " Repeat that run with the same settings to go on with it, or";

std::span<const std::byte> bytesOf(const QByteArray& bytes) {
  return std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

/// True if a line without an end was cut out of a row of ours.
bool isTornRow(const QByteArray& line) {
  const QByteArray beginning(kRowBeginning);
  return line.startsWith(beginning) || beginning.startsWith(line) || line.count('\0') == line.size();
}

}  // namespace

QString fingerprintOf(const FolderRun& run) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  for (const domain::PictureMetadata& picture : run.pictures) {
    const std::string json = picture::metadataJson(picture);
    hash.addData(QByteArrayView(json.data(), static_cast<qsizetype>(json.size())));
    hash.addData(QByteArrayView("\n"));
  }
  hash.addData(QCryptographicHash::hash(run.initialLatents, QCryptographicHash::Sha256));
  return QString::fromLatin1(hash.result().toHex().left(kFingerprintDigits));
}

OutputFolder::OutputFolder(FolderHandle folder, FolderRun run)
    : m_run(std::move(run)),
      m_files(
          std::make_unique<RunFolder>(std::move(folder), m_run.fingerprint.isEmpty() ? fingerprintOf(m_run) : m_run.fingerprint)),
      m_isFinished(m_run.pictures.size(), false) {
  m_names.reserve(static_cast<qsizetype>(m_run.pictures.size()));
  for (const domain::PictureMetadata& picture : m_run.pictures) {
    m_names << RunFolder::nameOf(picture);
  }
}

Result<std::unique_ptr<OutputFolder>> OutputFolder::open(const QString& path, FolderRun run,
                                                         FolderHandle::BeforeChange beforeChange) {
  Result<FolderHandle> handle = FolderHandle::open(path, std::move(beforeChange));
  if (!handle) {
    return handle.error();
  }
  return open(std::move(*handle), std::move(run));
}

Result<std::unique_ptr<OutputFolder>> OutputFolder::open(FolderHandle held, FolderRun run) {
  std::unique_ptr<OutputFolder> folder(new OutputFolder(std::move(held), std::move(run)));
  if (const Result<void> compared = folder->compare(); !compared) {
    return compared.error();
  }
  return folder;
}

std::size_t OutputFolder::finishedCount() const {
  return static_cast<std::size_t>(std::count(m_isFinished.begin(), m_isFinished.end(), true));
}

Error OutputFolder::clash(const std::string& why) const {
  return {ErrorCode::AlreadyExists,
          "The folder '" + path().toStdString() + "' " + why +
              (why.ends_with(" or") ? " choose another folder." : " Choose another folder."),
          {}};
}

Result<void> OutputFolder::compare() {
  const Result<QStringList> listed = m_files->handle().names();
  if (!listed) {
    return listed.error();
  }
  const QSet<QString> present(listed->begin(), listed->end());
  QByteArray there;
  if (Result<QByteArray> text = m_files->handle().read(QLatin1String(kManifestName), kMaxManifestBytes)) {
    there = std::move(*text);
    if (auto read = readManifest(there, present); !read) {
      return read;
    }
  } else if (text.error().code != ErrorCode::NotFound) {
    return text.error().code == ErrorCode::Unsupported ? clash("has something else named manifest.jsonl.") : text.error();
  }
  for (std::size_t index = 0; index < size(); ++index) {
    if (!isFinished(index) && present.contains(nameOf(index))) {
      if (auto adopted = adopt(index); !adopted) {
        return adopted;
      }
    }
  }
  if (finishedCount() < size()) {
    if (auto prepared = m_files->handle().prepareForWriting(); !prepared) {
      return prepared;
    }
  }
  Result<void> written;
  if (m_manifest != there) {
    written = m_files->handle().replace(QLatin1String(kManifestName), m_manifest);
  }
  m_manifest.clear();
  return written;
}

Result<void> OutputFolder::readManifest(const QByteArray& text, const QSet<QString>& present) {
  qsizetype at = 0;
  for (int number = 1; at < text.size(); ++number) {
    const qsizetype end = text.indexOf('\n', at);
    const bool isWhole = end >= 0;
    const QByteArray line = text.mid(at, isWhole ? end - at : -1);
    at = isWhole ? end + 1 : text.size();
    const Result<ManifestRow> row = rowFromLine(line);
    if (!row) {
      if (!isWhole && isTornRow(line)) {
        break;
      }
      return clash("has a manifest.jsonl whose line " + std::to_string(number) + " is not from this program or is damaged.");
    }
    if (auto taken = takeRow(*row, line, present); !taken) {
      return taken;
    }
  }
  if (m_isAnotherRun) {
    return clash(std::string("holds another run: pictures that are still to be made differ, or it began from other latents.") +
                 kAgain);
  }
  return {};
}

std::optional<std::size_t> OutputFolder::positionOf(std::int64_t index) const {
  const auto found = std::ranges::lower_bound(m_run.pictures, index, {},
                                              [](const domain::PictureMetadata& picture) { return picture.request.index; });
  return found != m_run.pictures.end() && found->request.index == index
             ? std::optional(static_cast<std::size_t>(found - m_run.pictures.begin()))
             : std::nullopt;
}

Result<void> OutputFolder::takeRow(const ManifestRow& row, const QByteArray& line, const QSet<QString>& present) {
  const std::int64_t index = row.metadata.request.index;
  const std::optional<std::size_t> found = positionOf(index);
  if (!found) {
    return clash(std::string("holds another run, with more pictures.") + kAgain);
  }
  const std::size_t position = *found;
  // The run's own name is over what was asked for: under it, another plan is what the lack of memory made of it.
  const bool isOurs = row.run == m_files->fingerprint();
  m_hasOurRows = m_hasOurRows || isOurs;
  if (row.metadata != m_run.pictures[position] && !(isOurs && isLowerRung(row.metadata, m_run.pictures[position]))) {
    return clash("holds another run: its picture " + std::to_string(index) + " has another " +
                 differenceOf(row.metadata, m_run.pictures[position]) + "." + kAgain);
  }
  m_isAnotherRun = m_isAnotherRun || !isOurs || row.file != nameOf(position);
  if (!row.error && present.contains(row.file) && !m_isFinished[position]) {
    m_isFinished[position] = true;
    m_origins[position] = row.origin;
    m_manifest += line + '\n';
  }
  return {};
}

Result<void> OutputFolder::adopt(std::size_t position) {
  const domain::PictureMetadata& asked = m_run.pictures[position];
  const std::string name = nameOf(position).toStdString();
  const Result<QByteArray> bytes = m_files->handle().read(nameOf(position), static_cast<qint64>(picture::kMaxPngBytes));
  if (!bytes) {
    return bytes.error().code == ErrorCode::Unsupported ? clash("has something else named '" + name + "'.") : bytes.error();
  }
  const Result<domain::PictureMetadata> metadata = picture::readPngMetadata(bytesOf(*bytes));
  if (!metadata) {
    return clash("has a file '" + name + "' that was not made by this run (" + metadata.error().message + ").");
  }
  if (*metadata != asked && !(m_hasOurRows && isLowerRung(*metadata, asked))) {
    return clash("has a file '" + name + "' of another run: its " + differenceOf(*metadata, asked) + " differs.");
  }
  if (const auto whole = picture::checkPng(bytesOf(*bytes), metadata->request.width, metadata->request.height); !whole) {
    return clash("has a damaged file '" + name + "'; remove it to have the picture made again.");
  }
  m_isFinished[position] = true;
  m_origins[position] = {};
  m_manifest += m_files->rowOf(*metadata, {}, QDateTime::currentDateTimeUtc());
  return {};
}

}  // namespace polyptych::gallery
