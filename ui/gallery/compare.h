#pragma once

#include <QWidget>
#include <optional>

#include "core/gallery/picture_reader.h"
#include "ui/gallery/full_pictures.h"
#include "ui/gallery/picture_pane.h"

namespace polyptych::ui {

/// Two pictures side by side with the same part of each, and below what their settings have in difference. Marks go to the one
/// with the ring; Tab changes it.
class Compare : public QWidget {
  Q_OBJECT
 public:
  explicit Compare(QWidget* parent = nullptr);

  struct Side {
    qint64 id = 0;
    QString path;
    QPixmap small;
    QSize size;
  };
  void show(const Side& left, const Side& right);
  /// What the library knows of one of them.
  void setDetails(const gallery::PictureDetails& details);
  qint64 activeId() const { return m_sides[m_active].id; }
  int active() const { return m_active; }
  /// Names of what differs, as shown.
  QStringList differences() const { return m_differences; }
  PicturePane* pane(int side) const { return m_panes[side]; }
  /// Another picture in the active place.
  void replaceActive(const Side& side);

 Q_SIGNALS:
  void left();
  void detailsWanted(qint64 id);
  void neighbourWanted(int direction);

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  bool focusNextPrevChild(bool next) override;

 private:
  void load(int side);
  void activate(int side);
  void showDifferences();

  FullPictures m_pictures[2];
  Side m_sides[2];
  std::optional<gallery::PictureDetails> m_details[2];
  PicturePane* m_panes[2];
  QWidget* m_table = nullptr;
  QWidget* m_foot;
  QStringList m_differences;
  int m_active = 0;
};

}  // namespace polyptych::ui
