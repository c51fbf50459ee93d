#include <QtTest>

#include "core/protocol/frame.h"

using namespace polyptych::protocol;
using polyptych::base::ErrorCode;
using Bytes = std::vector<std::byte>;

namespace {

Bytes bytesOf(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

Frame sampleFrame() { return {10, bytesOf({1, 2, 3}), {bytesOf({4, 5}), Bytes()}}; }

Bytes encoded(const Frame& frame) {
  auto bytes = encodeFrame(frame);
  return bytes ? std::move(*bytes) : Bytes();
}

void setLittleEndian(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) {
    bytes[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
  }
}

}  // namespace

class TestFrame : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void hasTheDocumentedBytes() {
    const Bytes expected = bytesOf({'P', 'L', 'P', 'W', 1, 0, 10, 0, 3, 0, 0, 0, 2, 0, 0, 0,  // header
                                    2,   0,   0,   0,   0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0,  // attachment lengths
                                    1,   2,   3,   4,   5});
    QVERIFY(encoded(sampleFrame()) == expected);
  }

  void survivesEveryCut() {
    const Bytes bytes = encoded(sampleFrame());
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      FrameParser parser;
      parser.feed(std::span(bytes).first(cut));
      auto first = parser.next();
      QVERIFY(first.isOk());
      QCOMPARE(first->has_value(), cut == bytes.size());
      QCOMPARE(parser.isMidFrame(), cut != 0 && cut != bytes.size());
      if (cut == bytes.size()) {
        continue;
      }
      parser.feed(std::span(bytes).subspan(cut));
      auto second = parser.next();
      QVERIFY(second.isOk() && second->has_value());
      QVERIFY(**second == sampleFrame());
      QVERIFY(!parser.isMidFrame());
    }
  }

  void takesFramesByteByByteAndManyAtOnce() {
    Bytes stream;
    for (int i = 0; i < 3; ++i) {
      Frame frame = sampleFrame();
      frame.type = static_cast<std::uint16_t>(i);
      const Bytes bytes = encoded(frame);
      stream.insert(stream.end(), bytes.begin(), bytes.end());
    }
    FrameParser slow;
    int found = 0;
    for (const std::byte& byte : stream) {
      slow.feed(std::span(&byte, 1));
      auto frame = slow.next();
      QVERIFY(frame.isOk());
      if (frame->has_value()) {
        QCOMPARE(int((*frame)->type), found++);
      }
    }
    QCOMPARE(found, 3);
    FrameParser fast;
    fast.feed(stream);
    for (int i = 0; i < 3; ++i) {
      auto frame = fast.next();
      QVERIFY(frame.isOk() && frame->has_value());
      QCOMPARE(int((*frame)->type), i);
    }
    QVERIFY(!fast.next()->has_value());
  }

  void anEmptyFrameIsAFrame() {
    FrameParser parser;
    parser.feed(encoded(Frame{15, {}, {}}));
    auto frame = parser.next();
    QVERIFY(frame.isOk() && frame->has_value());
    QVERIFY(**frame == (Frame{15, {}, {}}));
  }

  void refusesHeadersAtOnce_data() {
    QTest::addColumn<int>("at");
    QTest::addColumn<int>("width");
    QTest::addColumn<quint64>("value");
    QTest::addColumn<int>("code");
    const int protocol = int(ErrorCode::Protocol);
    QTest::newRow("magic") << 0 << 4 << quint64(0x12345678) << protocol;
    QTest::newRow("older version") << 4 << 2 << quint64(0) << int(ErrorCode::VersionMismatch);
    QTest::newRow("newer version") << 4 << 2 << quint64(2) << int(ErrorCode::VersionMismatch);
    QTest::newRow("map one over the limit") << 8 << 4 << quint64(FrameLimits{}.maxMapBytes + 1) << protocol;
    QTest::newRow("map of 4 GiB") << 8 << 4 << quint64(0xFFFFFFFF) << protocol;
    QTest::newRow("three attachments") << 12 << 2 << quint64(3) << protocol;
    QTest::newRow("65535 attachments") << 12 << 2 << quint64(0xFFFF) << protocol;
    QTest::newRow("reserved field") << 14 << 2 << quint64(1) << protocol;
    QTest::newRow("attachment one over the limit") << 16 << 8 << quint64(FrameLimits{}.maxAttachmentBytes + 1) << protocol;
    QTest::newRow("attachment lengths overflow") << 16 << 8 << quint64(0xFFFFFFFFFFFFFFFF) << protocol;
    QTest::newRow("second length overflows the sum") << 24 << 8 << quint64(0xFFFFFFFFFFFFFFFE) << protocol;
    QTest::newRow("sum one over the limit") << 24 << 8 << quint64(FrameLimits{}.maxAttachmentBytes - 1) << protocol;
  }
  void refusesHeadersAtOnce() {
    QFETCH(int, at);
    QFETCH(int, width);
    QFETCH(quint64, value);
    QFETCH(int, code);
    Bytes bytes = encoded(sampleFrame());
    setLittleEndian(bytes, std::size_t(at), value, std::size_t(width));
    FrameParser parser;
    // Header and lengths alone are enough to refuse.
    parser.feed(std::span(bytes).first(kFrameHeaderBytes + 16));
    auto frame = parser.next();
    QVERIFY(!frame);
    QCOMPARE(int(frame.error().code), code);
    parser.feed(encoded(sampleFrame()));
    auto again = parser.next();
    QVERIFY(!again);
    QVERIFY(again.error() == frame.error());
  }

  void takesLengthsAtTheLimit() {
    FrameParser parser(FrameLimits{3, 2, 2});
    parser.feed(encoded(sampleFrame()));
    auto frame = parser.next();
    QVERIFY(frame.isOk() && frame->has_value());
  }

  void promisedBytesCostNoMemory() {
    Bytes bytes = encoded(Frame{9, bytesOf({1}), {bytesOf({1})}});
    setLittleEndian(bytes, 16, FrameLimits{}.maxAttachmentBytes, 8);
    std::vector<FrameParser> parsers(64);  // 64 GiB, were they reserved
    for (FrameParser& parser : parsers) {
      parser.feed(bytes);
      auto frame = parser.next();
      QVERIFY(frame.isOk() && !frame->has_value());
      QVERIFY(parser.isMidFrame());
    }
  }

  void limitsCanBeWidenedBetweenFrames() {
    const Bytes bytes = encoded(sampleFrame());
    FrameParser parser(kHandshakeLimits);
    parser.feed(encoded(Frame{1, bytesOf({0xA0}), {}}));
    parser.feed(bytes);
    QVERIFY(parser.next()->has_value());
    parser.setLimits({});
    auto frame = parser.next();
    QVERIFY(frame.isOk() && frame->has_value());
    FrameParser strict(kHandshakeLimits);
    strict.feed(bytes);
    QVERIFY(!strict.next());
  }

  void refusesToEncodeAboveLimits() {
    QVERIFY(!encodeFrame(sampleFrame(), FrameLimits{2, 2, 2}));
    QVERIFY(!encodeFrame(sampleFrame(), FrameLimits{3, 1, 2}));
    QVERIFY(!encodeFrame(sampleFrame(), FrameLimits{3, 2, 1}));
    QVERIFY(encodeFrame(sampleFrame(), FrameLimits{3, 2, 2}).isOk());
    QCOMPARE(int(encodeFrame(sampleFrame(), FrameLimits{2, 2, 2}).error().code), int(ErrorCode::InvalidArgument));
  }
};

QTEST_APPLESS_MAIN(TestFrame)
#include "tst_frame.moc"
