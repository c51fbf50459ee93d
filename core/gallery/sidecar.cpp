#include "core/gallery/sidecar.h"

#include <QFileInfo>
#include <QXmlStreamReader>
#include <QXmlStreamWriter>
#include <algorithm>
#include <utility>

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
constexpr int kFrameDepth = 3;  // x:xmpmeta, rdf:RDF, rdf:Description
constexpr qsizetype kMaxNames = 1000;
/// Qt compares each attribute of an element with every one before it.
constexpr int kMaxAttributes = 1024;

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

/// Elements and attributes that say something.
enum class Node { Other, Rdf, Description, Item, Tags, Albums, Rating, Stars, Pick, Trashed };

/// Makes no text of the names: a namespace may be as long as the document, and every element be in it.
Node nodeOf(QStringView space, QStringView name) {
  struct Known {
    Node node;
    const char* space;
    const char* name;
  };
  static constexpr Known kKnown[] = {{Node::Rdf, kRdf, "RDF"},        {Node::Description, kRdf, "Description"},
                                     {Node::Item, kRdf, "li"},        {Node::Tags, kDc, "subject"},
                                     {Node::Albums, kOwn, "Albums"},  {Node::Rating, kXmp, "Rating"},
                                     {Node::Stars, kOwn, "Stars"},    {Node::Pick, kOwn, "Pick"},
                                     {Node::Trashed, kOwn, "Trashed"}};
  const auto* known = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& one) {
    return name == QLatin1String(one.name) && space == QLatin1String(one.space);
  });
  return known == std::end(kKnown) ? Node::Other : known->node;
}

/// Properties that marks are written as; they stand once.
bool isOurs(Node node) { return node != Node::Other && node != Node::Rdf && node != Node::Description && node != Node::Item; }

/// Counted without parsing: an element ends before the next '<', and an attribute has a '='.
bool hasTooManyAttributes(const QByteArray& xmp) {
  int count = 0;
  return std::any_of(xmp.begin(), xmp.end(), [&](char c) {
    count = c == '<' ? 0 : count + (c == '=' ? 1 : 0);
    return count > kMaxAttributes;
  });
}

/// Inside of a Description, before its other elements.
void writeMarks(QXmlStreamWriter& xml, const PictureMarks& marks) {
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
}

/// Collects what a document says, as attributes or as elements.
class MarksReader {
 public:
  explicit MarksReader(const QByteArray& xmp) : m_xml(xmp) {}

  static bool isReadable(const QByteArray& xmp) { return !hasTooManyAttributes(xmp) && MarksReader(xmp).read().isOk(); }

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
    const Node node = nodeOf(m_xml.namespaceUri(), m_xml.name());
    m_path.push_back(node);
    m_isRdf = m_isRdf || node == Node::Rdf;
    if (node == Node::Description) {
      for (const QXmlStreamAttribute& attribute : m_xml.attributes()) {
        take(nodeOf(attribute.namespaceUri(), attribute.name()), attribute.value());
      }
    }
  }

  void end() {
    const Node node = m_path.takeLast();
    if (node == Node::Item && m_path.size() >= 2) {
      const Node list = m_path[m_path.size() - 2];
      if (list == Node::Tags) {
        addName(m_marks.tags);
      } else if (list == Node::Albums) {
        addName(m_marks.albums);
      }
    } else {
      take(node, m_text);
    }
    m_text.clear();
  }

  void take(Node node, QStringView value) {
    bool isNumber = false;
    // Other programs write ratings as "3.0", too.
    const double number = value.trimmed().toDouble(&isNumber);
    if (!isNumber) {
      return;
    }
    if (node == Node::Rating) {
      m_rating = static_cast<int>(qBound(-1.0, number, double(kMaxStars)));
    } else if (node == Node::Stars) {
      m_stars = static_cast<int>(qBound(0.0, number, double(kMaxStars)));
    } else if (node == Node::Pick) {
      m_isPicked = number == 1;
    } else if (node == Node::Trashed && number >= 0 && number < 1e15) {
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
  QList<Node> m_path;
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
  writeMarks(xml, marks);
  xml.writeEndDocument();
  return out;
}

XmpMerge mergeXmp(const QByteArray& xmp, const PictureMarks& marks) {
  XmpMerge merge;
  if (xmp.size() > kMaxSidecarBytes || !MarksReader::isReadable(xmp)) {
    merge.xmp = toXmp(marks);
    return merge;
  }
  QXmlStreamReader in(xmp);
  QXmlStreamWriter out(&merge.xmp);
  QStringList declared;  // namespaces and prefixes
  bool isWritten = false;
  int dropped = 0;  // depth inside of a property of ours
  int depth = 0;
  while (!in.atEnd()) {
    const QXmlStreamReader::TokenType token = in.readNext();
    const bool isStart = token == QXmlStreamReader::StartElement;
    const bool isEnd = token == QXmlStreamReader::EndElement;
    const Node node = isStart ? nodeOf(in.namespaceUri(), in.name()) : Node::Other;
    depth += isStart ? 1 : 0;
    if (dropped > 0 || (isStart && isOurs(node))) {
      dropped += isStart ? 1 : isEnd ? -1 : 0;
    } else if (isStart) {
      // Declared before the element, or the writer invents prefixes; and not inside of the element before, which it would take
      // for open still.
      out.writeCharacters(QString());
      for (const QXmlStreamNamespaceDeclaration& declaration : in.namespaceDeclarations()) {
        out.writeNamespace(declaration.namespaceUri().toString(), declaration.prefix().toString());
        declared << declaration.namespaceUri().toString() << declaration.prefix().toString();
      }
      const bool isFirst = node == Node::Description && !std::exchange(isWritten, isWritten || node == Node::Description);
      if (isFirst) {
        for (const auto& [space, prefix] : {std::pair(kXmp, "xmp"), std::pair(kDc, "dc"), std::pair(kOwn, "polyptych")}) {
          if (!declared.contains(QLatin1String(space)) && !declared.contains(QLatin1String(prefix))) {
            out.writeNamespace(QLatin1String(space), QLatin1String(prefix));
          }
        }
      }
      out.writeStartElement(in.namespaceUri().toString(), in.name().toString());
      for (const QXmlStreamAttribute& attribute : in.attributes()) {
        const bool isMark = node == Node::Description && isOurs(nodeOf(attribute.namespaceUri(), attribute.name()));
        if (!isMark) {
          out.writeAttribute(attribute);
          merge.hasForeign = merge.hasForeign || (node == Node::Description && attribute.namespaceUri() != QLatin1String(kRdf));
        }
      }
      // xmpmeta, RDF and Description are the frame; whatever else there is was put in by somebody.
      merge.hasForeign = merge.hasForeign || depth > kFrameDepth;
      if (isFirst) {
        writeMarks(out, marks);
      }
    } else if (token != QXmlStreamReader::Invalid) {
      out.writeCurrentToken(in);
    }
    depth -= isEnd ? 1 : 0;
  }
  // What Qt reads leniently (a prefix that is declared twice) may not be written back so that it says the same.
  if (const Result<PictureMarks> there = fromXmp(merge.xmp); !isWritten || !there || !(*there == marks)) {
    merge = {toXmp(marks), false};
  }
  return merge;
}

Result<PictureMarks> fromXmp(const QByteArray& xmp) {
  if (xmp.size() > kMaxSidecarBytes) {
    return corrupt("too long");
  }
  if (hasTooManyAttributes(xmp)) {
    return corrupt("too many attributes");
  }
  return MarksReader(xmp).read();
}

Result<void> writeSidecar(const QString& picture, const PictureMarks& marks) {
  const QFileInfo file(picture + QLatin1String(kSidecarEnd));
  Result<FolderHandle> folder = FolderHandle::openBeside(file.path());
  if (!folder) {
    return folder.error();
  }
  const Result<QByteArray> before = folder->read(file.fileName(), kMaxSidecarBytes);
  const XmpMerge merge = before ? mergeXmp(*before, marks) : XmpMerge{toXmp(marks), false};
  if (!marks.isEmpty() || merge.hasForeign) {
    return folder->replace(file.fileName(), merge.xmp);
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
