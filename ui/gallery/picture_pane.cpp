#include "ui/gallery/picture_pane.h"

#include <QCursor>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr double kMostScale = 16;

}  // namespace

PicturePane::PicturePane(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("pane"));
  setMouseTracking(true);
}

void PicturePane::setPicture(const QPixmap& picture, QSize size) {
  m_picture = picture;
  m_size = size.isEmpty() ? picture.size() : size;
  m_part = -1;
  update();
}

/// Never larger than its own pixels where they would only be seen blurred; small pictures are.
double PicturePane::fitScale() const {
  if (m_size.isEmpty()) {
    return 1;
  }
  return std::min(width() * devicePixelRatioF() / m_size.width(), height() * devicePixelRatioF() / m_size.height());
}

double PicturePane::scaleNow() const { return m_view.isFit ? fitScale() : m_view.scale; }

QPointF PicturePane::pointerOr(std::optional<QPointF> at) const {
  if (at) {
    return *at;
  }
  const QPointF pointer = mapFromGlobal(QCursor::pos());
  return rect().contains(pointer.toPoint()) && underMouse() ? pointer : QRectF(rect()).center();
}

void PicturePane::setView(const View& view) {
  View now = view;
  now.centre = {std::clamp(view.centre.x(), 0.0, 1.0), std::clamp(view.centre.y(), 0.0, 1.0)};
  if (now == m_view) {
    return;
  }
  m_view = now;
  setCursor(m_view.isFit ? Qt::ArrowCursor : Qt::OpenHandCursor);
  update();
  Q_EMIT viewChanged();
}

void PicturePane::scaleTo(double scale, QPointF at) {
  if (m_size.isEmpty()) {
    return;
  }
  const double before = scaleNow() / devicePixelRatioF();
  const double after = scale / devicePixelRatioF();
  const QPointF away = at - QRectF(rect()).center();
  const QPointF centre = m_view.isFit ? QPointF(0.5, 0.5) : m_view.centre;
  const QSizeF size(m_size);
  // The point of the picture under `at` stays there.
  const QPointF point(centre.x() + away.x() / before / size.width(), centre.y() + away.y() / before / size.height());
  setView({false, scale, {point.x() - away.x() / after / size.width(), point.y() - away.y() / after / size.height()}});
}

void PicturePane::toggleFit(std::optional<QPointF> at) {
  if (m_view.isFit) {
    scaleTo(1, pointerOr(at));
  } else {
    fit();
  }
}

void PicturePane::zoom(double factor, std::optional<QPointF> at) {
  const double scale = std::min(kMostScale, scaleNow() * factor);
  const double fitting = fitScale();
  if (factor < 1 && scale <= fitting && fitting <= 1) {
    fit();
  } else {
    // A small picture is fitted by making it larger: there 100 % is the least.
    scaleTo(factor < 1 ? std::max(scale, std::min(1.0, scaleNow())) : scale, pointerOr(at));
  }
}

void PicturePane::paintEvent(QPaintEvent*) {
  const Tokens& colours = currentTokens();
  QPainter painter(this);
  painter.fillRect(rect(), colours.background);
  const QSizeF size = QSizeF(m_size) * scaleNow() / devicePixelRatioF();
  QRectF place(QPointF(), size);
  place.moveCenter(QRectF(rect()).center());
  if (!m_view.isFit) {
    place.translate(-(m_view.centre.x() - 0.5) * size.width(), -(m_view.centre.y() - 0.5) * size.height());
  }
  if (!m_picture.isNull()) {
    painter.setRenderHint(QPainter::SmoothPixmapTransform, scaleNow() < 2 || m_picture.width() != m_size.width());
    painter.drawPixmap(place, m_picture, m_picture.rect());
  } else if (!m_size.isEmpty()) {
    painter.fillRect(place, colours.surface);
  }
  if (m_part >= 0) {
    const QRectF track(place.left() + Metrics::kPad, place.bottom() - Metrics::kPad - Metrics::kBar,
                       place.width() - 2 * Metrics::kPad, Metrics::kBar);
    painter.fillRect(track, colours.line);
    painter.fillRect(QRectF(track.topLeft(), QSizeF(track.width() * m_part, track.height())), colours.accent);
  }
  if (m_isMarked) {
    painter.setPen(QPen(colours.accent, Metrics::kRing));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
  }
}

void PicturePane::wheelEvent(QWheelEvent* event) {
  zoom(std::pow(1.0015, event->angleDelta().y()), event->position());
  event->accept();
}

void PicturePane::mousePressEvent(QMouseEvent* event) {
  m_grabbed = event->position();
  Q_EMIT pressed();
  if (!m_view.isFit) {
    setCursor(Qt::ClosedHandCursor);
  }
}

void PicturePane::mouseMoveEvent(QMouseEvent* event) {
  if (m_view.isFit || !(event->buttons() & Qt::LeftButton) || m_size.isEmpty()) {
    return;
  }
  const QPointF moved = event->position() - m_grabbed;
  m_grabbed = event->position();
  const QSizeF size = QSizeF(m_size) * scaleNow() / devicePixelRatioF();
  View view = m_view;
  view.centre -= QPointF(moved.x() / size.width(), moved.y() / size.height());
  setView(view);
  setCursor(Qt::ClosedHandCursor);
}

void PicturePane::mouseReleaseEvent(QMouseEvent*) { setCursor(m_view.isFit ? Qt::ArrowCursor : Qt::OpenHandCursor); }

void PicturePane::mouseDoubleClickEvent(QMouseEvent* event) { toggleFit(event->position()); }

}  // namespace polyptych::ui
