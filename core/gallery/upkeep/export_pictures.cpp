#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSet>
#include <QTimeZone>

#include "core/gallery/folder_handle.h"
#include "core/gallery/manifest_row.h"
#include "core/gallery/picture_name.h"
#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/transfer.h"
#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kPage = 1000;
constexpr int kDigits = 5;
/// File systems take 255 bytes; a number and endings follow.
constexpr qsizetype kMaxNameBytes = 200;

QString valueOf(const QString& word, const PictureDetails& picture) {
  const domain::PictureMetadata& metadata = picture.metadata;
  const auto padded = [](qint64 number) { return QString::number(number).rightJustified(kDigits, u'0'); };
  if (word == QLatin1String("run")) {
    return QString::number(picture.row.runNumber).rightJustified(3, u'0');
  }
  if (word == QLatin1String("index")) {
    return padded(picture.row.index);
  }
  if (word == QLatin1String("prompt")) {
    return slugOf(metadata.request.prompt);
  }
  if (word == QLatin1String("seed")) {
    return QString::number(metadata.request.seed);
  }
  if (word == QLatin1String("model")) {
    return slugOf(metadata.modelName);
  }
  if (word == QLatin1String("scheduler")) {
    return slugOf(metadata.request.scheduler);
  }
  if (word == QLatin1String("stars")) {
    return QString::number(picture.row.stars);
  }
  if (word == QLatin1String("date")) {
    return QDateTime::fromMSecsSinceEpoch(picture.row.madeMs).date().toString(Qt::ISODate);
  }
  return {};
}

bool isAllowed(QChar c) { return c.isLetterOrNumber() || c.isMark() || c.isSurrogate() || QStringLiteral("-_., ()").contains(c); }

/// A name without its ending; nothing for a template with an unknown word.
std::optional<QString> filled(const QString& nameTemplate, const PictureDetails& picture) {
  QString name;
  for (qsizetype at = 0; at < nameTemplate.size();) {
    if (nameTemplate[at] != u'{') {
      name += isAllowed(nameTemplate[at]) ? nameTemplate[at] : QChar(u'-');
      ++at;
      continue;
    }
    const qsizetype end = nameTemplate.indexOf(u'}', at);
    const QString value = end < 0 ? QString() : valueOf(nameTemplate.mid(at + 1, end - at - 1), picture);
    if (value.isEmpty()) {
      return std::nullopt;
    }
    name += value;
    at = end + 1;
  }
  while (name.toUtf8().size() > kMaxNameBytes) {
    name.chop(name.back().isLowSurrogate() ? 2 : 1);
  }
  return name.startsWith(u'.') || name.trimmed().isEmpty() ? std::nullopt : std::optional<QString>(name);
}

Error wrongTemplate(const QString& nameTemplate) {
  return {ErrorCode::InvalidArgument,
          "The name '" + nameTemplate.toStdString() +
              "' cannot be used; it may have letters, digits and, in braces, run, index, prompt, seed, model, scheduler, stars "
              "and date.",
          {}};
}

/// Copies one page after the other.
class Export {
 public:
  Export(PictureReader& reader, FolderHandle& folder, const ExportOptions& options)
      : m_reader(reader), m_folder(folder), m_options(options) {}

  Result<Exported> run() {
    const Result<QStringList> there = m_folder.names();
    const Result<qint64> total = m_reader.count(m_options.filter);
    if (!there || !total) {
      return !there ? there.error() : total.error();
    }
    m_names = QSet<QString>(there->begin(), there->end());
    std::optional<PictureKey> after;
    for (;;) {
      const Result<std::vector<PictureRow>> page = m_reader.page(m_options.filter, PictureOrder::Run, kPage, after);
      if (!page) {
        return page.error();
      }
      if (page->empty()) {
        break;
      }
      for (const PictureRow& row : *page) {
        if (auto copied = copy(row); !copied) {
          return copied.error();
        }
      }
      if (auto written = m_folder.append(QLatin1String(kManifestName), m_rows); !written) {
        return written.error();
      }
      m_rows.clear();
      after = page->back().key();
      if (m_options.progress) {
        m_options.progress(m_exported.pictures, *total);
      }
    }
    if (auto synced = m_folder.sync(); !synced) {
      return synced.error();
    }
    return std::move(m_exported);
  }

 private:
  Result<void> copy(const PictureRow& row) {
    const Result<std::optional<PictureDetails>> details = m_reader.details(row.id);
    if (!details) {
      return details.error();
    }
    QFile file(row.path);
    if (!*details || !file.open(QIODevice::ReadOnly) || file.size() > static_cast<qint64>(picture::kMaxPngBytes)) {
      m_exported.missing.push_back(row.path);
      return {};
    }
    const std::optional<QString> stem = filled(m_options.nameTemplate, **details);
    if (!stem) {
      return wrongTemplate(m_options.nameTemplate);
    }
    const QString name = freeName(*stem);
    if (auto written = m_folder.writeNew(name, file.readAll()); !written) {
      return written;
    }
    m_names << name;
    if (!(*details)->marks.isEmpty()) {
      if (auto written = m_folder.writeNew(name + QLatin1String(kSidecarEnd), toXmp((*details)->marks)); !written) {
        return written;
      }
    }
    m_rows += toLine({(*details)->metadata, (*details)->origin, name, QString::number(row.runId),
                      QDateTime::fromMSecsSinceEpoch(row.madeMs, QTimeZone::utc()), std::nullopt});
    ++m_exported.pictures;
    return {};
  }

  QString freeName(const QString& stem) const {
    for (int i = 1;; ++i) {
      const QString name = (i == 1 ? stem : stem + QStringLiteral("-%1").arg(i)) + QStringLiteral(".png");
      if (!m_names.contains(name) && !m_names.contains(name + QLatin1String(kSidecarEnd))) {
        return name;
      }
    }
  }

  PictureReader& m_reader;
  FolderHandle& m_folder;
  const ExportOptions& m_options;
  Exported m_exported;
  QSet<QString> m_names;
  QByteArray m_rows;
};

}  // namespace

Result<Exported> exportPictures(PictureReader& reader, const QString& folder, const ExportOptions& options) {
  PictureDetails sample;
  sample.metadata.modelName = sample.metadata.request.scheduler = "x";
  if (!filled(options.nameTemplate, sample)) {
    return wrongTemplate(options.nameTemplate);
  }
  Result<FolderHandle> handle = FolderHandle::open(folder);
  if (!handle) {
    return handle.error();
  }
  if (QFileInfo::exists(handle->path() + u'/' + QLatin1String(kManifestName))) {
    return Error{
        ErrorCode::AlreadyExists,
        "The folder '" + folder.toStdString() + "' has pictures of a run already (manifest.jsonl). Choose another folder.",
        {}};
  }
  if (auto prepared = handle->prepareForWriting(); !prepared) {
    return prepared.error();
  }
  return Export(reader, *handle, options).run();
}

}  // namespace polyptych::gallery
