#pragma once

#include <QWidget>
#include <optional>

#include "core/backend/backend.h"
#include "core/gallery/picture_reader.h"
#include "ui/gallery/picture_library.h"

class QGridLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QVBoxLayout;

namespace polyptych::ui {

/// Everything about one picture, its tags and albums, and what can be taken over from it.
class InfoPanel : public QWidget {
  Q_OBJECT
 public:
  explicit InfoPanel(QWidget* parent = nullptr);

  void show(const gallery::PictureDetails& details);
  void showNothing();
  /// @param selected  pictures that a tag is given to
  void setSelected(int selected);
  void setFacets(const Facets& facets);
  void focusTags();
  qint64 picture() const { return m_details ? m_details->row.id : 0; }

 Q_SIGNALS:
  void useSettingsRequested(const polyptych::domain::PictureMetadata& metadata);
  void useSeedRequested(quint64 seed);
  void copyPromptRequested();
  /// Without pictures: the page knows which.
  void changeWanted(polyptych::backend::MarkChange change);

 private:
  void rebuild();

  std::optional<gallery::PictureDetails> m_details;
  int m_selected = 0;
  QVBoxLayout* m_body;
  QWidget* m_facts = nullptr;
  QLabel* m_hint;
  QWidget* m_buttons;
  QWidget* m_marks;
  QVBoxLayout* m_names;
  QWidget* m_nameList = nullptr;
  QLineEdit* m_tag;
  QLineEdit* m_album;
};

}  // namespace polyptych::ui
