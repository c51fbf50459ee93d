#pragma once

#include <QStackedWidget>
#include <QThreadPool>
#include <QTimer>
#include <QWidget>
#include <functional>
#include <optional>

#include "core/backend/backend.h"
#include "core/gallery/picture_reader.h"
#include "ui/error_text.h"
#include "ui/gallery/gallery_model.h"
#include "ui/message_bar.h"
#include "ui/shell/actions.h"

class QLabel;
class QLineEdit;

namespace polyptych::ui {

class Compare;
class ExportPage;
class FilterBar;
class GalleryView;
class InfoPanel;
class Loupe;
class Marker;

struct GalleryPageOptions {
  std::optional<library::Location> library;  ///< nothing: pictures of open runs alone
  bool restoresSettings = true;
};

/// The middle of the window: grid, loupe, comparison and export of the library's pictures, with their marks.
class GalleryPage : public QWidget {
  Q_OBJECT
 public:
  /// `backend` outlives it.
  GalleryPage(backend::Backend& backend, const GalleryPageOptions& options, QWidget* parent = nullptr);
  ~GalleryPage() override;

  /// All that can be done here, with its keys. @param actions  outlives it
  void addActions(Actions& actions);
  GalleryModel* model() const { return m_model; }
  GalleryView* grid() const { return m_grid; }
  FilterBar* filterBar() const { return m_bar; }
  Loupe* loupe() const { return m_loupe; }
  Compare* compare() const { return m_compare; }
  ExportPage* exportPage() const { return m_export; }
  InfoPanel* info() const { return m_info; }
  /// For the top bar; without a parent it stands in the page itself.
  QLineEdit* searchField() const;
  /// To the grid, or what stands in its place.
  void takeFocus();
  /// Back to the grid, from whatever stands there.
  void leave(bool takesFocus = true);
  /// Leads to the beginning of a run.
  void showRun(quint64 runId);
  /// Reads the settings out of a picture's file, of ours or of A1111, on a thread; useSettingsRequested or told follows.
  void readSettingsOf(const QString& path);
  /// Whether a command's answer is told here.
  bool isOwn(quint64 command) const;
  /// Keeps filter, order and sizes for the next start.
  void save() const;

 Q_SIGNALS:
  /// @param file  name of the one that was dropped; nothing: it is a picture of the library
  void useSettingsRequested(const polyptych::domain::PictureMetadata& metadata, const QString& file);
  void useSeedRequested(quint64 seed);
  /// Something happened that the message bar is to tell.
  void told(polyptych::ui::MessageBar::Kind kind, const polyptych::ui::ErrorText& text,
            const polyptych::ui::MessageBar::Action& action);
  void fullScreenWanted(bool isWanted);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void connectParts();
  void restore();
  void showPage(QWidget* page, bool takesFocus = true);
  void openLoupe(int row);
  void renewLoupe();
  void openCompare();
  void openExport();
  void toggleFullScreen();
  void toggleInfo();
  void updateInfo();
  void updateEmpty();
  /// Rows that an action means: the selection, or the one in the loupe or with the ring.
  std::vector<int> targetRows() const;
  std::vector<qint64> targets() const;
  void mark(backend::MarkChange change);
  void setStars(int stars);
  void setPick(int pick);
  void trash();
  void tellMarked(const backend::MarkChange& change, qint64 undoId);
  void copyPrompt();
  void copyPicture();
  void copyFiles(const QList<QUrl>& urls);
  /// Prompts (each once) and files of the targets, a moment later.
  void withRows(std::function<void(const QStringList& prompts, const QList<QUrl>& files)> use);
  void showInFileManager();
  void withDetails(std::function<void(const gallery::PictureDetails&)> use);
  void showMenu(const QPoint& at);
  void say(const QString& sentence, MessageBar::Action action = {});

  backend::Backend& m_backend;
  const GalleryPageOptions m_options;
  GalleryModel* m_model;
  Marker* m_marker;
  FilterBar* m_bar;
  GalleryView* m_grid;
  QLabel* m_empty;
  Loupe* m_loupe;
  Compare* m_compare;
  ExportPage* m_export;
  InfoPanel* m_info;
  QStackedWidget* m_pages;
  QWidget* m_gridPage;
  QPersistentModelIndex m_inLoupe;
  QPersistentModelIndex m_inCompare[2];
  QTimer m_infoTimer;
  std::function<void(const gallery::PictureDetails&)> m_waitingForDetails;
  qint64 m_waitingId = 0;
  bool m_isFullScreen = false;
  bool m_wantsTags = false;
  Actions* m_actions = nullptr;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
