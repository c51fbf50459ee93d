#include "ui/devices/device_meters.h"

#include <QEvent>
#include <QHelpEvent>
#include <QLocale>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ui/elided.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr std::size_t kRemembered = 120;  ///< about two minutes
constexpr double kGigabyte = 1024.0 * 1024.0 * 1024.0;

QString gigabytes(std::uint64_t bytes) { return QLocale().toString(static_cast<double>(bytes) / kGigabyte, 'f', 1); }

/// Without a fraction that is nothing: "24", "23.6".
QString wholeGigabytes(std::uint64_t bytes) {
  const double value = static_cast<double>(bytes) / kGigabyte;
  return QLocale().toString(value, 'f', std::abs(value - std::round(value)) < 0.05 ? 0 : 1);
}

QFont labelFont(const QWidget& widget) {
  QFont font = widget.font();
  font.setPixelSize(Metrics::kLabelText);
  return font;
}

}  // namespace

DeviceMeters::DeviceMeters(const domain::DeviceInfo& device, Kind kind, QWidget* parent)
    : QWidget(parent), m_isCpu(device.kind == domain::DeviceKind::Cpu), m_kind(kind) {
  setObjectName((kind == Kind::All ? QStringLiteral("meters-") : QStringLiteral("brief-")) + QString::fromStdString(device.id));
  setSizePolicy(kind == Kind::All ? QSizePolicy::Expanding : QSizePolicy::Fixed, QSizePolicy::Fixed);
  m_reading.totalBytes = device.totalBytes;
  retranslated(this, [this] {
    tellWords();
    update();
  });
}

void DeviceMeters::setReading(const backend::DeviceReading& reading) {
  m_reading = reading;
  m_isRead = true;
  if (reading.utilisation >= 0) {
    m_utilisations.push_back(std::clamp(reading.utilisation, 0.0, 1.0));
    if (m_utilisations.size() > kRemembered) {
      m_utilisations.pop_front();
    }
  }
  tellWords();
  update();
}

void DeviceMeters::tellWords() {
  setAccessibleName(m_isCpu ? tr("Memory and utilisation of the CPU") : tr("Memory and utilisation of the GPU"));
  QStringList lines{memoryWords(), utilisationWords(), figures()};
  lines.removeAll(QString());
  setAccessibleDescription(lines.join(u'\n'));
}

QString DeviceMeters::memoryText() const {
  if (m_reading.totalBytes == 0) {
    return {};
  }
  return tr("%1 / %2 GB")
      .arg(m_isRead ? gigabytes(m_reading.usedBytes) : QStringLiteral("–"), wholeGigabytes(m_reading.totalBytes));
}

QString DeviceMeters::figures() const {
  const QLocale locale;
  QStringList parts;
  if (m_reading.utilisation >= 0) {
    parts << tr("%1 %").arg(locale.toString(std::lround(100 * m_reading.utilisation)));
  }
  if (m_reading.temperatureCelsius >= 0) {
    parts << tr("%1 °C").arg(locale.toString(m_reading.temperatureCelsius));
  }
  if (m_reading.powerWatts >= 0) {
    parts << tr("%1 W").arg(locale.toString(std::lround(m_reading.powerWatts)));
  }
  return parts.join(QStringLiteral("  "));
}

QString DeviceMeters::memoryWords() const {
  if (!m_isRead || m_reading.totalBytes == 0) {
    return {};
  }
  const std::uint64_t used = std::min(m_reading.usedBytes, m_reading.totalBytes);
  if (!m_reading.isOursKnown) {
    return tr("Used: %1 GB. The driver does not say how much of it is this library's work.\nFree: %2 GB")
        .arg(gigabytes(used), gigabytes(m_reading.totalBytes - used));
  }
  const std::uint64_t ours = std::min(m_reading.oursBytes, used);
  return tr("This library's work: %1 GB\nOther programs: %2 GB\nFree: %3 GB")
      .arg(gigabytes(ours), gigabytes(used - ours), gigabytes(m_reading.totalBytes - used));
}

QString DeviceMeters::utilisationWords() const {
  if (m_utilisations.empty()) {
    return {};
  }
  const double mean =
      std::accumulate(m_utilisations.begin(), m_utilisations.end(), 0.0) / static_cast<double>(m_utilisations.size());
  QString words =
      tr("Utilisation over the last two minutes: now %1 %, on average %2 %")
          .arg(QLocale().toString(std::lround(100 * m_utilisations.back())), QLocale().toString(std::lround(100 * mean)));
  if (m_reading.powerLimitWatts > 0) {
    words += u'\n' + tr("Power limit: %1 W").arg(QLocale().toString(std::lround(m_reading.powerLimitWatts)));
  }
  return words;
}

int DeviceMeters::lineHeight() const { return QFontMetrics(labelFont(*this)).height(); }

QSize DeviceMeters::sizeHint() const {
  return m_kind == Kind::All ? QSize(Metrics::kRightLeast / 2, 2 * lineHeight() + Metrics::kTight)
                             : QSize(Metrics::kBriefMeter, lineHeight());
}

void DeviceMeters::paintMemory(QPainter& painter, const QRect& bar) const {
  const Tokens& t = currentTokens();
  QPainterPath outline;
  outline.addRoundedRect(bar, Metrics::kMemoryBar / 2.0, Metrics::kMemoryBar / 2.0);
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setClipPath(outline);
  painter.fillRect(bar, t.line);
  if (m_isRead && m_reading.totalBytes > 0) {
    const double total = static_cast<double>(m_reading.totalBytes);
    const double used = std::min(1.0, static_cast<double>(m_reading.usedBytes) / total);
    const double ours = m_reading.isOursKnown ? std::min(used, static_cast<double>(m_reading.oursBytes) / total) : 0;
    const int oursEnd = static_cast<int>(std::lround(bar.width() * ours));
    const int usedEnd = static_cast<int>(std::lround(bar.width() * used));
    painter.fillRect(QRect(bar.left(), bar.top(), oursEnd, bar.height()), t.secondary);
    // Others: stripes, so that nobody has to tell two greys apart.
    const QRect others(bar.left() + oursEnd, bar.top(), usedEnd - oursEnd, bar.height());
    painter.setClipRect(others, Qt::IntersectClip);
    painter.setPen(QPen(t.secondary, 1.5));
    if (!m_reading.isOursKnown) {
      // Nobody knows whose: a thin line in the middle.
      painter.drawLine(QPointF(others.left(), others.center().y() + 0.5), QPointF(others.right() + 1, others.center().y() + 0.5));
      painter.restore();
      return;
    }
    for (int x = others.left() - bar.height(); x < others.right() + bar.height(); x += 4) {
      painter.drawLine(QPointF(x, bar.bottom() + 1), QPointF(x + bar.height(), bar.top()));
    }
  }
  painter.restore();
}

void DeviceMeters::paintSpark(QPainter& painter, const QRectF& room) const {
  if (m_utilisations.empty()) {
    return;
  }
  // What there is of it stands on a line: else the first seconds would be a stray dash.
  painter.fillRect(QRectF(room.left(), room.bottom() - 0.5, room.width(), 1), currentTokens().line);
  if (m_utilisations.size() < 2) {
    return;
  }
  const double step = room.width() / (kRemembered - 1);
  const auto count = static_cast<double>(m_utilisations.size());
  QPolygonF line;
  for (std::size_t i = 0; i < m_utilisations.size(); ++i) {
    line << QPointF(room.right() - (count - 1 - static_cast<double>(i)) * step,
                    room.bottom() - 0.5 - m_utilisations[i] * (room.height() - 1));
  }
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(currentTokens().secondary, 1));
  painter.drawPolyline(line);
  painter.restore();
}

void DeviceMeters::paintEvent(QPaintEvent*) {
  const Tokens& t = currentTokens();
  QPainter painter(this);
  painter.setFont(labelFont(*this));
  const QFontMetrics metrics = painter.fontMetrics();
  const int line = lineHeight();
  painter.setPen(t.secondary);
  if (m_kind == Kind::Brief) {
    const QString figure = m_reading.utilisation >= 0 ? tr("%1 %").arg(std::lround(100 * m_reading.utilisation)) : QString();
    const int room = metrics.horizontalAdvance(tr("%1 %").arg(100)) + Metrics::kTight;
    painter.drawText(QRect(width() - room, 0, room, line), Qt::AlignRight | Qt::AlignVCenter, figure);
    paintMemory(painter, QRect(0, (line - Metrics::kMemoryBar) / 2, width() - room - Metrics::kTight, Metrics::kMemoryBar));
    return;
  }
  const QString label = m_isCpu ? tr("RAM") : tr("VRAM");
  const QString memory = memoryText();
  const int labelWidth = std::max(metrics.horizontalAdvance(tr("RAM")), metrics.horizontalAdvance(tr("VRAM"))) + Metrics::kGap;
  const int memoryWidth = metrics.horizontalAdvance(memory);
  painter.drawText(QRect(0, 0, labelWidth, line), Qt::AlignLeft | Qt::AlignVCenter, label);
  painter.drawText(QRect(width() - memoryWidth, 0, memoryWidth, line), Qt::AlignRight | Qt::AlignVCenter, memory);
  paintMemory(painter, QRect(labelWidth, (line - Metrics::kMemoryBar) / 2, width() - labelWidth - memoryWidth - Metrics::kGap,
                             Metrics::kMemoryBar));
  const QString text = figures();
  const int top = line + Metrics::kTight;
  const int textWidth = metrics.horizontalAdvance(text);
  painter.drawText(QRect(width() - textWidth, top, textWidth, line), Qt::AlignRight | Qt::AlignVCenter, text);
  // As long on every card, whatever its figures are.
  const int figuresWidth = metrics.horizontalAdvance(tr("%1 %").arg(100) + QStringLiteral("  ") + tr("%1 °C").arg(100) +
                                                     QStringLiteral("  ") + tr("%1 W").arg(1000));
  paintSpark(painter, QRectF(0, top + 1, width() - std::max(figuresWidth, textWidth) - Metrics::kGap, line - 2));
}

bool DeviceMeters::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const bool isMemory = m_kind == Kind::All && help->pos().y() < lineHeight() + Metrics::kTight / 2;
    QStringList lines;
    if (m_kind == Kind::Brief) {
      lines << memoryWords() << utilisationWords() << figures();
    } else {
      lines << (isMemory ? memoryWords() : utilisationWords());
    }
    lines.removeAll(QString());
    QToolTip::showText(help->globalPos(), lines.isEmpty() ? QString() : wrappedTip(lines.join(u'\n')), this);
    return true;
  }
  return QWidget::event(event);
}

}  // namespace polyptych::ui
