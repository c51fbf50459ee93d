#include "ui/gallery/loupe.h"

#include <QKeyEvent>
#include <QPainter>
#include <QPushButton>

#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr int kCaptionHeight = Metrics::kBottomBar;
constexpr double kKeyZoom = 1.25;

}  // namespace

Loupe::Loupe(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("loupe"));
  setFocusPolicy(Qt::StrongFocus);
  m_pane = new PicturePane(this);
  m_close = new QPushButton(this);
  m_close->setObjectName(QStringLiteral("closeLoupe"));
  m_close->setProperty("role", QStringLiteral("link"));
  m_close->setCursor(Qt::PointingHandCursor);
  retranslated(this, [this] {
    m_close->setText(tr("Back to the gallery"));
    m_close->setToolTip(tr("Esc"));
    if (m_subject.prompt.isEmpty()) {
      setAccessibleName(tr("Picture"));
    }
    resizeEvent(nullptr);
  });
  connect(m_close, &QPushButton::clicked, this, &Loupe::left);
  connect(m_pane, &PicturePane::pressed, this, [this] { setFocus(); });
  connect(&m_pictures, &FullPictures::read, this, [this](const QString& path, const QImage& image) {
    if (path == m_subject.path && !image.isNull()) {
      m_pane->setPicture(QPixmap::fromImage(image), image.size());
    }
  });
}

void Loupe::show(const Subject& subject) {
  m_subject = {};
  renew(subject);
}

void Loupe::renew(const Subject& subject) {
  const bool isOther = subject.path.isEmpty() || subject.path != m_subject.path;
  m_subject = subject;
  setAccessibleName(subject.prompt + subject.facts);
  if (isOther) {
    const QImage image = m_pictures.of(subject.path, subject.neighbours);
    if (image.isNull()) {
      m_pane->setPicture(subject.small, subject.size);
    } else {
      m_pane->setPicture(QPixmap::fromImage(image), image.size());
    }
  }
  m_pane->setProgress(subject.path.isEmpty() ? subject.part : -1);
  update();
}

void Loupe::resizeEvent(QResizeEvent*) {
  const QSize size = m_close->sizeHint();
  m_close->setGeometry(width() - size.width() - Metrics::kPad, height() - (kCaptionHeight + size.height()) / 2, size.width(),
                       size.height());
  m_pane->setGeometry(rect().adjusted(Metrics::kPad, Metrics::kPad, -Metrics::kPad, -kCaptionHeight));
}

void Loupe::paintEvent(QPaintEvent*) {
  const Tokens& colours = currentTokens();
  QPainter painter(this);
  painter.fillRect(rect(), colours.background);
  painter.setPen(colours.secondary);
  const QRect line(Metrics::kPad, height() - kCaptionHeight, m_close->x() - 2 * Metrics::kPad, kCaptionHeight);
  painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                   fontMetrics().elidedText(m_subject.prompt, Qt::ElideRight,
                                            line.width() - fontMetrics().horizontalAdvance(m_subject.facts)) +
                       m_subject.facts);
}

void Loupe::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Escape:
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_G:
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
      if (!(event->modifiers() & Qt::ControlModifier)) {
        m_pane->toggleFit();
        return;
      }
      break;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      m_pane->zoom(kKeyZoom);
      return;
    case Qt::Key_Minus:
      m_pane->zoom(1 / kKeyZoom);
      return;
    default:
      break;
  }
  QWidget::keyPressEvent(event);
}

}  // namespace polyptych::ui
