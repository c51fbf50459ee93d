#include "ui/loupe.h"

#include <QImageReader>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPushButton>

#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr int kCaptionHeight = Metrics::kBottomBar;

}  // namespace

Loupe::Loupe(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("loupe"));
  setFocusPolicy(Qt::StrongFocus);
  m_threads.setMaxThreadCount(1);
  m_close = new QPushButton(this);
  m_close->setObjectName(QStringLiteral("closeLoupe"));
  m_close->setProperty("role", QStringLiteral("link"));
  m_close->setCursor(Qt::PointingHandCursor);
  retranslated(this, [this] {
    m_close->setText(tr("Back to the gallery"));
    m_close->setToolTip(tr("Esc"));
    if (m_path.isEmpty()) {
      setAccessibleName(tr("Picture"));
    }
  });
  connect(m_close, &QPushButton::clicked, this, &Loupe::left);
}

Loupe::~Loupe() {
  m_threads.clear();
  m_threads.waitForDone();
}

void Loupe::show(const QString& path, const QPixmap& small, const QString& prompt, const QString& facts) {
  m_path = path;
  m_prompt = prompt;
  m_facts = facts;
  m_picture = small;
  m_shift = {};
  setAccessibleName(prompt + facts);
  update();
  m_threads.clear();
  m_threads.start([this, path] {
    const QImage image = QImageReader(path).read().convertToFormat(QImage::Format_ARGB32_Premultiplied);
    // The loupe waits for its thread before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, path, image] {
          if (path == m_path && !image.isNull()) {
            m_picture = QPixmap::fromImage(image);
            update();
          }
        },
        Qt::QueuedConnection);
  });
}

void Loupe::toggleFit() {
  m_isFit = !m_isFit;
  m_shift = {};
  update();
}

void Loupe::resizeEvent(QResizeEvent*) {
  const QSize size = m_close->sizeHint();
  m_close->setGeometry(width() - size.width() - Metrics::kPad, height() - (kCaptionHeight + size.height()) / 2, size.width(),
                       size.height());
}

void Loupe::paintEvent(QPaintEvent*) {
  const Tokens& colours = currentTokens();
  QPainter painter(this);
  painter.fillRect(rect(), colours.background);
  const QRect room = rect().adjusted(Metrics::kPad, Metrics::kPad, -Metrics::kPad, -kCaptionHeight);
  if (!m_picture.isNull()) {
    QSizeF size = QSizeF(m_picture.size()) / devicePixelRatioF();
    if (m_isFit) {
      size.scale(room.size(), Qt::KeepAspectRatio);
    }
    QRectF place(QPointF(), size);
    place.moveCenter(QRectF(room).center() + (m_isFit ? QPointF() : m_shift));
    painter.setClipRect(room);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, m_isFit);
    painter.drawPixmap(place, m_picture, m_picture.rect());
    painter.setClipping(false);
  }
  painter.setPen(colours.secondary);
  const QRect line(Metrics::kPad, height() - kCaptionHeight, m_close->x() - 2 * Metrics::kPad, kCaptionHeight);
  painter.drawText(
      line, Qt::AlignLeft | Qt::AlignVCenter,
      fontMetrics().elidedText(m_prompt, Qt::ElideRight, line.width() - fontMetrics().horizontalAdvance(m_facts)) + m_facts);
}

void Loupe::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Escape:
    case Qt::Key_Return:
      Q_EMIT left();
      return;
    case Qt::Key_Left:
    case Qt::Key_Up:
      Q_EMIT neighbourWanted(-1);
      return;
    case Qt::Key_Right:
    case Qt::Key_Down:
      Q_EMIT neighbourWanted(1);
      return;
    case Qt::Key_Space:
    case Qt::Key_Z:
      toggleFit();
      return;
    default:
      QWidget::keyPressEvent(event);
  }
}

void Loupe::mouseDoubleClickEvent(QMouseEvent*) { toggleFit(); }

void Loupe::mousePressEvent(QMouseEvent* event) { m_grabbed = event->position() - m_shift; }

void Loupe::mouseMoveEvent(QMouseEvent* event) {
  if (!m_isFit && (event->buttons() & Qt::LeftButton)) {
    m_shift = event->position() - m_grabbed;
    update();
  }
}

}  // namespace polyptych::ui
