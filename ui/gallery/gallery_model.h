#pragma once

#include <QAbstractListModel>
#include <QCache>
#include <QHash>
#include <QPixmap>
#include <QSet>
#include <QTimer>
#include <QVector>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/backend/backend.h"
#include "ui/error_text.h"
#include "ui/gallery/picture_library.h"
#include "ui/gallery/tile_pictures.h"

namespace polyptych::ui {

/// The pictures of a library that a query asks for, and in their places those of open runs that are still to come: waiting, in
/// work (preview, part done) or failed. Rows change one by one where they can, so that selection and place on the screen stay.
class GalleryModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum class State { Waiting, Working, Done, Failed };
  Q_ENUM(State)
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
  using Key = std::pair<quint64, qint64>;  ///< run, index
  struct Item {
    gallery::PictureEntry entry;
    quint64 group = 0;
    State state = State::Done;
  };
  struct Live {
    State state = State::Waiting;
    bool isDropped = false;
    double part = 0;
    QString path;
    ErrorText reason;
    QPixmap preview;  ///< until the thumbnail is there
    qint64 doneOrder = 0;
    std::optional<gallery::PictureEntry> entry;
  };
  struct Run {
    std::vector<domain::GenerationRequest> requests;
    std::vector<Live> pictures;  ///< by index
    qint64 sequence = 0;
    qint64 bornMs = 0;
    bool isOver = false;
  };
  struct Pending {
    quint64 number = 0;
    backend::MarkChange change;
    QSet<qint64> ids;
    quint64 untilTicket = 0;  ///< 0: not answered
  };

  static Key keyOf(const Item& item) { return {item.entry.runId, item.entry.index}; }
  Live* liveOf(quint64 runId, qint64 index);
  const Live* liveOf(quint64 runId, qint64 index) const;
  const Run* runOf(quint64 runId) const;
  bool isShown(const Run& run, qint64 index) const;
  bool showsLive() const;
  std::vector<Item> composed() const;
  std::vector<Item> composedByRun() const;
  std::vector<Item> composedByTime() const;
  void addLive(std::vector<Item>& items, quint64 runId, const Run& run, qint64 index) const;
  void group(std::vector<Item>& items) const;
  void overlay(std::vector<Item>& items) const;
  void rebuild(bool isOther = false);
  void apply(std::vector<Item> items, bool isOther);
  void splice(std::vector<Item>& items, int first, int oldEnd, int newEnd);
  void changed();
  void touch(int row);
  void touchKey(quint64 runId, qint64 index);
  void onEntriesFound(const EntryPart& part);
  void onEntryFound(const gallery::PictureEntry& entry);
  void onRowsRead(const std::vector<gallery::PictureRow>& rows);
  const gallery::PictureRow* rowDataOf(int row) const;
  void askRowsAround(int row) const;
  QString pathOf(const Item& item, int row) const;
  QString promptOf(const Item& item, int row) const;
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
  QHash<quint64, Run> m_runs;
  qint64 m_sequence = 0;
  std::vector<Pending> m_pending;
  std::vector<Item> m_items;
  mutable std::vector<Section> m_sections;
  mutable bool m_areSectionsOld = true;
  mutable QHash<Key, int> m_liveRows;
  mutable bool m_areLiveRowsOld = true;
  mutable QCache<qint64, gallery::PictureRow> m_rowData;
  mutable QHash<qint64, int> m_askedRows;  ///< by id: its row at that time
  mutable std::vector<qint64> m_toAsk;
  /// By gallery::PictureRow::id: pictures of runs that are over, as long as their rows are not read.
  QHash<qint64, QString> m_pathsOfEnded;
  mutable QHash<QString, QSet<int>> m_rowsOfPath;
  mutable QTimer m_askTimer;
  QTimer m_facetsTimer;
  QTimer m_refreshTimer;
};

}  // namespace polyptych::ui
