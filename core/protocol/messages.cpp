#include "core/protocol/messages.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/base/utf8.h"
#include "core/protocol/cbor_scan.h"

namespace polyptych::protocol {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using nlohmann::json;

constexpr std::size_t kMaxNameBytes = 4096;
constexpr std::size_t kMaxDetailBytes = 256u << 10;

/// Builds the tree of bytes in which problemOfCbor() found nothing; returning false ends the parse.
class TreeBuilder {
 public:
  using number_integer_t = json::number_integer_t;
  using number_unsigned_t = json::number_unsigned_t;
  using number_float_t = json::number_float_t;
  using string_t = json::string_t;
  using binary_t = json::binary_t;

  bool null() { return add(nullptr) != nullptr; }
  bool boolean(bool value) { return add(value) != nullptr; }
  bool number_integer(number_integer_t value) { return add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) { return add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) { return add(value) != nullptr; }
  bool string(string_t& value) { return isText(value) && add(std::move(value)) != nullptr; }
  bool binary(binary_t&) { return refuse("has a byte string"); }
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& value) {
    if (!isText(value)) {
      return false;
    }
    if (m_open.back()->contains(value)) {
      return refuse("has a key twice");
    }
    m_key = std::move(value);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception& error) { return refuse(error.what()); }

  json& root() { return m_root; }
  const std::string& problem() const { return m_problem; }

 private:
  bool refuse(std::string problem) {
    m_problem = std::move(problem);
    return false;
  }

  bool isText(const std::string& value) { return base::firstInvalidUtf8(value) ? refuse("has text that is not UTF-8") : true; }

  json* add(json value) {
    if (m_open.empty()) {
      m_root = std::move(value);
      return &m_root;
    }
    json& parent = *m_open.back();
    if (parent.is_array()) {
      return &parent.emplace_back(std::move(value));
    }
    return &(parent[m_key] = std::move(value));
  }

  bool open(json value) {
    m_open.push_back(add(std::move(value)));
    return true;
  }

  bool close() {
    m_open.pop_back();
    return true;
  }

  json m_root;
  std::vector<json*> m_open;
  std::string m_key;
  std::string m_problem;
};

/// Reads one CBOR map that fills `bytes`. Refused: tags, byte strings, open lengths, duplicate keys, text that is no UTF-8,
/// nesting and counts above the limits.
Result<json> parseCborMap(std::span<const std::byte> bytes) {
  const auto refuse = [](std::string detail) {
    return Error{ErrorCode::Protocol, "A message cannot be read: its map is damaged.", std::move(detail)};
  };
  if (const auto problem = problemOfCbor(bytes)) {
    return refuse(*problem);
  }
  TreeBuilder builder;
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (!json::sax_parse(first, first + bytes.size(), &builder, json::input_format_t::cbor, true)) {
    return refuse(builder.problem());
  }
  if (!builder.root().is_object()) {
    return refuse("it is not a map");
  }
  return std::move(builder.root());
}

/// Reads the keys of one map and remembers the first that is wrong; the values it gives back after that mean nothing.
class Fields {
 public:
  Fields(const json* map, std::string where) : m_map(map), m_where(std::move(where)) {
    if (m_map == nullptr || !m_map->is_object()) {
      refuse("is not a map");
    }
  }

  bool has(const char* key) const { return !m_problem && m_map->contains(key); }

  std::uint64_t number(const char* key, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    const json* value = find(key);
    if (value == nullptr) {
      return 0;
    }
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > most) {
      refuse(std::string("has a wrong value for '") + key + "'");
      return 0;
    }
    return value->get<std::uint64_t>();
  }

  int integer(const char* key) { return static_cast<int>(number(key, std::numeric_limits<int>::max())); }
  std::int64_t index(const char* key) { return static_cast<std::int64_t>(number(key, std::numeric_limits<std::int64_t>::max())); }

  /// A finite number; whole ones may travel as integers.
  double real(const char* key) {
    const json* value = find(key);
    if (value == nullptr) {
      return 0;
    }
    if (!value->is_number() || !std::isfinite(value->get<double>())) {
      refuse(std::string("has a wrong value for '") + key + "'");
      return 0;
    }
    return value->get<double>();
  }

  double seconds(const char* key) {
    const double value = real(key);
    if (value < 0) {
      refuse(std::string("has a wrong value for '") + key + "'");
    }
    return value;
  }

  bool flag(const char* key) {
    const json* value = find(key);
    if (value != nullptr && !value->is_boolean()) {
      refuse(std::string("has a wrong value for '") + key + "'");
      return false;
    }
    return value != nullptr && value->get<bool>();
  }

  std::string text(const char* key, std::size_t maxBytes) {
    const json* value = find(key);
    if (value == nullptr) {
      return {};
    }
    if (!value->is_string() || value->get_ref<const std::string&>().size() > maxBytes) {
      refuse(std::string("has no text for '") + key + "', or one that is too long");
      return {};
    }
    return value->get<std::string>();
  }

  const json* list(const char* key, std::size_t maxItems) {
    const json* value = find(key);
    if (value != nullptr && (!value->is_array() || value->size() > maxItems)) {
      refuse(std::string("has no list for '") + key + "', or one that is too long");
      return nullptr;
    }
    return value;
  }

  const json* map(const char* key) { return find(key); }

  /// One of names, by toString-like pairs.
  template <typename T>
  T named(const char* key, std::initializer_list<std::pair<std::string_view, T>> names) {
    const std::string name = text(key, kMaxNameBytes);
    for (const auto& [known, value] : names) {
      if (known == name) {
        return value;
      }
    }
    refuse(std::string("has an unknown name for '") + key + "'");
    return T{};
  }

  template <typename T>
  T taken(const char* key, Result<T> value) {
    if (!value) {
      refuse(std::string("has a wrong value for '") + key + "'");
      return T{};
    }
    return std::move(value).value();
  }

  void refuse(std::string problem) {
    if (!m_problem) {
      m_problem = m_where + " " + std::move(problem);
    }
  }

  /// What is wrong, unknown keys included.
  std::optional<std::string> problem() {
    if (!m_problem && m_used.size() != m_map->size()) {
      refuse("has a key that does not belong there");
    }
    return m_problem;
  }

  /// Takes over what is wrong with a map inside this one.
  void absorb(Fields& inner) {
    if (auto found = inner.problem(); found && !m_problem) {
      m_problem = std::move(found);
    }
  }

 private:
  const json* find(const char* key) {
    if (m_problem) {
      return nullptr;
    }
    const auto found = m_map->find(key);
    if (found == m_map->end()) {
      refuse(std::string("lacks '") + key + "'");
      return nullptr;
    }
    m_used.insert(key);
    return &*found;
  }

  const json* m_map;
  std::string m_where;
  std::set<std::string> m_used;
  std::optional<std::string> m_problem;
};

json toJson(const Error& error) {
  return {{"code", base::toString(error.code)}, {"message", error.message}, {"detail", error.detail}};
}

Error readError(Fields& parent) {
  Fields fields(parent.map("error"), "an error");
  Error error;
  const std::string code = fields.text("code", kMaxNameBytes);
  error.code = base::errorCodeFromString(code);
  if (base::toString(error.code) != code) {
    fields.refuse("has an unknown code");
  }
  error.message = fields.text("message", kMaxSentenceBytes);
  error.detail = fields.text("detail", kMaxDetailBytes);
  parent.absorb(fields);
  return error;
}

const std::initializer_list<std::pair<std::string_view, domain::WarningCode>> kWarningNames{
    {"other", domain::WarningCode::Other},
    {"prompt_cut", domain::WarningCode::PromptCut},
    {"out_of_range", domain::WarningCode::OutOfRange},
    {"file_differs", domain::WarningCode::FileDiffers},
    {"cores_not_pinned", domain::WarningCode::CoresNotPinned},
    {"partner_lost", domain::WarningCode::PartnerLost},
};

json toJson(const domain::Warning& warning) {
  const auto* entry = std::ranges::find(kWarningNames, warning.code, &std::pair<std::string_view, domain::WarningCode>::second);
  return {{"code", entry == kWarningNames.end() ? "other" : entry->first}, {"sentence", warning.sentence}};
}

domain::Warning readWarning(Fields& fields) {
  const auto code = fields.named("code", kWarningNames);
  return {code, fields.text("sentence", kMaxSentenceBytes)};
}

json keyed(const UnitKey& key) { return {{"unit", key.unitId}, {"lease", key.lease}}; }

UnitKey readKey(Fields& fields) { return {fields.number("unit"), fields.number("lease")}; }

json toJson(const domain::ModelSpec& model) {
  return {{"folder", model.folder}, {"name", model.name}, {"hash", model.hash}, {"variant", model.variant}};
}

domain::ModelSpec readModel(Fields& parent) {
  Fields fields(parent.map("model"), "a model");
  domain::ModelSpec model;
  model.folder = fields.text("folder", kMaxNameBytes);
  model.name = fields.text("name", kMaxNameBytes);
  model.hash = fields.text("hash", kMaxNameBytes);
  model.variant = fields.text("variant", kMaxNameBytes);
  parent.absorb(fields);
  return model;
}

domain::ComputeType readComputeType(Fields& fields) {
  return fields.taken("computeType", domain::computeTypeFromString(fields.text("computeType", kMaxNameBytes)));
}

json toJson(const domain::RunPlan& plan) {
  return {{"model", toJson(plan.model)},
          {"computeType", domain::toString(plan.computeType)},
          {"noise", domain::toString(plan.noise)},
          {"threads", plan.threads},
          {"batch", plan.batch},
          {"vaeSlicing", plan.vaeSlicing},
          {"vaeTiling", plan.vaeTiling}};
}

domain::RunPlan readPlan(Fields& parent) {
  Fields fields(parent.map("plan"), "a plan");
  domain::RunPlan plan;
  plan.model = readModel(fields);
  plan.computeType = readComputeType(fields);
  plan.noise = fields.taken("noise", domain::noiseKindFromString(fields.text("noise", kMaxNameBytes)));
  plan.threads = fields.integer("threads");
  plan.batch = fields.integer("batch");
  plan.vaeSlicing = fields.flag("vaeSlicing");
  plan.vaeTiling = fields.flag("vaeTiling");
  parent.absorb(fields);
  return plan;
}

json toJson(const domain::GenerationRequest& request) {
  json out = {{"index", request.index},
              {"promptIndex", request.promptIndex},
              {"prompt", request.prompt},
              {"seed", request.seed},
              {"width", request.width},
              {"height", request.height},
              {"steps", request.steps},
              {"guidance", request.guidanceScale},
              {"guidanceRescale", request.guidanceRescale},
              {"scheduler", request.scheduler}};
  if (request.negativePrompt) {
    out["negative"] = *request.negativePrompt;
  }
  if (request.clipSkip) {
    out["clipSkip"] = *request.clipSkip;
  }
  return out;
}

domain::GenerationRequest readRequest(const json& map, Fields& parent) {
  Fields fields(&map, "a request");
  domain::GenerationRequest request;
  request.index = fields.index("index");
  request.promptIndex = fields.index("promptIndex");
  request.prompt = fields.text("prompt", domain::kMaxPromptBytes);
  if (fields.has("negative")) {
    request.negativePrompt = fields.text("negative", domain::kMaxPromptBytes);
  }
  request.seed = fields.number("seed");
  request.width = fields.integer("width");
  request.height = fields.integer("height");
  request.steps = fields.integer("steps");
  request.guidanceScale = fields.real("guidance");
  request.guidanceRescale = fields.real("guidanceRescale");
  request.scheduler = fields.text("scheduler", kMaxNameBytes);
  if (fields.has("clipSkip")) {
    request.clipSkip = fields.integer("clipSkip");
  }
  parent.absorb(fields);
  return request;
}

std::vector<std::byte> bytesOf(const std::vector<std::uint8_t>& pixels) {
  const auto* first = reinterpret_cast<const std::byte*>(pixels.data());
  return {first, first + pixels.size()};
}

/// Map and attachments of a message.
struct Parts {
  json map = json::object();
  std::vector<std::vector<std::byte>> attachments;
};

Parts partsOf(const Hello& hello) {
  const char* kind = hello.device.kind == domain::DeviceKind::Cuda ? "cuda" : "cpu";
  return {{{"token", hello.token},
           {"pid", hello.pid},
           {"version", hello.programVersion},
           {"device",
            {{"kind", kind}, {"name", hello.device.name}, {"uuid", hello.device.uuid}, {"totalBytes", hello.device.totalBytes}}}},
          {}};
}
Parts partsOf(const LoadModel& load) {
  return {{{"load", load.loadId}, {"model", toJson(load.model)}, {"computeType", domain::toString(load.computeType)}}, {}};
}
Parts partsOf(const LoadProgress& load) {
  return {{{"load", load.loadId}, {"done", load.doneBytes}, {"total", load.totalBytes}}, {}};
}
Parts partsOf(const Ready& ready) {
  return {{{"load", ready.loadId}, {"weightBytes", ready.weightBytes}, {"seconds", ready.seconds}}, {}};
}
Parts partsOf(const LoadFailed& failed) { return {{{"load", failed.loadId}, {"error", toJson(failed.error)}}, {}}; }
Parts partsOf(const Generate& generate) {
  Parts parts{keyed(generate.key()), {}};
  parts.map["plan"] = toJson(generate.unit.plan);
  json requests = json::array();
  for (const domain::GenerationRequest& request : generate.unit.requests) {
    requests.push_back(toJson(request));
  }
  parts.map["requests"] = std::move(requests);
  parts.map["wantsTrace"] = generate.unit.wantsTrace;
  parts.map["wantsPreviews"] = generate.unit.wantsPreviews;
  if (!generate.unit.initialLatents.empty()) {
    parts.attachments.push_back(generate.unit.initialLatents);
  }
  return parts;
}
Parts partsOf(const Progress& progress) {
  Parts parts{keyed(progress.key), {}};
  parts.map["stage"] = domain::toString(progress.progress.stage);
  parts.map["step"] = progress.progress.step;
  parts.map["steps"] = progress.progress.steps;
  parts.map["seconds"] = progress.seconds;
  return parts;
}
Parts partsOf(const Preview& preview) {
  Parts parts{keyed(preview.key), {}};
  parts.map["request"] = preview.requestInUnit;
  parts.map["width"] = preview.image.width;
  parts.map["height"] = preview.image.height;
  parts.attachments.push_back(bytesOf(preview.image.pixels));
  return parts;
}
Parts partsOf(const PictureMade& made) {
  Parts parts{keyed(made.key), {}};
  parts.map["request"] = made.requestInUnit;
  parts.map["width"] = made.width;
  parts.map["height"] = made.height;
  parts.map["seconds"] = made.seconds;
  parts.attachments.push_back(made.png);
  return parts;
}
Parts partsOf(const UnitDone& done) {
  Parts parts{keyed(done.key), {}};
  parts.map["seconds"] = done.seconds;
  json& warnings = parts.map["warnings"] = json::array();
  for (const domain::Warning& warning : done.warnings) {
    warnings.push_back(toJson(warning));
  }
  if (!done.trace.empty()) {
    parts.attachments.push_back(done.trace);
  }
  return parts;
}
Parts partsOf(const UnitCancelled& cancelled) { return {keyed(cancelled.key), {}}; }
Parts partsOf(const UnitFailed& failed) {
  Parts parts{keyed(failed.key), {}};
  parts.map["error"] = toJson(failed.error);
  return parts;
}
Parts partsOf(const Cancel& cancel) { return {keyed(cancel.key), {}}; }
Parts partsOf(const Heartbeat& heartbeat) { return {{{"sequence", heartbeat.sequence}}, {}}; }
Parts partsOf(const Shutdown&) { return {}; }
Parts partsOf(const Fatal& fatal) { return {{{"error", toJson(fatal.error)}}, {}}; }
Parts partsOf(const UnloadModel& unload) { return {{{"load", unload.loadId}}, {}}; }
Parts partsOf(const Unloaded& unloaded) { return {{{"load", unloaded.loadId}}, {}}; }
Parts partsOf(const Warning& warning) { return {toJson(warning.warning), {}}; }

using Attachments = std::vector<std::vector<std::byte>>;

Hello readHello(Fields& fields) {
  Hello hello;
  hello.token = fields.text("token", kMaxTokenBytes);
  hello.pid = fields.index("pid");
  hello.programVersion = fields.text("version", kMaxNameBytes);
  Fields device(fields.map("device"), "a device");
  hello.device.kind =
      device.named<domain::DeviceKind>("kind", {{"cpu", domain::DeviceKind::Cpu}, {"cuda", domain::DeviceKind::Cuda}});
  hello.device.name = device.text("name", kMaxNameBytes);
  hello.device.uuid = device.text("uuid", kMaxNameBytes);
  hello.device.totalBytes = device.number("totalBytes");
  fields.absorb(device);
  return hello;
}

LoadModel readLoadModel(Fields& fields) {
  LoadModel load;
  load.loadId = fields.number("load");
  load.model = readModel(fields);
  load.computeType = readComputeType(fields);
  return load;
}

Generate readGenerate(Fields& fields, Attachments& attachments) {
  Generate generate;
  generate.unit.id = fields.number("unit");
  generate.lease = fields.number("lease");
  generate.unit.plan = readPlan(fields);
  if (const json* requests = fields.list("requests", static_cast<std::size_t>(domain::kMaxBatch))) {
    for (const json& request : *requests) {
      generate.unit.requests.push_back(readRequest(request, fields));
    }
  }
  generate.unit.wantsTrace = fields.flag("wantsTrace");
  generate.unit.wantsPreviews = fields.flag("wantsPreviews");
  if (!attachments.empty()) {
    generate.unit.initialLatents = std::move(attachments.front());
  }
  return generate;
}

Progress readProgress(Fields& fields) {
  Progress progress;
  progress.key = readKey(fields);
  progress.progress.stage = fields.named<domain::Stage>("stage", {{"encoding", domain::Stage::Encoding},
                                                                  {"denoising", domain::Stage::Denoising},
                                                                  {"decoding", domain::Stage::Decoding},
                                                                  {"saving", domain::Stage::Saving}});
  progress.progress.step = fields.integer("step");
  progress.progress.steps = fields.integer("steps");
  progress.seconds = fields.seconds("seconds");
  return progress;
}

std::uint32_t readRequestNumber(Fields& fields) {
  return static_cast<std::uint32_t>(fields.number("request", static_cast<std::uint64_t>(domain::kMaxBatch) - 1));
}

int readSide(Fields& fields, const char* key, int most) {
  const int side = static_cast<int>(fields.number(key, static_cast<std::uint64_t>(most)));
  if (side < 1) {
    fields.refuse(std::string("has a wrong value for '") + key + "'");
  }
  return side;
}

Preview readPreview(Fields& fields, const Attachments& attachments) {
  Preview preview;
  preview.key = readKey(fields);
  preview.requestInUnit = readRequestNumber(fields);
  preview.image.width = readSide(fields, "width", kMaxPreviewSide);
  preview.image.height = readSide(fields, "height", kMaxPreviewSide);
  const std::vector<std::byte>& bytes = attachments.front();
  const auto expected =
      std::size_t{3} * static_cast<std::size_t>(preview.image.width) * static_cast<std::size_t>(preview.image.height);
  if (bytes.size() != expected) {
    fields.refuse("has pixels that do not fit its size");
    return preview;
  }
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  preview.image.pixels.assign(first, first + bytes.size());
  return preview;
}

PictureMade readPictureMade(Fields& fields, Attachments& attachments) {
  PictureMade made;
  made.key = readKey(fields);
  made.requestInUnit = readRequestNumber(fields);
  made.width = readSide(fields, "width", domain::kMaxSide);
  made.height = readSide(fields, "height", domain::kMaxSide);
  made.seconds = fields.seconds("seconds");
  made.png = std::move(attachments.front());
  if (made.png.empty()) {
    fields.refuse("has an empty picture");
  }
  return made;
}

UnitDone readUnitDone(Fields& fields, Attachments& attachments) {
  UnitDone done;
  done.key = readKey(fields);
  done.seconds = fields.seconds("seconds");
  if (const json* warnings = fields.list("warnings", kMaxWarnings)) {
    for (const json& item : *warnings) {
      Fields warning(&item, "a warning");
      done.warnings.push_back(readWarning(warning));
      fields.absorb(warning);
    }
  }
  if (!attachments.empty()) {
    done.trace = std::move(attachments.front());
  }
  return done;
}

struct TypeRule {
  MessageType type;
  const char* name;
  std::size_t minAttachments;
  std::size_t maxAttachments;
};

constexpr std::array kTypeRules{
    TypeRule{MessageType::Hello, "Hello", 0, 0},
    TypeRule{MessageType::LoadModel, "LoadModel", 0, 0},
    TypeRule{MessageType::LoadProgress, "LoadProgress", 0, 0},
    TypeRule{MessageType::Ready, "Ready", 0, 0},
    TypeRule{MessageType::LoadFailed, "LoadFailed", 0, 0},
    TypeRule{MessageType::Generate, "Generate", 0, 1},
    TypeRule{MessageType::Progress, "Progress", 0, 0},
    TypeRule{MessageType::Preview, "Preview", 1, 1},
    TypeRule{MessageType::PictureMade, "PictureMade", 1, 1},
    TypeRule{MessageType::UnitDone, "UnitDone", 0, 1},
    TypeRule{MessageType::UnitCancelled, "UnitCancelled", 0, 0},
    TypeRule{MessageType::UnitFailed, "UnitFailed", 0, 0},
    TypeRule{MessageType::Cancel, "Cancel", 0, 0},
    TypeRule{MessageType::Heartbeat, "Heartbeat", 0, 0},
    TypeRule{MessageType::Shutdown, "Shutdown", 0, 0},
    TypeRule{MessageType::Fatal, "Fatal", 0, 0},
    TypeRule{MessageType::Warning, "Warning", 0, 0},
    TypeRule{MessageType::UnloadModel, "UnloadModel", 0, 0},
    TypeRule{MessageType::Unloaded, "Unloaded", 0, 0},
};

const TypeRule* findRule(std::uint16_t type) {
  for (const TypeRule& rule : kTypeRules) {
    if (static_cast<std::uint16_t>(rule.type) == type) {
      return &rule;
    }
  }
  return nullptr;
}

Message readMessage(MessageType type, Fields& fields, Attachments& attachments) {
  switch (type) {
    case MessageType::Hello:
      return readHello(fields);
    case MessageType::LoadModel:
      return readLoadModel(fields);
    case MessageType::LoadProgress:
      return LoadProgress{fields.number("load"), fields.number("done"), fields.number("total")};
    case MessageType::Ready:
      return Ready{fields.number("load"), fields.number("weightBytes"), fields.seconds("seconds")};
    case MessageType::LoadFailed:
      return LoadFailed{fields.number("load"), readError(fields)};
    case MessageType::Generate:
      return readGenerate(fields, attachments);
    case MessageType::Progress:
      return readProgress(fields);
    case MessageType::Preview:
      return readPreview(fields, attachments);
    case MessageType::PictureMade:
      return readPictureMade(fields, attachments);
    case MessageType::UnitDone:
      return readUnitDone(fields, attachments);
    case MessageType::UnitCancelled:
      return UnitCancelled{readKey(fields)};
    case MessageType::UnitFailed: {
      const UnitKey key = readKey(fields);
      return UnitFailed{key, readError(fields)};
    }
    case MessageType::Cancel:
      return Cancel{readKey(fields)};
    case MessageType::Heartbeat:
      return Heartbeat{fields.number("sequence")};
    case MessageType::Shutdown:
      return Shutdown{};
    case MessageType::Fatal:
      return Fatal{readError(fields)};
    case MessageType::Warning:
      return Warning{readWarning(fields)};
    case MessageType::UnloadModel:
      return UnloadModel{fields.number("load")};
    case MessageType::Unloaded:
      return Unloaded{fields.number("load")};
  }
  return Shutdown{};
}

/// True if no text anywhere in the tree breaks UTF-8.
bool isAllText(const json& value) {
  if (value.is_string()) {
    return !base::firstInvalidUtf8(value.get_ref<const std::string&>());
  }
  if (value.is_structured()) {
    for (const json& item : value) {
      if (!isAllText(item)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

bool operator==(const Hello& a, const Hello& b) {
  return a.token == b.token && a.pid == b.pid && a.programVersion == b.programVersion && a.device.kind == b.device.kind &&
         a.device.name == b.device.name && a.device.uuid == b.device.uuid && a.device.totalBytes == b.device.totalBytes;
}

bool operator==(const Generate& a, const Generate& b) {
  return a.key() == b.key() && a.unit.plan == b.unit.plan && a.unit.requests == b.unit.requests &&
         a.unit.wantsTrace == b.unit.wantsTrace && a.unit.wantsPreviews == b.unit.wantsPreviews &&
         a.unit.initialLatents == b.unit.initialLatents;
}

bool operator==(const Progress& a, const Progress& b) {
  return a.key == b.key && a.progress.stage == b.progress.stage && a.progress.step == b.progress.step &&
         a.progress.steps == b.progress.steps && a.seconds == b.seconds;
}

MessageType typeOf(const Message& message) {
  // The alternatives stand in the order of their numbers, which begin with 1.
  return static_cast<MessageType>(message.index() + 1);
}

const char* nameOf(MessageType type) {
  const TypeRule* rule = findRule(static_cast<std::uint16_t>(type));
  return rule == nullptr ? "unknown" : rule->name;
}

Result<std::vector<std::byte>> encode(const Message& message) {
  Parts parts = std::visit([](const auto& typed) { return partsOf(typed); }, message);
  const MessageType type = typeOf(message);
  if (!isAllText(parts.map)) {
    return Error{ErrorCode::InvalidArgument, "A text is not valid UTF-8 and cannot be sent.", nameOf(type)};
  }
  Frame frame;
  frame.type = static_cast<std::uint16_t>(type);
  const std::vector<std::uint8_t> map = json::to_cbor(parts.map);
  frame.map = bytesOf(map);
  frame.attachments = std::move(parts.attachments);
  return encodeFrame(frame);
}

Result<Message> decode(Frame frame) {
  const auto refuse = [](std::string problem) {
    return Error{ErrorCode::Protocol, "A message cannot be used: " + std::move(problem) + ".", {}};
  };
  const TypeRule* rule = findRule(frame.type);
  if (rule == nullptr) {
    return refuse("type " + std::to_string(frame.type) + " is not known");
  }
  if (frame.attachments.size() < rule->minAttachments || frame.attachments.size() > rule->maxAttachments) {
    return refuse(std::string(rule->name) + " has the wrong number of attachments");
  }
  const Result<json> map = parseCborMap(frame.map);
  if (!map) {
    return map.error();
  }
  Fields fields(&*map, rule->name);
  Message message = readMessage(rule->type, fields, frame.attachments);
  if (const auto problem = fields.problem()) {
    return refuse(*problem);
  }
  return message;
}

std::string sentenceForWire(std::string_view text, std::size_t maxBytes) {
  std::string out;
  while (!text.empty() && out.size() <= maxBytes) {
    const auto bad = base::firstInvalidUtf8(text);
    out += text.substr(0, bad.value_or(text.size()));
    if (!bad) {
      break;
    }
    out += "\xEF\xBF\xBD";
    text.remove_prefix(*bad + 1);
  }
  return std::string(base::utf8Prefix(out, maxBytes));
}

}  // namespace polyptych::protocol
