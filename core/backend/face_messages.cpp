#include "core/backend/face_messages.h"

#include <QCborArray>
#include <QCborMap>
#include <QCborValue>
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/backend/request_list.h"
#include "core/protocol/cbor_scan.h"

namespace polyptych::backend::face {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr protocol::CborLimits kMapLimits{6, std::size_t(1) << 20};
/// Lengths of texts in UTF-16 units.
constexpr qsizetype kMaxNameLength = 4096;
constexpr qsizetype kMaxPathLength = 16 << 10;
constexpr qsizetype kMaxSentenceLength = 64 << 10;
constexpr std::int64_t kMostWhole = std::numeric_limits<std::int64_t>::max();

template <typename T>
using Names = std::initializer_list<std::pair<const char*, T>>;

constexpr Names<SlotState> kSlotStates{{"stopped", SlotState::Stopped},
                                       {"starting", SlotState::Starting},
                                       {"handshaking", SlotState::Handshaking},
                                       {"loading_model", SlotState::LoadingModel},
                                       {"idle", SlotState::Idle},
                                       {"busy", SlotState::Busy},
                                       {"stopping", SlotState::Stopping},
                                       {"failed", SlotState::Failed}};
constexpr Names<PauseReason> kPauseReasons{{"none", PauseReason::None},
                                           {"user", PauseReason::User},
                                           {"unclean_end", PauseReason::UncleanEnd},
                                           {"storage", PauseReason::Storage},
                                           {"breaker", PauseReason::Breaker}};
constexpr Names<RunState> kRunStates{
    {"open", RunState::Open}, {"finished", RunState::Finished}, {"cancelled", RunState::Cancelled}, {"failed", RunState::Failed}};
constexpr Names<Command::Kind> kCommands{{"pause_queue", Command::Kind::PauseQueue},
                                         {"resume_queue", Command::Kind::ResumeQueue},
                                         {"pause_run", Command::Kind::PauseRun},
                                         {"resume_run", Command::Kind::ResumeRun},
                                         {"cancel_in_work", Command::Kind::CancelInWork},
                                         {"cancel_waiting", Command::Kind::CancelWaiting},
                                         {"cancel_all", Command::Kind::CancelAll},
                                         {"retry", Command::Kind::Retry},
                                         {"move_to_front", Command::Kind::MoveToFront},
                                         {"move_before", Command::Kind::MoveBefore},
                                         {"undo", Command::Kind::Undo},
                                         {"dismiss", Command::Kind::Dismiss},
                                         {"set_devices", Command::Kind::SetDevices},
                                         {"restart_device", Command::Kind::RestartDevice},
                                         {"mark", Command::Kind::Mark},
                                         {"set_limits", Command::Kind::SetLimits}};
constexpr Names<domain::DeviceKind> kDeviceKinds{{"cpu", domain::DeviceKind::Cpu}, {"cuda", domain::DeviceKind::Cuda}};
constexpr Names<domain::Stage> kStages{{"encoding", domain::Stage::Encoding},
                                       {"denoising", domain::Stage::Denoising},
                                       {"decoding", domain::Stage::Decoding},
                                       {"saving", domain::Stage::Saving}};
constexpr Names<domain::ComputeType> kComputeTypes{{"auto", domain::ComputeType::Auto},
                                                   {"fp32", domain::ComputeType::Fp32},
                                                   {"fp16", domain::ComputeType::Fp16},
                                                   {"bf16", domain::ComputeType::Bf16}};
constexpr Names<domain::NoiseKind> kNoiseKinds{{"float", domain::NoiseKind::Float}, {"model", domain::NoiseKind::Model}};
constexpr Names<domain::WarningCode> kWarnings{{"other", domain::WarningCode::Other},
                                               {"prompt_cut", domain::WarningCode::PromptCut},
                                               {"out_of_range", domain::WarningCode::OutOfRange},
                                               {"file_differs", domain::WarningCode::FileDiffers},
                                               {"cores_not_pinned", domain::WarningCode::CoresNotPinned},
                                               {"partner_lost", domain::WarningCode::PartnerLost}};

/// Remembers the first thing that is wrong with a map.
class Problem {
 public:
  explicit Problem(std::string where) : m_where(std::move(where)) {}

  void refuse(std::string problem) {
    if (!m_problem) {
      m_problem = m_where + " " + std::move(problem);
    }
  }
  void refuseValue(const char* key) { refuse(std::string("has a wrong value for '") + key + "'"); }
  void absorb(const Problem& inner) {
    if (!m_problem) {
      m_problem = inner.m_problem;
    }
  }
  const std::optional<std::string>& problem() const { return m_problem; }

 private:
  std::string m_where;
  std::optional<std::string> m_problem;
};

/// Writes what describe() names. Has the same functions and the same limits as MapReader.
class MapWriter : public Problem {
 public:
  using Problem::Problem;

  template <std::integral T>
  void whole(const char* key, const T& value, std::int64_t least = 0, std::int64_t most = kMostWhole) {
    if (std::cmp_less(value, least) || std::cmp_greater(value, most)) {
      refuseValue(key);
    }
    put(key, static_cast<qint64>(value));
  }
  void real(const char* key, const double& value) {
    if (!std::isfinite(value)) {
      refuseValue(key);
    }
    put(key, value);
  }
  void seconds(const char* key, const double& value) {
    if (!(value >= 0)) {
      refuseValue(key);
    }
    real(key, value);
  }
  void flag(const char* key, const bool& value) { put(key, value); }
  void text(const char* key, const QString& value, qsizetype maxLength = kMaxNameLength) {
    if (value.size() > maxLength) {
      refuseValue(key);
    }
    put(key, value);
  }
  void text(const char* key, const std::string& value, qsizetype maxLength = kMaxNameLength) {
    text(key, QString::fromStdString(value), maxLength);
  }
  void token(const char* key, const QByteArray& value) {
    text(key, QString::fromLatin1(value), static_cast<qsizetype>(kMaxTokenLength));
  }
  /// Words for people: cut where they are too long.
  void sentence(const char* key, QString value) {
    if (value.size() > kMaxSentenceLength) {
      value.truncate(value.at(kMaxSentenceLength - 1).isHighSurrogate() ? kMaxSentenceLength - 1 : kMaxSentenceLength);
    }
    put(key, value);
  }
  void sentence(const char* key, const std::string& value) { sentence(key, QString::fromStdString(value)); }
  template <typename T>
  void named(const char* key, const T& value, const Names<T>& names) {
    const auto* found = std::ranges::find(names, value, &std::pair<const char*, T>::second);
    if (found == names.end()) {
      refuseValue(key);
      return;
    }
    put(key, QLatin1StringView(found->first));
  }
  void errorCode(const char* key, const ErrorCode& code) { text(key, std::string(base::toString(code))); }
  /// A part that is one key, or not there.
  template <typename T, typename Describe>
  void optional(const char*, const std::optional<T>& value, const Describe& describe) {
    if (value) {
      describe(*this, *value);
    }
  }
  template <typename T, typename Describe>
  void map(const char* key, const char* where, const T& value, const Describe& describe) {
    MapWriter inner{std::string(where)};
    describe(inner, value);
    absorb(inner);
    put(key, inner.m_map);
  }
  template <typename T, typename Describe>
  void list(const char* key, const char* where, const std::vector<T>& values, std::size_t most, const Describe& describe) {
    if (values.size() > most) {
      refuseValue(key);
      return;
    }
    QCborArray array;
    for (const T& value : values) {
      MapWriter inner{std::string(where)};
      describe(inner, value);
      absorb(inner);
      array.append(inner.m_map);
    }
    put(key, array);
  }
  template <std::integral T>
  void wholes(const char* key, const std::vector<T>& values, std::size_t most, std::int64_t least, std::int64_t largest) {
    QCborArray array;
    for (const T value : values) {
      if (std::cmp_less(value, least) || std::cmp_greater(value, largest)) {
        refuseValue(key);
      }
      array.append(static_cast<qint64>(value));
    }
    if (values.size() > most) {
      refuseValue(key);
    }
    put(key, array);
  }

  void texts(const char* key, const QStringList& values, std::size_t most) {
    QCborArray array;
    for (const QString& value : values) {
      if (value.size() > kMaxNameLength) {
        refuseValue(key);
      }
      array.append(value);
    }
    if (std::cmp_greater(values.size(), most)) {
      refuseValue(key);
    }
    put(key, array);
  }
  void milliseconds(const char* key, const std::chrono::milliseconds& time) { whole(key, time.count()); }

  const QCborMap& cbor() const { return m_map; }

 private:
  void put(const char* key, const QCborValue& value) { m_map.insert(QLatin1StringView(key), value); }

  QCborMap m_map;
};

/// Reads what describe() names; every key has to be there, and no other. After the first fault values mean nothing.
class MapReader : public Problem {
 public:
  MapReader(const QCborValue& value, std::string where) : Problem(std::move(where)), m_map(value.toMap()) {
    if (!value.isMap()) {
      refuse("is not a map");
    }
  }

  template <std::integral T>
  void whole(const char* key, T& out, std::int64_t least = 0, std::int64_t most = kMostWhole) {
    const QCborValue value = find(key);
    if (!isWhole<T>(value, least, most)) {
      refuseValue(key);
      return;
    }
    out = static_cast<T>(value.toInteger());
  }
  void real(const char* key, double& out) {
    const QCborValue value = find(key);
    if ((!value.isDouble() && !value.isInteger()) || !std::isfinite(value.toDouble())) {
      refuseValue(key);
      return;
    }
    out = value.toDouble();
  }
  void seconds(const char* key, double& out) {
    real(key, out);
    if (!(out >= 0)) {
      refuseValue(key);
    }
  }
  void flag(const char* key, bool& out) {
    const QCborValue value = find(key);
    if (!value.isBool()) {
      refuseValue(key);
    }
    out = value.toBool();
  }
  void text(const char* key, QString& out, qsizetype maxLength = kMaxNameLength) {
    const QCborValue value = find(key);
    out = value.toString();
    if (!value.isString() || out.size() > maxLength) {
      refuseValue(key);
    }
  }
  void text(const char* key, std::string& out, qsizetype maxLength = kMaxNameLength) {
    QString read;
    text(key, read, maxLength);
    out = read.toStdString();
  }
  void token(const char* key, QByteArray& out) {
    QString read;
    text(key, read, static_cast<qsizetype>(kMaxTokenLength));
    out = read.toLatin1();
    if (QString::fromLatin1(out) != read) {
      refuseValue(key);
    }
  }
  template <typename T>
  void sentence(const char* key, T& out) {
    text(key, out, kMaxSentenceLength);
  }
  template <typename T>
  void named(const char* key, T& out, const Names<T>& names) {
    QString read;
    text(key, read);
    for (const auto& [name, value] : names) {
      if (read == QLatin1StringView(name)) {
        out = value;
        return;
      }
    }
    refuseValue(key);
  }
  void errorCode(const char* key, ErrorCode& out) {
    std::string read;
    text(key, read);
    out = base::errorCodeFromString(read);
    if (base::toString(out) != read) {
      refuseValue(key);
    }
  }
  template <typename T, typename Describe>
  void optional(const char* key, std::optional<T>& out, const Describe& describe) {
    if (m_map.contains(QLatin1StringView(key))) {
      describe(*this, out.emplace());
    }
  }
  template <typename T, typename Describe>
  void map(const char* key, const char* where, T& out, const Describe& describe) {
    MapReader inner(find(key), where);
    describe(inner, out);
    inner.finish();
    absorb(inner);
  }
  template <typename T, typename Describe>
  void list(const char* key, const char* where, std::vector<T>& out, std::size_t most, const Describe& describe) {
    const std::optional<QCborArray> array = arrayAt(key, most);
    for (qsizetype i = 0; array && i < array->size() && !problem(); ++i) {
      MapReader inner(array->at(i), where);
      describe(inner, out.emplace_back());
      inner.finish();
      absorb(inner);
    }
  }
  template <std::integral T>
  void wholes(const char* key, std::vector<T>& out, std::size_t most, std::int64_t least, std::int64_t largest) {
    const std::optional<QCborArray> array = arrayAt(key, most);
    for (qsizetype i = 0; array && i < array->size(); ++i) {
      const QCborValue value = array->at(i);
      if (!isWhole<T>(value, least, largest)) {
        refuseValue(key);
        return;
      }
      out.push_back(static_cast<T>(value.toInteger()));
    }
  }

  void texts(const char* key, QStringList& out, std::size_t most) {
    const std::optional<QCborArray> array = arrayAt(key, most);
    for (qsizetype i = 0; array && i < array->size(); ++i) {
      const QCborValue value = array->at(i);
      if (!value.isString() || value.toString().size() > kMaxNameLength) {
        refuseValue(key);
        return;
      }
      out << value.toString();
    }
  }
  void milliseconds(const char* key, std::chrono::milliseconds& out) {
    std::int64_t count = 0;
    whole(key, count);
    out = std::chrono::milliseconds(count);
  }

  /// To be called after the last key: anything that was not asked for, or is there twice, does not belong there.
  void finish() {
    if (m_used != m_map.size()) {
      refuse("has a key that does not belong there");
    }
  }

 private:
  template <typename T>
  static bool isWhole(const QCborValue& value, std::int64_t least, std::int64_t most) {
    return value.isInteger() && value.toInteger() >= least && value.toInteger() <= most && std::in_range<T>(value.toInteger());
  }

  std::optional<QCborArray> arrayAt(const char* key, std::size_t most) {
    const QCborValue value = find(key);
    if (!value.isArray() || std::cmp_greater(value.toArray().size(), most)) {
      refuseValue(key);
      return std::nullopt;
    }
    return value.toArray();
  }

  QCborValue find(const char* key) {
    const auto found = std::as_const(m_map).find(QLatin1StringView(key));
    if (found == m_map.cend()) {
      refuse(std::string("lacks '") + key + "'");
      return {};
    }
    ++m_used;
    return found.value();
  }

  QCborMap m_map;
  qsizetype m_used = 0;
};

template <typename T, typename Plain>
concept Of = std::same_as<std::remove_const_t<T>, Plain>;

/// describe() for what stands in a list or a map of its own.
constexpr auto kDescribe = [](auto& map, auto& value) { describe(map, value); };

void describe(auto& map, Of<Error> auto& error) {
  map.errorCode("code", error.code);
  map.sentence("message", error.message);
  map.sentence("detail", error.detail);
}

void describeOptionalError(auto& map, auto& error) {
  map.optional("error", error, [](auto& parent, auto& value) { parent.map("error", "an error", value, kDescribe); });
}

void describe(auto& map, Of<domain::ModelSpec> auto& model) {
  map.text("folder", model.folder, kMaxPathLength);
  map.text("name", model.name);
  map.text("hash", model.hash);
  map.text("variant", model.variant);
}

void describe(auto& map, Of<domain::RunPlan> auto& plan) {
  map.map("model", "a model", plan.model, kDescribe);
  map.named("computeType", plan.computeType, kComputeTypes);
  map.named("noise", plan.noise, kNoiseKinds);
  map.whole("threads", plan.threads);
  map.whole("batch", plan.batch);
  map.flag("vaeSlicing", plan.vaeSlicing);
  map.flag("vaeTiling", plan.vaeTiling);
}

void describe(auto& map, Of<domain::PartnerDevice> auto& partner) {
  map.text("name", partner.name);
  map.text("uuid", partner.uuid);
  map.wholes("cores", partner.cores, kMaxCoresOfSlot, 0, std::numeric_limits<int>::max());
}

void describe(auto& map, Of<domain::DeviceSlot> auto& slot) {
  map.text("id", slot.id);
  map.named("kind", slot.kind, kDeviceKinds);
  map.text("name", slot.name);
  map.text("uuid", slot.uuid);
  map.wholes("cores", slot.cores, kMaxCoresOfSlot, 0, std::numeric_limits<int>::max());
  map.optional("partner", slot.partner,
               [](auto& parent, auto& partner) { parent.map("partner", "a device", partner, kDescribe); });
}

void describe(auto& map, Of<domain::DeviceInfo> auto& device) {
  map.text("id", device.id);
  map.named("kind", device.kind, kDeviceKinds);
  map.text("name", device.name);
  map.text("uuid", device.uuid);
  map.whole("totalBytes", device.totalBytes);
  map.whole("freeBytes", device.freeBytes);
  map.whole("cores", device.cores);
  map.whole("temperature", device.temperatureCelsius, std::numeric_limits<int>::min());
  map.real("power", device.powerWatts);
}

void describe(auto& map, Of<SlotStatus> auto& status) {
  map.text("id", status.slotId);
  map.text("device", status.deviceName);
  map.named("state", status.state, kSlotStates);
  map.sentence("reason", status.reason);
  map.optional("failure", status.failure, [](auto& parent, auto& code) { parent.errorCode("failure", code); });
  map.flag("willRestart", status.willRestart);
  map.whole("loadedBytes", status.loadedBytes);
  map.whole("totalBytes", status.totalBytes);
  map.whole("index", status.index, -1);
  map.named("stage", status.progress.stage, kStages);
  map.whole("step", status.progress.step);
  map.whole("steps", status.progress.steps);
  map.whole("pictures", status.picturesDone);
}

void describeRun(auto& map, auto& runId) { map.whole("run", runId, 0, kMaxId); }

void describe(auto& map, Of<MarkChange> auto& marks) {
  map.optional("stars", marks.stars, [](auto& parent, auto& stars) { parent.whole("stars", stars, 0, gallery::kMaxStars); });
  map.optional("pick", marks.pick, [](auto& parent, auto& pick) { parent.whole("pick", pick, -1, 1); });
  map.texts("addedTags", marks.addedTags, kMaxNamesOfMarks);
  map.texts("removedTags", marks.removedTags, kMaxNamesOfMarks);
  map.text("addedAlbum", marks.addedAlbum);
  map.text("removedAlbum", marks.removedAlbum);
  map.optional("isTrashed", marks.isTrashed, [](auto& parent, auto& isTrashed) { parent.flag("isTrashed", isTrashed); });
}

void describe(auto& map, Of<DeviceReading> auto& reading) {
  map.text("id", reading.deviceId);
  map.whole("totalBytes", reading.totalBytes);
  map.whole("usedBytes", reading.usedBytes);
  map.whole("oursBytes", reading.oursBytes);
  map.real("utilisation", reading.utilisation);
  map.whole("temperature", reading.temperatureCelsius, std::numeric_limits<int>::min());
  map.real("power", reading.powerWatts);
  map.real("powerLimit", reading.powerLimitWatts);
  map.flag("isOursKnown", reading.isOursKnown);
}

void describe(auto& map, Of<pool::SupervisionLimits> auto& limits) {
  map.whole("maxDeathsPerUnit", limits.maxDeathsPerUnit);
  map.whole("maxOutOfMemoryPerUnit", limits.maxOutOfMemoryPerUnit);
  map.milliseconds("restartBase", limits.restartBase);
  map.seconds("restartFactor", limits.restartFactor);
  map.milliseconds("restartMax", limits.restartMax);
  map.whole("maxRestartsInWindow", limits.maxRestartsInWindow);
  map.milliseconds("restartWindow", limits.restartWindow);
  map.whole("deviceBreaker", limits.deviceBreaker);
  map.whole("overallBreaker", limits.overallBreaker);
  map.flag("allowsSmallerSize", limits.allowsSmallerSize);
  map.whole("smallestSide", limits.smallestSide);
  map.optional("releaseAfter", limits.releaseAfter, [](auto& parent, auto& time) { parent.milliseconds("releaseAfter", time); });
  map.optional("stopAfter", limits.stopAfter, [](auto& parent, auto& time) { parent.milliseconds("stopAfter", time); });
  map.whole("hostReserveBytes", limits.hostReserveBytes);
}

void describe(auto& map, Of<Hello> auto& hello) {
  map.token("token", hello.token);
  map.text("version", hello.version);
  map.text("face", hello.face);
}
void describe(auto& map, Of<Submit> auto& submit) {
  map.whole("run", submit.spec.id, 1, kMaxId);
  map.map("plan", "a plan", submit.spec.plan, kDescribe);
  map.list("slots", "a slot", submit.spec.slots, kMaxDevices, kDescribe);
  map.flag("wantsTrace", submit.spec.wantsTrace);
  map.flag("wantsPreviews", submit.spec.wantsPreviews);
}
void describe(auto& map, Of<CancelRun> auto& cancel) { describeRun(map, cancel.runId); }
void describe(auto& map, Of<Control> auto& control) {
  auto& command = control.command;
  map.whole("command", control.commandId, 1, kMaxId);
  map.named("kind", command.kind, kCommands);
  describeRun(map, command.jobs.runId);
  map.whole("before", command.before);
  map.whole("undo", command.undoId);
  map.list("slots", "a slot", command.slots, kMaxDevices, kDescribe);
  map.text("slot", command.slotId);
  map.map("marks", "marks", command.marks, kDescribe);
  map.optional("limits", command.limits, [](auto& parent, auto& limits) { parent.map("limits", "limits", limits, kDescribe); });
}
void describe(auto&, Of<ListDevices> auto&) {}
void describe(auto&, Of<Refresh> auto&) {}
void describe(auto& map, Of<Goodbye> auto& goodbye) { map.flag("waits", goodbye.waits); }
void describe(auto& map, Of<Retire> auto& retire) {
  map.token("token", retire.token);
  map.text("version", retire.version);
}
void describe(auto& map, Of<Await> auto& await) { map.wholes("runs", await.runIds, kMaxAwaitedRuns, 1, kMaxId); }
void describe(auto& map, Of<Welcome> auto& welcome) {
  map.text("version", welcome.version);
  map.whole("pid", welcome.pid);
  map.text("library", welcome.libraryRoot, kMaxPathLength);
}
void describe(auto& map, Of<Refused> auto& refused) { map.map("error", "an error", refused.error, kDescribe); }
void describe(auto&, Of<Retiring> auto&) {}
void describe(auto& map, Of<Devices> auto& devices) { map.list("devices", "a device", devices.devices, kMaxDevices, kDescribe); }
void describe(auto& map, Of<QueueChanged> auto& changed) {
  auto& status = changed.status;
  map.named("pause", status.pause, kPauseReasons);
  map.sentence("sentence", status.sentence);
  map.whole("waiting", status.waiting);
  map.whole("inWork", status.inWork);
  map.whole("failed", status.failed);
}
void describe(auto& map, Of<RunChanged> auto& changed) {
  auto& status = changed.status;
  describeRun(map, status.runId);
  map.whole("number", status.number);
  map.whole("created", status.createdMs, std::numeric_limits<std::int64_t>::min());
  map.sentence("title", status.title);
  map.text("folder", status.folder, kMaxPathLength);
  map.named("state", status.state, kRunStates);
  map.flag("isPaused", status.isPaused);
  map.whole("batch", status.batch, 1, domain::kMaxBatch);
  map.whole("total", status.total);
  map.whole("made", status.made);
  map.whole("alreadyThere", status.alreadyThere);
  map.whole("failed", status.failed);
  map.whole("cancelled", status.cancelled);
}
void describe(auto& map, Of<CommandDone> auto& done) {
  auto& result = done.result;
  map.whole("command", result.commandId, 1, kMaxId);
  describeOptionalError(map, result.error);
  map.whole("changed", result.changed);
  map.whole("undo", result.undoId);
}
void describe(auto& map, Of<RunStarted> auto& started) {
  describeRun(map, started.runId);
  map.whole("total", started.total);
  map.whole("alreadyThere", started.alreadyThere);
}
void describe(auto& map, Of<SlotChanged> auto& changed) { map.map("slot", "a slot", changed.status, kDescribe); }
void describe(auto& map, Of<StepFinished> auto& step) {
  describeRun(map, step.runId);
  map.map("slot", "a slot", step.status, kDescribe);
}
void describe(auto& map, Of<Preview> auto& preview) {
  describeRun(map, preview.runId);
  map.whole("index", preview.index);
  map.text("slot", preview.slotId);
  map.whole("width", preview.image.width, 1, kMaxPreviewSide);
  map.whole("height", preview.image.height, 1, kMaxPreviewSide);
}
void describe(auto& map, Of<PictureFinished> auto& finished) {
  auto& picture = finished.picture;
  describeRun(map, picture.runId);
  map.whole("index", picture.index);
  map.text("path", picture.path, kMaxPathLength);
  map.text("slot", picture.slotId);
  map.seconds("seconds", picture.seconds);
  map.flag("wasAlreadyThere", picture.wasAlreadyThere);
}
void describe(auto& map, Of<PictureFailed> auto& failed) {
  describeRun(map, failed.failure.runId);
  map.whole("index", failed.failure.index);
  map.text("slot", failed.failure.slotId);
  map.map("error", "an error", failed.failure.error, kDescribe);
}
void describe(auto& map, Of<Trace> auto& trace) { describeRun(map, trace.runId); }
void describe(auto& map, Of<Warned> auto& warned) {
  describeRun(map, warned.runId);
  map.named("code", warned.warning.code, kWarnings);
  map.sentence("sentence", warned.warning.sentence);
}
void describe(auto& map, Of<RunFinished> auto& finished) {
  auto& summary = finished.summary;
  describeRun(map, summary.runId);
  map.whole("total", summary.total);
  map.whole("made", summary.made);
  map.whole("alreadyThere", summary.alreadyThere);
  map.whole("failed", summary.failed);
  map.flag("wasCancelled", summary.wasCancelled);
  describeOptionalError(map, summary.error);
}
void describe(auto& map, Of<Lost> auto& lost) { map.map("error", "an error", lost.error, kDescribe); }
void describe(auto& map, Of<WatchDevices> auto& watch) { map.flag("isWanted", watch.isWanted); }
void describe(auto& map, Of<DevicesMeasured> auto& measured) {
  map.list("devices", "a reading", measured.readings, kMaxDevices, kDescribe);
}
void describe(auto&, Of<PicturesMarked> auto&) {}
void describe(auto& map, Of<LimitsChanged> auto& changed) { map.map("limits", "limits", changed.limits, kDescribe); }

using Attachments = std::vector<std::vector<std::byte>>;

std::vector<std::byte> bytesOf(const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  return {first, first + size};
}

/// @return what is wrong, if anything
std::optional<Error> attach(const auto&, Attachments&) { return std::nullopt; }

std::optional<Error> attach(const Submit& submit, Attachments& out) {
  Result<std::vector<std::byte>> requests = encodeRequests(submit.spec.requests);
  if (!requests) {
    return requests.error();
  }
  out.push_back(std::move(*requests));
  if (!submit.spec.initialLatents.empty()) {
    out.push_back(submit.spec.initialLatents);
  }
  return std::nullopt;
}

/// Numbers of jobs or pictures, eight bytes each.
std::optional<Error> attachIds(const std::vector<qint64>& ids, Attachments& out) {
  if (ids.empty()) {
    return std::nullopt;
  }
  if (ids.size() > kMaxSelectedJobs || std::ranges::any_of(ids, [](qint64 id) { return id < 1; })) {
    return Error{ErrorCode::InvalidArgument, "A command is for pictures that cannot be, or for too many at once.", {}};
  }
  std::vector<std::byte>& bytes = out.emplace_back();
  bytes.reserve(ids.size() * sizeof(qint64));
  for (const qint64 id : ids) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bytes.push_back(static_cast<std::byte>(static_cast<quint64>(id) >> shift & 0xFF));
    }
  }
  return std::nullopt;
}

/// A command is for jobs or for pictures.
auto& idsOf(auto& command) { return command.kind == Command::Kind::Mark ? command.marks.pictures : command.jobs.jobIds; }

std::optional<Error> attach(const Control& control, Attachments& out) { return attachIds(idsOf(control.command), out); }

std::optional<Error> attach(const PicturesMarked& marked, Attachments& out) { return attachIds(marked.pictures, out); }

std::optional<Error> attach(const Preview& preview, Attachments& out) {
  const domain::Image& image = preview.image;
  if (image.pixels.size() != std::size_t{3} * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height)) {
    return Error{ErrorCode::InvalidArgument, "A preview's pixels do not fit its size.", {}};
  }
  out.push_back(bytesOf(image.pixels.data(), image.pixels.size()));
  return std::nullopt;
}

std::optional<Error> attach(const Trace& trace, Attachments& out) {
  out.push_back(bytesOf(trace.safetensors.constData(), static_cast<std::size_t>(trace.safetensors.size())));
  return std::nullopt;
}

/// @return what is wrong, if anything
std::optional<std::string> detach(auto&, Attachments& attachments) {
  return attachments.empty() ? std::nullopt : std::optional<std::string>("has attachments");
}

std::optional<std::string> detach(Submit& submit, Attachments& attachments) {
  if (attachments.empty() || attachments.size() > 2 || (attachments.size() == 2 && attachments[1].empty())) {
    return "has the wrong attachments";
  }
  Result<std::vector<domain::GenerationRequest>> requests = decodeRequests(attachments.front());
  if (!requests) {
    return requests.error().message;
  }
  submit.spec.requests = std::move(*requests);
  if (attachments.size() == 2) {
    submit.spec.initialLatents = std::move(attachments[1]);
  }
  return std::nullopt;
}

std::optional<std::string> detachIds(std::vector<qint64>& ids, Attachments& attachments) {
  if (attachments.empty()) {
    return std::nullopt;
  }
  const std::vector<std::byte>& bytes = attachments.front();
  const std::size_t count = bytes.size() / sizeof(qint64);
  if (attachments.size() > 1 || bytes.size() % sizeof(qint64) != 0 || count == 0 || count > kMaxSelectedJobs) {
    return "has the wrong attachments";
  }
  ids.reserve(count);
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(qint64)) {
    quint64 id = 0;
    for (std::size_t k = 0; k < sizeof(qint64); ++k) {
      id |= static_cast<quint64>(bytes[i + k]) << (8 * k);
    }
    if (id < 1 || id > static_cast<quint64>(kMostWhole)) {
      return "has the number of a picture that cannot be";
    }
    ids.push_back(static_cast<qint64>(id));
  }
  return std::nullopt;
}

std::optional<std::string> detach(Control& control, Attachments& attachments) {
  return detachIds(idsOf(control.command), attachments);
}

std::optional<std::string> detach(PicturesMarked& marked, Attachments& attachments) {
  if (attachments.empty()) {
    return "has the wrong attachments";
  }
  return detachIds(marked.pictures, attachments);
}

std::optional<std::string> detach(Preview& preview, Attachments& attachments) {
  domain::Image& image = preview.image;
  if (attachments.size() != 1 || attachments.front().size() != std::size_t{3} * static_cast<std::size_t>(image.width) *
                                                                   static_cast<std::size_t>(image.height)) {
    return "has pixels that do not fit its size";
  }
  const auto* first = reinterpret_cast<const std::uint8_t*>(attachments.front().data());
  image.pixels.assign(first, first + attachments.front().size());
  return std::nullopt;
}

std::optional<std::string> detach(Trace& trace, Attachments& attachments) {
  if (attachments.size() != 1) {
    return "has the wrong attachments";
  }
  const std::vector<std::byte>& bytes = attachments.front();
  trace.safetensors = QByteArray(reinterpret_cast<const char*>(bytes.data()), static_cast<qsizetype>(bytes.size()));
  return std::nullopt;
}

constexpr std::array kNames{
    "Hello",        "Submit",       "CancelRun",       "Control",         "ListDevices",    "Refresh",
    "Goodbye",      "Retire",       "Await",           "Welcome",         "Refused",        "Retiring",
    "Devices",      "QueueChanged", "RunChanged",      "CommandDone",     "RunStarted",     "SlotChanged",
    "StepFinished", "Preview",      "PictureFinished", "PictureFailed",   "Trace",          "Warned",
    "RunFinished",  "Lost",         "WatchDevices",    "DevicesMeasured", "PicturesMarked", "LimitsChanged"};
static_assert(kNames.size() == std::variant_size_v<Message>);

/// An empty message of the type with this place in Message.
template <std::size_t... Is>
Message emptyMessage(std::size_t place, std::index_sequence<Is...>) {
  static const std::array<Message (*)(), sizeof...(Is)> makers{+[] { return Message(std::in_place_index<Is>); }...};
  return makers[place]();
}

}  // namespace

const char* nameOf(const Message& message) { return kNames[message.index()]; }

bool isFromFace(const Message& message) {
  return message.index() <= Message(Await{}).index() || std::holds_alternative<WatchDevices>(message);
}

Result<QByteArray> encode(const Message& message) {
  MapWriter map(nameOf(message));
  std::visit([&map](const auto& typed) { describe(map, typed); }, message);
  if (map.problem()) {
    return Error{ErrorCode::InvalidArgument, "A message cannot be sent: " + *map.problem() + ".", {}};
  }
  protocol::Frame frame;
  frame.type = static_cast<std::uint16_t>(kFirstMessageType + message.index());
  if (auto error = std::visit([&frame](const auto& typed) { return attach(typed, frame.attachments); }, message)) {
    return *error;
  }
  const QByteArray cbor = QCborValue(map.cbor()).toCbor();
  frame.map = bytesOf(cbor.constData(), static_cast<std::size_t>(cbor.size()));
  const Result<std::vector<std::byte>> bytes = protocol::encodeFrame(frame);
  if (!bytes) {
    return bytes.error();
  }
  return QByteArray(reinterpret_cast<const char*>(bytes->data()), static_cast<qsizetype>(bytes->size()));
}

Result<Message> decode(protocol::Frame frame) {
  const auto refuse = [](std::string problem) {
    return Error{ErrorCode::Protocol, "A message cannot be used: " + std::move(problem) + ".", {}};
  };
  const std::size_t place = std::size_t{frame.type} - kFirstMessageType;
  if (frame.type < kFirstMessageType || place >= std::variant_size_v<Message>) {
    return refuse("type " + std::to_string(frame.type) + " is not known");
  }
  if (const auto problem = protocol::problemOfCbor(frame.map, kMapLimits)) {
    return refuse("its map " + *problem);
  }
  const QByteArray bytes =
      QByteArray::fromRawData(reinterpret_cast<const char*>(frame.map.data()), static_cast<qsizetype>(frame.map.size()));
  QCborParserError error;
  const QCborValue value = QCborValue::fromCbor(bytes, &error);
  if (error.error != QCborError::NoError) {
    return refuse("its map is damaged (" + error.errorString().toStdString() + ")");
  }
  MapReader map(value, kNames[place]);
  Message message = emptyMessage(place, std::make_index_sequence<std::variant_size_v<Message>>());
  std::visit([&map](auto& typed) { describe(map, typed); }, message);
  map.finish();
  if (map.problem()) {
    return refuse(*map.problem());
  }
  const auto problem = std::visit([&frame](auto& typed) { return detach(typed, frame.attachments); }, message);
  if (problem) {
    return refuse(std::string(kNames[place]) + " " + *problem);
  }
  return message;
}

}  // namespace polyptych::backend::face
