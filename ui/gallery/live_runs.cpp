#include "ui/gallery/live_runs.h"

#include <QDateTime>
#include <algorithm>
#include <iterator>

#include "ui/images.h"

namespace polyptych::ui {

const LiveRuns::Run* LiveRuns::run(quint64 runId) const {
  const auto found = m_runs.constFind(runId);
  return found == m_runs.constEnd() ? nullptr : &*found;
}

const domain::GenerationRequest* LiveRuns::request(PictureKey key) const {
  const Run* found = run(key.first);
  const auto index = static_cast<std::size_t>(key.second);
  return found != nullptr && key.second >= 0 && index < found->requests.size() ? &found->requests[index] : nullptr;
}

LiveRuns::Picture* LiveRuns::picture(quint64 runId, qint64 index) {
  const auto found = m_runs.find(runId);
  return found == m_runs.end() || index < 0 || static_cast<std::size_t>(index) >= found->pictures.size()
             ? nullptr
             : &found->pictures[static_cast<std::size_t>(index)];
}

const LiveRuns::Picture* LiveRuns::picture(quint64 runId, qint64 index) const {
  const Run* found = run(runId);
  return found == nullptr || index < 0 || static_cast<std::size_t>(index) >= found->pictures.size()
             ? nullptr
             : &found->pictures[static_cast<std::size_t>(index)];
}

void LiveRuns::add(quint64 runId, const std::vector<domain::GenerationRequest>& requests, const std::vector<QString>& paths) {
  Run& run = m_runs[runId];
  if (run.sequence == 0) {
    run.sequence = ++m_sequence;
    run.bornMs = QDateTime::currentMSecsSinceEpoch();
  }
  run.isOver = false;
  if (run.requests.size() < requests.size()) {
    run.requests = requests;
    run.pictures.resize(requests.size());
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Picture& picture = run.pictures[i];
    picture.isDropped = false;
    if (i < paths.size() && !paths[i].isEmpty() && picture.state != PictureState::Done) {
      picture.state = PictureState::Done;
      picture.path = paths[i];
      picture.doneOrder = ++m_sequence;
    }
  }
}

bool LiveRuns::setProgress(quint64 runId, qint64 index, double part) {
  Picture* one = picture(runId, index);
  if (one == nullptr || one->isDropped || one->state == PictureState::Done) {
    return false;
  }
  one->state = PictureState::Working;
  one->part = part;
  return true;
}

bool LiveRuns::setPreview(quint64 runId, qint64 index, const domain::Image& preview) {
  Picture* one = picture(runId, index);
  if (one == nullptr || one->state == PictureState::Done || preview.isNull()) {
    return false;
  }
  one->preview = QPixmap::fromImage(toQImage(preview));
  return true;
}

bool LiveRuns::setDone(quint64 runId, qint64 index, const QString& path) {
  Picture* one = picture(runId, index);
  if (one == nullptr) {
    return false;
  }
  one->state = PictureState::Done;
  one->path = path;
  one->doneOrder = ++m_sequence;
  return true;
}

bool LiveRuns::setFailed(quint64 runId, qint64 index, const ErrorText& reason) {
  Picture* one = picture(runId, index);
  if (one == nullptr || one->state == PictureState::Done) {
    return false;
  }
  one->state = PictureState::Failed;
  one->reason = reason;
  return true;
}

bool LiveRuns::end(quint64 runId) {
  const auto run = m_runs.find(runId);
  if (run == m_runs.end()) {
    return false;
  }
  run->isOver = true;
  for (Picture& picture : run->pictures) {
    if (picture.state == PictureState::Waiting || picture.state == PictureState::Working) {
      picture.state = PictureState::Waiting;
      picture.isDropped = true;
      picture.preview = {};
    }
  }
  return true;
}

std::vector<PictureKey> LiveRuns::takeBackWork() {
  std::vector<PictureKey> keys;
  for (auto run = m_runs.begin(); run != m_runs.end(); ++run) {
    for (std::size_t i = 0; i < run->pictures.size(); ++i) {
      Picture& picture = run->pictures[i];
      if (picture.state == PictureState::Working) {
        picture.state = PictureState::Waiting;
        picture.preview = {};
        keys.emplace_back(run.key(), static_cast<qint64>(i));
      }
    }
  }
  return keys;
}

QHash<qint64, QString> LiveRuns::takeStored() {
  QHash<qint64, QString> paths;
  for (auto run = m_runs.begin(); run != m_runs.end();) {
    const bool isStored = run->isOver && std::ranges::all_of(run->pictures, [](const Picture& picture) {
                            return picture.isDropped || picture.entry.has_value();
                          });
    for (const Picture& picture : run->pictures) {
      if (isStored && picture.entry && !picture.path.isEmpty()) {
        paths.insert(picture.entry->id, picture.path);
      }
    }
    run = isStored ? m_runs.erase(run) : std::next(run);
  }
  return paths;
}

}  // namespace polyptych::ui
