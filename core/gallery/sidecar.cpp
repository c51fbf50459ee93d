#include "core/gallery/sidecar.h"

#include <QFileInfo>
#include <QXmlStreamReader>
#include <QXmlStreamWriter>

#include "core/gallery/folder_handle.h"
#include "core/gallery/picture_rows.h"
#include "core/library/database.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr char kMeta[] = "adobe:ns:meta/";
constexpr char kRdf[] = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
constexpr char kXmp[] = "http://ns.adobe.com/xap/1.0/";
constexpr char kDc[] = "http://purl.org/dc/elements/1.1/";
constexpr char kOwn[] = "urn:polyptych:marks:1";
constexpr int kMaxDepth = 32;
constexpr qsizetype kMaxNames = 1000;

Error corrupt(std::string detail) {
  return {ErrorCode::Corrupt, "A file with a picture's rating and tags (.xmp) cannot be read.", std::move(detail)};
}

void writeBag(QXmlStreamWriter& xml, const char* space, const char* name, const QStringList& values) {
  if (values.isEmpty()) {
    return;
  }
  xml.writeStartElement(QLatin1String(space), QLatin1String(name));
  xml.writeStartElement(QLatin1String(kRdf), QStringLiteral("Bag"));
  for (const QString& value : values) {
    xml.writeTextElement(QLatin1String(kRdf), QStringLiteral("li"), value);
  }
  xml.writeEndElement();
  xml.writeEndElement();
}

/// Collects what a document says, as attributes or as elements.
class MarksReader {
 public:
  explicit MarksReader(const QByteArray& xmp) : m_xml(xmp) {}

  Result<PictureMarks> read() {
    while (!m_xml.atEnd()) {
      switch (m_xml.readNext()) {
        case QXmlStreamReader::DTD:
        case QXmlStreamReader::EntityReference:
          return corrupt("a document type declaration");
        case QXmlStreamReader::StartElement:
          begin();
          break;
        case QXmlStreamReader::Characters:
          m_text += m_text.size() < kMaxNameCharacters * 8 ? m_xml.text().toString() : QString();
          break;
        case QXmlStreamReader::EndElement:
          end();
          break;
        default:
          break;
      }
      if (m_path.size() > kMaxDepth) {
        return corrupt("nested too deep");
      }
    }
    if (m_xml.hasError()) {
      return corrupt(m_xml.errorString().toStdString());
    }
    return m_isRdf ? Result<PictureMarks>(marks()) : corrupt("no XMP");
  }

 private:
  void begin() {
    m_text.clear();
    const QString space = m_xml.namespaceUri().toString();
    const QString name = m_xml.name().toString();
    m_path << space + u' ' + name;
    m_isRdf = m_isRdf || (space == QLatin1String(kRdf) && name == QLatin1String("RDF"));
    if (space == QLatin1String(kRdf) && name == QLatin1String("Description")) {
      for (const QXmlStreamAttribute& attribute : m_xml.attributes()) {
        take(attribute.namespaceUri().toString() + u' ' + attribute.name().toString(), attribute.value().toString());
      }
    }
  }

  void end() {
    const QString element = m_path.takeLast();
    if (element == QLatin1String(kRdf) + QStringLiteral(" li") && m_path.size() >= 2) {
      const QString& list = m_path[m_path.size() - 2];
      if (list == QLatin1String(kDc) + QStringLiteral(" subject")) {
        addName(m_marks.tags);
      } else if (list == QLatin1String(kOwn) + QStringLiteral(" Albums")) {
        addName(m_marks.albums);
      }
    } else {
      take(element, m_text);
    }
    m_text.clear();
  }

  void take(const QString& key, const QString& value) {
    bool isNumber = false;
    // Other programs write ratings as "3.0", too.
    const double number = value.trimmed().toDouble(&isNumber);
    if (!isNumber) {
      return;
    }
    if (key == QLatin1String(kXmp) + QStringLiteral(" Rating")) {
      m_rating = static_cast<int>(qBound(-1.0, number, double(kMaxStars)));
    } else if (key == QLatin1String(kOwn) + QStringLiteral(" Stars")) {
      m_stars = static_cast<int>(qBound(0.0, number, double(kMaxStars)));
    } else if (key == QLatin1String(kOwn) + QStringLiteral(" Pick")) {
      m_isPicked = number == 1;
    } else if (key == QLatin1String(kOwn) + QStringLiteral(" Trashed") && number >= 0 && number < 1e15) {
      m_marks.trashedMs = static_cast<qint64>(number);
    }
  }

  void addName(QStringList& list) {
    const std::optional<QString> name = markName(m_text);
    if (name && list.size() < kMaxNames && !list.contains(*name)) {
      list << *name;
    }
  }

  PictureMarks marks() {
    const bool isRejected = m_rating < 0;
    m_marks.stars = isRejected ? m_stars : m_rating;
    m_marks.pick = isRejected ? -1 : m_isPicked ? 1 : 0;
    m_marks.tags.sort();
    m_marks.albums.sort();
    return m_marks;
  }

  QXmlStreamReader m_xml;
  QStringList m_path;
  QString m_text;
  PictureMarks m_marks;
  int m_rating = 0;
  int m_stars = 0;
  bool m_isPicked = false;
  bool m_isRdf = false;
};

}  // namespace

QByteArray toXmp(const PictureMarks& marks) {
  QByteArray out;
  QXmlStreamWriter xml(&out);
  xml.setAutoFormatting(true);
  xml.setAutoFormattingIndent(1);
  xml.writeStartDocument();
  xml.writeNamespace(QLatin1String(kMeta), QStringLiteral("x"));
  xml.writeStartElement(QLatin1String(kMeta), QStringLiteral("xmpmeta"));
  xml.writeNamespace(QLatin1String(kRdf), QStringLiteral("rdf"));
  xml.writeStartElement(QLatin1String(kRdf), QStringLiteral("RDF"));
  xml.writeNamespace(QLatin1String(kXmp), QStringLiteral("xmp"));
  xml.writeNamespace(QLatin1String(kDc), QStringLiteral("dc"));
  xml.writeNamespace(QLatin1String(kOwn), QStringLiteral("polyptych"));
  xml.writeStartElement(QLatin1String(kRdf), QStringLiteral("Description"));
  xml.writeAttribute(QLatin1String(kRdf), QStringLiteral("about"), QString());
  xml.writeAttribute(QLatin1String(kXmp), QStringLiteral("Rating"), QString::number(marks.pick < 0 ? -1 : marks.stars));
  if (marks.pick < 0 && marks.stars > 0) {
    xml.writeAttribute(QLatin1String(kOwn), QStringLiteral("Stars"), QString::number(marks.stars));
  }
  if (marks.pick > 0) {
    xml.writeAttribute(QLatin1String(kOwn), QStringLiteral("Pick"), QStringLiteral("1"));
  }
  if (marks.trashedMs) {
    xml.writeAttribute(QLatin1String(kOwn), QStringLiteral("Trashed"), QString::number(*marks.trashedMs));
  }
  writeBag(xml, kDc, "subject", marks.tags);
  writeBag(xml, kOwn, "Albums", marks.albums);
  xml.writeEndDocument();
  return out;
}

Result<PictureMarks> fromXmp(const QByteArray& xmp) {
  if (xmp.size() > kMaxSidecarBytes) {
    return corrupt("too long");
  }
  return MarksReader(xmp).read();
}

Result<void> writeSidecar(const QString& picture, const PictureMarks& marks) {
  const QFileInfo file(picture + QLatin1String(kSidecarEnd));
  Result<FolderHandle> folder = FolderHandle::openBeside(file.path());
  if (!folder) {
    return folder.error();
  }
  if (!marks.isEmpty()) {
    return folder->replace(file.fileName(), toXmp(marks));
  }
  if (auto removed = folder->remove(file.fileName()); !removed) {
    return removed;
  }
  return folder->sync();
}

Result<PictureMarks> readSidecar(const QString& picture) {
  const QFileInfo file(picture + QLatin1String(kSidecarEnd));
  Result<FolderHandle> folder = FolderHandle::openBeside(file.path());
  if (!folder) {
    return folder.error().code == ErrorCode::NotFound ? Result<PictureMarks>(PictureMarks()) : folder.error();
  }
  const Result<QByteArray> bytes = folder->read(file.fileName(), kMaxSidecarBytes);
  if (bytes) {
    return fromXmp(*bytes);
  }
  switch (bytes.error().code) {
    case ErrorCode::NotFound:
      return PictureMarks();
    case ErrorCode::Unsupported:
      return corrupt("too long, or no file");
    default:
      return bytes.error();
  }
}

Result<void> saveSidecar(library::Database& database, const QString& picturesFolder, qint64 picture) {
  const Result<PictureMarks> marks = readMarks(database, picture);
  if (!marks) {
    return marks.error();
  }
  const Result<QVariant> file = database.value(
      "SELECT CASE WHEN r.folder = '' THEN p.file ELSE r.folder || '/' || p.file END FROM pictures p JOIN runs r ON r.id = p.run "
      "WHERE p.id = ?",
      {picture});
  if (!file) {
    return file.error();
  }
  return writeSidecar(picturesFolder + u'/' + file->toString(), *marks);
}

}  // namespace polyptych::gallery
