#pragma once

#include <QAbstractListModel>
#include <QHash>
#include <QSet>
#include <QTimer>
#include <optional>
#include <vector>

#include "core/backend/backend.h"
#include "ui/error_text.h"
#include "ui/gallery/gallery_item.h"
#include "ui/gallery/live_runs.h"
#include "ui/gallery/pending_marks.h"
#include "ui/gallery/picture_library.h"
#include "ui/gallery/row_data.h"
#include "ui/gallery/tile_pictures.h"

namespace polyptych::ui {

/// The pictures of a library that a query asks for, and in their places those of open runs that are still to come: waiting, in
/// work (preview, part done) or failed. Rows change one by one where they can, so that selection and place on the screen stay.
class GalleryModel : public QAbstractListModel {
  Q_OBJECT
 public:
  using State = PictureState;
  enum Role {
    StateRole = Qt::UserRole,
    PathRole,
    PartRole,
    PromptRole,
    SeedRole,
    ReasonRole,
    IdRole,  ///< gallery::PictureRow::id; 0: not in the library (yet)
    StarsRole,
    PickRole,
    RunRole,
    IndexRole,
    MadeRole
  };

  /// Rows that stand together under one heading.
  struct Section {
    int first = 0;
    int count = 0;
    quint64 group = 0;
  };

  static constexpr qsizetype kThumbnailBytes = qsizetype{128} << 20;

  /// @param thumbnailBytes  most memory that thumbnails may take. @param location  nothing: open runs alone
  explicit GalleryModel(QObject* parent = nullptr, qsizetype thumbnailBytes = kThumbnailBytes,
                        std::optional<library::Location> location = {});
  ~GalleryModel() override;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  Qt::DropActions supportedDragActions() const override { return Qt::CopyAction; }
  /// File addresses of pictures that are there.
  QMimeData* mimeData(const QModelIndexList& indexes) const override;
  QStringList mimeTypes() const override;

  void setQuery(const GalleryQuery& query);
  const GalleryQuery& query() const { return m_query; }
  /// Asks the library again; rows that stay keep their places.
  void refresh();
  /// False until the first answer to a query is here.
  bool isSettled() const { return m_isSettled; }
  bool isComplete() const { return m_isComplete; }

  const std::vector<Section>& sections() const;
  QString titleOf(const Section& section) const;

  /// Adds a run; of one that is here already, the pictures that are missing, in their places.
  /// @param pictures  by index: the files of those that are there; may be empty
  void addRun(quint64 runId, const std::vector<domain::GenerationRequest>& requests, const std::vector<QString>& pictures = {});
  void setProgress(quint64 runId, qint64 index, int batch, double part);
  void setPreview(quint64 runId, qint64 index, const domain::Image& preview);
  void setDone(quint64 runId, qint64 index, const QString& path);
  void setFailed(quint64 runId, qint64 index, const ErrorText& reason);
  /// Pictures of a run that are not there leave with it.
  void dropUnfinished(quint64 runId);
  /// Nothing is in work any more: what was goes back to waiting.
  void setNothingInWork();

  /// Shows a change that the backend has not confirmed yet. @param number  of the marker
  void addPending(quint64 number, const backend::MarkChange& change);
  /// It was refused: as before. Else it stays until the library has been read again.
  void settlePending(quint64 number, bool isRefused);
  /// Somebody changed marks of pictures, or deleted them.
  void onPicturesMarked(const std::vector<qint64>& pictures);

  qsizetype thumbnailBytes() const { return m_tiles.bytes(); }
  /// Row of the next picture that is there, from `row` on in steps of `direction`; -1 if none.
  int nextDone(int row, int direction) const;
  int rowOf(quint64 runId, qint64 index) const;
  int rowOfId(qint64 id) const;
  QSize sizeOf(int row) const;
  gallery::PictureEntry entryAt(int row) const { return m_items[row].entry; }
  /// Ids of rows that are in the library.
  std::vector<qint64> idsOf(const QModelIndexList& indexes) const;
  std::vector<qint64> allIds() const;

  /// Has the rows read, so that they can be dragged whole.
  void prepare(int first, int last) const;
  /// What the view shows: thumbnails of others are not waited for.
  void setVisible(int first, int last);
  TilePictures& tiles() { return m_tiles; }
  PictureLibrary& library() { return m_library; }

 Q_SIGNALS:
  /// The same rows stand in other groups.
  void regrouped();
  /// All pictures of the query are here.
  void completed();
  void settled();
  void facetsWanted();
  void troubled(const polyptych::base::Error& error);

 private:
  void rebuild(bool isOther = false);
  void apply(std::vector<GalleryItem> items, bool isOther);
  void splice(std::vector<GalleryItem>& items, int first, int oldEnd, int newEnd);
  void changed();
  void touch(int row);
  void touchKey(quint64 runId, qint64 index);
  void onEntriesFound(const EntryPart& part);
  void onEntryFound(const gallery::PictureEntry& entry);
  void onRowsRead(const std::vector<gallery::PictureRow>& rows);
  const gallery::PictureRow* rowDataOf(int row) const;
  void askRowsAround(int row) const;
  QString pathOf(const GalleryItem& item, int row) const;
  QString promptOf(const GalleryItem& item, int row) const;
  void askFacetsSoon() { m_facetsTimer.start(); }

  mutable PictureLibrary m_library;
  mutable TilePictures m_tiles;
  GalleryQuery m_query;
  QString m_searchForm;
  quint64 m_ticket = 0;
  bool m_isSettled = false;
  bool m_isComplete = false;
  bool m_isRefresh = false;
  std::vector<gallery::PictureEntry> m_entries;  ///< of the library, in the query's order
  std::vector<gallery::PictureEntry> m_arriving;
  QHash<quint64, gallery::RunHeading> m_headings;
  QHash<qint64, quint64> m_promptTexts;
  LiveRuns m_live;
  PendingMarks m_pending;
  std::vector<GalleryItem> m_items;
  mutable std::vector<Section> m_sections;
  mutable bool m_areSectionsOld = true;
  mutable QHash<PictureKey, int> m_liveRows;
  mutable bool m_areLiveRowsOld = true;
  mutable RowData m_rowData;
  /// By gallery::PictureRow::id: pictures of runs that are over, as long as their rows are not read.
  QHash<qint64, QString> m_pathsOfEnded;
  mutable QHash<QString, QSet<int>> m_rowsOfPath;
  QTimer m_facetsTimer;
  QTimer m_refreshTimer;
};

}  // namespace polyptych::ui
