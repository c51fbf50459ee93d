#include <QtTest>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/protocol/messages.h"
#include "tests/protocol/sample_messages.h"

using namespace polyptych;
using namespace polyptych::protocol;
using nlohmann::json;

namespace {

Frame frameOf(const Message& message) {
  const auto bytes = encode(message);
  FrameParser parser;
  parser.feed(*bytes);
  return **parser.next();
}

std::vector<std::byte> asBytes(const std::vector<std::uint8_t>& values) {
  const auto* first = reinterpret_cast<const std::byte*>(values.data());
  return {first, first + values.size()};
}

json mapOf(const Frame& frame) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(frame.map.data());
  return json::from_cbor(first, first + frame.map.size());
}

bool isRefused(Frame frame) {
  const auto message = decode(std::move(frame));
  return !message && message.error().code == base::ErrorCode::Protocol && !message.error().message.empty();
}

bool isRefusedWith(Frame frame, const json& map) {
  frame.map = asBytes(json::to_cbor(map));
  return isRefused(std::move(frame));
}

/// The same tree with one value changed at each place in turn; `change` gives the new value.
void forEachPlace(const json& tree, const std::function<void(const json::json_pointer&)>& visit,
                  const json::json_pointer& at = json::json_pointer()) {
  const json& here = tree.at(at);
  if (here.is_object()) {
    for (const auto& item : here.items()) {
      visit(at / item.key());
      forEachPlace(tree, visit, at / item.key());
    }
  } else if (here.is_array()) {
    for (std::size_t i = 0; i < here.size(); ++i) {
      visit(at / i);
      forEachPlace(tree, visit, at / i);
    }
  }
}

}  // namespace

class TestMessages : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyMessageSurvivesTheWire() {
    std::set<std::uint16_t> types;
    for (const Message& message : tests::sampleMessages()) {
      const auto back = decode(frameOf(message));
      QVERIFY2(back.isOk(), back ? "" : back.error().message.c_str());
      QVERIFY2(*back == message, nameOf(typeOf(message)));
      types.insert(std::uint16_t(typeOf(message)));
    }
    QCOMPARE(types.size(), std::variant_size_v<Message>);
    QCOMPARE(*types.begin(), std::uint16_t(MessageType::Hello));
    QCOMPARE(*types.rbegin(), std::uint16_t(MessageType::Unloaded));
  }

  void typesHaveTheirNames() {
    QCOMPARE(nameOf(MessageType::UnitFailed), "UnitFailed");
    QCOMPARE(nameOf(MessageType(999)), "unknown");
    QCOMPARE(int(typeOf(Warning{})), int(MessageType::Warning));
    QCOMPARE(int(typeOf(Generate{})), int(MessageType::Generate));
  }

  void refusesUnknownTypes() {
    Frame frame = frameOf(Shutdown{});
    for (const int type : {0, 18, 65535}) {
      frame.type = static_cast<std::uint16_t>(type);
      QVERIFY(isRefused(frame));
    }
  }

  void refusesAMapOfAnotherType() {
    const auto samples = tests::sampleMessages();
    for (const Message& message : samples) {
      for (std::uint16_t type = 1; type <= 17; ++type) {
        Frame frame = frameOf(message);
        const bool isOwn = type == frame.type;
        frame.type = type;
        const auto back = decode(frame);
        const bool isSameShape = (std::holds_alternative<UnitCancelled>(message) && type == std::uint16_t(MessageType::Cancel)) ||
                                 (std::holds_alternative<Cancel>(message) && type == std::uint16_t(MessageType::UnitCancelled));
        QCOMPARE(back.isOk(), isOwn || isSameShape);
      }
    }
  }

  void refusesEveryMissingKey() {
    const std::set<std::string> optional{"negative", "clipSkip"};
    for (const Message& message : tests::sampleMessages()) {
      const Frame frame = frameOf(message);
      const json map = mapOf(frame);
      forEachPlace(map, [&](const json::json_pointer& at) {
        json parent = map.at(at.parent_pointer());
        if (!parent.is_object() || optional.count(at.back()) != 0) {
          return;
        }
        json changed = map;
        changed.at(at.parent_pointer()).erase(at.back());
        QVERIFY2(isRefusedWith(frame, changed), at.to_string().c_str());
      });
    }
  }

  void refusesEveryUnknownKey() {
    for (const Message& message : tests::sampleMessages()) {
      const Frame frame = frameOf(message);
      const json map = mapOf(frame);
      json top = map;
      top["extra"] = 1;
      QVERIFY(isRefusedWith(frame, top));
      forEachPlace(map, [&](const json::json_pointer& at) {
        if (!map.at(at).is_object()) {
          return;
        }
        json changed = map;
        changed.at(at)["extra"] = 1;
        QVERIFY2(isRefusedWith(frame, changed), at.to_string().c_str());
      });
    }
  }

  void refusesEveryValueOfTheWrongKind() {
    const std::vector<json> wrong{nullptr, json::binary({1, 2}), -1, json::object({{"a", 1}}), json::array({json::array()})};
    for (const Message& message : tests::sampleMessages()) {
      const Frame frame = frameOf(message);
      const json map = mapOf(frame);
      forEachPlace(map, [&](const json::json_pointer& at) {
        for (const json& value : wrong) {
          // A guidance of -1 is a number; domain::validate refuses it.
          if (value == -1 && (at.back() == "guidance" || at.back() == "guidanceRescale")) {
            continue;
          }
          json changed = map;
          changed.at(at) = value;
          QVERIFY2(isRefusedWith(frame, changed), (at.to_string() + " " + nameOf(typeOf(message))).c_str());
        }
      });
    }
  }

  void refusesNumbersOutOfRange() {
    const auto refusesAt = [](const Message& message, const char* pointer, const json& value) {
      const Frame frame = frameOf(message);
      json map = mapOf(frame);
      map.at(json::json_pointer(pointer)) = value;
      return isRefusedWith(frame, map);
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    const Message generate = tests::sampleMessages()[5];
    QVERIFY(refusesAt(generate, "/requests/0/steps", 0x80000000ULL));
    QVERIFY(refusesAt(generate, "/requests/0/index", 0x8000000000000000ULL));
    QVERIFY(refusesAt(generate, "/requests/0/guidance", nan));
    QVERIFY(refusesAt(generate, "/requests/0/guidance", infinity));
    QVERIFY(refusesAt(generate, "/plan/computeType", "fp8"));
    QVERIFY(refusesAt(generate, "/plan/noise", "Float"));
    QVERIFY(refusesAt(Ready{1, 2, 3}, "/seconds", -0.5));
    QVERIFY(refusesAt(Ready{1, 2, 3}, "/seconds", nan));
    QVERIFY(refusesAt(Progress{}, "/stage", "dreaming"));
    QVERIFY(refusesAt(Fatal{}, "/error/code", "no_such_code"));
    QVERIFY(refusesAt(Warning{}, "/code", "no_such_code"));
    UnitDone done;
    done.warnings.resize(1);
    QVERIFY(refusesAt(done, "/warnings/0/code", "no_such_code"));
    QVERIFY(refusesAt(done, "/warnings/0", "a text"));
    const Message preview = Preview{{}, 0, {2, 1, {1, 2, 3, 4, 5, 6}}};
    QVERIFY(refusesAt(preview, "/width", 0));
    QVERIFY(refusesAt(preview, "/width", 3));
    QVERIFY(refusesAt(preview, "/height", kMaxPreviewSide + 1));
    QVERIFY(refusesAt(preview, "/request", domain::kMaxBatch));
    const Message made = PictureMade{{}, 0, 8, 8, 1, {std::byte{1}}};
    QVERIFY(refusesAt(made, "/width", domain::kMaxSide + 1));
    QVERIFY(refusesAt(Hello{}, "/device/kind", "tpu"));
    QVERIFY(refusesAt(Hello{}, "/token", std::string(kMaxTokenBytes + 1, 'x')));
  }

  /// The fuzz target begins with these. POLYPTYCH_RENEW_CORPUS=1 writes them anew.
  void theCorpusIsOfThisProtocol() {
    const QDir folder(QStringLiteral(CORPUS_FOLDER));
    QStringList expected;
    int number = 0;
    for (const Message& message : tests::sampleMessages()) {
      const auto bytes = encode(message);
      const QByteArray pieces(1, '\x1f');  // the target's first byte
      const QByteArray content = pieces + QByteArray(reinterpret_cast<const char*>(bytes->data()), qsizetype(bytes->size()));
      expected << QStringLiteral("%1-%2").arg(++number).arg(QLatin1String(nameOf(typeOf(message))));
      QFile file(folder.filePath(expected.back()));
      if (qEnvironmentVariableIsSet("POLYPTYCH_RENEW_CORPUS")) {
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
        file.close();
      }
      QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.fileName()));
      QVERIFY2(file.readAll() == content, qPrintable(file.fileName()));
    }
    QStringList found = folder.entryList(QDir::Files);
    expected.sort();
    found.sort();
    QCOMPARE(found, expected);
  }

  void refusesTooManyOfAnything() {
    Generate generate;
    generate.unit.requests.resize(std::size_t(domain::kMaxBatch) + 1);
    QVERIFY(isRefused(frameOf(generate)));
    generate.unit.requests.resize(std::size_t(domain::kMaxBatch));
    QVERIFY(decode(frameOf(generate)).isOk());
    UnitDone done;
    done.warnings.resize(kMaxWarnings + 1);
    QVERIFY(isRefused(frameOf(done)));
    done.warnings.resize(kMaxWarnings);
    QVERIFY(decode(frameOf(done)).isOk());
    Frame frame = frameOf(UnitDone{});
    json map = mapOf(frame);
    map["warnings"] = std::vector<int>(20000, 1);
    QVERIFY(isRefusedWith(frame, map));
  }

  void refusesWrongAttachments() {
    for (const Message& message : tests::sampleMessages()) {
      Frame more = frameOf(message);
      more.attachments.resize(more.attachments.size() + 2);
      QVERIFY(isRefused(more));
      Frame fewer = frameOf(message);
      if (fewer.attachments.empty() || std::holds_alternative<Generate>(message) || std::holds_alternative<UnitDone>(message)) {
        continue;
      }
      fewer.attachments.clear();
      QVERIFY(isRefused(fewer));
    }
    Frame empty = frameOf(PictureMade{{}, 0, 8, 8, 1, {std::byte{1}}});
    empty.attachments[0].clear();
    QVERIFY(isRefused(empty));
  }

  void refusesBrokenCbor_data() {
    QTest::addColumn<QByteArray>("map");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("no map") << QByteArray("\x01");
    QTest::newRow("list") << QByteArray("\x80");
    QTest::newRow("null") << QByteArray("\xF6");
    QTest::newRow("undefined") << QByteArray("\xF7");
    QTest::newRow("two maps") << QByteArray("\xA0\xA0");
    QTest::newRow("key twice") << QByteArray("\xA2\x61\x61\x01\x61\x61\x02");
    QTest::newRow("number as key") << QByteArray("\xA1\x01\x01");
    QTest::newRow("tag") << QByteArray("\xC0\xA0");
    QTest::newRow("byte string") << QByteArray("\xA1\x61\x61\x41\x01");
    QTest::newRow("key that is no UTF-8") << QByteArray("\xA1\x61\xFF\x01");
    QTest::newRow("text that is no UTF-8") << QByteArray("\xA1\x61\x61\x61\xFF");
    QTest::newRow("text of 2^63 bytes") << QByteArray("\xA1\x61\x61\x7B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12);
    QTest::newRow("map of 2^63 entries") << QByteArray("\xBB\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9);
    QTest::newRow("list of 2^63 entries") << QByteArray("\xA1\x61\x61\x9B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12);
    QTest::newRow("nested 7 deep") << QByteArray("\xA1\x61\x61\x81\x81\x81\x81\x81\x81\x01");
    QTest::newRow("nested a million deep") << (QByteArray("\xA1\x61\x61") + QByteArray(1000000, '\x81'));
    QTest::newRow("open lists a million deep") << (QByteArray("\xA1\x61\x61") + QByteArray(1000000, '\x9F'));
    QTest::newRow("open texts a million deep") << (QByteArray("\xA1\x61\x61") + QByteArray(1000000, '\x7F'));
    QTest::newRow("a million values") << (QByteArray("\xA1\x61\x61\x9F") + QByteArray(1000000, '\x01') + "\xFF");
  }
  void refusesBrokenCbor() {
    QFETCH(QByteArray, map);
    Frame frame = frameOf(Shutdown{});
    const auto* first = reinterpret_cast<const std::byte*>(map.constData());
    frame.map.assign(first, first + map.size());
    QVERIFY(isRefused(frame));
  }

  void refusesEveryCutMap() {
    for (const Message& message : tests::sampleMessages()) {
      const Frame frame = frameOf(message);
      for (std::size_t length = 0; length < frame.map.size(); ++length) {
        Frame cut = frame;
        cut.map.resize(length);
        QVERIFY(isRefused(cut));
      }
    }
  }

  void everyChangedByteIsReadOrRefused() {
    for (const Message& message : tests::sampleMessages()) {
      const Frame frame = frameOf(message);
      for (std::size_t at = 0; at < frame.map.size(); ++at) {
        for (const int value : {0x00, 0x01, 0x5F, 0x7F, 0x9F, 0xBF, 0xC0, 0xF7, 0xFB, 0xFF}) {
          Frame changed = frame;
          changed.map[at] = static_cast<std::byte>(value);
          const auto back = decode(changed);
          if (back) {
            QVERIFY(encode(*back).isOk());
          } else {
            QCOMPARE(int(back.error().code), int(base::ErrorCode::Protocol));
          }
        }
      }
    }
  }

  void refusesToSendTextThatIsNoUtf8() {
    const auto bytes = encode(Warning{{domain::WarningCode::Other, "caf\xE9"}});
    QVERIFY(!bytes);
    QCOMPARE(int(bytes.error().code), int(base::ErrorCode::InvalidArgument));
  }

  void refusesToSendAMapAboveTheLimit() {
    Generate generate;
    generate.unit.requests.resize(16);
    for (auto& request : generate.unit.requests) {
      request.prompt.assign(domain::kMaxPromptBytes, 'x');
    }
    const auto bytes = encode(generate);
    QVERIFY(!bytes);
    QCOMPARE(int(bytes.error().code), int(base::ErrorCode::InvalidArgument));
  }

  void aPromptOfTheGreatestLengthTravels() {
    Generate generate;
    generate.unit.requests.resize(1);
    generate.unit.requests[0].prompt.assign(domain::kMaxPromptBytes, 'x');
    const auto back = decode(frameOf(generate));
    QVERIFY(back.isOk());
    QVERIFY(std::get<Generate>(*back) == generate);
  }

  void sentencesAreMadeFitForTheWire() {
    QCOMPARE(sentenceForWire("a\xFF\xC3\xA9z"), std::string("a\xEF\xBF\xBD\xC3\xA9z"));
    QCOMPARE(sentenceForWire("\xED\x95\x9C\xED\x95\x9C", 4), std::string("\xED\x95\x9C"));
    QCOMPARE(sentenceForWire(""), std::string());
    QCOMPARE(sentenceForWire(std::string(100, '\xFF'), 30).size(), std::size_t(30));
  }
};

QTEST_APPLESS_MAIN(TestMessages)
#include "tst_messages.moc"
