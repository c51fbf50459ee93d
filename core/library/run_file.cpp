#include "core/library/run_file.h"

#include <QCryptographicHash>
#include <QStringList>
#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "core/library/json_line.h"

namespace polyptych::library {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using domain::GenerationRequest;

constexpr int kFormat = 2;
/// Of files in which no number is left out: they have not changed.
constexpr int kFormatOfWhole = 1;
/// Enough for most lines.
constexpr qsizetype kGuessedLineBytes = 128;
constexpr int kMaxThreads = 1024;
constexpr std::int64_t kMaxIndex = std::int64_t{1} << 53;  // exact in JSON

Error corrupt(std::string detail) {
  return {ErrorCode::Corrupt, "The file with the list of a run's pictures is damaged or incomplete.", std::move(detail)};
}

/// What the first line is compared with; a picture says everything that differs from it.
const GenerationRequest& beforeFirst() {
  static const GenerationRequest request;
  return request;
}

void writeRequest(QByteArray& out, const GenerationRequest& before, std::int64_t nextIndex, const GenerationRequest& request) {
  JsonLine line(out);
  const auto number = [&](std::string_view key, auto was, auto is) {
    if (was != is) {
      line.number(key, is);
    }
  };
  if (request.index != nextIndex) {
    line.number("index", request.index);
  }
  number("promptIndex", before.promptIndex, request.promptIndex);
  if (request.prompt != before.prompt) {
    line.text("prompt", request.prompt);
  }
  if (request.negativePrompt != before.negativePrompt) {
    request.negativePrompt ? line.text("negative", *request.negativePrompt) : line.null("negative");
  }
  number("seed", before.seed, request.seed);
  number("width", before.width, request.width);
  number("height", before.height, request.height);
  number("steps", before.steps, request.steps);
  number("guidance", before.guidanceScale, request.guidanceScale);
  number("guidanceRescale", before.guidanceRescale, request.guidanceRescale);
  if (request.scheduler != before.scheduler) {
    line.text("scheduler", request.scheduler);
  }
  if (request.clipSkip != before.clipSkip) {
    request.clipSkip ? line.number("clipSkip", *request.clipSkip) : line.null("clipSkip");
  }
  line.end();
}

void writeHeader(QByteArray& out, const RunRecord& record) {
  JsonLine line(out);
  line.number("format", record.isWhole() ? kFormatOfWhole : kFormat);
  line.number("id", record.id);
  line.number("number", record.number);
  line.number("created", record.createdMs);
  line.text("folder", record.folder.toStdString());
  line.text("fingerprint", record.fingerprint.toStdString());
  line.text("modelFolder", record.plan.model.folder);
  line.text("modelName", record.plan.model.name);
  line.text("modelHash", record.plan.model.hash);
  line.text("modelVariant", record.plan.model.variant);
  line.text("computeType", domain::toString(record.plan.computeType));
  line.text("noise", domain::toString(record.plan.noise));
  line.number("threads", record.plan.threads);
  line.number("batch", record.plan.batch);
  line.flag("vaeSlicing", record.plan.vaeSlicing);
  line.flag("vaeTiling", record.plan.vaeTiling);
  line.flag("wantsTrace", record.wantsTrace);
  line.flag("wantsPreviews", record.wantsPreviews);
  line.flag("hasLatents", record.hasLatents);
  line.end();
}

std::string checksumOf(QByteArrayView bytes) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  hash.addData(bytes);
  return hash.result().toHex().toStdString();
}

bool takeText(const JsonScalar& value, std::string& place) {
  if (value.kind == JsonScalar::Kind::Text) {
    place = value.text;
  }
  return value.kind == JsonScalar::Kind::Text;
}

bool takeText(const JsonScalar& value, QString& place) {
  if (value.kind == JsonScalar::Kind::Text) {
    place = QString::fromStdString(value.text);
  }
  return value.kind == JsonScalar::Kind::Text;
}

bool takeFlag(const JsonScalar& value, bool& place) {
  place = value.flag;
  return value.kind == JsonScalar::Kind::Flag;
}

template <typename T>
bool takeNumber(const JsonScalar& value, T& place) {
  const std::optional<T> number = value.number<T>();
  place = number.value_or(T{});
  return number.has_value();
}

template <typename T, typename Read>
bool takeName(const JsonScalar& value, T& place, Read read) {
  const Result<T> known = read(value.text);
  if (value.kind != JsonScalar::Kind::Text || !known) {
    return false;
  }
  place = *known;
  return true;
}

/// Calls `take` for each member. @return what is wrong: a key, or the line as a whole
std::optional<std::string> readMembers(std::string_view line,
                                       const std::function<bool(const std::string&, const JsonScalar&)>& take) {
  JsonLineReader reader(line);
  std::string key;
  JsonScalar value;
  while (reader.next(key, value)) {
    if (!take(key, value)) {
      return "wrong value of " + key;
    }
  }
  return reader.isWhole() ? std::nullopt : std::optional<std::string>("no JSON object");
}

/// Changes `request`, which is that of the line before, to this line's. Keys that it does not know are left.
bool takeRequestMember(GenerationRequest& request, const std::string& key, const JsonScalar& value) {
  const bool isNull = value.kind == JsonScalar::Kind::Null;
  if (key == "seed") {
    return takeNumber(value, request.seed);
  }
  if (key == "index") {
    return takeNumber(value, request.index);
  }
  if (key == "prompt") {
    return takeText(value, request.prompt);
  }
  if (key == "promptIndex") {
    return takeNumber(value, request.promptIndex);
  }
  if (key == "negative") {
    request.negativePrompt = isNull ? std::nullopt : std::optional<std::string>(value.text);
    return isNull || value.kind == JsonScalar::Kind::Text;
  }
  if (key == "width") {
    return takeNumber(value, request.width);
  }
  if (key == "height") {
    return takeNumber(value, request.height);
  }
  if (key == "steps") {
    return takeNumber(value, request.steps);
  }
  if (key == "guidance") {
    return takeNumber(value, request.guidanceScale);
  }
  if (key == "guidanceRescale") {
    return takeNumber(value, request.guidanceRescale);
  }
  if (key == "scheduler") {
    return takeText(value, request.scheduler);
  }
  if (key == "clipSkip") {
    request.clipSkip = isNull ? std::nullopt : value.number<int>();
    return isNull || request.clipSkip.has_value();
  }
  return true;
}

bool takeHeaderMember(RunRecord& record, int& format, const std::string& key, const JsonScalar& value) {
  domain::RunPlan& plan = record.plan;
  if (key == "format") {
    return takeNumber(value, format);
  }
  if (key == "id") {
    return takeNumber(value, record.id);
  }
  if (key == "number") {
    return takeNumber(value, record.number);
  }
  if (key == "created") {
    return takeNumber(value, record.createdMs);
  }
  if (key == "folder") {
    return takeText(value, record.folder);
  }
  if (key == "fingerprint") {
    return takeText(value, record.fingerprint);
  }
  if (key == "modelFolder") {
    return takeText(value, plan.model.folder);
  }
  if (key == "modelName") {
    return takeText(value, plan.model.name);
  }
  if (key == "modelHash") {
    return takeText(value, plan.model.hash);
  }
  if (key == "modelVariant") {
    return takeText(value, plan.model.variant);
  }
  if (key == "computeType") {
    return takeName(value, plan.computeType, domain::computeTypeFromString);
  }
  if (key == "noise") {
    return takeName(value, plan.noise, domain::noiseKindFromString);
  }
  if (key == "threads") {
    return takeNumber(value, plan.threads);
  }
  if (key == "batch") {
    return takeNumber(value, plan.batch);
  }
  if (key == "vaeSlicing") {
    return takeFlag(value, plan.vaeSlicing);
  }
  if (key == "vaeTiling") {
    return takeFlag(value, plan.vaeTiling);
  }
  if (key == "wantsTrace") {
    return takeFlag(value, record.wantsTrace);
  }
  if (key == "wantsPreviews") {
    return takeFlag(value, record.wantsPreviews);
  }
  if (key == "hasLatents") {
    return takeFlag(value, record.hasLatents);
  }
  return true;
}

/// A path that stays below the library, or nothing.
bool isInside(const QString& folder) {
  if (folder.startsWith(u'/') || folder.contains(QChar::Null)) {
    return false;
  }
  const QStringList parts = folder.split(u'/');
  return folder.isEmpty() || std::none_of(parts.begin(), parts.end(), [](const QString& part) {
           return part.isEmpty() || part == QLatin1String(".") || part == QLatin1String("..");
         });
}

std::optional<std::string> wrongInHeader(const RunRecord& record) {
  const domain::RunPlan& plan = record.plan;
  if (record.id == 0 || record.id > static_cast<quint64>(std::numeric_limits<qint64>::max())) {
    return "wrong value of id";
  }
  if (!isInside(record.folder)) {
    return "the folder lies outside of the library";
  }
  const bool isPlan = plan.computeType != domain::ComputeType::Auto && plan.threads >= 1 && plan.threads <= kMaxThreads &&
                      plan.batch >= 1 && plan.batch <= domain::kMaxBatch;
  return isPlan ? std::nullopt : std::optional<std::string>("wrong values in the plan");
}

Result<void> readHeader(std::string_view line, RunRecord& record) {
  int format = 0;
  const auto wrong = readMembers(
      line, [&](const std::string& key, const JsonScalar& value) { return takeHeaderMember(record, format, key, value); });
  if (format > kFormat) {
    return Error{ErrorCode::Unsupported,
                 "A run was written by a newer version of Polyptych; install that version to go on with it.",
                 "format " + std::to_string(format)};
  }
  if (wrong || format < kFormatOfWhole) {
    return corrupt("line 1: " + wrong.value_or("no format"));
  }
  const auto refused = wrongInHeader(record);
  return refused ? corrupt("line 1: " + *refused) : Result<void>();
}

struct End {
  std::uint64_t requests = 0;
  std::string checksum;
};

std::optional<End> readEnd(std::string_view line) {
  End end;
  const auto wrong = readMembers(line, [&](const std::string& key, const JsonScalar& value) {
    return key == "requests" ? takeNumber(value, end.requests) : key != "sha256" || takeText(value, end.checksum);
  });
  return wrong ? std::nullopt : std::optional<End>(std::move(end));
}

}  // namespace

bool RunRecord::isWhole() const {
  return requests.empty() || requests.back().index + 1 == static_cast<std::int64_t>(requests.size());
}

QByteArray toRunFile(const RunRecord& record) {
  QByteArray out;
  out.reserve(static_cast<qsizetype>(record.requests.size() + 8) * kGuessedLineBytes);
  writeHeader(out, record);
  const GenerationRequest* before = &beforeFirst();
  std::int64_t nextIndex = 0;
  for (const GenerationRequest& request : record.requests) {
    writeRequest(out, *before, nextIndex, request);
    before = &request;
    nextIndex = request.index + 1;
  }
  const std::string checksum = checksumOf(out);
  JsonLine end(out);
  end.number("requests", record.requests.size());
  end.text("sha256", checksum);
  end.end();
  return out;
}

Result<RunRecord> fromRunFile(const QByteArray& bytes, const RunFileLimits& limits) {
  std::string_view left(bytes.constData(), static_cast<std::size_t>(bytes.size()));
  const auto nextLine = [&left] {
    const std::size_t end = left.find('\n');
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    return line;
  };
  RunRecord record;
  if (auto read = readHeader(nextLine(), record); !read) {
    return read.error();
  }
  if (left.empty() || left.back() != '\n') {
    return corrupt("cut");
  }
  const std::size_t lastBreak = left.rfind('\n', left.size() - 2);
  const std::size_t bodySize = lastBreak == std::string_view::npos ? 0 : lastBreak + 1;
  const std::optional<End> end = readEnd(left.substr(bodySize, left.size() - bodySize - 1));
  const auto hashed = bytes.size() - static_cast<qsizetype>(left.size() - bodySize);
  if (!end || end->checksum != checksumOf(QByteArrayView(bytes).first(hashed))) {
    return corrupt("the last line is missing or does not fit");
  }
  left = left.substr(0, bodySize);
  if (end->requests > limits.pictures || static_cast<std::size_t>(std::ranges::count(left, '\n')) != end->requests) {
    return corrupt("wrong number of pictures, or too many");
  }
  record.requests.reserve(end->requests);
  GenerationRequest request = beforeFirst();
  std::size_t textBytes = 0;
  while (!left.empty()) {
    const std::int64_t nextIndex = record.requests.empty() ? 0 : request.index + 1;
    request.index = nextIndex;
    auto wrong = readMembers(
        nextLine(), [&](const std::string& key, const JsonScalar& value) { return takeRequestMember(request, key, value); });
    if (!wrong && (request.index < nextIndex || request.index > kMaxIndex)) {
      wrong = "the index is out of order";
    }
    if (const auto valid = domain::validate(request); !wrong && !valid) {
      wrong = valid.error().message;
    }
    // Texts that the lines say themselves are no longer than the file.
    textBytes += request.prompt.size() + (request.negativePrompt ? request.negativePrompt->size() : 0);
    if (!wrong && textBytes > limits.repeatedTextBytes + bodySize) {
      wrong = "repeats too much text";
    }
    if (wrong) {
      return corrupt("line " + std::to_string(record.requests.size() + 2) + ": " + *wrong);
    }
    record.requests.push_back(request);
  }
  return record;
}

}  // namespace polyptych::library
