#pragma once

#include <QPixmap>
#include <QWidget>

#include "ui/gallery/full_pictures.h"
#include "ui/gallery/picture_pane.h"

class QPushButton;

namespace polyptych::ui {

/// One picture large. Space, Z or a double click changes between fit and 100 %; arrow keys ask for the neighbours; F fills the
/// screen; Esc and the link below leave. A picture in work shows its preview.
class Loupe : public QWidget {
  Q_OBJECT
 public:
  explicit Loupe(QWidget* parent = nullptr);

  struct Subject {
    QString path;      ///< empty: in work
    QPixmap small;     ///< stands there until the file is read
    QSize size;        ///< of the picture
    QString prompt;    ///< the line below, cut at its end if it is too long
    QString facts;     ///< what follows it and is always whole
    double part = -1;  ///< done, of a picture in work
    QStringList neighbours;
  };
  void show(const Subject& subject);
  /// What is shown has changed (a preview, a step, it is done); zoom and place stay.
  void renew(const Subject& subject);
  bool isFit() const { return m_pane->view().isFit; }
  PicturePane* pane() const { return m_pane; }

 Q_SIGNALS:
  void left();
  void neighbourWanted(int direction);

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  FullPictures m_pictures;
  PicturePane* m_pane;
  QPushButton* m_close;
  Subject m_subject;
};

}  // namespace polyptych::ui
