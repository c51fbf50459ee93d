#include "core/backend/run.h"

#include <QDate>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSet>
#include <algorithm>
#include <set>

#include "core/base/fail_point.h"
#include "core/devices/device_list.h"
#include "core/gallery/output_folder.h"
#include "core/gallery/picture_name.h"
#include "core/gallery/picture_rows.h"
#include "core/models/model_identity.h"
#include "core/queue/runs.h"
#include "core/queue/units.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kMaxThreads = 1024;
constexpr std::int64_t kMaxIndex = std::int64_t{1} << 53;  // exact in JSON
constexpr int kNumberDigits = 4;
constexpr int kFolderSlugCharacters = 40;

Error invalid(std::string message) { return {ErrorCode::InvalidArgument, std::move(message), {}}; }

/// Cores of the CPU slots over their number.
int threadsFor(const std::vector<domain::DeviceSlot>& slots) {
  std::set<int> cores;
  int cpuSlots = 0;
  for (const domain::DeviceSlot& slot : slots) {
    if (slot.kind == domain::DeviceKind::Cpu) {
      ++cpuSlots;
      cores.insert(slot.cores.begin(), slot.cores.end());
    }
  }
  if (cpuSlots == 0) {
    return 1;
  }
  const auto count = static_cast<int>(cores.empty() ? devices::usableCores().size() : cores.size());
  return std::clamp(count / cpuSlots, 1, kMaxThreads);
}

QByteArray latentsOf(const RunSpec& spec) {
  return QByteArray(reinterpret_cast<const char*>(spec.initialLatents.data()),
                    static_cast<qsizetype>(spec.initialLatents.size()));
}

/// The run's file and what lies beside it, before any row.
Result<void> writeRunFiles(gallery::FolderHandle& home, const library::RunRecord& record, const QByteArray& latents) {
  base::failPoint("run-file");
  if (record.hasLatents) {
    if (auto written = home.replace(QLatin1String(library::kLatentsFileName), latents); !written) {
      return written;
    }
  }
  return home.replace(QLatin1String(library::kRunFileName), library::toRunFile(record));
}

bool removeRunFolder(gallery::FolderHandle& folder) {
  bool isGone = folder.removeTemporaries().isOk();
  for (const char* name : {library::kRunFileName, library::kLatentsFileName}) {
    isGone = folder.remove(QLatin1String(name)) && isGone;
  }
  return isGone && QDir().rmdir(folder.path());
}

/// A folder of the run's own: "<date>/<number>-<first words>".
Result<std::unique_ptr<gallery::RunFolder>> newRunFolder(const library::Location& location, library::RunRecord& record) {
  const QString date = QDate::currentDate().toString(Qt::ISODate);
  const QString name = QString::number(record.number).rightJustified(kNumberDigits, QLatin1Char('0')) + QLatin1Char('-') +
                       gallery::slugOf(record.requests.front().prompt).left(kFolderSlugCharacters);
  const QString parent = location.picturesFolder() + QLatin1Char('/') + date;
  if (!QDir().mkpath(parent)) {
    return Error{
        ErrorCode::Io, "The folder '" + parent.toStdString() + "' cannot be made; check the library's disk and rights.", {}};
  }
  for (int copy = 1;; ++copy) {
    const QString folder = copy == 1 ? name : name + QStringLiteral("-%1").arg(copy);
    if (QDir(parent).exists(folder)) {
      continue;
    }
    record.folder = date + QLatin1Char('/') + folder;
    auto opened = gallery::RunFolder::open(parent + QLatin1Char('/') + folder, record.fingerprint);
    if (!opened) {
      return opened.error();
    }
    // The names of the new folders themselves.
    for (const QString& above : {location.picturesFolder(), parent}) {
      if (auto synced = gallery::syncFolder(above); !synced) {
        return synced.error();
      }
    }
    return std::move(*opened);
  }
}

}  // namespace

std::vector<domain::PictureMetadata> metadataOf(const library::RunRecord& record) {
  std::vector<domain::PictureMetadata> pictures;
  pictures.reserve(record.requests.size());
  domain::UnitOfWork unit;
  unit.plan = record.plan;
  unit.requests.resize(1);
  for (const domain::GenerationRequest& request : record.requests) {
    unit.requests.front() = request;
    pictures.push_back(domain::metadataOf(unit, 0));
  }
  return pictures;
}

Result<void> checkSpec(const RunSpec& spec) {
  if (spec.requests.empty()) {
    return invalid("There are no prompts; give at least one.");
  }
  QSet<QString> ids;
  for (const domain::DeviceSlot& slot : spec.slots) {
    const QString id = QString::fromStdString(slot.id);
    if (id.isEmpty() || ids.contains(id)) {
      return invalid("The device '" + slot.id + "' is chosen twice under one name.");
    }
    if (slot.kind == domain::DeviceKind::Cuda && slot.uuid.empty()) {
      return invalid("The GPU '" + slot.id + "' has no UUID, so no worker can be bound to it.");
    }
    ids.insert(id);
  }
  if (spec.plan.batch < 0 || spec.plan.batch > domain::kMaxBatch) {
    return invalid("The batch size is " + std::to_string(spec.plan.batch) + "; it must be between 1 and " +
                   std::to_string(domain::kMaxBatch) + ".");
  }
  if (spec.plan.threads < 0 || spec.plan.threads > kMaxThreads) {
    return invalid("Threads is " + std::to_string(spec.plan.threads) + "; it must be between 1 and " +
                   std::to_string(kMaxThreads) + ".");
  }
  const bool isOneUnit = spec.requests.size() <= static_cast<std::size_t>(spec.plan.batch);
  if (!isOneUnit && (spec.wantsTrace || !spec.initialLatents.empty())) {
    return invalid("A trace and initial latents are for one unit of work; ask for at most as many pictures as the batch size.");
  }
  std::int64_t next = 0;
  for (const domain::GenerationRequest& request : spec.requests) {
    if (request.index < next || request.index > kMaxIndex) {
      return invalid("The pictures of a run must be numbered upwards from 0 in the order of their list.");
    }
    next = request.index + 1;
  }
  return {};
}

Result<domain::RunPlan> fixPlan(const RunSpec& spec) {
  domain::RunPlan plan = spec.plan;
  if (plan.computeType == domain::ComputeType::Auto) {
    const bool isAllGpus =
        std::all_of(spec.slots.begin(), spec.slots.end(), [](const auto& slot) { return slot.kind == domain::DeviceKind::Cuda; });
    plan.computeType = isAllGpus ? domain::ComputeType::Fp16 : domain::ComputeType::Fp32;
  }
  if (plan.threads == 0) {
    plan.threads = threadsFor(spec.slots);
  }
  if (plan.model.hash.empty()) {
    Result<std::string> hash = models::hashOfModel(plan.model);
    if (!hash) {
      return hash.error();
    }
    plan.model.hash = std::move(*hash);
  }
  return plan;
}

Result<PreparedRun> prepare(const RunSpec& spec, const library::Location& location, qint64 number) {
  domain::UnitOfWork work;
  work.plan = spec.plan;
  work.plan.computeType = work.plan.computeType == domain::ComputeType::Auto ? domain::ComputeType::Fp32 : work.plan.computeType;
  work.plan.threads = std::max(work.plan.threads, 1);
  const std::vector<queue::Unit> units = queue::groupUnits(spec.requests, spec.plan.batch);
  for (const queue::Unit& unit : units) {
    work.requests.clear();
    for (const std::size_t position : unit) {
      work.requests.push_back(spec.requests[position]);
    }
    if (const Result<void> valid = domain::validate(work); !valid) {
      return valid.error();
    }
  }
  Result<domain::RunPlan> plan = fixPlan(spec);
  if (!plan) {
    return plan.error();
  }
  if (auto place = library::checkPlace(location.databaseFile()); !place) {
    return place.error();
  }
  PreparedRun prepared;
  library::RunRecord& record = prepared.record;
  record.id = spec.id;
  record.number = number;
  record.createdMs = QDateTime::currentMSecsSinceEpoch();
  record.plan = std::move(*plan);
  record.wantsTrace = spec.wantsTrace;
  record.wantsPreviews = spec.wantsPreviews;
  record.hasLatents = !spec.initialLatents.empty();
  record.requests = spec.requests;
  prepared.files = std::make_shared<RunFiles>();
  if (location.layout == library::Location::Layout::Dated) {
    record.fingerprint = QString::number(record.id, 16);
    auto folder = newRunFolder(location, record);
    if (!folder) {
      return folder.error();
    }
    if (auto written = writeRunFiles((*folder)->handle(), record, latentsOf(spec)); !written) {
      removeRunFolder((*folder)->handle());
      return written.error();
    }
    prepared.files->folder = std::move(*folder);
  } else {
    gallery::FolderRun run{metadataOf(record), latentsOf(spec), {}};
    auto folder = gallery::OutputFolder::open(location.root, std::move(run));
    if (!folder) {
      return folder.error();
    }
    for (std::size_t i = 0; i < (*folder)->size(); ++i) {
      prepared.finished.push_back((*folder)->isFinished(i));
      if (prepared.finished.back()) {
        prepared.origins[i] = (*folder)->originOf(i);
      }
    }
    prepared.files->folder = (*folder)->release();
    record.fingerprint = prepared.files->folder->fingerprint();
    auto home = gallery::FolderHandle::open(location.homeFolder());
    if (!home) {
      return home.error();
    }
    if (auto removed = home->removeTemporaries(); !removed) {
      return removed.error();
    }
    if (auto written = writeRunFiles(*home, record, latentsOf(spec)); !written) {
      return written.error();
    }
  }
  prepared.files->path = prepared.files->folder->path();
  prepared.files->fingerprint = record.fingerprint;
  return prepared;
}

bool discard(const PreparedRun& prepared, const library::Location& location) {
  return location.layout == library::Location::Layout::Dated && removeRunFolder(prepared.files->folder->handle());
}

std::vector<std::byte> readLatents(const library::Location& location, const QString& runFolder) {
  const QString folder = location.layout == library::Location::Layout::Flat
                             ? location.homeFolder()
                             : location.picturesFolder() + QLatin1Char('/') + runFolder;
  QFile file(folder + QLatin1Char('/') + QLatin1String(library::kLatentsFileName));
  if (!file.open(QIODevice::ReadOnly)) {
    return {};
  }
  const QByteArray bytes = file.readAll();
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.constData());
  return {begin, begin + bytes.size()};
}

QString fingerprintOf(const RunSpec& spec, const domain::RunPlan& plan) {
  library::RunRecord record;
  record.plan = plan;
  record.requests = spec.requests;
  return gallery::fingerprintOf({metadataOf(record), latentsOf(spec), {}});
}

Result<void> insertPrepared(library::Database& database, const PreparedRun& prepared, const library::Location& location) {
  const library::RunRecord& record = prepared.record;
  base::failPoint("run-rows");
  if (location.layout == library::Location::Layout::Flat) {
    // One run, and the folder has just said what of it is there.
    Result<std::vector<queue::RunRow>> runs = queue::listRuns(database, 0, 1000);
    if (!runs) {
      return runs.error();
    }
    for (const queue::RunRow& run : *runs) {
      if (auto removed = gallery::removePicturesOfRun(database, run.id); !removed) {
        return removed;
      }
      if (auto removed = queue::removeRun(database, run.id); !removed) {
        return removed;
      }
    }
  }
  if (auto inserted = queue::insertRun(database, record, prepared.finished); !inserted) {
    return inserted;
  }
  base::failPoint("run-inserted");
  domain::UnitOfWork unit;
  unit.plan = record.plan;
  for (const auto& [index, origin] : prepared.origins) {
    unit.requests = {record.requests[index]};
    gallery::NewPicture picture;
    picture.runId = record.id;
    picture.metadata = domain::metadataOf(unit, 0);
    picture.file = gallery::RunFolder::nameOf(picture.metadata);
    picture.bytes = QFileInfo(prepared.files->path + QLatin1Char('/') + picture.file).size();
    picture.origin = origin;
    picture.madeMs = record.createdMs;
    if (const Result<qint64> added = gallery::addPicture(database, picture); !added) {
      return added.error();
    }
  }
  return {};
}

}  // namespace polyptych::backend
