#include <unistd.h>

#include <QCoreApplication>
#include <QFile>
#include <algorithm>
#include <memory>
#include <utility>

#include "app/polyptych-core/core_program.h"
#include "tests/backend/scripted_backend.h"

using namespace polyptych;

namespace {

/// What it does is said by arguments for workers: "die-once=FILE": ends hard at the first run unless FILE is there;
/// "fail-to-open". Runs are open until they are cancelled; one whose first prompt begins with "quick" ends at once.
struct Script {
  QString value(const QString& key) const {
    for (const QString& word : words) {
      if (word.startsWith(key)) {
        return word.mid(key.size());
      }
    }
    return {};
  }
  QStringList words;
};

base::Result<core::OpenedBackend> open(const core::CoreArguments& arguments, const core::CoreEvents& events) {
  const Script script{arguments.backend.extraWorkerArguments};
  if (script.words.contains(QStringLiteral("fail-to-open"))) {
    return base::Error{base::ErrorCode::Corrupt, "The library is damaged.", {}};
  }
  auto backend = std::make_unique<tests::ScriptedBackend>();
  backend->answersAtOnce = true;
  auto openRuns = std::make_shared<int>(0);
  auto* raw = backend.get();
  const auto change = [openRuns, onIdleChanged = events.onIdleChanged](int by) {
    *openRuns += by;
    onIdleChanged(*openRuns == 0);
  };
  const QString dieOnce = script.value(QStringLiteral("die-once="));
  raw->onSubmit = [raw, change, dieOnce](const backend::RunSpec& spec) {
    if (!dieOnce.isEmpty() && !QFile::exists(dieOnce)) {
      QFile file(dieOnce);
      static_cast<void>(file.open(QIODevice::WriteOnly));
      file.close();
      _exit(9);
    }
    change(1);
    Q_EMIT raw->runStarted(spec.id, static_cast<qint64>(spec.requests.size()), 0);
    if (!spec.requests.empty() && spec.requests[0].prompt.starts_with("quick")) {
      raw->finish(spec.id);
      change(-1);
    }
  };
  raw->onCancel = [raw, change](quint64 runId) {
    raw->finish(runId, true);
    change(-1);
  };
  return core::OpenedBackend{std::move(backend), [openRuns] { return *openRuns == 0; }};
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  core::CoreSetup setup;
  setup.open = open;
  const QString version = qEnvironmentVariable("SCRIPTED_CORE_VERSION");
  if (!version.isEmpty()) {
    setup.version = version.toStdString();
  }
  if (qEnvironmentVariableIsSet("SCRIPTED_CORE_FIRST_FACE_MS")) {
    setup.firstFace = std::chrono::milliseconds(qEnvironmentVariableIntValue("SCRIPTED_CORE_FIRST_FACE_MS"));
  }
  return core::runCore({argv + 1, argv + std::max(argc, 1)}, setup);
}
