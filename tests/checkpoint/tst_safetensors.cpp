#include <QTemporaryDir>
#include <QTest>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/weight_set.h"

using namespace polyptych;
using namespace polyptych::checkpoint;

namespace {

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> fileOf(std::string_view header, std::size_t payload) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text += static_cast<char>((header.size() >> (8 * i)) & 0xff);
  }
  text += header;
  for (std::size_t i = 0; i < payload; ++i) {
    text += static_cast<char>(i);
  }
  return bytesOf(text);
}

/// Header text with spaces behind it so that the payload begins at a multiple of 8.
std::string padded(std::string header) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

std::vector<std::byte> paddedFileOf(const std::string& header, std::size_t payload) { return fileOf(padded(header), payload); }

/// Touches every byte of every tensor, so that a sanitizer sees a view that leaves its file.
std::uint64_t sumOf(const SafetensorsFile& file) {
  std::uint64_t sum = 0;
  for (const auto& [name, view] : file.tensors()) {
    for (const std::byte byte : view.bytes) {
      sum += static_cast<std::uint64_t>(byte);
    }
  }
  return sum;
}

std::vector<std::byte> smallFile() {
  return paddedFileOf(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                      R"("b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]}})",
                      14);
}

}  // namespace

class TestSafetensors : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void readsTensorsAndMetadata();
  void readsWhatTheReferenceWriterMakes();
  void mapsAFile();
  void writesWhatItReads();
  void writesTheSameBytesWhateverTheOrder();
  void takesEveryDtype_data();
  void takesEveryDtype();
  void takesEmptyFilesAndTensors();
  void refusesDamage_data();
  void refusesDamage();
  void givesEveryRefusalItsOwnMessage();
  void survivesEveryTruncation();
  void survivesEveryChangedByte();
  void refusesFilesThatAreNotThere();
  void writerRefusesWhatTheReaderWould_data();
  void writerRefusesWhatTheReaderWould();
  void joinsShards();
  void refusesATensorInTwoShards();
  void renamesTensors();
};

void TestSafetensors::readsTensorsAndMetadata() {
  const auto file = SafetensorsFile::fromBytes(smallFile());
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  QCOMPARE((*file)->tensors().size(), std::size_t{2});
  const TensorView& a = (*file)->tensors().at("a");
  QCOMPARE(a.dtype, Dtype::F32);
  QCOMPARE(a.shape, (std::vector<std::int64_t>{2, 1}));
  QCOMPARE(a.bytes.size(), std::size_t{8});
  QCOMPARE(static_cast<int>(a.bytes[5]), 5);
  const TensorView& b = (*file)->tensors().at("b");
  QCOMPARE(b.dtype, Dtype::F16);
  QCOMPARE(static_cast<int>(b.bytes[0]), 8);
  QCOMPARE((*file)->metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
}

// The bytes of safetensors 0.8.0's numpy.save({"w": arange(3, dtype=int16), "x": float64([[1.5]])}, metadata={"k": "v"}), made by
// tests/checkpoint/make_reference_bytes.py.
void TestSafetensors::readsWhatTheReferenceWriterMakes() {
  static constexpr unsigned char kBytes[] = {
#include "tests/checkpoint/reference_bytes.inc"
  };
  std::vector<std::byte> bytes(sizeof kBytes);
  std::memcpy(bytes.data(), kBytes, sizeof kBytes);
  const auto file = SafetensorsFile::fromBytes(bytes);
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  const TensorView& w = (*file)->tensors().at("w");
  QCOMPARE(w.dtype, Dtype::I16);
  QCOMPARE(w.shape, (std::vector<std::int64_t>{3}));
  std::int16_t values[3];
  std::memcpy(values, w.bytes.data(), sizeof values);
  QCOMPARE(values[2], std::int16_t{2});
  const TensorView& x = (*file)->tensors().at("x");
  QCOMPARE(x.shape, (std::vector<std::int64_t>{1, 1}));
  double number = 0;
  std::memcpy(&number, x.bytes.data(), sizeof number);
  QCOMPARE(number, 1.5);
  QCOMPARE((*file)->metadata().at("k"), std::string("v"));

  const std::vector<NamedTensor> tensors = {{"w", w}, {"x", x}};
  const auto written = writeSafetensors(tensors, (*file)->metadata());
  QVERIFY(written);
  QVERIFY(*written == bytes);
}

void TestSafetensors::mapsAFile() {
  const QTemporaryDir dir;
  const std::filesystem::path path = std::filesystem::path(dir.path().toStdString()) / "모델 a.safetensors";
  const auto bytes = smallFile();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const auto file = SafetensorsFile::open(path);
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  QCOMPARE((*file)->sizeBytes(), std::uint64_t{bytes.size()});
  const auto copy = SafetensorsFile::fromBytes(bytes);
  QCOMPARE(sumOf(**file), sumOf(**copy));
  QCOMPARE(reinterpret_cast<std::uintptr_t>((*file)->tensors().at("a").bytes.data()) % 4, std::uintptr_t{0});
}

void TestSafetensors::writesWhatItReads() {
  const std::vector<std::byte> data = bytesOf("0123456789abcdef");
  const std::vector<NamedTensor> tensors = {
      {"한글 \"name\"\n", {Dtype::U8, {3}, std::span(data).first(3)}},
      {"f", {Dtype::F32, {2, 2}, data}},
      {"scalar", {Dtype::I64, {}, std::span(data).first(8)}},
      {"bits", {Dtype::F4, {2, 3}, std::span(data).first(3)}},
  };
  const auto bytes = writeSafetensors(tensors, {{"key", "값"}});
  QVERIFY2(bytes, bytes ? "" : bytes.error().message.c_str());
  const auto file = SafetensorsFile::fromBytes(*bytes);
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  QCOMPARE((*file)->tensors().size(), tensors.size());
  for (const NamedTensor& tensor : tensors) {
    const TensorView& view = (*file)->tensors().at(tensor.name);
    QCOMPARE(view.dtype, tensor.view.dtype);
    QCOMPARE(view.shape, tensor.view.shape);
    QVERIFY(std::equal(view.bytes.begin(), view.bytes.end(), tensor.view.bytes.begin(), tensor.view.bytes.end()));
  }
  QCOMPARE((*file)->metadata().at("key"), std::string("값"));
}

void TestSafetensors::writesTheSameBytesWhateverTheOrder() {
  const std::vector<std::byte> data(8);
  std::vector<NamedTensor> tensors = {
      {"b", {Dtype::F32, {2}, data}}, {"a", {Dtype::F32, {2}, data}}, {"c", {Dtype::I64, {1}, data}}};
  const auto one = writeSafetensors(tensors);
  std::swap(tensors[0], tensors[2]);
  const auto two = writeSafetensors(tensors);
  QVERIFY(one && two);
  QVERIFY(*one == *two);
}

void TestSafetensors::takesEveryDtype_data() {
  QTest::addColumn<QString>("name");
  QTest::addColumn<int>("bits");
  const std::vector<std::pair<const char*, int>> rows = {
      {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},          {"I8", 8},
      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"I16", 16},    {"U16", 16},    {"F8_E5M2FNUZ", 8}, {"F8_E4M3FNUZ", 8},
      {"F8_E8M0", 8}, {"F16", 16},    {"BF16", 16},   {"I32", 32},    {"U32", 32},        {"F32", 32},
      {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}};
  for (const auto& [name, bits] : rows) {
    QTest::newRow(name) << QString(name) << bits;
  }
}

void TestSafetensors::takesEveryDtype() {
  QFETCH(QString, name);
  QFETCH(int, bits);
  const auto dtype = dtypeFromString(name.toStdString());
  QVERIFY(dtype);
  QCOMPARE(bitsOf(*dtype), bits);
  QCOMPARE(QString::fromStdString(std::string(toString(*dtype))), name);
  const auto bytes = static_cast<std::size_t>(bits);
  const std::string header =
      R"({"t":{"dtype":")" + name.toStdString() + R"(","shape":[4,2],"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
  const auto file = SafetensorsFile::fromBytes(paddedFileOf(header, bytes));
  QVERIFY2(file, file ? "" : file.error().message.c_str());
  QCOMPARE((*file)->tensors().at("t").dtype, *dtype);
}

void TestSafetensors::takesEmptyFilesAndTensors() {
  const auto none = SafetensorsFile::fromBytes(fileOf("{}", 0));
  QVERIFY2(none, none ? "" : none.error().message.c_str());
  QVERIFY((*none)->tensors().empty());
  const auto empty =
      SafetensorsFile::fromBytes(paddedFileOf(R"({"e":{"dtype":"F32","shape":[0,9223372036854775807,9],"data_offsets":[1,1]},)"
                                              R"("u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                                              1));
  QVERIFY2(empty, empty ? "" : empty.error().message.c_str());
  QCOMPARE((*empty)->tensors().at("e").bytes.size(), std::size_t{0});
}

void TestSafetensors::refusesDamage_data() {
  QTest::addColumn<QByteArray>("bytes");
  QTest::addColumn<QString>("message");
  const auto row = [](const char* name, const std::vector<std::byte>& bytes, const char* message) {
    QTest::newRow(name) << QByteArray(reinterpret_cast<const char*>(bytes.data()), static_cast<qsizetype>(bytes.size()))
                        << QString::fromUtf8(message);
  };
  const auto header = [&](const char* name, const std::string& text, std::size_t payload, const char* message) {
    row(name, paddedFileOf(text, payload), message);
  };
  const std::string good = R"("data_offsets":[0,8])";
  row("empty", {}, "too short");
  row("seven bytes", bytesOf("1234567"), "too short");
  row("header above the limit", bytesOf(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)), "100000001 bytes; the format allows");
  row("header length of all ones", bytesOf("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "the format allows");
  row("header cut", bytesOf(std::string("\x09\0\0\0\0\0\0\0{}", 10)), "ends inside its header");
  row("header of no bytes", fileOf("", 0), "does not begin with '{'");
  row("header is a list", fileOf("[]", 0), "does not begin with '{'");
  row("header after a space", fileOf(" {}", 0), "does not begin with '{'");
  row("header not UTF-8", fileOf("{\"a\xff\":1}", 0), "not UTF-8 (byte 3");
  row("header not JSON", fileOf("{\"a\":}", 0), "not JSON");
  row("header twice", fileOf("{}{}", 0), "not JSON");
  row("header of NUL padding", fileOf(std::string("{}\0\0", 4), 0), "not JSON");
  header("entry is a number", R"({"a":1})", 0, "the number 1 in place of tensor \"a\"");
  header("entry is null", R"({"a":null})", 0, "null in place of tensor \"a\"");
  header("entry is a list", R"({"a":[]})", 0, "a list in place of tensor \"a\"");
  header("name twice",
         R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2,
         "the tensor \"a\" twice");
  header("name twice in escapes",
         R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2,
         "the tensor \"a\" twice");
  header("metadata is a text", R"({"__metadata__":"x"})", 0, "a text in place of \"__metadata__\"");
  header("metadata has a number", R"({"__metadata__":{"k":1}})", 0,
         "the number 1 in \"__metadata__\" (only texts may stand there)");
  header("metadata has an object", R"({"__metadata__":{"k":{}}})", 0, "an object in \"__metadata__\" (only texts");
  header("metadata key twice", R"({"__metadata__":{"k":"1","k":"2"}})", 0, "the key \"k\" twice in \"__metadata__\"");
  header("metadata twice", R"({"__metadata__":{},"__metadata__":{}})", 0, "\"__metadata__\" twice");
  header("no dtype", R"({"a":{"shape":[2],)" + good + "}}", 8, "no \"dtype\" at tensor \"a\"");
  header("no shape", R"({"a":{"dtype":"F32",)" + good + "}}", 8, "no \"shape\" at tensor \"a\"");
  header("no offsets", R"({"a":{"dtype":"F32","shape":[2]}})", 8, "no \"data_offsets\" at tensor \"a\"");
  header("dtype twice", R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],)" + good + "}}", 8, "\"dtype\" twice at tensor \"a\"");
  header("unknown key", R"({"a":{"dtype":"F32","shape":[2],"strides":[1],)" + good + "}}", 8, "unknown key \"strides\"");
  header("unknown dtype", R"({"a":{"dtype":"F33","shape":[2],)" + good + "}}", 8, "unknown element type \"F33\"");
  header("dtype is a number", R"({"a":{"dtype":3,"shape":[2],)" + good + "}}", 8, "the number 3 in \"dtype\"");
  header("shape is a number", R"({"a":{"dtype":"F32","shape":2,)" + good + "}}", 8, "the number 2 in \"shape\"");
  header("shape has a fraction", R"({"a":{"dtype":"F32","shape":[2.0],)" + good + "}}", 8, "the number 2.0 in \"shape\"");
  header("shape has a text", R"({"a":{"dtype":"F32","shape":["2"],)" + good + "}}", 8, "a text in \"shape\"");
  header("shape has a list", R"({"a":{"dtype":"F32","shape":[[2]],)" + good + "}}", 8, "a list in \"shape\"");
  header("shape is negative", R"({"a":{"dtype":"F32","shape":[-2],)" + good + "}}", 8, "negative number -2 in \"shape\"");
  header("side above 63 bits", R"({"a":{"dtype":"F32","shape":[9223372036854775808],)" + good + "}}", 8,
         "a side that is too large");
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) {
    ones += ",1";
  }
  header("too many sides", R"({"a":{"dtype":"F64","shape":[)" + ones + "]," + good + "}}", 8, "more than 64 sides");
  header("shape overflows", R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],)" + good + "}}", 8, "size cannot be");
  header("bits overflow", R"({"a":{"dtype":"F64","shape":[2305843009213693952],)" + good + "}}", 8, "size cannot be");
  header("part of a byte", R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2, "size cannot be");
  header("offsets are an object", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":{}}})", 8, "an object in \"data_offsets\"");
  header("one offset", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}})", 8,
         "fewer than two numbers in \"data_offsets\"");
  header("three offsets", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", 8,
         "more than two numbers in \"data_offsets\"");
  header("negative offset", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8,
         "negative number -8 in \"data_offsets\"");
  header("offset above 64 bits", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551616]}})", 8,
         "the number 18446744073709551616 in \"data_offsets\"");
  header("backwards", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "run backwards");
  header("wrong size", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "8 bytes where dtype and shape need 12");
  header("payload cut", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7,
         "ends before its data (7 bytes there, 8 needed");
  header("overlap",
         R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})", 7,
         "overlapping data at tensor \"b\"");
  header("same place",
         R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4,
         "overlapping data at tensor \"b\"");
  header("hole between",
         R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}})", 5,
         "a hole of 3 bytes before its data at tensor \"b\"");
  header("hole at the beginning", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", 3, "a hole of 2 bytes");
  header("bytes at the end", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 3, "2 bytes too many at its end");
  header("bytes and no tensor", "{}", 5, "5 bytes too many at its end");
  header("unaligned tensor",
         R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F16","shape":[1],"data_offsets":[1,3]}})", 3,
         "not aligned to its element type F16 at tensor \"b\"");
  row("unaligned payload", fileOf(padded(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})") + " ", 4),
      "leaves the data unaligned");
}

void TestSafetensors::refusesDamage() {
  QFETCH(QByteArray, bytes);
  QFETCH(QString, message);
  const auto file = SafetensorsFile::fromBytes(bytesOf({bytes.constData(), static_cast<std::size_t>(bytes.size())}));
  QVERIFY(!file);
  const QString found = QString::fromStdString(file.error().message);
  QVERIFY2(found.contains(message), qPrintable(found));
  QVERIFY2(found.startsWith("safetensors data ") && found.endsWith('.'), qPrintable(found));
  QCOMPARE(file.error().code,
           QByteArray(QTest::currentDataTag()) == "unknown dtype" ? base::ErrorCode::Unsupported : base::ErrorCode::Corrupt);
}

void TestSafetensors::givesEveryRefusalItsOwnMessage() {
  const std::vector<std::vector<std::byte>> files = {
      bytesOf("123"),
      bytesOf("\xff\xff\xff\xff\xff\xff\xff\xff{}"),
      bytesOf(std::string("\x09\0\0\0\0\0\0\0{}", 10)),
      fileOf("[]", 0),
      fileOf("{\"a\xff\":1}", 0),
      fileOf("{\"a\":}", 0),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                   2),
      paddedFileOf(R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,1]}})", 1),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}})", 1),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}})", 1),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 1),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                   3),
      paddedFileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 2),
      paddedFileOf(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F16","shape":[1],"data_offsets":[1,3]}})", 3),
      fileOf(padded(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})") + " ", 4),
  };
  std::set<std::string> messages;
  for (const auto& bytes : files) {
    const auto file = SafetensorsFile::fromBytes(bytes);
    QVERIFY(!file);
    messages.insert(file.error().message);
  }
  QCOMPARE(messages.size(), files.size());
}

void TestSafetensors::survivesEveryTruncation() {
  const auto whole = smallFile();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto file = SafetensorsFile::fromBytes({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    QVERIFY2(!file, std::to_string(length).c_str());
    QCOMPARE(file.error().code, base::ErrorCode::Corrupt);
  }
  auto longer = whole;
  longer.push_back(std::byte{0});
  QVERIFY(!SafetensorsFile::fromBytes(longer));
}

void TestSafetensors::survivesEveryChangedByte() {
  const auto whole = smallFile();
  const std::size_t headerEnd = whole.size() - 14;
  int refused = 0;
  int taken = 0;
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < headerEnd; ++at) {
    for (int value = 0; value < 256; ++value) {
      auto damaged = whole;
      damaged[at] = static_cast<std::byte>(value);
      const auto file = SafetensorsFile::fromBytes(std::move(damaged));
      if (!file) {
        QVERIFY(!file.error().message.empty());
        ++refused;
        continue;
      }
      ++taken;
      sum += sumOf(**file);
      // The rules leave no room: whatever still reads covers the whole payload.
      std::size_t bytes = 0;
      for (const auto& [name, view] : (*file)->tensors()) {
        bytes += view.bytes.size();
      }
      QCOMPARE(bytes, std::size_t{14});
    }
  }
  QVERIFY(refused > 30000);
  QVERIFY(taken >= static_cast<int>(headerEnd));
  QVERIFY(sum > 0);
}

void TestSafetensors::refusesFilesThatAreNotThere() {
  const QTemporaryDir dir;
  const std::filesystem::path folder(dir.path().toStdString());
  const auto absent = SafetensorsFile::open(folder / "a.safetensors");
  QVERIFY(!absent);
  QCOMPARE(absent.error().code, base::ErrorCode::NotFound);
  const auto directory = SafetensorsFile::open(folder);
  QVERIFY(!directory);
  QCOMPARE(directory.error().code, base::ErrorCode::Io);
  std::ofstream(folder / "empty.safetensors").flush();
  const auto empty = SafetensorsFile::open(folder / "empty.safetensors");
  QVERIFY(!empty);
  QCOMPARE(empty.error().code, base::ErrorCode::Corrupt);
  QVERIFY(empty.error().message.starts_with((folder / "empty.safetensors").string()));
}

void TestSafetensors::writerRefusesWhatTheReaderWould_data() {
  QTest::addColumn<QByteArray>("name");
  QTest::addColumn<qint64>("side");
  QTest::newRow("the metadata's name") << QByteArray("__metadata__") << qint64{4};
  QTest::newRow("not UTF-8") << QByteArray("\xff") << qint64{4};
  QTest::newRow("too few bytes") << QByteArray("a") << qint64{5};
  QTest::newRow("negative side") << QByteArray("a") << qint64{-4};
  QTest::newRow("overflow") << QByteArray("a") << std::numeric_limits<qint64>::max();
}

void TestSafetensors::writerRefusesWhatTheReaderWould() {
  QFETCH(QByteArray, name);
  QFETCH(qint64, side);
  const std::vector<std::byte> data(8);
  const std::vector<NamedTensor> tensors = {{name.toStdString(), {Dtype::F16, {side}, data}}};
  const auto bytes = writeSafetensors(tensors);
  QVERIFY(!bytes);
  QCOMPARE(bytes.error().code, base::ErrorCode::InvalidArgument);
  const std::vector<NamedTensor> twice(2, NamedTensor{"a", {Dtype::U8, {8}, data}});
  QVERIFY(!writeSafetensors(twice));
}

namespace {

std::filesystem::path shardIn(const QTemporaryDir& dir, const char* file, const std::vector<std::string>& names) {
  static const std::vector<std::byte> kData(4);
  std::vector<NamedTensor> tensors;
  for (const std::string& name : names) {
    tensors.push_back({name, {Dtype::F16, {2}, kData}});
  }
  const auto bytes = writeSafetensors(tensors);
  const std::filesystem::path path = std::filesystem::path(dir.path().toStdString()) / file;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
  return path;
}

}  // namespace

void TestSafetensors::joinsShards() {
  const QTemporaryDir dir;
  std::shared_ptr<const void> owner;
  const TensorView* view = nullptr;
  {
    const auto set = WeightSet::open({shardIn(dir, "1", {"a", "c"}), shardIn(dir, "2", {"b"})});
    QVERIFY2(set, set ? "" : set.error().message.c_str());
    QCOMPARE(set->names(), (std::vector<std::string>{"a", "b", "c"}));
    QCOMPARE(set->totalBytes(), std::uint64_t{12});
    QVERIFY(set->find("d") == nullptr);
    view = set->find("b");
    owner = set->keepAlive();
  }
  QVERIFY(view != nullptr);
  QCOMPARE(static_cast<int>(view->bytes[3]), 0);
  QVERIFY(WeightSet().find("a") == nullptr);
}

void TestSafetensors::refusesATensorInTwoShards() {
  const QTemporaryDir dir;
  const auto set = WeightSet::open({shardIn(dir, "1", {"a"}), shardIn(dir, "2", {"b", "a"})});
  QVERIFY(!set);
  QCOMPARE(set.error().code, base::ErrorCode::Corrupt);
  QVERIFY(set.error().message.find("\"a\"") != std::string::npos);
}

void TestSafetensors::renamesTensors() {
  const QTemporaryDir dir;
  const auto set = WeightSet::open({shardIn(dir, "1", {"a", "b", "c"})});
  QVERIFY(set);
  const auto renamed =
      set->renamed([](const std::string& name) { return name == "b" ? std::nullopt : std::optional<std::string>("x." + name); });
  QVERIFY(renamed);
  QCOMPARE(renamed->names(), (std::vector<std::string>{"x.a", "x.c"}));
  QCOMPARE(renamed->totalBytes(), std::uint64_t{8});
  const auto clash = set->renamed([](const std::string&) { return std::optional<std::string>("same"); });
  QVERIFY(!clash);
  QCOMPARE(clash.error().code, base::ErrorCode::Corrupt);
}

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
