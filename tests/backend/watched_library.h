#pragma once

#include <QTest>

#include "core/library/database.h"
#include "tests/backend/local_backends.h"

namespace polyptych::tests {

/// A dated library and what its backend says of the queue.
class WatchedLibrary : public LocalBackends {
 public:
  WatchedLibrary(const QString& folder, const QStringList& workerArguments, backend::LocalBackendTuning tuning = quickTuning(),
                 const pool::SupervisionLimits& wanted = quickLimits())
      : LocalBackends(workerArguments, std::move(tuning)),
        location(library::locationAt(folder, library::Location::Layout::Dated)) {
    limits() = wanted;
  }

  /// The first call opens it.
  backend::Backend& open() {
    backend::Backend& opened = backend(location);
    if (!m_isHeard) {
      m_isHeard = true;
      QObject::connect(&opened, &backend::Backend::queueChanged, [this](const backend::QueueStatus& status) { queue << status; });
      QObject::connect(&opened, &backend::Backend::runChanged,
                       [this](const backend::RunStatus& status) { runs[status.runId] = status; });
      QObject::connect(&opened, &backend::Backend::commandDone,
                       [this](const backend::CommandResult& result) { results << result; });
    }
    return opened;
  }
  quint64 submit(SampleRun spec) { return open().submit(std::move(spec)); }
  void command(backend::Command::Kind kind, const QString& slotId = {}, std::vector<domain::DeviceSlot> slots = {}) {
    backend::Command wanted;
    wanted.kind = kind;
    wanted.slotId = slotId;
    wanted.slots = std::move(slots);
    open().control(wanted);
  }
  bool waitFor(const std::function<bool()>& isSo) const { return QTest::qWaitFor(isSo, kPatienceMs); }
  bool waitForPause(backend::PauseReason reason) const {
    return waitFor([&] { return !queue.isEmpty() && queue.back().pause == reason; });
  }
  /// The last that was told of a slot.
  backend::SlotStatus slot(const QString& id) const {
    for (auto status = states.rbegin(); status != states.rend(); ++status) {
      if (status->slotId == id) {
        return *status;
      }
    }
    return {};
  }
  QVariantList column(const QString& sql) {
    auto database = library::Database::open(location.databaseFile(), library::Database::Mode::ReadOnly);
    auto rows = database ? (*database)->queryOnce(sql) : database.error();
    QVariantList values;
    while (rows && rows->next()) {
      values << rows->value(0);
    }
    return values;
  }

  const library::Location location;
  QList<backend::QueueStatus> queue;
  QMap<quint64, backend::RunStatus> runs;
  QList<backend::CommandResult> results;

 private:
  bool m_isHeard = false;
};

inline SampleRun squares(int pictures, int side, int batch, int slots = 1) {
  SampleRun run = sampleRun({}, pictures, slots, batch);
  for (domain::GenerationRequest& request : run.requests) {
    request.width = request.height = side;
  }
  return run;
}

}  // namespace polyptych::tests
