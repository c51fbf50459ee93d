#include "ui/run_starter.h"

#include <algorithm>
#include <utility>

#include "ui/devices/device_control.h"
#include "ui/error_text.h"
#include "ui/message_bar.h"
#include "ui/open_runs.h"
#include "ui/run_form.h"
#include "ui/shell/preferences.h"

namespace polyptych::ui {

RunStarter::RunStarter(backend::Backend& backend, const Parts& parts, DescribeModel describeModel, QObject* parent)
    : QObject(parent), m_backend(backend), m_parts(parts), m_describeModel(std::move(describeModel)) {
  m_threads.setMaxThreadCount(1);
  connect(&backend, &backend::Backend::runStarted, this, [this](quint64 runId) {
    if (m_inFront.remove(runId)) {
      backend::Command command;
      command.kind = backend::Command::Kind::MoveToFront;
      command.jobs.runId = runId;
      m_backend.control(std::move(command));
    }
  });
}

RunStarter::~RunStarter() {
  m_threads.clear();
  m_threads.waitForDone();
}

void RunStarter::start(bool isInFront) {
  if (m_isChecking) {
    return;
  }
  const auto input = m_parts.form.input();
  if (!input) {
    m_parts.messages.show(MessageBar::Kind::Trouble, QString::fromStdString(input.error().message));
    return;
  }
  if (!m_parts.devices.isAnyTicked()) {
    Q_EMIT devicesMissing();
    return;
  }
  const auto slotList = m_parts.devices.chosen();
  if (!slotList) {
    m_parts.messages.show(MessageBar::Kind::Trouble, textOf(slotList.error(), Subject::Settings));
    return;
  }
  m_isChecking = true;
  Q_EMIT checkingChanged();
  m_threads.start([this, input = *input, slotList = *slotList, isInFront] {
    auto specs = specsOf(input, slotList, m_describeModel);
    // It waits for its thread before it goes.
    QMetaObject::invokeMethod(
        this, [this, isInFront, specs = std::move(specs)]() mutable { take(std::move(specs), isInFront); }, Qt::QueuedConnection);
  });
}

void RunStarter::take(std::variant<std::vector<backend::RunSpec>, Refusal> specs, bool isInFront) {
  m_isChecking = false;
  Q_EMIT checkingChanged();
  if (m_isLost) {
    return;
  }
  if (const auto* refusal = std::get_if<Refusal>(&specs)) {
    m_parts.messages.show(MessageBar::Kind::Trouble, textOf(refusal->error, refusal->subject));
    return;
  }
  auto& ready = std::get<std::vector<backend::RunSpec>>(specs);
  // What goes to the front last stands there first.
  if (isInFront) {
    std::ranges::reverse(ready);
  }
  for (backend::RunSpec& spec : ready) {
    submit(std::move(spec), isInFront);
  }
}

void RunStarter::submit(backend::RunSpec spec, bool isInFront) {
  m_parts.messages.clear();
  spec.wantsPreviews = m_parts.preferences.values().showsPreviews;
  auto requests = spec.requests;
  const int batch = spec.plan.batch;
  const quint64 runId = m_backend.submit(std::move(spec));
  if (isInFront) {
    m_inFront.insert(runId);
  }
  m_parts.runs.add(runId, std::move(requests), batch);
  Q_EMIT submitted(runId);
}

}  // namespace polyptych::ui
