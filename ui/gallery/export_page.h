#pragma once

#include <QThreadPool>
#include <QTimer>
#include <atomic>
#include <memory>
#include <vector>

#include "core/gallery/export/picture_export.h"
#include "ui/error_text.h"
#include "ui/gallery/picture_library.h"
#include "ui/message_bar.h"
#include "ui/shell/page.h"

class QCheckBox;
class QComboBox;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;

namespace polyptych::ui {

/// Saves pictures of the library elsewhere: into a folder, a zip file, or on one contact sheet. Works on threads; may be left
/// while it does.
class ExportPage : public Page {
  Q_OBJECT
 public:
  enum class Kind { Folder, Zip, Sheet };

  /// @param library  outlives it
  /// @param isStored  choices are kept for the next time
  ExportPage(PictureLibrary& library, bool isStored, QWidget* parent = nullptr);
  ~ExportPage() override;

  /// @param isSelection  chosen by hand; else all that the filter shows
  void begin(std::vector<qint64> ids, bool isSelection);
  bool isWorking() const { return m_stopWish != nullptr; }

 Q_SIGNALS:
  void told(polyptych::ui::MessageBar::Kind kind, const polyptych::ui::ErrorText& text,
            const polyptych::ui::MessageBar::Action& action);

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  Kind kind() const;
  void retranslate();
  void restore();
  void save() const;
  void setKind(Kind kind);
  void proposePlace();
  void browse();
  void changed();
  void askExample();
  void showProblem();
  QString problem() const;
  gallery::PictureExportOptions options() const;
  gallery::ContactSheetOptions sheetOptions() const;
  void startOrStop();
  void start();
  void finish(const base::Result<gallery::ExportReport>& result);

  PictureLibrary& m_library;
  const bool m_isStored;
  std::vector<qint64> m_ids;
  bool m_isSelection = false;
  bool m_isPlaceTyped = false;
  std::vector<gallery::PictureRow> m_first;  ///< what names are tried on
  QStringList m_example;
  quint64 m_exampleWish = 0;
  std::shared_ptr<std::atomic_bool> m_stopWish;  ///< while it works
  QTimer m_exampleTimer;
  QPushButton* m_kinds[3];
  QLineEdit* m_place;
  QPushButton* m_browse;
  QLineEdit* m_name;
  QComboBox* m_format;
  QSpinBox* m_quality;
  QCheckBox* m_metadata;
  QSpinBox* m_columns;
  QSpinBox* m_cell;
  QLabel* m_labels[7];
  QWidget* m_rows[7];
  QLabel* m_words;
  QLabel* m_exampleText;
  QPushButton* m_start;
  QProgressBar* m_progress;
  QLabel* m_progressText;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
