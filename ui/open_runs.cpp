#include "ui/open_runs.h"

#include <utility>

#include "ui/error_text.h"

namespace polyptych::ui {

using backend::Backend;

OpenRuns::OpenRuns(Backend& backend, GalleryModel& gallery, QObject* parent) : QObject(parent), m_gallery(gallery) {
  m_threads.setMaxThreadCount(1);
  connect(&backend, &Backend::runChanged, this, &OpenRuns::onRunChanged);
  connect(&backend, &Backend::stepFinished, this, &OpenRuns::onStepFinished);
  connect(&backend, &Backend::previewMade, this,
          [this](quint64 runId, qint64 index, const QString&, const domain::Image& preview) {
            m_gallery.setPreview(runId, index, preview);
          });
  connect(&backend, &Backend::pictureFinished, this, &OpenRuns::onPictureFinished);
  connect(&backend, &Backend::pictureFailed, this, &OpenRuns::onPictureFailed);
  connect(&backend, &Backend::runFinished, this, &OpenRuns::onRunFinished);
}

OpenRuns::~OpenRuns() {
  m_threads.clear();
  m_threads.waitForDone();
}

/// A new count for a first run.
void OpenRuns::begin() {
  if (m_runs.isEmpty()) {
    m_counted.clear();
    m_progress.reset();
  }
}

void OpenRuns::add(quint64 runId, std::vector<domain::GenerationRequest> requests, int batch) {
  begin();
  m_gallery.addRun(runId, requests);
  Run run;
  run.requests = std::move(requests);
  run.batch = batch;
  m_runs.insert(runId, std::move(run));
  Q_EMIT changed();
}

QSet<quint64> OpenRuns::ids() const {
  const auto keys = m_runs.keys();
  return QSet<quint64>(keys.begin(), keys.end());
}

std::vector<quint64> OpenRuns::unborn() const {
  std::vector<quint64> list;
  for (auto run = m_runs.cbegin(); run != m_runs.cend(); ++run) {
    if (run->folder.isEmpty()) {
      list.push_back(run.key());
    }
  }
  return list;
}

QString OpenRuns::promptOf(quint64 runId, qint64 index) const {
  const auto run = m_runs.constFind(runId);
  if (run == m_runs.constEnd() || index < 0 || static_cast<std::size_t>(index) >= run->requests.size()) {
    return {};
  }
  return QString::fromStdString(run->requests[static_cast<std::size_t>(index)].prompt);
}

void OpenRuns::rejoin() {
  for (Run& run : m_runs) {
    run.isTold = false;
    run.needsReading = !run.folder.isEmpty();
  }
  m_gallery.setNothingInWork();
}

void OpenRuns::settle() {
  const auto all = ids();
  for (const quint64 runId : all) {
    Run& run = m_runs[runId];
    if (!run.isTold && !run.folder.isEmpty()) {
      run.isGone = true;
      read(runId);
    }
  }
}

void OpenRuns::lose() {
  for (auto run = m_runs.cbegin(); run != m_runs.cend(); ++run) {
    if (run->folder.isEmpty()) {
      m_gallery.dropUnfinished(run.key());
    }
  }
  m_runs.clear();
  m_gallery.setNothingInWork();
  Q_EMIT changed();
}

void OpenRuns::onRunChanged(const backend::RunStatus& status) {
  auto run = m_runs.find(status.runId);
  if (status.state != backend::RunState::Open) {
    if (run != m_runs.end()) {
      m_counted.insert(status.runId, status);
      count();
    }
    return;
  }
  if (run == m_runs.end()) {
    begin();
    run = m_runs.insert(status.runId, Run());
    run->needsReading = true;
  }
  const bool isNew = run->folder.isEmpty();
  run->folder = status.folder;
  run->batch = status.batch;
  run->isTold = true;
  run->isGone = false;
  m_counted.insert(status.runId, status);
  if (run->needsReading) {
    read(status.runId);
  }
  if (isNew) {
    Q_EMIT began(status.runId, status.folder);
  }
  count();
}

void OpenRuns::count() {
  qint64 total = 0;
  qint64 done = 0;
  qint64 failed = 0;
  for (const backend::RunStatus& status : std::as_const(m_counted)) {
    total += status.total - status.cancelled;
    done += status.made;
    failed += status.failed;
  }
  m_progress.setCounts(total, done, failed);
  Q_EMIT changed();
}

void OpenRuns::onStepFinished(quint64 runId, const backend::SlotStatus& status) {
  m_progress.workBegan(RunProgress::Clock::now());
  const auto run = m_runs.constFind(runId);
  if (run != m_runs.constEnd() && status.progress.steps > 0) {
    m_gallery.setProgress(runId, status.index, run->batch, static_cast<double>(status.progress.step) / status.progress.steps);
  }
}

/// Now, or once the run's rows are there.
void OpenRuns::inGallery(Run& run, std::function<void()> change) {
  if (run.isReading) {
    run.early.push_back(std::move(change));
  } else {
    change();
  }
}

void OpenRuns::onPictureFinished(const backend::PictureEvent& picture) {
  const auto run = m_runs.find(picture.runId);
  if (run == m_runs.end()) {
    return;
  }
  inGallery(*run, [this, picture] { m_gallery.setDone(picture.runId, picture.index, picture.path); });
  if (!picture.wasAlreadyThere) {
    m_progress.pictureDone(RunProgress::Clock::now());
    Q_EMIT changed();
  }
}

void OpenRuns::onPictureFailed(const backend::FailureEvent& failure) {
  const auto run = m_runs.find(failure.runId);
  if (run != m_runs.end()) {
    inGallery(*run, [this, failure] { m_gallery.setFailed(failure.runId, failure.index, textOf(failure.error)); });
  }
}

void OpenRuns::onRunFinished(const backend::RunSummary& summary) {
  const auto run = m_runs.find(summary.runId);
  if (run == m_runs.end()) {
    return;
  }
  if (run->needsReading || run->isReading) {
    run->end = summary;
    read(summary.runId);
    return;
  }
  finish(summary);
}

void OpenRuns::read(quint64 runId) {
  Run& run = m_runs[runId];
  if (run.isReading) {
    return;
  }
  run.isReading = true;
  run.needsReading = false;
  m_threads.start([this, runId, folder = run.folder] {
    auto read = backend::readKnownRun(folder);
    // It waits for its threads before it goes.
    QMetaObject::invokeMethod(
        this, [this, runId, read = std::move(read)] { takeRead(runId, read); }, Qt::QueuedConnection);
  });
}

void OpenRuns::takeRead(quint64 runId, base::Result<backend::KnownRun> read) {
  const auto run = m_runs.find(runId);
  if (run == m_runs.end()) {
    return;
  }
  run->isReading = false;
  if (read) {
    m_gallery.addRun(runId, read->requests, read->pictures);
    run->requests = std::move(read->requests);
    run->batch = read->batch;
  }
  for (const auto& change : std::exchange(run->early, {})) {
    change();
  }
  if (run->needsReading && run->isTold) {
    this->read(runId);
    return;
  }
  if (run->end) {
    finish(backend::RunSummary(*run->end));
  } else if (run->isGone) {
    m_runs.erase(run);
    m_gallery.dropUnfinished(runId);
    Q_EMIT changed();
  } else if (!read) {
    Q_EMIT troubled(read.error());
  }
}

void OpenRuns::finish(const backend::RunSummary& summary) {
  m_runs.remove(summary.runId);
  m_gallery.dropUnfinished(summary.runId);
  Q_EMIT changed();
  Q_EMIT ended(summary);
}

}  // namespace polyptych::ui
