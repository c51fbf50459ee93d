#include "ui/queue/time_line.h"

#include <QDateTime>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>
#include <tuple>

#include "ui/devices/device_card.h"
#include "ui/elided.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using queue::AttemptOutcome;
using queue::AttemptRow;

constexpr qint64 kSecond = 1000;
constexpr qint64 kHour = 3600 * kSecond;
constexpr qint64 kLeast = 10 * kSecond;
constexpr qint64 kMost = 14 * 24 * kHour;
constexpr qint64 kTicks[] = {1,   2,    5,    10,   15,    30,    60,    120,   300,    600,
                             900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};  // seconds

/// CPU before GPUs, "cuda:2" before "cuda:10".
std::tuple<QString, int, QString> placeOf(const QString& slotId) {
  const QString number = slotId.section(u':', 1, 1).section(u'#', 0, 0).section(u'+', 0, 0);
  return {slotId.section(u':', 0, 0), number.toInt(), slotId};
}

bool isTrouble(const AttemptRow& attempt) {
  return attempt.outcome == AttemptOutcome::Failed || attempt.outcome == AttemptOutcome::WorkerLost ||
         attempt.outcome == AttemptOutcome::BackendLost;
}

}  // namespace

TimeLine::TimeLine(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("timeLine"));
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  m_now = QDateTime::currentMSecsSinceEpoch();
  m_end = m_now;
  m_begin = m_end - kHour;
  retranslated(this, [this] {
    setAccessibleName(tr("Time line: which device made what when"));
    update();
  });
}

QSize TimeLine::minimumSizeHint() const { return {Metrics::kCentreLeast / 2, 3 * Metrics::kListRow}; }

void TimeLine::setAttempts(std::vector<AttemptRow> attempts, qint64 nowMs) {
  m_attempts = std::move(attempts);
  m_devices.clear();
  for (const AttemptRow& attempt : m_attempts) {
    if (!m_devices.contains(attempt.device)) {
      m_devices << attempt.device;
    }
  }
  std::ranges::sort(m_devices, {}, placeOf);
  const qint64 span = m_end - m_begin;
  m_now = nowMs;
  if (m_isFollowing) {
    m_end = nowMs;
    m_begin = nowMs - span;
  }
  setAccessibleDescription(tr("%n attempt(s)", nullptr, static_cast<int>(m_attempts.size())));
  update();
}

int TimeLine::nameWidth() const {
  int width = 0;
  for (const QString& device : m_devices) {
    width = std::max(width, fontMetrics().horizontalAdvance(slotName(device)));
  }
  return width + 2 * Metrics::kPad;
}

int TimeLine::rowTop(int device) const { return Metrics::kDenseRow + device * Metrics::kDenseRow; }

double TimeLine::xOf(qint64 ms) const {
  const double room = std::max(1, width() - nameWidth() - Metrics::kPad);
  return nameWidth() + room * static_cast<double>(ms - m_begin) / static_cast<double>(m_end - m_begin);
}

qint64 TimeLine::timeAt(double x) const {
  const double room = std::max(1, width() - nameWidth() - Metrics::kPad);
  return m_begin + static_cast<qint64>((x - nameWidth()) / room * static_cast<double>(m_end - m_begin));
}

QRect TimeLine::barOf(const AttemptRow& attempt) const {
  const auto device = static_cast<int>(m_devices.indexOf(attempt.device));
  const double left = xOf(attempt.startedMs);
  const double right = xOf(attempt.endedMs.value_or(m_now));
  // Short ones are still seen, with a gap to the next.
  return {static_cast<int>(left), rowTop(device) + Metrics::kTight, std::max(2, static_cast<int>(right - left) - 1),
          Metrics::kDenseRow - 2 * Metrics::kTight};
}

const AttemptRow* TimeLine::attemptAt(const QPoint& point) const {
  const auto found = std::ranges::find_if(m_attempts.rbegin(), m_attempts.rend(), [&](const AttemptRow& attempt) {
    return point.x() >= nameWidth() && barOf(attempt).adjusted(-1, 0, 1, 0).contains(point);
  });
  return found == m_attempts.rend() ? nullptr : &*found;
}

void TimeLine::show(qint64 begin, qint64 end) {
  const qint64 span = std::clamp(end - begin, kLeast, kMost);
  m_isFollowing = end >= m_now;
  m_end = std::min(end, m_now);
  m_begin = m_end - span;
  update();
  Q_EMIT earlierWanted(m_begin);
}

/// @param at  pixels: what is there stays there
void TimeLine::zoom(double factor, double at) {
  const double span =
      std::clamp(static_cast<double>(m_end - m_begin) * factor, static_cast<double>(kLeast), static_cast<double>(kMost));
  const qint64 fixed = timeAt(at);
  const double share = static_cast<double>(fixed - m_begin) / static_cast<double>(m_end - m_begin);
  const auto begin = fixed - static_cast<qint64>(span * share);
  show(begin, m_isFollowing && share > 0.99 ? m_now : begin + static_cast<qint64>(span));
}

void TimeLine::paintAxis(QPainter& painter) const {
  const Tokens& t = currentTokens();
  const qint64 span = m_end - m_begin;
  const qint64 wanted = span * Metrics::kTimeTick / std::max(1, width() - nameWidth());
  const auto* tick = std::ranges::find_if(kTicks, [&](qint64 seconds) { return seconds * kSecond >= wanted; });
  const qint64 step = (tick == std::end(kTicks) ? kTicks[std::size(kTicks) - 1] : *tick) * kSecond;
  const qint64 offset = QDateTime::fromMSecsSinceEpoch(m_begin).offsetFromUtc() * kSecond;
  //: a day of the axis; of QLocale's letters
  const QString format = step >= 24 * kHour    ? tr("d MMM")
                         : step < 60 * kSecond ? QStringLiteral("HH:mm:ss")
                                               : QStringLiteral("HH:mm");
  for (qint64 at = (m_begin + offset + step - 1) / step * step - offset; at <= m_end; at += step) {
    const int x = static_cast<int>(xOf(at));
    painter.setPen(t.line);
    painter.drawLine(x, Metrics::kDenseRow - Metrics::kTight, x, height());
    painter.setPen(t.faint);
    const QString label = QLocale().toString(QDateTime::fromMSecsSinceEpoch(at), format);
    const int width = fontMetrics().horizontalAdvance(label);
    painter.drawText(std::clamp(x - width / 2, nameWidth() - Metrics::kPad, this->width() - width),
                     Metrics::kDenseRow / 2 + fontMetrics().ascent() / 2, label);
  }
}

void TimeLine::paintBar(QPainter& painter, const AttemptRow& attempt) const {
  const Tokens& t = currentTokens();
  const QRect bar = barOf(attempt).intersected(QRect(nameWidth(), 0, width() - nameWidth(), height()));
  if (bar.isEmpty()) {
    return;
  }
  if (isTrouble(attempt)) {
    painter.fillRect(bar, t.bad);
    // A cross, as wide as there is room for.
    painter.setPen(QPen(t.background, 1.5));
    const int half = std::min({4, bar.width() / 2 - 1, bar.height() / 2 - 2});
    if (half > 1) {
      const QPoint centre = bar.center();
      painter.drawLine(centre - QPoint(half, half), centre + QPoint(half, half));
      painter.drawLine(centre + QPoint(-half, half), centre + QPoint(half, -half));
    }
  } else if (!attempt.outcome) {
    painter.fillRect(bar, t.good);
  } else if (attempt.outcome == AttemptOutcome::Done) {
    painter.fillRect(bar, t.accent);
  } else {
    painter.setPen(t.secondary);
    painter.drawRect(bar.adjusted(0, 0, -1, -1));
  }
}

void TimeLine::paintEvent(QPaintEvent*) {
  const Tokens& t = currentTokens();
  QPainter painter(this);
  QFont small = font();
  small.setPixelSize(Metrics::kLabelText);
  painter.setFont(small);
  if (m_attempts.empty()) {
    painter.setPen(t.faint);
    painter.drawText(rect(), Qt::AlignCenter, tr("Nothing was made in this time. Every picture that is made gets a bar here."));
    return;
  }
  paintAxis(painter);
  for (int i = 0; i < m_devices.size(); ++i) {
    painter.setPen(t.secondary);
    painter.drawText(QRect(Metrics::kPad, rowTop(i), nameWidth() - Metrics::kPad, Metrics::kDenseRow),
                     Qt::AlignLeft | Qt::AlignVCenter, slotName(m_devices[i]));
  }
  std::vector<int> painted(static_cast<std::size_t>(m_devices.size()), -1);
  for (const AttemptRow& attempt : m_attempts) {
    if (attempt.endedMs.value_or(m_now) < m_begin || attempt.startedMs > m_end) {
      continue;
    }
    // Where many share a pixel, one of them is enough; trouble is always seen.
    const QRect bar = barOf(attempt);
    int& right = painted[static_cast<std::size_t>(m_devices.indexOf(attempt.device))];
    if (bar.right() > right || isTrouble(attempt)) {
      paintBar(painter, attempt);
      right = std::max(right, bar.right());
    }
  }
  if (hasFocus()) {
    painter.setPen(t.accent);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

QString TimeLine::words(const AttemptRow& attempt) const {
  const auto outcome = [&attempt]() -> QString {
    if (!attempt.outcome) {
      return tr("in work");
    }
    switch (*attempt.outcome) {
      case AttemptOutcome::Done:
        return tr("done");
      case AttemptOutcome::Cancelled:
        return tr("cancelled");
      case AttemptOutcome::Failed:
        return tr("failed");
      case AttemptOutcome::WorkerLost:
        return tr("the worker was lost");
      case AttemptOutcome::BackendLost:
        return tr("Polyptych was ended");
      case AttemptOutcome::GivenBack:
        return tr("given back");
    }
    return {};
  };
  const double seconds = static_cast<double>(attempt.endedMs.value_or(m_now) - attempt.startedMs) / kSecond;
  return QStringList{
      attempt.prompt.simplified(),
      tr("Run %1, %n picture(s) from %2", nullptr, attempt.count).arg(attempt.runNumber).arg(attempt.firstIndex + 1),
      QLocale().toString(QDateTime::fromMSecsSinceEpoch(attempt.startedMs).time(), QStringLiteral("HH:mm:ss")) +
          QStringLiteral(" · ") + tr("%1 s").arg(QLocale().toString(seconds, 'f', 1)) + QStringLiteral(" · ") + outcome()}
      .join(u'\n');
}

bool TimeLine::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const AttemptRow* attempt = attemptAt(help->pos());
    QToolTip::showText(help->globalPos(), attempt == nullptr ? QString() : wrappedTip(words(*attempt)), this);
    return true;
  }
  return QWidget::event(event);
}

void TimeLine::wheelEvent(QWheelEvent* event) {
  const int delta = event->angleDelta().y();
  if (delta != 0) {
    zoom(std::pow(0.8, delta / 120.0), event->position().x());
  }
  event->accept();
}

void TimeLine::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) {
    m_dragX = event->position().x();
    setFocus();
  }
}

void TimeLine::mouseMoveEvent(QMouseEvent* event) {
  if (m_dragX >= 0) {
    const qint64 moved = timeAt(m_dragX) - timeAt(event->position().x());
    m_dragX = event->position().x();
    const qint64 end = std::min(m_now, m_end + moved);
    show(end - (m_end - m_begin), end);
  }
}

void TimeLine::mouseReleaseEvent(QMouseEvent*) { m_dragX = -1; }

void TimeLine::keyPressEvent(QKeyEvent* event) {
  const qint64 span = m_end - m_begin;
  switch (event->key()) {
    case Qt::Key_Left:
      show(m_begin - span / 4, m_end - span / 4);
      break;
    case Qt::Key_Right: {
      const qint64 end = std::min(m_now, m_end + span / 4);
      show(end - span, end);
      break;
    }
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      zoom(0.5, xOf((m_begin + m_end) / 2));
      break;
    case Qt::Key_Minus:
      zoom(2, xOf((m_begin + m_end) / 2));
      break;
    case Qt::Key_Home:
      show(m_now - span, m_now);
      break;
    default:
      QWidget::keyPressEvent(event);
  }
}

}  // namespace polyptych::ui
