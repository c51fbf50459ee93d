#include <zlib.h>

#include <QtTest>

#include "core/picture/metadata_text.h"
#include "core/picture/png.h"
#include "tests/picture/sample_picture.h"

using namespace polyptych;
using base::ErrorCode;
using Bytes = std::vector<std::byte>;

namespace {

constexpr std::size_t kHeaderEnd = 8 + 25;  // signature and IHDR

Bytes sampleFile() { return *picture::encodePng(tests::sampleImage(), tests::sampleMetadata()); }

std::string_view textOf(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void appendBigEndian(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(value >> shift & 0xFF));
  }
}

Bytes chunk(std::string_view type, std::string_view data) {
  Bytes out;
  appendBigEndian(out, static_cast<std::uint32_t>(data.size()));
  const std::string body = std::string(type) + std::string(data);
  for (const char c : body) {
    out.push_back(static_cast<std::byte>(c));
  }
  appendBigEndian(out, static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size())));
  return out;
}

/// The file without its text chunks, and `inserted` in their place.
Bytes withChunks(const Bytes& inserted) {
  const Bytes file = sampleFile();
  const std::size_t dataAt = textOf(file).find("IDAT") - 4;
  Bytes out(file.begin(), file.begin() + std::ptrdiff_t(kHeaderEnd));
  out.insert(out.end(), inserted.begin(), inserted.end());
  out.insert(out.end(), file.begin() + std::ptrdiff_t(dataAt), file.end());
  return out;
}

const std::string kKeyword("parameters\0", 11);

std::string packed(const std::string& text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string out(size, '\0');
  if (compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
               static_cast<uLong>(text.size())) != Z_OK) {
    qFatal("zlib does not pack");
  }
  out.resize(size);
  return out;
}

Bytes internationalChunk(std::string_view text) {
  return chunk("iTXt", std::string("polyptych\0\0\0\0\0", 14) + std::string(text));
}

}  // namespace

class TestPng : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aPictureIsReadBack() {
    const Bytes file = sampleFile();
    const auto image = picture::decodePng(file);
    QVERIFY(image.isOk());
    QVERIFY(*image == tests::sampleImage());
    QVERIFY(*picture::readPngMetadata(file) == tests::sampleMetadata());
    QVERIFY(picture::checkPng(file, 16, 8).isOk());
  }

  void textStandsBeforeThePictureAndTellsNoTime() {
    const Bytes file = sampleFile();
    const std::string_view text = textOf(file);
    QVERIFY(text.substr(kHeaderEnd + 4, 15) == std::string_view("tEXtparameters\0", 15));
    const std::size_t object = text.find("iTXtpolyptych");
    QVERIFY(object != std::string_view::npos && object < text.find("IDAT"));
    QVERIFY(text.find("polyptych", object + 8) == std::string_view::npos);
    QVERIFY(text.find("tIME") == std::string_view::npos);
  }

  void sizesOfEveryKind_data() {
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("height");
    QTest::newRow("one pixel") << 1 << 1;
    QTest::newRow("one row") << 8192 << 1;
    QTest::newRow("one column") << 1 << 8192;
    QTest::newRow("square") << 512 << 512;
  }
  void sizesOfEveryKind() {
    QFETCH(int, width);
    QFETCH(int, height);
    const auto image = tests::sampleImage(width, height);
    const auto file = picture::encodePng(image, tests::sampleMetadata());
    QVERIFY(file.isOk());
    QVERIFY(*picture::decodePng(*file) == image);
  }

  void aPlainPictureOfTheGreatestSizeIsNotTakenForTooShort() {
    domain::Image image{4096, 4096, std::vector<std::uint8_t>(std::size_t(3) * 4096 * 4096, 0)};
    const auto file = picture::encodePng(image, tests::sampleMetadata());
    QVERIFY(file.isOk());
    QVERIFY(picture::checkPng(*file, 4096, 4096).isOk());
  }

  void theSameInputGivesTheSameBytes() {
    QVERIFY(sampleFile() == sampleFile());
    domain::PictureMetadata other = tests::sampleMetadata();
    other.request.seed = 1;
    QVERIFY(*picture::encodePng(tests::sampleImage(), other) != sampleFile());
  }

  void textOfOtherScriptsIsUtf8() {
    domain::PictureMetadata metadata = tests::sampleMetadata();
    metadata.request.prompt = std::string("caf\xC3\xA9 \xED\x95\x9C\0!", 11);
    const Bytes file = *picture::encodePng(tests::sampleImage(), metadata);
    QVERIFY(*picture::readPngMetadata(file) == metadata);
    QVERIFY(textOf(file).find("iTXtparameters") != std::string_view::npos);
    QVERIFY(textOf(file).find("caf\xC3\xA9 \xED\x95\x9C\xEF\xBF\xBD!\nNegative prompt: blurry\n") != std::string_view::npos);
  }

  void thePromptMayBeAsLongAsARequestAllows() {
    domain::PictureMetadata metadata = tests::sampleMetadata();
    metadata.request.prompt.assign(domain::kMaxPromptBytes, 'x');
    metadata.request.negativePrompt = std::string(domain::kMaxPromptBytes, '\x01');
    const Bytes file = *picture::encodePng(tests::sampleImage(), metadata);
    QVERIFY(*picture::readPngMetadata(file) == metadata);
    QVERIFY(picture::checkPng(file, 16, 8).isOk());
  }

  void refusesImagesThatAreNone() {
    for (const domain::Image& image : {domain::Image{}, domain::Image{2, 2, std::vector<std::uint8_t>(11)},
                                       domain::Image{-1, 2, {}}, domain::Image{8193, 1, std::vector<std::uint8_t>(8193 * 3)}}) {
      const auto file = picture::encodePng(image, tests::sampleMetadata());
      QVERIFY(!file);
      QCOMPARE(file.error().code, ErrorCode::InvalidArgument);
    }
  }

  void everyCutIsSeen() {
    const Bytes file = sampleFile();
    const std::size_t dataAt = textOf(file).find("IDAT");
    for (std::size_t length = 0; length < file.size(); ++length) {
      const auto cut = std::span(file).first(length);
      const auto checked = picture::checkPng(cut, 16, 8);
      QVERIFY(!checked);
      QCOMPARE(checked.error().code, ErrorCode::Corrupt);
      if (length < dataAt - 12) {
        QVERIFY(!picture::readPngMetadata(cut));
      }
    }
  }

  void everyChangedByteIsSeen() {
    const Bytes file = sampleFile();
    for (std::size_t at = 0; at < file.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        Bytes changed = file;
        changed[at] ^= static_cast<std::byte>(flip);
        QVERIFY2(!picture::checkPng(changed, 16, 8), qPrintable(QString::number(at)));
      }
    }
  }

  void bytesBehindTheEndAreSeen() {
    Bytes file = sampleFile();
    file.push_back(std::byte{0});
    QVERIFY(!picture::checkPng(file, 16, 8));
  }

  void anotherSizeIsSeen() {
    const auto checked = picture::checkPng(sampleFile(), 16, 16);
    QVERIFY(!checked);
    QVERIFY(QString::fromStdString(checked.error().message).contains("16x8"));
  }

  void otherKindsOfPngAreRefused() {
    // Bit depth 16, colour type RGBA and interlacing in the header, checksum made right again.
    const auto header = [](char depth, char colour, char interlace) {
      const char fields[13] = {0, 0, 0, 16, 0, 0, 0, 8, depth, colour, 0, 0, interlace};
      Bytes file = sampleFile();
      const Bytes made = chunk("IHDR", std::string_view(fields, sizeof fields));
      std::copy(made.begin(), made.end(), file.begin() + 8);
      return file;
    };
    QVERIFY(picture::decodePng(header(8, 2, 0)).isOk());
    for (const Bytes& file : {header(16, 2, 0), header(8, 6, 0), header(8, 2, 1)}) {
      const auto image = picture::decodePng(file);
      QVERIFY(!image);
      QCOMPARE(image.error().code, ErrorCode::Unsupported);
    }
  }

  void aHugeSizeInASmallFileReservesNothing() {
    const char fields[13] = {0, 0, 0x20, 0, 0, 0, 0x20, 0, 8, 2, 0, 0, 0};  // 8192 x 8192
    Bytes file = sampleFile();
    const Bytes made = chunk("IHDR", std::string_view(fields, sizeof fields));
    std::copy(made.begin(), made.end(), file.begin() + 8);
    const auto image = picture::decodePng(file);
    QVERIFY(!image);
    QCOMPARE(image.error().detail, std::string("too short for its size"));
  }

  void aPictureWithoutOurTextIsToldApart() {
    for (const Bytes& file : {withChunks({}), withChunks(chunk("tEXt", std::string("polyptych\0{}", 12))),
                              withChunks(chunk("iTXt", std::string("polyptycho\0\0\0\0\0{}", 17)))}) {
      const auto metadata = picture::readPngMetadata(file);
      QVERIFY(!metadata);
      QCOMPARE(metadata.error().code, ErrorCode::NotFound);
      QVERIFY(picture::decodePng(file).isOk());
    }
  }

  void damagedTextIsToldApart() {
    QVERIFY(picture::readPngMetadata(withChunks(internationalChunk(picture::metadataJson(tests::sampleMetadata())))).isOk());
    for (const Bytes& inserted :
         {internationalChunk("{"), internationalChunk(""), internationalChunk(std::string(100000, '['))}) {
      const auto metadata = picture::readPngMetadata(withChunks(inserted));
      QVERIFY(!metadata);
      QCOMPARE(metadata.error().code, ErrorCode::Corrupt);
    }
    // Cut inside the fields before the text, or packed in a way that nobody knows.
    for (const std::string& data :
         {std::string("polyptych"), std::string("polyptych\0\0\0en", 14), std::string("polyptych\0\1\1\0\0{}", 16)}) {
      QCOMPARE(picture::readPngMetadata(withChunks(chunk("iTXt", data))).error().code, ErrorCode::NotFound);
    }
  }

  void textIsReadHoweverItIsKept_data() {
    const std::string latin1("Caf\xE9, Steps: 20");
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("data");
    const auto row = [](const char* name, const char* type, const std::string& data) {
      QTest::newRow(name) << QByteArray(type) << QByteArray::fromStdString(data);
    };
    row("tEXt", "tEXt", kKeyword + latin1);
    row("zTXt", "zTXt", kKeyword + std::string(1, '\0') + packed(latin1));
    row("iTXt", "iTXt", kKeyword + std::string("\0\0\0\0", 4) + "Café, Steps: 20");
    row("packed iTXt", "iTXt", kKeyword + std::string("\1\0en\0words\0", 11) + packed("Café, Steps: 20"));
  }
  void textIsReadHoweverItIsKept() {
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, data);
    const Bytes file = withChunks(chunk(type.toStdString(), data.toStdString()));
    QCOMPARE(picture::readPngText(file, "parameters").value(), std::string("Café, Steps: 20"));
    QCOMPARE(picture::readPngText(file, "parameter").error().code, ErrorCode::NotFound);
    QCOMPARE(picture::readPngMetadata(file).error().code, ErrorCode::NotFound);
    QCOMPARE(picture::readPngText(Bytes(file.begin(), file.begin() + 50), "parameters").error().code, ErrorCode::Corrupt);
  }

  void ourOwnTextIsReadThoughSomebodyPackedIt() {
    const std::string json = picture::metadataJson(tests::sampleMetadata());
    const Bytes file = withChunks(chunk("iTXt", std::string("polyptych\0\1\0\0\0", 14) + packed(json)));
    QVERIFY(*picture::readPngMetadata(file) == tests::sampleMetadata());
  }

  void packedTextThatIsDamagedOrEndlessIsRefused() {
    const std::string whole = packed(std::string(100000, 'a') + "Steps: 20, Sampler: Euler");
    const auto read = [](const std::string& stream) {
      return picture::readPngText(withChunks(chunk("zTXt", kKeyword + std::string(1, '\0') + stream)), "parameters");
    };
    QVERIFY(read(whole).isOk());
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      QCOMPARE(read(whole.substr(0, cut)).error().code, ErrorCode::Corrupt);
    }
    std::string damaged = whole;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);  // its checksum
    QCOMPARE(read(damaged).error().code, ErrorCode::Corrupt);
    // A wish for a dictionary.
    QCOMPARE(read(std::string("\x78\xBB\0\0\0\1", 6)).error().code, ErrorCode::Corrupt);
    // 32 kB that would be 33 MB.
    const std::string endless = packed(std::string(picture::kMaxMetadataBytes + 1, 'a'));
    QVERIFY(endless.size() < 50'000);
    QCOMPARE(read(endless).error().code, ErrorCode::Corrupt);
    QVERIFY(read(packed(std::string(picture::kMaxMetadataBytes, 'a'))).isOk());
  }
};

QTEST_APPLESS_MAIN(TestPng)
#include "tst_png.moc"
