#include "ui/shell/side_panels.h"

#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/shell/line_icon.h"
#include "ui/shell/retranslate.h"
#include "ui/shell/tab_order.h"
#include "ui/theme.h"

namespace polyptych::ui {

SidePanels::SidePanels(QWidget* left, QWidget* centre, QWidget* right, QWidget* parent) : QWidget(parent), m_centre(centre) {
  setObjectName(QStringLiteral("sidePanels"));
  m_sides[Left] = {.widget = left, .width = Metrics::kLeft, .least = Metrics::kLeftLeast, .isShownOver = true};
  m_sides[Right] = {.widget = right, .width = Metrics::kRight, .least = Metrics::kRightLeast};
  const auto add = [this](Side side) {
    Panel& panel = m_sides[side];
    panel.widget->setParent(this);
    panel.strip = new QWidget(this);
    panel.strip->setObjectName(side == Left ? QStringLiteral("leftStrip") : QStringLiteral("rightStrip"));
    panel.strip->setAttribute(Qt::WA_StyledBackground);
    panel.button = new QPushButton(panel.strip);
    panel.button->setObjectName(side == Left ? QStringLiteral("showLeft") : QStringLiteral("showRight"));
    panel.button->setProperty("role", QStringLiteral("icon"));
    panel.button->setIcon(lineIcon(side == Left ? QStringLiteral("panel-left") : QStringLiteral("panel-right")));
    panel.button->setIconSize({Metrics::kIcon, Metrics::kIcon});
    auto* layout = new QVBoxLayout(panel.strip);
    layout->setContentsMargins(0, Metrics::kGap, 0, 0);
    layout->addWidget(panel.button, 0, Qt::AlignHCenter);
    layout->addStretch();
    panel.handle = new QWidget(this);
    panel.handle->setCursor(Qt::SplitHCursor);
    panel.handle->installEventFilter(this);
    connect(panel.button, &QPushButton::clicked, this, [this, side] {
      toggle(side);
      if (isShown(side) && !m_sides[side].strip->isVisible()) {
        focusFirstOf(m_sides[side].widget);
      }
    });
  };
  add(Left);
  m_centre->setParent(this);
  add(Right);
  retranslated(this, [this] {
    const QString words[] = {tr("Prompts and settings"), tr("Devices")};
    for (const Side side : {Left, Right}) {
      m_sides[side].button->setToolTip(words[side]);
      m_sides[side].button->setAccessibleName(words[side]);
    }
  });
  connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
    if (now != nullptr && m_centre->isAncestorOf(now)) {
      putAwayOverlaid();
    }
  });
  for (const Panel& panel : m_sides) {
    panel.widget->installEventFilter(this);
  }
}

bool SidePanels::isOverlaid(Side side) const { return width() < (side == Right ? Metrics::kRoomForThree : Metrics::kRoomForTwo); }

bool SidePanels::isShown(Side side) const { return isOverlaid(side) ? m_sides[side].isShownOver : m_sides[side].isShownDocked; }

void SidePanels::setShown(Side side, bool isShown) {
  Panel& panel = m_sides[side];
  (isOverlaid(side) ? panel.isShownOver : panel.isShownDocked) = isShown;
  if (isShown && isOverlaid(side)) {
    Panel& other = m_sides[1 - side];
    if (isOverlaid(static_cast<Side>(1 - side)) && panel.width + other.width > width()) {
      other.isShownOver = false;
    }
  }
  if (!isShown && panel.widget->isAncestorOf(QApplication::focusWidget())) {
    Q_EMIT focusFreed();
  }
  place();
  Q_EMIT changed();
}

void SidePanels::toggleBoth() {
  const bool isAnyShown = this->isShown(Left) || this->isShown(Right);
  setShown(Left, !isAnyShown);
  setShown(Right, !isAnyShown);
}

void SidePanels::putAwayOverlaid() {
  for (const Side side : {Left, Right}) {
    if (isOverlaid(side) && isShown(side)) {
      setShown(side, false);
    }
  }
}

QVariantMap SidePanels::save() const {
  QVariantMap state;
  for (const Side side : {Left, Right}) {
    const QString name = side == Left ? QStringLiteral("left") : QStringLiteral("right");
    state.insert(name + QStringLiteral("Width"), m_sides[side].width);
    state.insert(name + QStringLiteral("Docked"), m_sides[side].isShownDocked);
    state.insert(name + QStringLiteral("Over"), m_sides[side].isShownOver);
  }
  return state;
}

void SidePanels::restore(const QVariantMap& state) {
  for (const Side side : {Left, Right}) {
    Panel& panel = m_sides[side];
    const QString name = side == Left ? QStringLiteral("left") : QStringLiteral("right");
    panel.width = std::clamp(state.value(name + QStringLiteral("Width"), panel.width).toInt(), panel.least, Metrics::kPanelMost);
    panel.isShownDocked = state.value(name + QStringLiteral("Docked"), panel.isShownDocked).toBool();
    panel.isShownOver = state.value(name + QStringLiteral("Over"), panel.isShownOver).toBool();
  }
  place();
}

QSize SidePanels::minimumSizeHint() const {
  return {Metrics::kWindowLeastWidth,
          std::max({m_centre->minimumSizeHint().height(), m_sides[Left].widget->minimumSizeHint().height()})};
}

void SidePanels::resizeEvent(QResizeEvent*) { place(); }

void SidePanels::place() {
  int from = 0;
  int to = width();
  for (const Side side : {Left, Right}) {
    Panel& panel = m_sides[side];
    const bool isOver = isOverlaid(side);
    const bool isThere = isShown(side);
    // Over the centre the strip stays where it is, so that the same button puts the panel away.
    const bool hasStrip = isOver || !isThere;
    int room = 0;
    if (hasStrip) {
      panel.strip->setGeometry(side == Left ? 0 : width() - Metrics::kStrip, 0, Metrics::kStrip, height());
      room = Metrics::kStrip;
    }
    const int other = std::max(0, width() - Metrics::kCentreLeast - (side == Right ? from : 0));
    const int wanted =
        isOver ? std::min(panel.width, width() - 2 * Metrics::kStrip) : std::min(panel.width, std::max(panel.least, other));
    if (isThere) {
      const int beside = hasStrip ? Metrics::kStrip : 0;
      panel.widget->setGeometry(side == Left ? beside : width() - beside - wanted, 0, wanted, height());
      const int edge = side == Left ? beside + wanted : width() - beside - wanted;
      panel.handle->setGeometry(edge - Metrics::kGrab / 2, 0, Metrics::kGrab, height());
      if (!isOver) {
        room = wanted;
      }
    }
    panel.strip->setVisible(hasStrip);
    panel.widget->setVisible(isThere);
    panel.handle->setVisible(isThere);
    (side == Left ? from : to) = side == Left ? room : width() - room;
  }
  m_centre->setGeometry(from, 0, std::max(0, to - from), height());
  for (const Panel& panel : m_sides) {
    panel.widget->raise();
    panel.handle->raise();
  }
}

SidePanels::Side SidePanels::sideOf(const QObject* handle) const { return handle == m_sides[Left].handle ? Left : Right; }

void SidePanels::resizePanel(Side side, int width) {
  Panel& panel = m_sides[side];
  // Far beyond its least width it is meant to go.
  if (width < panel.least / 2) {
    setShown(side, false);
    return;
  }
  panel.width = std::clamp(width, panel.least, std::min(Metrics::kPanelMost, this->width() / 2));
  place();
  Q_EMIT changed();
}

bool SidePanels::eventFilter(QObject* watched, QEvent* event) {
  const bool isHandle = watched == m_sides[Left].handle || watched == m_sides[Right].handle;
  if (isHandle && event->type() == QEvent::MouseButtonPress) {
    const auto* press = static_cast<QMouseEvent*>(event);
    m_grabbedAt = qRound(press->position().x()) - Metrics::kGrab / 2;
    return true;
  }
  if (isHandle && event->type() == QEvent::MouseMove) {
    const Side side = sideOf(watched);
    const auto* move = static_cast<QMouseEvent*>(event);
    const int x = mapFromGlobal(move->globalPosition().toPoint()).x() - m_grabbedAt;
    const int strip = isOverlaid(side) ? Metrics::kStrip : 0;
    resizePanel(side, side == Left ? x - strip : width() - x - strip);
    return true;
  }
  if (isHandle && event->type() == QEvent::MouseButtonDblClick) {
    const Side side = sideOf(watched);
    m_sides[side].width = side == Left ? Metrics::kLeft : Metrics::kRight;
    place();
    Q_EMIT changed();
    return true;
  }
  if (event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
    for (const Side side : {Left, Right}) {
      if (watched == m_sides[side].widget && isOverlaid(side) && isShown(side)) {
        setShown(side, false);
        return true;
      }
    }
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace polyptych::ui
