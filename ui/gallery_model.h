#pragma once

#include <QAbstractListModel>
#include <QHash>
#include <QPixmap>
#include <QThreadPool>
#include <QVector>
#include <vector>

#include "core/backend/backend.h"

namespace polyptych::ui {

/// The pictures of this session in the order they were asked for: waiting, in work (preview, part done), there, or failed.
/// Thumbnails are read and scaled on threads of their own.
class GalleryModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum class State { Waiting, Working, Done, Failed };
  Q_ENUM(State)
  enum Role { StateRole = Qt::UserRole, PathRole, PartRole, PromptRole, SeedRole, ReasonRole };

  explicit GalleryModel(QObject* parent = nullptr);
  ~GalleryModel() override;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

  void addRun(quint64 runId, const std::vector<domain::GenerationRequest>& requests);
  void setProgress(quint64 runId, qint64 index, int batch, double part);
  void setPreview(quint64 runId, qint64 index, const domain::Image& preview);
  void setDone(quint64 runId, qint64 index, const QString& path);
  void setFailed(quint64 runId, qint64 index, const QString& reason);
  /// Pictures of a run that are not there go back to waiting (or leave with the run).
  void dropUnfinished(quint64 runId);
  /// Row of the next picture that is there, from `row` on in steps of `direction`; -1 if none.
  int nextDone(int row, int direction) const;

 private:
  struct Item {
    quint64 runId = 0;
    qint64 index = 0;
    QString prompt;
    quint64 seed = 0;
    State state = State::Waiting;
    double part = 0;
    QString path;
    QString reason;
    QPixmap picture;  ///< preview, then thumbnail
  };

  int rowOf(quint64 runId, qint64 index) const;
  void touch(int row);
  void loadThumbnail(quint64 runId, qint64 index, const QString& path);

  QVector<Item> m_items;
  QHash<quint64, int> m_firstRow;  ///< of each run
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
