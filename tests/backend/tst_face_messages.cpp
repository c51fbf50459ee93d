#include <QCborArray>
#include <QCborMap>
#include <QCborValue>
#include <QElapsedTimer>
#include <QtTest>
#include <bit>
#include <functional>
#include <limits>
#include <set>

#include "core/backend/request_list.h"
#include "tests/backend/sample_face_messages.h"

using namespace polyptych;
using namespace polyptych::backend;
using namespace polyptych::backend::face;
using base::ErrorCode;
using protocol::Frame;
using protocol::FrameParser;

namespace {

std::span<const std::byte> spanOf(const QByteArray& bytes) {
  return std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

Frame frameOf(const Message& message) {
  FrameParser parser;
  parser.feed(spanOf(*encode(message)));
  return **parser.next();
}

QCborValue mapOf(const Frame& frame) {
  return QCborValue::fromCbor(
      QByteArray(reinterpret_cast<const char*>(frame.map.data()), static_cast<qsizetype>(frame.map.size())));
}

bool isRefused(Frame frame) {
  const auto message = decode(std::move(frame));
  return !message && message.error().code == ErrorCode::Protocol && !message.error().message.empty();
}

bool isRefusedWithMap(Frame frame, const QByteArray& map) {
  frame.map.assign(spanOf(map).begin(), spanOf(map).end());
  return isRefused(std::move(frame));
}

/// Every tree that differs from `tree` at one place: `change` gives new values for the value at a key or a position; nothing
/// takes it away. `visit` gets the path in words.
using Visit = std::function<void(const QString& path, const QCborValue& changed)>;
using Change = std::function<std::vector<std::optional<QCborValue>>(const QString& key, const QCborValue& value)>;

void forEachChange(const QCborValue& tree, const Change& change, const Visit& visit, const QString& path = {}) {
  if (tree.isMap()) {
    const QCborMap map = tree.toMap();
    for (const QCborValue& key : map.keys()) {
      const QString here = path + '/' + key.toString();
      for (const auto& value : change(key.toString(), map.value(key))) {
        QCborMap changed = map;
        if (value) {
          changed[key] = *value;
        } else {
          changed.remove(key);
        }
        visit(here, changed);
      }
      forEachChange(
          map.value(key), change,
          [&](const QString& inner, const QCborValue& value) {
            QCborMap changed = map;
            changed[key] = value;
            visit(inner, changed);
          },
          here);
    }
  } else if (tree.isArray()) {
    const QCborArray array = tree.toArray();
    for (qsizetype i = 0; i < array.size(); ++i) {
      const QString here = path + '/' + QString::number(i);
      const auto with = [&](const QString& inner, const QCborValue& value) {
        QCborArray changed = array;
        changed[i] = value;
        visit(inner, changed);
      };
      for (const auto& value : change(QString(), array.at(i))) {
        if (value) {
          with(here, *value);
        }
      }
      forEachChange(array.at(i), change, with, here);
    }
  }
}

const std::set<QString> kOptionalKeys{QStringLiteral("error"),        QStringLiteral("failure"),   QStringLiteral("stars"),
                                      QStringLiteral("pick"),         QStringLiteral("isTrashed"), QStringLiteral("limits"),
                                      QStringLiteral("releaseAfter"), QStringLiteral("stopAfter"), QStringLiteral("partner")};
const std::set<QString> kSignedKeys{QStringLiteral("index"), QStringLiteral("created"),     QStringLiteral("temperature"),
                                    QStringLiteral("power"), QStringLiteral("utilisation"), QStringLiteral("powerLimit"),
                                    QStringLiteral("pick")};

}  // namespace

class TestFaceMessages : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyMessageSurvivesTheWire() {
    std::set<std::uint16_t> types;
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame frame = frameOf(message);
      const auto back = decode(frame);
      QVERIFY2(back.isOk(), back ? "" : back.error().message.c_str());
      QCOMPARE(back->index(), message.index());
      QCOMPARE(*encode(*back), *encode(message));
      types.insert(frame.type);
    }
    QCOMPARE(types.size(), std::variant_size_v<Message>);
    QCOMPARE(*types.begin(), kFirstMessageType);
    QVERIFY(isFromFace(Await{}));
    QVERIFY(!isFromFace(Welcome{}));
  }

  void valuesComeBackAsTheyWere() {
    const RunSpec spec = tests::sampleSpec(5);
    const auto submit = std::get<Submit>(*decode(frameOf(Submit{spec})));
    QCOMPARE(submit.spec.id, spec.id);
    QVERIFY(submit.spec.requests == spec.requests);
    QVERIFY(submit.spec.plan == spec.plan);
    QVERIFY(submit.spec.slots == spec.slots);
    QVERIFY(submit.spec.wantsPreviews && !submit.spec.wantsTrace && submit.spec.initialLatents.empty());
    const auto slot = std::get<SlotChanged>(*decode(frameOf(SlotChanged{tests::sampleSlot()}))).status;
    QCOMPARE(slot.failure, tests::sampleSlot().failure);
    QCOMPARE(slot.reason, tests::sampleSlot().reason);
    QCOMPARE(slot.totalBytes, tests::sampleSlot().totalBytes);
    QCOMPARE(slot.index, std::int64_t(-1));
    QCOMPARE(slot.progress.step, 2);
    const auto control = std::get<Control>(*decode(frameOf(tests::sampleFaceMessages()[4])));
    QVERIFY(control.command.jobs.jobIds == std::vector<qint64>({3, 4, qint64(1) << 60}));
    const auto done = std::get<CommandDone>(*decode(frameOf(CommandDone{{7, std::nullopt, 12, 34}})));
    QVERIFY(!done.result.error && done.result.changed == 12 && done.result.undoId == 34);
  }

  void aFrameThatIsCutGivesNothing() {
    for (const Message& message : tests::sampleFaceMessages()) {
      const QByteArray bytes = *encode(message);
      for (qsizetype size = 0; size < bytes.size(); ++size) {
        FrameParser parser;
        parser.feed(spanOf(bytes.left(size)));
        const auto frame = parser.next();
        QVERIFY(frame.isOk() && !*frame);
      }
    }
  }

  void aMapThatIsCutIsRefused() {
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame whole = frameOf(message);
      for (std::size_t size = 0; size < whole.map.size(); ++size) {
        Frame frame = whole;
        frame.map.resize(size);
        QVERIFY2(isRefused(frame), nameOf(message));
      }
      Frame longer = whole;
      longer.map.push_back(std::byte{0});
      QVERIFY(isRefused(longer));
    }
  }

  void anAttachmentThatIsCutIsRefused() {
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame whole = frameOf(message);
      if (whole.attachments.empty() || std::holds_alternative<Trace>(message)) {
        continue;
      }
      for (std::size_t size = 0; size < whole.attachments[0].size(); ++size) {
        Frame frame = whole;
        frame.attachments[0].resize(size);
        const bool isList = std::holds_alternative<Control>(message) || std::holds_alternative<PicturesMarked>(message);
        const bool isShorterList = isList && size > 0 && size % 8 == 0;
        QCOMPARE(isRefused(frame), !isShorterList);
      }
      Frame longer = whole;
      longer.attachments[0].push_back(std::byte{0});
      QVERIFY(isRefused(longer));
    }
  }

  void refusesAttachmentsThatDoNotBelong() {
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame whole = frameOf(message);
      Frame more = whole;
      more.attachments.resize(whole.attachments.size() + 1);
      QVERIFY2(isRefused(more), nameOf(message));
      if (!whole.attachments.empty()) {
        Frame fewer = whole;
        fewer.attachments.clear();
        QCOMPARE(isRefused(fewer), !std::holds_alternative<Control>(message));
      }
    }
  }

  void refusesUnknownTypes() {
    Frame frame = frameOf(Refresh{});
    for (const std::size_t type : {std::size_t{0}, std::size_t{1}, std::size_t{99},
                                   kFirstMessageType + std::variant_size_v<Message>, std::size_t{65535}}) {
      frame.type = static_cast<std::uint16_t>(type);
      QVERIFY(isRefused(frame));
    }
  }

  void refusesEveryMissingKey() {
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame frame = frameOf(message);
      forEachChange(
          mapOf(frame),
          [](const QString& key, const QCborValue&) {
            return kOptionalKeys.contains(key) ? std::vector<std::optional<QCborValue>>{}
                                               : std::vector<std::optional<QCborValue>>{std::nullopt};
          },
          [&](const QString& path, const QCborValue& changed) {
            QVERIFY2(isRefusedWithMap(frame, changed.toCbor()), qPrintable(path));
          });
    }
  }

  void refusesEveryUnknownKey() {
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame frame = frameOf(message);
      const auto withExtra = [](const QCborValue& value) {
        QCborMap map = value.toMap();
        map[QStringLiteral("extra")] = 1;
        return QCborValue(map);
      };
      QVERIFY(isRefusedWithMap(frame, withExtra(mapOf(frame)).toCbor()));
      forEachChange(
          mapOf(frame),
          [&](const QString&, const QCborValue& value) {
            return value.isMap() ? std::vector<std::optional<QCborValue>>{withExtra(value)}
                                 : std::vector<std::optional<QCborValue>>{};
          },
          [&](const QString& path, const QCborValue& changed) {
            QVERIFY2(isRefusedWithMap(frame, changed.toCbor()), qPrintable(path));
          });
    }
  }

  void refusesEveryValueOfTheWrongKind() {
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame frame = frameOf(message);
      forEachChange(
          mapOf(frame),
          [](const QString& key, const QCborValue& value) {
            std::vector<std::optional<QCborValue>> wrong{QCborValue(QCborValue::Null), QCborValue(QByteArray("x")),
                                                         QCborMap{{QStringLiteral("a"), 1}}, QCborArray{QCborArray{}}};
            wrong.push_back(QCborValue(QCborTag(7), 1));
            if (!kSignedKeys.contains(key)) {
              wrong.push_back(QCborValue(-1));
            }
            if (!value.isDouble()) {
              wrong.push_back(QCborValue(0.5));
            }
            wrong.push_back(QCborValue(std::numeric_limits<double>::quiet_NaN()));
            wrong.push_back(QCborValue(std::numeric_limits<double>::infinity()));
            if (!value.isString()) {
              wrong.push_back(QCborValue(QStringLiteral("text")));
            } else {
              wrong.push_back(QCborValue(true));
              wrong.push_back(QCborValue(QString(70000, QLatin1Char('x'))));
            }
            return wrong;
          },
          [&](const QString& path, const QCborValue& changed) {
            QVERIFY2(isRefusedWithMap(frame, changed.toCbor()), qPrintable(nameOf(message) + path));
          });
    }
  }

  void refusesUnknownNames() {
    const std::set<QString> named{QStringLiteral("state"),       QStringLiteral("kind"),   QStringLiteral("stage"),
                                  QStringLiteral("computeType"), QStringLiteral("noise"),  QStringLiteral("code"),
                                  QStringLiteral("pause"),       QStringLiteral("failure")};
    int tried = 0;
    for (const Message& message : tests::sampleFaceMessages()) {
      const Frame frame = frameOf(message);
      forEachChange(
          mapOf(frame),
          [&](const QString& key, const QCborValue& value) {
            return named.contains(key) && value.isString()
                       ? std::vector<std::optional<QCborValue>>{QCborValue(QStringLiteral("no_such_name")), QCborValue(QString())}
                       : std::vector<std::optional<QCborValue>>{};
          },
          [&](const QString& path, const QCborValue& changed) {
            ++tried;
            QVERIFY2(isRefusedWithMap(frame, changed.toCbor()), qPrintable(path));
          });
    }
    QVERIFY(tried > 30);
  }

  void refusesNumbersOutOfRange() {
    const auto refusesAt = [](const Message& message, const QString& at, const QCborValue& value) {
      const Frame frame = frameOf(message);
      bool isAllRefused = true;
      int tried = 0;
      forEachChange(
          mapOf(frame),
          [&](const QString& key, const QCborValue&) {
            return key == at ? std::vector<std::optional<QCborValue>>{value} : std::vector<std::optional<QCborValue>>{};
          },
          [&](const QString&, const QCborValue& changed) {
            ++tried;
            isAllRefused = isAllRefused && isRefusedWithMap(frame, changed.toCbor());
          });
      return tried > 0 && isAllRefused;
    };
    const auto samples = tests::sampleFaceMessages();
    QVERIFY(refusesAt(samples[1], QStringLiteral("run"), 0));
    QVERIFY(refusesAt(samples[1], QStringLiteral("run"), qint64(kMaxId) + 1));
    QVERIFY(refusesAt(samples[1], QStringLiteral("threads"), qint64(1) << 31));
    QVERIFY(refusesAt(samples[4], QStringLiteral("command"), 0));
    QVERIFY(refusesAt(SlotChanged{tests::sampleSlot()}, QStringLiteral("index"), -2));
    QVERIFY(refusesAt(PictureFinished{}, QStringLiteral("seconds"), -0.5));
    QVERIFY(refusesAt(PictureFinished{}, QStringLiteral("index"), -1));
    const Message preview = Preview{5, 3, QStringLiteral("cpu:0"), {2, 1, {1, 2, 3, 4, 5, 6}}};
    QVERIFY(refusesAt(preview, QStringLiteral("width"), 0));
    QVERIFY(refusesAt(preview, QStringLiteral("width"), 3));
    QVERIFY(refusesAt(preview, QStringLiteral("height"), kMaxPreviewSide + 1));
    QVERIFY(refusesAt(Hello{}, QStringLiteral("token"), QString(257, QLatin1Char('x'))));
    QVERIFY(refusesAt(Hello{}, QStringLiteral("token"), QString(QChar(0x20AC))));
    QVERIFY(refusesAt(samples[10], QStringLiteral("runs"), QCborArray{0}));
  }

  void refusesMapsThatWouldHurt() {
    const Frame frame = frameOf(Refresh{});
    QByteArray deep(1000, char(0x81));
    QVERIFY(isRefusedWithMap(frame, deep + char(0)));
    QVERIFY(isRefusedWithMap(frame, QByteArray::fromHex("9bffffffffffffffff")));
    QVERIFY(isRefusedWithMap(frame, QByteArray::fromHex("bf")));
    QVERIFY(isRefusedWithMap(frame, QByteArray::fromHex("a2617801617801")));
    QVERIFY(isRefusedWithMap(frame, QByteArray::fromHex("a10000")));
    QVERIFY(isRefusedWithMap(frame, QByteArray::fromHex("a161ff00")));
    const Frame cancel = frameOf(CancelRun{5});
    QVERIFY(!isRefusedWithMap(cancel, QByteArray::fromHex("a16372756e05")));
    QVERIFY(isRefusedWithMap(cancel, QByteArray::fromHex("a26372756e056372756e05")));
    QVERIFY(isRefusedWithMap(cancel, QByteArray::fromHex("a16372756e1bffffffffffffffff")));
    Frame name = frameOf(tests::sampleFaceMessages()[9]);
    std::size_t at = 0;
    for (; at + 5 < name.map.size() && name.map[at] != std::byte{'1'}; ++at) {
    }
    name.map[at] = std::byte{0xC0};
    QVERIFY(isRefused(name));
  }

  void wordsThatAreTooLongAreCutAndOthersAreNotSent() {
    const std::string emoji = "\xF0\x9F\x98\x80";
    std::string words = "x";
    for (int i = 0; i < 40000; ++i) {
      words += emoji;
    }
    const auto lost = std::get<Lost>(*decode(frameOf(Lost{{ErrorCode::Io, words, "\xFF broken"}})));
    QCOMPARE(lost.error.message, words.substr(0, 1 + 4 * 32767));
    QCOMPARE(lost.error.detail, std::string("\xEF\xBF\xBD broken"));
    const auto isNotSent = [](const Message& message) {
      const auto bytes = encode(message);
      return !bytes && bytes.error().code == ErrorCode::InvalidArgument;
    };
    QVERIFY(isNotSent(Hello{QByteArray(257, 'x'), {}, {}}));
    QVERIFY(isNotSent(Submit{tests::sampleSpec(1, 0)}));
    QVERIFY(isNotSent(RunStarted{1, -1, 0}));
    QVERIFY(isNotSent(PictureFinished{{1, 0, {}, {}, std::numeric_limits<double>::quiet_NaN(), false}}));
    QVERIFY(isNotSent(Preview{1, 0, {}, {2, 2, {1}}}));
    QVERIFY(isNotSent(Control{1, {Command::Kind::Retry, {{0}, 0}, 0, 0, {}, {}, {}, {}}}));
    QVERIFY(isNotSent(Devices{std::vector<domain::DeviceInfo>(kMaxDevices + 1)}));
    RunSpec spec = tests::sampleSpec(2);
    spec.requests[1].prompt = "\xFF";
    QVERIFY(isNotSent(Submit{spec}));
    spec = tests::sampleSpec(1);
    spec.requests[0].guidanceScale = std::numeric_limits<double>::infinity();
    QVERIFY(isNotSent(Submit{spec}));
  }

  void aListOfRequestsIsReadStrictly() {
    const auto requests = tests::sampleSpec(4).requests;
    const auto whole = *encodeRequests(requests);
    QVERIFY(*decodeRequests(whole) == requests);
    QVERIFY(decodeRequests(*encodeRequests({}))->empty());
    const auto isBad = [](const std::vector<std::byte>& bytes) {
      const auto back = decodeRequests(bytes);
      return !back && back.error().code == ErrorCode::Protocol;
    };
    for (std::size_t size = 0; size < whole.size(); ++size) {
      QVERIFY(isBad({whole.begin(), whole.begin() + std::ptrdiff_t(size)}));
    }
    // Head: texts, pictures. Then the lengths of 4 texts. Then records of 72 bytes.
    const auto with = [&](std::size_t at, std::uint32_t value) {
      auto bytes = whole;
      for (std::size_t i = 0; i < 4; ++i) {
        bytes[at + i] = std::byte(value >> (8 * i) & 0xFF);
      }
      return bytes;
    };
    const std::size_t record = 8 + 4 * 4;
    QVERIFY(!isBad(with(record, 7)));
    QVERIFY(isBad(with(0, 0xFFFFFFFF)));
    QVERIFY(isBad(with(4, 0xFFFFFFFF)));
    QVERIFY(isBad(with(4, 5)));
    QVERIFY(isBad(with(8, 0x7FFFFFFF)));
    QVERIFY(isBad(with(record + 40, 4)));
    QVERIFY(isBad(with(record + 44, 4)));
    QVERIFY(isBad(with(record + 48, 4)));
    QVERIFY(isBad(with(record + 68, 4)));
    QVERIFY(isBad(with(record + 68, 0)));
    QVERIFY(isBad(with(record + 28, 0x7FF00000)));
    QVERIFY(isBad(with(record + 36, 0x7FF80000)));
    auto text = whole;
    text.back() = std::byte{0xFF};
    QVERIFY(isBad(text));
  }

  /// A few bytes that stand for more texts than memory holds.
  void aListDoesNotGrowWithoutLimit() {
    std::vector<domain::GenerationRequest> requests(300);
    for (auto& request : requests) {
      request.prompt.assign(domain::kMaxPromptBytes, 'x');
    }
    const auto tooMuch = encodeRequests(requests);
    QVERIFY(!tooMuch);
    QCOMPARE(tooMuch.error().code, ErrorCode::InvalidArgument);
    requests.resize(200);
    auto bytes = *encodeRequests(requests);
    QVERIFY(bytes.size() < 2 * domain::kMaxPromptBytes);
    // 300 records over the same text: 100 copies of a record are put in.
    const std::vector<std::byte> record(bytes.begin() + 16, bytes.begin() + 16 + 72);
    for (int i = 0; i < 100; ++i) {
      bytes.insert(bytes.begin() + 16, record.begin(), record.end());
    }
    bytes[4] = std::byte{300 & 0xFF};
    bytes[5] = std::byte{300 >> 8};
    const auto back = decodeRequests(bytes);
    QVERIFY(!back);
    QCOMPARE(back.error().code, ErrorCode::Protocol);
  }

  void aHundredThousandRequestsTakeNoTime() {
    const RunSpec spec = tests::sampleSpec(100'000);
    QElapsedTimer timer;
    timer.start();
    const QByteArray bytes = *encode(Submit{spec});
    FrameParser parser;
    parser.feed(spanOf(bytes));
    const auto back = decode(std::move(**parser.next()));
    const qint64 milliseconds = timer.elapsed();
    QVERIFY(back.isOk());
    QVERIFY(std::get<Submit>(*back).spec.requests == spec.requests);
    qInfo("%lld bytes in %lld ms", static_cast<long long>(bytes.size()), static_cast<long long>(milliseconds));
#ifndef __SANITIZE_ADDRESS__
    QVERIFY(milliseconds < 1000);
#endif
  }

  /// The fuzz target begins with these. POLYPTYCH_RENEW_CORPUS=1 writes them anew.
  void theCorpusIsOfThisProtocol() {
    const QDir folder(QStringLiteral(CORPUS_FOLDER));
    const auto samples = tests::sampleFaceMessages();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      QFile file(folder.filePath(QString::number(i + 1) + '-' + QLatin1String(nameOf(samples[i]))));
      const QByteArray expected = char(0xFF) + *encode(samples[i]);
      if (qEnvironmentVariableIntValue("POLYPTYCH_RENEW_CORPUS") == 1) {
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(expected) == expected.size());
        continue;
      }
      QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.fileName()));
      QCOMPARE(file.readAll(), expected);
    }
  }
};

QTEST_GUILESS_MAIN(TestFaceMessages)
#include "tst_face_messages.moc"
