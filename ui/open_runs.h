#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QString>
#include <QThreadPool>
#include <functional>
#include <optional>
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/known_run.h"
#include "ui/gallery/gallery_model.h"
#include "ui/run_progress.h"

namespace polyptych::ui {

/// The runs that the backend has not finished, whoever submitted them: puts their pictures into the gallery and counts them. What
/// this window did not submit, or may have missed, is read from the run's folder on a thread.
class OpenRuns : public QObject {
  Q_OBJECT
 public:
  /// Both outlive it.
  OpenRuns(backend::Backend& backend, GalleryModel& gallery, QObject* parent = nullptr);
  ~OpenRuns() override;

  /// A run that was submitted here.
  void add(quint64 runId, std::vector<domain::GenerationRequest> requests, int batch);
  bool isEmpty() const { return m_runs.isEmpty(); }
  QSet<quint64> ids() const;
  /// Those of which the backend has not told anything yet.
  std::vector<quint64> unborn() const;
  /// Empty if it is not known (yet).
  QString promptOf(quint64 runId, qint64 index) const;
  RunProgress& progress() { return m_progress; }

  /// The connection was made anew: events may have been missed. Backend::refresh() is to be called after it.
  void rejoin();
  /// All that refresh() tells has come: runs that it did not name are over.
  void settle();
  /// The backend is gone.
  void lose();

 Q_SIGNALS:
  /// Which runs there are, their counts, or the rate.
  void changed();
  /// A run is known to the backend. @param folder  of its pictures
  void began(quint64 runId, const QString& folder);
  void ended(const polyptych::backend::RunSummary& summary);
  /// A run goes on whose pictures cannot be shown.
  void troubled(const polyptych::base::Error& error);

 private:
  struct Run {
    std::vector<domain::GenerationRequest> requests;
    int batch = 1;
    bool isTold = false;        ///< by runChanged, since the connection stands
    bool needsReading = false;  ///< its rows are not all here, or some may be behind
    bool isReading = false;
    QString folder;
    std::vector<std::function<void()>> early;  ///< what came while it is read
    std::optional<backend::RunSummary> end;    ///< the same
    bool isGone = false;                       ///< ended without a word
  };

  void onRunChanged(const backend::RunStatus& status);
  void onStepFinished(quint64 runId, const backend::SlotStatus& status);
  void onPictureFinished(const backend::PictureEvent& picture);
  void onPictureFailed(const backend::FailureEvent& failure);
  void onRunFinished(const backend::RunSummary& summary);
  void read(quint64 runId);
  void takeRead(quint64 runId, base::Result<backend::KnownRun> read);
  void inGallery(Run& run, std::function<void()> change);
  void finish(const backend::RunSummary& summary);
  void begin();
  void count();

  GalleryModel& m_gallery;
  QHash<quint64, Run> m_runs;
  QHash<quint64, backend::RunStatus> m_counted;  ///< since the window had nothing to do
  RunProgress m_progress;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
