#pragma once

#include <QWidget>
#include <functional>
#include <optional>

#include "ui/gallery/picture_library.h"

class QHBoxLayout;
class QLabel;
class QLineEdit;
class QMenu;
class QPushButton;
class QSlider;

namespace polyptych::ui {

/// What the grid shows and how: quick choices with their counts, a menu of all others, chips that take one out again, order,
/// grouping and the size of tiles. Beside them what can be done with a selection.
class FilterBar : public QWidget {
  Q_OBJECT
 public:
  explicit FilterBar(QWidget* parent = nullptr);

  const GalleryQuery& query() const { return m_query; }
  /// Takes it as if it was chosen by hand.
  void setQuery(const GalleryQuery& query);
  void setFacets(const Facets& facets);
  void setShown(int shown);
  void setSelected(int count);
  void setTileSide(int side);
  /// The field for full-text search; whoever has room for it takes it over.
  QLineEdit* searchField() const { return m_search; }
  QStringList chipTexts() const;
  void showTrash();
  void clearFilter();
  bool isFiltered() const;

 Q_SIGNALS:
  void queryChanged(const polyptych::ui::GalleryQuery& query);
  void tileSideChosen(int side);
  void compareWanted();
  void exportWanted();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  struct Chip {
    QString words;
    std::function<void(gallery::PictureFilter&)> remove;
  };

  void retranslate();
  void change(const std::function<void(gallery::PictureFilter&)>& change);
  std::vector<Chip> chips() const;
  void rebuildChips();
  void rebuildWords();
  void fillFilterMenu();
  void fillViewMenu();
  void fit();

  GalleryQuery m_query;
  Facets m_facets;
  QLineEdit* m_search;
  QPushButton* m_all;
  QPushButton* m_picks;
  QPushButton* m_rejects;
  QPushButton* m_filter;
  QPushButton* m_view;
  QMenu* m_filterMenu;
  QMenu* m_viewMenu;
  QSlider* m_size;
  QLabel* m_selected;
  QPushButton* m_compare;
  QPushButton* m_export;
  QWidget* m_chipRow;
  QWidget* m_chips = nullptr;
  int m_shown = 0;
  int m_selectedCount = 0;
};

}  // namespace polyptych::ui
