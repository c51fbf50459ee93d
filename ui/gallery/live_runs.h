#pragma once

#include <QHash>
#include <QPixmap>
#include <QString>
#include <optional>
#include <vector>

#include "core/domain/image.h"
#include "core/domain/request.h"
#include "ui/error_text.h"
#include "ui/gallery/gallery_item.h"

namespace polyptych::ui {

/// Runs whose pictures are being made, or were while the window was open: what the library does not know of them yet.
class LiveRuns {
 public:
  struct Picture {
    PictureState state = PictureState::Waiting;
    bool isDropped = false;
    double part = 0;
    QString path;
    ErrorText reason;
    QPixmap preview;  ///< until the thumbnail is there
    qint64 doneOrder = 0;
    std::optional<gallery::PictureEntry> entry;  ///< once it is in the library
  };
  struct Run {
    std::vector<domain::GenerationRequest> requests;
    std::vector<Picture> pictures;  ///< by index
    qint64 sequence = 0;            ///< in the order in which runs came
    qint64 bornMs = 0;
    bool isOver = false;
  };

  bool isEmpty() const { return m_runs.isEmpty(); }
  bool contains(quint64 runId) const { return m_runs.contains(runId); }
  const QHash<quint64, Run>& all() const { return m_runs; }
  const Run* run(quint64 runId) const;
  /// What a picture was asked for as; nothing if it is not of these runs.
  const domain::GenerationRequest* request(PictureKey key) const;
  Picture* picture(quint64 runId, qint64 index);
  const Picture* picture(quint64 runId, qint64 index) const;

  /// A run, or the missing pictures of one that is here. @param paths  by index: of those that are there; may be empty
  void add(quint64 runId, const std::vector<domain::GenerationRequest>& requests, const std::vector<QString>& paths);
  // Each tells whether it changed something that is shown.
  bool setProgress(quint64 runId, qint64 index, double part);
  bool setPreview(quint64 runId, qint64 index, const domain::Image& preview);
  bool setDone(quint64 runId, qint64 index, const QString& path);
  bool setFailed(quint64 runId, qint64 index, const ErrorText& reason);
  /// Pictures of a run that are not there leave with it. @return false if there is no such run
  bool end(quint64 runId);
  /// What was in work waits again. @return which
  std::vector<PictureKey> takeBackWork();
  /// Runs that are over, and in the library with all that came of them. @return paths of their pictures by the library's ids
  QHash<qint64, QString> takeStored();

 private:
  QHash<quint64, Run> m_runs;
  qint64 m_sequence = 0;
};

}  // namespace polyptych::ui
