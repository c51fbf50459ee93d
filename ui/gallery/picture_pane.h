#pragma once

#include <QPixmap>
#include <QWidget>
#include <optional>

namespace polyptych::ui {

/// One picture that can be zoomed and moved: wheel zooms at the pointer, dragging moves, a double click changes between fit and
/// 100 %.
class PicturePane : public QWidget {
  Q_OBJECT
 public:
  /// What is seen of a picture, without its size: two panes with equal views show the same part.
  struct View {
    bool isFit = true;
    double scale = 1;          ///< pixels of the screen for one of the picture
    QPointF centre{0.5, 0.5};  ///< part of width and height that stands in the middle
    friend bool operator==(const View&, const View&) = default;
  };

  explicit PicturePane(QWidget* parent = nullptr);

  /// @param isPreview  stands in for a picture of `size`
  void setPicture(const QPixmap& picture, QSize size);
  void setProgress(double part) {
    m_part = part;
    update();
  }
  const View& view() const { return m_view; }
  void setView(const View& view);
  void fit() { setView({}); }
  /// Fit, or 100 % at a place of the pane; nothing: at the pointer, or in the middle.
  void toggleFit(std::optional<QPointF> at = {});
  void zoom(double factor, std::optional<QPointF> at = {});
  void setMarked(bool isMarked) {
    m_isMarked = isMarked;
    update();
  }

 Q_SIGNALS:
  void viewChanged();
  void pressed();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;

 private:
  double scaleNow() const;
  double fitScale() const;
  QPointF pointerOr(std::optional<QPointF> at) const;
  void scaleTo(double scale, QPointF at);

  QPixmap m_picture;
  QSize m_size;
  View m_view;
  double m_part = -1;
  bool m_isMarked = false;
  QPointF m_grabbed;
};

}  // namespace polyptych::ui
