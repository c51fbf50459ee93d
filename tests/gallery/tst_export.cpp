#include <archive.h>
#include <archive_entry.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QDateTime>
#include <QDirIterator>
#include <QImage>
#include <QMap>
#include <QScopeGuard>
#include <QStringDecoder>
#include <QtEndian>
#include <QtTest>

#include "core/gallery/export/export_names.h"
#include "core/gallery/export/picture_export.h"
#include "core/picture/metadata_text.h"
#include "tests/gallery/sample_library.h"

using namespace polyptych;
using base::ErrorCode;
using gallery::ExportFormat;
using gallery::ExportReport;
using gallery::PictureExportOptions;
using gallery::PictureRow;
using tests::readFile;
using tests::writeFile;

namespace {

const QByteArray kExifMark("Exif\0\0", 6);

bool goOn(qint64) { return true; }

/// Path below the folder -> bytes.
QMap<QString, QByteArray> contentOf(const QString& folder) {
  QMap<QString, QByteArray> content;
  for (QDirIterator files(folder, QDir::Files | QDir::Hidden | QDir::System, QDirIterator::Subdirectories); files.hasNext();) {
    const QString path = files.next();
    content[QDir(folder).relativeFilePath(path)] = readFile(path);
  }
  return content;
}

struct ZipFile {
  QByteArray bytes;
  qint64 madeMs = 0;
  bool isStored = false;
};

QMap<QString, ZipFile> zipContentOf(const QString& path) {
  QMap<QString, ZipFile> content;
  const std::unique_ptr<archive, decltype(&archive_read_free)> zip(archive_read_new(), archive_read_free);
  archive_read_support_format_zip(zip.get());
  if (archive_read_open_filename(zip.get(), QFile::encodeName(path).constData(), 1 << 16) != ARCHIVE_OK) {
    return {};
  }
  archive_entry* entry = nullptr;
  while (archive_read_next_header(zip.get(), &entry) == ARCHIVE_OK) {
    ZipFile file;
    file.madeMs = qint64{1000} * archive_entry_mtime(entry);
    file.isStored = QByteArray(archive_format_name(zip.get())).contains("uncompressed");
    char buffer[4096];
    for (la_ssize_t got = 0; (got = archive_read_data(zip.get(), buffer, sizeof(buffer))) > 0;) {
      file.bytes.append(buffer, static_cast<qsizetype>(got));
    }
    content[QString::fromUtf8(archive_entry_pathname_utf8(entry))] = file;
  }
  return content;
}

/// The EXIF block of a JPEG, as its segments say; empty if it has none.
QByteArray exifOfJpeg(const QByteArray& jpeg) {
  for (qsizetype at = 2; at + 4 <= jpeg.size() && static_cast<uchar>(jpeg[at]) == 0xff;) {
    const auto kind = static_cast<uchar>(jpeg[at + 1]);
    if (kind == 0xda) {
      break;
    }
    const auto length = qFromBigEndian<quint16>(jpeg.constData() + at + 2);
    const QByteArray data = jpeg.mid(at + 4, length - 2);
    if (kind == 0xe1 && data.startsWith(kExifMark)) {
      return data.mid(kExifMark.size());
    }
    at += 2 + length;
  }
  return {};
}

/// The same of a WebP; and what its header says of it, if there is one.
QByteArray exifOfWebp(const QByteArray& webp, QSize* canvas = nullptr, bool* saysSo = nullptr) {
  if (!webp.startsWith("RIFF") || qFromLittleEndian<quint32>(webp.constData() + 4) + 8 != static_cast<quint32>(webp.size())) {
    return {};
  }
  QByteArray exif;
  for (qsizetype at = 12; at + 8 <= webp.size();) {
    const QByteArray name = webp.mid(at, 4);
    const auto length = qFromLittleEndian<quint32>(webp.constData() + at + 4);
    const QByteArray data = webp.mid(at + 8, length);
    if (name == "VP8X" && canvas != nullptr && data.size() == 10) {
      const auto number = [&](int from) { return qFromLittleEndian<quint32>((data.mid(from, 3) + '\0').constData()); };
      *canvas = QSize(static_cast<int>(number(4)) + 1, static_cast<int>(number(7)) + 1);
      *saysSo = (data[0] & 0x08) != 0;
    } else if (name == "EXIF") {
      exif = data;
    }
    at += 8 + length + length % 2;
  }
  return exif;
}

/// The user comment of an EXIF block, found as its standard says: directory 0, directory of EXIF, field 0x9286 in UTF-16.
QString commentIn(const QByteArray& tiff) {
  if (!tiff.startsWith(QByteArray("MM\0\x2a", 4))) {
    return {};
  }
  const auto number16 = [&](qsizetype at) { return qFromBigEndian<quint16>(tiff.mid(at, 2).leftJustified(2, '\0').constData()); };
  const auto number32 = [&](qsizetype at) { return qFromBigEndian<quint32>(tiff.mid(at, 4).leftJustified(4, '\0').constData()); };
  const auto fieldOf = [&](qsizetype directory, quint16 tag) -> qsizetype {
    for (int i = 0; i < number16(directory); ++i) {
      if (number16(directory + 2 + 12 * i) == tag) {
        return directory + 2 + 12 * i;
      }
    }
    return tiff.size();
  };
  const qsizetype comment = fieldOf(number32(fieldOf(number32(4), 0x8769) + 8), 0x9286);
  const QByteArray text = tiff.mid(number32(comment + 8), number32(comment + 4));
  if (number16(comment + 2) != 7 || !text.startsWith(QByteArray("UNICODE\0", 8))) {
    return {};
  }
  return QStringDecoder(QStringDecoder::Utf16BE)(text.mid(8));
}

/// A file system of its own that is almost full.
class SmallDisk {
 public:
  explicit SmallDisk(const QString& folder) : m_folder(QFile::encodeName(folder)) {
    QDir().mkpath(folder);
    m_isMounted = ::mount("tmpfs", m_folder.constData(), "tmpfs", 0, "size=48k") == 0;
  }
  ~SmallDisk() {
    if (m_isMounted) {
      ::umount2(m_folder.constData(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool isMounted() const { return m_isMounted; }

 private:
  QByteArray m_folder;
  bool m_isMounted = false;
};

}  // namespace

/// What the window's Save does.
class TestExport : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_library = std::make_unique<tests::SampleLibrary>();
    m_record = tests::recordOf(1, {"a lighthouse", "바다 위의 달", "A lighthouse!"}, "2024-01-01/001-a");
    m_library->addRun(m_record);
    m_library->addPictures(m_record);
    auto reader = gallery::PictureReader::open(m_library->location);
    QVERIFY(reader.isOk());
    auto rows = (*reader)->page({}, gallery::PictureOrder::Run, 10);
    QVERIFY(rows.isOk());
    m_rows = *rows;
    QCOMPARE(m_rows.size(), std::size_t(3));
    m_options.place = m_library->temporary.filePath("saved");
  }
  void cleanup() {
    m_library.reset();
    m_options = {};
  }

  // Names

  void namesFollowTheTemplate_data() {
    QTest::addColumn<QString>("nameTemplate");
    QTest::addColumn<QString>("expected");
    const QDateTime made = QDateTime::fromMSecsSinceEpoch(1700000001010);
    QTest::newRow("as it begins") << "{index}-{prompt}"
                                  << "002-바다-위의-달";
    QTest::newRow("seed") << "{seed}"
                          << "18446744073709551361";
    QTest::newRow("day and time") << "{date} {time}" << made.toString("yyyy-MM-dd HHmmss");
    QTest::newRow("model") << "{model}"
                           << "org-tiny";
    QTest::newRow("numbers") << "{run}_{number}_{width}x{height}_{steps}_{stars}"
                             << "1_2_16x8_25_0";
    QTest::newRow("as in the library") << "{name}"
                                       << "00001-바다-위의-달";
    QTest::newRow("folders") << "{run}/{prompt}"
                             << "1/바다-위의-달";
    QTest::newRow("a word twice") << "{run}{run}"
                                  << "11";
    QTest::newRow("an unknown word stays") << "{run}-{nothing}"
                                           << "1-{nothing}";
    QTest::newRow("no brace at the end") << "{run"
                                         << "{run";
    QTest::newRow("what no file system takes") << "a<b>c:d\"e|f?g*h\\i\tj"
                                               << "a-b-c-d-e-f-g-h-i-j";
    QTest::newRow("no way out of the folder") << "../../{run}/./..//x"
                                              << "1/x";
    QTest::newRow("from the root") << "/etc/passwd"
                                   << "etc/passwd";
    QTest::newRow("not hidden") << ".{run}"
                                << "1";
    QTest::newRow("nor with an end that Windows drops") << "{run}. . "
                                                        << "1";
    QTest::newRow("nothing left") << " / . /.."
                                  << "picture";
  }
  void namesFollowTheTemplate() {
    QFETCH(QString, nameTemplate);
    QFETCH(QString, expected);
    QCOMPARE(gallery::exportName(nameTemplate, m_rows[1], tests::metadataOf(m_record, 1), 2, 3), expected);
  }

  void numbersHaveAsManyDigitsAsThereArePictures() {
    const auto metadata = tests::metadataOf(m_record, 0);
    QCOMPARE(gallery::exportName("{index}", m_rows[0], metadata, 7, 1000), QString("0007"));
    QCOMPARE(gallery::exportName("{index}", m_rows[0], metadata, 7, 123456), QString("000007"));
  }

  void longNamesAreCutBetweenCharacters() {
    // Two UTF-16 units and four bytes each.
    const QString name = gallery::exportName(QString::fromUtf8("🌕").repeated(100) + "/b", m_rows[0], {}, 1, 1);
    QCOMPARE(name, QString::fromUtf8("🌕").repeated(45) + "/b");
  }

  void unknownWordsAreFound() {
    QCOMPARE(gallery::unknownWords("{index}-{promt}-{seed}-{promt} {x}"), QStringList({"promt", "x"}));
    for (const QString& word : gallery::templateWords()) {
      QVERIFY(gallery::unknownWords('{' + word + '}').isEmpty());
      QVERIFY(!gallery::exportName('{' + word + '}', m_rows[0], tests::metadataOf(m_record, 0), 1, 1).contains(u'{'));
    }
  }

  void equalNamesAreNumbered() {
    gallery::UniqueNames names;
    QCOMPARE(names.take("a"), QString("a"));
    QCOMPARE(names.take("a-2"), QString("a-2"));
    QCOMPARE(names.take("a"), QString("a-3"));
    QCOMPARE(names.take("a-2"), QString("a-2-2"));
    // One file on a file system that takes A for a, or the two ways to write e with an accent for one.
    QCOMPARE(names.take("A"), QString("A-4"));
    QCOMPARE(names.take(QString::fromUtf8("é")), QString::fromUtf8("é"));
    QCOMPARE(names.take(QString::fromUtf8("e\u0301")), QString::fromUtf8("e\u0301-2"));
  }

  void manyEqualNamesAreNumberedSoon() {
    gallery::UniqueNames names;
    constexpr int kMany = 100'000;
    for (int i = 1; i < kMany; ++i) {
      (void)names.take("picture");
    }
    QCOMPARE(names.take("picture"), QString("picture-%1").arg(kMany));
  }

  void theNamesThatAreShownAreThoseThatAreWritten() {
    m_options.nameTemplate = "{prompt}";
    m_options.format = ExportFormat::Jpeg;
    const QStringList shown = gallery::exportNames(m_rows, m_options, 3);
    QCOMPARE(shown, QStringList({"a-lighthouse.jpg", "바다-위의-달.jpg", "a-lighthouse-2.jpg"}));
    QVERIFY(save().isOk());
    QStringList sorted = shown;
    sorted.sort();
    QCOMPARE(QStringList(contentOf(m_options.place).keys()), sorted);
  }

  // Folders

  void copiesPicturesAsTheyAre() {
    m_options.nameTemplate = "{run}/{index}";
    QList<qint64> told;
    const auto report = gallery::exportPictures(m_rows, m_options, [&](qint64 done) {
      told << done;
      return true;
    });
    QVERIFY2(report.isOk(), report ? "" : report.error().message.c_str());
    QCOMPARE(report->written, qint64(3));
    QCOMPARE(report->missing, qint64(0));
    QCOMPARE(report->place, m_options.place);
    QCOMPARE(told, QList<qint64>({1, 2, 3}));
    const auto content = contentOf(m_options.place);
    QCOMPARE(content.keys(), QStringList({"1/001.png", "1/002.png", "1/003.png"}));
    for (std::size_t i = 0; i < 3; ++i) {
      QCOMPARE(content[QString("1/00%1.png").arg(i + 1)], readFile(m_rows[i].path));
    }
  }

  void nothingThatIsThereIsWrittenOver() {
    m_options.nameTemplate = "{prompt}";
    const QString elsewhere = m_library->temporary.filePath("elsewhere");
    writeFile(m_options.place + "/a-lighthouse.png", "mine");
    QVERIFY(QFile::link(elsewhere, m_options.place + "/바다-위의-달.png"));
    const auto report = save();
    QVERIFY(report.isOk());
    QCOMPARE(report->written, qint64(3));
    QVERIFY2(!QFile::exists(elsewhere), "a link was followed");
    QCOMPARE(readFile(m_options.place + "/a-lighthouse.png"), QByteArray("mine"));
    QCOMPARE(readFile(m_options.place + "/a-lighthouse-2.png"), readFile(m_rows[0].path));
    QCOMPARE(readFile(m_options.place + "/바다-위의-달-2.png"), readFile(m_rows[1].path));
    QCOMPARE(readFile(m_options.place + "/a-lighthouse-2-2.png"), readFile(m_rows[2].path));
    // Once more into the same folder.
    const auto before = contentOf(m_options.place);
    QVERIFY(save().isOk());
    auto after = contentOf(m_options.place);
    QCOMPARE(after.size(), before.size() + 3);
    after.removeIf([&](const auto& file) { return !before.contains(file.key()); });
    QVERIFY(after == before);
  }

  void picturesThatAreGoneAreCounted() {
    QVERIFY(QFile::remove(m_rows[1].path));
    const auto report = save();
    QVERIFY(report.isOk());
    QCOMPARE(report->written, qint64(2));
    QCOMPARE(report->missing, qint64(1));
    QCOMPARE(contentOf(m_options.place).keys(), QStringList({"001-a-lighthouse.png", "003-a-lighthouse.png"}));
  }

  void withoutAnyPictureNothingIsMade_data() {
    QTest::addColumn<bool>("isZip");
    QTest::newRow("folder") << false;
    QTest::newRow("zip") << true;
  }
  void withoutAnyPictureNothingIsMade() {
    QFETCH(bool, isZip);
    m_options.isZip = isZip;
    for (const PictureRow& row : m_rows) {
      QVERIFY(QFile::remove(row.path));
    }
    const auto report = save();
    QVERIFY(!report);
    QCOMPARE(report.error().code, ErrorCode::NotFound);
    QVERIFY(QDir(m_library->temporary.path()).entryList({"saved*"}).isEmpty());
  }

  void whatCannotBeMeantIsRefused_data() {
    QTest::addColumn<bool>("hasPictures");
    QTest::addColumn<bool>("hasPlace");
    QTest::addColumn<int>("quality");
    QTest::newRow("no picture") << false << true << 90;
    QTest::newRow("no place") << true << false << 90;
    QTest::newRow("quality 0") << true << true << 0;
    QTest::newRow("quality 101") << true << true << 101;
  }
  void whatCannotBeMeantIsRefused() {
    QFETCH(bool, hasPictures);
    QFETCH(bool, hasPlace);
    QFETCH(int, quality);
    if (!hasPictures) {
      m_rows.clear();
    }
    m_options.place = hasPlace ? m_options.place : QString();
    m_options.quality = quality;
    const auto report = save();
    QVERIFY(!report);
    QCOMPARE(report.error().code, ErrorCode::InvalidArgument);
    QVERIFY(!QFile::exists(m_options.place) || !hasPlace);
  }

  // Metadata and formats

  void strippedPngsHaveThePictureAlone() {
    m_options.keepsMetadata = false;
    QVERIFY(save().isOk());
    const QByteArray png = readFile(m_options.place + "/001-a-lighthouse.png");
    const auto bytes = std::as_bytes(std::span(png.constData(), std::size_t(png.size())));
    QVERIFY(picture::checkPng(bytes, 16, 8).isOk());
    QCOMPARE(picture::readPngMetadata(bytes).error().code, ErrorCode::NotFound);
    for (const char* text : {"tEXt", "zTXt", "iTXt", "eXIf", "tIME", "lighthouse", "parameters"}) {
      QVERIFY2(!png.contains(text), text);
    }
    const QByteArray whole = readFile(m_rows[0].path);
    QVERIFY(whole.contains("lighthouse"));
    QVERIFY(picture::decodePng(bytes)->pixels ==
            picture::decodePng(std::as_bytes(std::span(whole.constData(), std::size_t(whole.size()))))->pixels);
  }

  void otherFormats_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("quality");
    QTest::addColumn<bool>("keepsMetadata");
    for (const bool keeps : {true, false}) {
      const char* word = keeps ? "kept" : "stripped";
      QTest::addRow("JPEG %s", word) << int(ExportFormat::Jpeg) << 90 << keeps;
      QTest::addRow("WebP %s", word) << int(ExportFormat::Webp) << 90 << keeps;
      QTest::addRow("WebP without loss %s", word) << int(ExportFormat::Webp) << 100 << keeps;
    }
  }
  void otherFormats() {
    QFETCH(int, format);
    QFETCH(int, quality);
    QFETCH(bool, keepsMetadata);
    m_options.format = ExportFormat(format);
    m_options.quality = quality;
    m_options.keepsMetadata = keepsMetadata;
    const auto report = save();
    QVERIFY2(report.isOk(), report ? "" : report.error().message.c_str());
    const bool isJpeg = m_options.format == ExportFormat::Jpeg;
    const QString path = m_options.place + "/002-바다-위의-달" + (isJpeg ? ".jpg" : ".webp");
    const QByteArray bytes = readFile(path);
    QImage image;
    QVERIFY(image.loadFromData(bytes, isJpeg ? "jpg" : "webp"));
    QCOMPARE(image.size(), QSize(16, 8));
    QVERIFY(qAbs(qRed(image.pixel(8, 4)) - 1) <= 3);
    if (!keepsMetadata) {
      QVERIFY(!bytes.contains("Exif") && !bytes.contains("EXIF"));
      QVERIFY(image.textKeys().isEmpty());
      return;
    }
    QSize canvas(16, 8);
    bool saysSo = true;
    const QByteArray exif = isJpeg ? exifOfJpeg(bytes) : exifOfWebp(bytes, &canvas, &saysSo);
    QCOMPARE(commentIn(exif), QString::fromStdString(picture::parametersText(tests::metadataOf(m_record, 1))));
    QCOMPARE(canvas, QSize(16, 8));
    QVERIFY(saysSo);
  }

  void textThatIsTooLongForAJpegIsLeftOut() {
    auto metadata = tests::metadataOf(m_record, 0);
    metadata.request.prompt = std::string(40'000, 'x');
    writeFile(m_rows[0].path, tests::pngOf(metadata));
    m_options.nameTemplate = "{index}";
    m_options.format = ExportFormat::Jpeg;
    QVERIFY(save().isOk());
    const QByteArray jpeg = readFile(m_options.place + "/001.jpg");
    QVERIFY(!QImage::fromData(jpeg).isNull());
    QVERIFY(exifOfJpeg(jpeg).isEmpty());
    m_options.format = ExportFormat::Webp;
    QVERIFY(save().isOk());
    QVERIFY(commentIn(exifOfWebp(readFile(m_options.place + "/001.webp"))).startsWith(QString(40'000, u'x')));
  }

  void picturesOfOthersHaveNoSettings() {
    domain::Image image{4, 4, std::vector<std::uint8_t>(48, 9)};
    const auto png = picture::encodePng(image);
    writeFile(m_rows[0].path, QByteArray(reinterpret_cast<const char*>(png->data()), qsizetype(png->size())));
    m_options.format = ExportFormat::Jpeg;
    m_options.nameTemplate = "{index}-{model}-{steps}";
    const auto report = save();
    QVERIFY(report.isOk());
    QCOMPARE(report->written, qint64(3));
    const auto content = contentOf(m_options.place);
    const QString name = content.firstKey();
    QVERIFY2(name.startsWith("001-picture-"), qPrintable(name));
    QVERIFY(exifOfJpeg(content.first()).isEmpty());
  }

  void damagedPicturesAreCounted_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("words") << QByteArray("no picture");
    QTest::newRow("many words") << QByteArray("no picture ").repeated(20);
    const QByteArray png = tests::pngOf(tests::metadataOf(tests::recordOf(1, {"a"}, {}), 0));
    QTest::newRow("cut in a chunk") << png.left(png.size() / 2);
    QTest::newRow("cut in the last chunk") << png.chopped(5);
    QTest::newRow("the beginning alone") << png.left(8);
  }
  void damagedPicturesAreCounted() {
    QFETCH(QByteArray, bytes);
    writeFile(m_rows[1].path, bytes);
    m_options.keepsMetadata = false;
    m_options.nameTemplate = "{index}";
    const auto report = save();
    QVERIFY(report.isOk());
    QCOMPARE(report->missing, qint64(1));
    QCOMPARE(contentOf(m_options.place).keys(), QStringList({"001.png", "003.png"}));
  }

  // Zip files

  void zipsKeepNamesTimesAndBytes() {
    m_options.isZip = true;
    m_options.place += ".zip";
    m_options.nameTemplate = "{run}/{prompt}";
    const auto report = save();
    QVERIFY2(report.isOk(), report ? "" : report.error().message.c_str());
    QCOMPARE(report->written, qint64(3));
    QCOMPARE(report->place, m_options.place);
    const auto content = zipContentOf(m_options.place);
    QCOMPARE(content.keys(), QStringList({"1/a-lighthouse-2.png", "1/a-lighthouse.png", "1/바다-위의-달.png"}));
    const ZipFile korean = content["1/바다-위의-달.png"];
    QCOMPARE(korean.bytes, readFile(m_rows[1].path));
    QCOMPARE(korean.madeMs / 1000, m_rows[1].madeMs / 1000);
    QVERIFY(korean.isStored);
  }

  void aZipThatIsThereStays_data() {
    QTest::addColumn<QString>("asked");
    QTest::addColumn<QString>("made");
    QTest::newRow("with its ending") << "there.zip"
                                     << "there-2.zip";
    QTest::newRow("without") << "there"
                             << "there-2.zip";
    QTest::newRow("in a folder that is made") << "new/folder/there"
                                              << "new/folder/there.zip";
    QTest::newRow("of capitals") << "other.ZIP"
                                 << "other.zip";
  }
  void aZipThatIsThereStays() {
    QFETCH(QString, asked);
    QFETCH(QString, made);
    writeFile(m_library->temporary.filePath("there.zip"), "mine");
    m_options.isZip = true;
    m_options.place = m_library->temporary.filePath(asked);
    const auto report = save();
    QVERIFY(report.isOk());
    QCOMPARE(report->place, m_library->temporary.filePath(made));
    QCOMPARE(zipContentOf(report->place).size(), 3);
    QCOMPARE(readFile(m_library->temporary.filePath("there.zip")), QByteArray("mine"));
  }

  // Being stopped, and disks

  void stoppedFoldersKeepWholeFiles() {
    const auto report = gallery::exportPictures(m_rows, m_options, [](qint64 done) { return done < 2; });
    QVERIFY(!report);
    QCOMPARE(report.error().code, ErrorCode::Cancelled);
    const auto content = contentOf(m_options.place);
    QCOMPARE(content.size(), 2);
    QCOMPARE(content.first(), readFile(m_rows[0].path));
    QCOMPARE(content.last(), readFile(m_rows[1].path));
  }

  void aStoppedZipIsTakenAway() {
    m_options.isZip = true;
    const auto report = gallery::exportPictures(m_rows, m_options, [](qint64 done) { return done < 2; });
    QVERIFY(!report);
    QCOMPARE(report.error().code, ErrorCode::Cancelled);
    QVERIFY(QDir(m_library->temporary.path()).entryList({"saved*"}).isEmpty());
  }

  void aFullDiskIsToldAndLeavesNoHalfFile_data() {
    QTest::addColumn<bool>("isZip");
    QTest::newRow("folder") << false;
    QTest::newRow("zip") << true;
  }
  void aFullDiskIsToldAndLeavesNoHalfFile() {
    QFETCH(bool, isZip);
    const QString disk = m_library->temporary.filePath("disk");
    const SmallDisk mounted(disk);
    if (!mounted.isMounted()) {
      QSKIP("a file system of its own cannot be mounted here");
    }
    for (const PictureRow& row : m_rows) {
      // Pixels that cannot be compressed: 30 kB.
      domain::Image image{100, 100, {}};
      std::uint32_t state = 1;
      for (int i = 0; i < 30'000; ++i) {
        state = state * 1664525 + 1013904223;
        image.pixels.push_back(std::uint8_t(state >> 24));
      }
      const auto png = picture::encodePng(image);
      writeFile(row.path, QByteArray(reinterpret_cast<const char*>(png->data()), qsizetype(png->size())));
    }
    m_options.place = disk + "/saved";
    m_options.isZip = isZip;
    const auto report = save();
    QVERIFY(!report);
    QCOMPARE(report.error().code, ErrorCode::DiskFull);
    QVERIFY2(report.error().message.find("Free some space") != std::string::npos, report.error().message.c_str());
    const auto content = contentOf(disk);
    QCOMPARE(content.size(), isZip ? 0 : 1);
    for (const QByteArray& bytes : content) {
      QCOMPARE(bytes, readFile(m_rows[0].path));
    }
  }

  void placesThatCannotBeWrittenAreNamed_data() {
    QTest::addColumn<bool>("isZip");
    QTest::newRow("folder") << false;
    QTest::newRow("zip") << true;
  }
  void placesThatCannotBeWrittenAreNamed() {
    QFETCH(bool, isZip);
    m_options.isZip = isZip;
    writeFile(m_library->temporary.filePath("file"), "mine");
    m_options.place = m_library->temporary.filePath("file/below");
    const auto below = save();
    QVERIFY(!below);
    QCOMPARE(below.error().code, ErrorCode::Io);
    QVERIFY2(below.error().message.find("file") != std::string::npos, below.error().message.c_str());
    QCOMPARE(readFile(m_library->temporary.filePath("file")), QByteArray("mine"));
    // The superuser may write everywhere, so that it becomes somebody else for a moment.
    constexpr uid_t kNobody = 65534;
    const bool isSuperuser = ::geteuid() == 0;
    const QString closed = m_library->temporary.filePath("closed");
    QVERIFY(QDir().mkdir(closed));
    m_options.place = closed + (isZip ? "/saved" : "");
    QCOMPARE(::chmod(QFile::encodeName(m_library->temporary.path()).constData(), 0755), 0);
    QCOMPARE(::chmod(QFile::encodeName(closed).constData(), 0555), 0);
    QVERIFY(!isSuperuser || ::seteuid(kNobody) == 0);
    const auto readOnly = save();
    QVERIFY(!isSuperuser || ::seteuid(0) == 0);
    QVERIFY(!readOnly);
    QCOMPARE(readOnly.error().code, ErrorCode::Io);
    QVERIFY2(readOnly.error().message.find("Choose another place") != std::string::npos, readOnly.error().message.c_str());
    QVERIFY(contentOf(closed).isEmpty());
  }

  // Sheets

  void sheetsAreMadeAsTheirEndingSays_data() {
    QTest::addColumn<QString>("asked");
    QTest::addColumn<QString>("made");
    QTest::newRow("PNG") << "sheet.png"
                         << "sheet.png";
    QTest::newRow("JPEG") << "sheet.jpg"
                          << "sheet.jpg";
    QTest::newRow("no ending") << "sheet"
                               << "sheet.png";
    QTest::newRow("taken") << "taken.png"
                           << "taken-2.png";
  }
  void sheetsAreMadeAsTheirEndingSays() {
    QFETCH(QString, asked);
    QFETCH(QString, made);
    const QString taken = m_library->temporary.filePath("taken.png");
    writeFile(taken, "mine");
    const auto report = gallery::exportSheet(m_rows, m_library->temporary.filePath(asked), {3, 32, 4}, goOn);
    QVERIFY2(report.isOk(), report ? "" : report.error().message.c_str());
    QCOMPARE(report->place, m_library->temporary.filePath(made));
    QCOMPARE(QImage(report->place).size(), QSize(3 * 36 + 4, 36 + 4));
    QCOMPARE(readFile(taken), QByteArray("mine"));
  }

  void aStoppedSheetIsNotWritten() {
    const QString file = m_library->temporary.filePath("sheet.png");
    const auto report = gallery::exportSheet(m_rows, file, {}, [](qint64 done) { return done < 2; });
    QVERIFY(!report);
    QCOMPARE(report.error().code, ErrorCode::Cancelled);
    QVERIFY(!QFile::exists(file));
    QCOMPARE(gallery::exportSheet({}, file, {}, goOn).error().code, ErrorCode::NotFound);
  }

 private:
  base::Result<ExportReport> save() const { return gallery::exportPictures(m_rows, m_options, goOn); }

  std::unique_ptr<tests::SampleLibrary> m_library;
  library::RunRecord m_record;
  std::vector<PictureRow> m_rows;
  PictureExportOptions m_options;
};

QTEST_GUILESS_MAIN(TestExport)
#include "tst_export.moc"
