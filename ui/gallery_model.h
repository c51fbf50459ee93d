#pragma once

#include <QAbstractListModel>
#include <QCache>
#include <QHash>
#include <QPixmap>
#include <QSet>
#include <QThreadPool>
#include <QVector>
#include <utility>
#include <vector>

#include "core/backend/backend.h"
#include "ui/error_text.h"

namespace polyptych::ui {

/// The pictures of this session in the order they were asked for: waiting, in work (preview, part done), there, or failed.
/// Thumbnails are read and scaled on threads of their own when they are asked for, and go again when there are too many.
class GalleryModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum class State { Waiting, Working, Done, Failed };
  Q_ENUM(State)
  enum Role { StateRole = Qt::UserRole, PathRole, PartRole, PromptRole, SeedRole, ReasonRole };

  static constexpr qsizetype kThumbnailBytes = qsizetype{256} << 20;

  /// @param thumbnailBytes  most memory that thumbnails may take; those that were asked for last stay
  explicit GalleryModel(QObject* parent = nullptr, qsizetype thumbnailBytes = kThumbnailBytes);
  ~GalleryModel() override;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

  /// Adds a run behind the others; of one that is here already, the pictures that are missing, in their places.
  /// @param pictures  by index: the files of those that are there; may be empty
  void addRun(quint64 runId, const std::vector<domain::GenerationRequest>& requests, const std::vector<QString>& pictures = {});
  void setProgress(quint64 runId, qint64 index, int batch, double part);
  void setPreview(quint64 runId, qint64 index, const domain::Image& preview);
  void setDone(quint64 runId, qint64 index, const QString& path);
  void setFailed(quint64 runId, qint64 index, const ErrorText& reason);
  /// Pictures of a run that are not there go back to waiting (or leave with the run).
  void dropUnfinished(quint64 runId);
  /// Nothing is in work any more: what was goes back to waiting.
  void setNothingInWork();
  qsizetype thumbnailBytes() const { return m_thumbnails.totalCost(); }
  /// Row of the next picture that is there, from `row` on in steps of `direction`; -1 if none.
  int nextDone(int row, int direction) const;

 private:
  using Key = std::pair<quint64, qint64>;  ///< run, index
  struct Item {
    quint64 runId = 0;
    qint64 index = 0;
    QString prompt;
    quint64 seed = 0;
    State state = State::Waiting;
    double part = 0;
    QString path;
    ErrorText reason;
    QPixmap preview;  ///< until the thumbnail is there
  };

  int rowOf(quint64 runId, qint64 index) const;
  void insert(int row, QVector<Item> items);
  void findFirstRows();
  void touch(int row);
  QPixmap pictureOf(const Item& item) const;
  void loadThumbnail(Key key, const QString& path) const;
  void takeThumbnail(Key key, const QImage& image);

  QVector<Item> m_items;
  QHash<quint64, int> m_firstRow;  ///< of each run
  mutable QCache<Key, QPixmap> m_thumbnails;
  mutable QSet<Key> m_loading;
  mutable int m_lastAsked = 0;  ///< what was asked for last is read first
  mutable QThreadPool m_threads;
};

}  // namespace polyptych::ui
