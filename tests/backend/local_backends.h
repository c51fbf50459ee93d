#pragma once

#include <QList>
#include <QTest>
#include <algorithm>
#include <map>
#include <memory>

#include "tests/backend/sample_run.h"

namespace polyptych::tests {

inline constexpr int kPatienceMs = 20000;

/// Backends over fake workers, one a folder, and everything that they said.
class LocalBackends {
 public:
  explicit LocalBackends(const QStringList& workerArguments = {}, backend::LocalBackendTuning tuning = quickTuning(),
                         int maxAttempts = 2)
      : m_tuning(std::move(tuning)) {
    m_options.cpuWorker = m_options.cudaWorker = FAKE_WORKER;
    m_options.extraWorkerArguments = workerArguments;
    m_options.limits = quickLimits();
    m_options.limits.maxDeathsPerUnit = maxAttempts;
  }

  pool::SupervisionLimits& limits() { return m_options.limits; }
  backend::LocalBackendOptions& options() { return m_options; }
  backend::Backend& backend(const library::Location& location) {
    std::unique_ptr<backend::LocalBackend>& backend = m_backends[location.root];
    if (backend == nullptr) {
      backend = backend::LocalBackend::open(location, m_options, m_tuning).value();
      listenTo(*backend);
    }
    return *backend;
  }
  backend::Backend& backend(const QString& folder) { return backend(flatLibrary(folder)); }
  quint64 submit(const SampleRun& spec) { return backend(spec.outputFolder).submit(spec); }
  void destroy() { m_backends.clear(); }

  bool waitForEnd(int runs = 1) {
    return QTest::qWaitFor([this, runs] { return summaries.size() >= runs; }, kPatienceMs);
  }
  backend::RunSummary run(const SampleRun& spec) {
    const qsizetype before = summaries.size();
    submit(spec);
    return waitForEnd(int(before) + 1) ? summaries.back() : backend::RunSummary{};
  }
  bool saw(backend::SlotState state) const {
    return std::any_of(states.begin(), states.end(),
                       [state](const backend::SlotStatus& status) { return status.state == state; });
  }
  int count(backend::SlotState state) const {
    int count = 0;
    QMap<QString, backend::SlotState> before;  // of each slot: what two of them tell comes in any order
    for (const auto& status : states) {
      count += status.state == state && (!before.contains(status.slotId) || before[status.slotId] != state) ? 1 : 0;
      before[status.slotId] = status.state;
    }
    return count;
  }

  QList<quint64> started;
  QList<backend::SlotStatus> states;
  QList<backend::SlotStatus> steps;
  QList<qint64> previews;
  QList<backend::PictureEvent> pictures;
  QList<backend::FailureEvent> failures;
  QList<QByteArray> traces;
  std::vector<domain::Warning> warnings;
  QList<backend::RunSummary> summaries;

 private:
  void listenTo(backend::Backend& backend) {
    QObject::connect(&backend, &backend::Backend::runStarted, [this](quint64 id) { started << id; });
    QObject::connect(&backend, &backend::Backend::slotChanged, [this](const backend::SlotStatus& status) { states << status; });
    QObject::connect(&backend, &backend::Backend::stepFinished,
                     [this](quint64, const backend::SlotStatus& status) { steps << status; });
    QObject::connect(&backend, &backend::Backend::previewMade, [this](quint64, qint64 index) { previews << index; });
    QObject::connect(&backend, &backend::Backend::pictureFinished,
                     [this](const backend::PictureEvent& picture) { pictures << picture; });
    QObject::connect(&backend, &backend::Backend::pictureFailed,
                     [this](const backend::FailureEvent& failure) { failures << failure; });
    QObject::connect(&backend, &backend::Backend::traceMade, [this](quint64, const QByteArray& bytes) { traces << bytes; });
    QObject::connect(&backend, &backend::Backend::warned,
                     [this](quint64, const domain::Warning& warning) { warnings.push_back(warning); });
    QObject::connect(&backend, &backend::Backend::runFinished,
                     [this](const backend::RunSummary& summary) { summaries << summary; });
  }

  backend::LocalBackendOptions m_options;
  backend::LocalBackendTuning m_tuning;
  std::map<QString, std::unique_ptr<backend::LocalBackend>> m_backends;
};

inline int codeOf(const backend::RunSummary& summary) { return summary.error ? int(summary.error->code) : -1; }

}  // namespace polyptych::tests
