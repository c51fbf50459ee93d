#include "ui/theme.h"

#include <QApplication>
#include <QPalette>
#include <QStyle>
#include <QStyleFactory>
#include <algorithm>
#include <cmath>

namespace polyptych::ui {
namespace {

Tokens& mutableTokens() {
  static Tokens tokens = tokensOf(true);
  return tokens;
}

double luminance(const QColor& colour) {
  const auto linear = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
  return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
}

QPalette paletteOf(const Tokens& t) {
  QPalette palette;
  palette.setColor(QPalette::Window, t.surface);
  palette.setColor(QPalette::WindowText, t.text);
  palette.setColor(QPalette::Base, t.background);
  palette.setColor(QPalette::AlternateBase, t.surface);
  palette.setColor(QPalette::Text, t.text);
  palette.setColor(QPalette::PlaceholderText, t.faint);
  palette.setColor(QPalette::Button, t.raised);
  palette.setColor(QPalette::ButtonText, t.text);
  palette.setColor(QPalette::Highlight, t.accent);
  palette.setColor(QPalette::HighlightedText, t.onAccent);
  palette.setColor(QPalette::Link, t.accent);
  palette.setColor(QPalette::ToolTipBase, t.raised);
  palette.setColor(QPalette::ToolTipText, t.text);
  palette.setColor(QPalette::Mid, t.line);
  palette.setColor(QPalette::Dark, t.line);
  palette.setColor(QPalette::Light, t.raised);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
    palette.setColor(QPalette::Disabled, role, t.faint);
  }
  return palette;
}

QString sheetOf(const Tokens& t) {
  QString sheet = QStringLiteral(R"(
    QWidget { font-size: 13px; }
    #topBar, #leftPanel, #rightPanel, #bottomBar, #loupe { background: @surface; }
    #topBar { border-bottom: 1px solid @line; }
    #leftPanel { border-right: 1px solid @line; }
    #rightPanel { border-left: 1px solid @line; }
    #bottomBar { border-top: 1px solid @line; }
    #settingsBox, #forecastBox { border-top: 1px solid @line; }
    #queuePage { background: @surface; border-top: 1px solid @line; }
    #middle::handle { background: transparent; }
    #gallery { background: @background; border: none; padding: 0 4px 0 8px; }
    #filterBar, #galleryPage, #compare { background: @background; }
    #infoPanel { background: @surface; border-left: 1px solid @line; }
    QSlider::groove:horizontal { height: 2px; background: @line; border-radius: 1px; }
    QSlider::sub-page:horizontal { background: @secondary; border-radius: 1px; }
    QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 6px; background: @secondary; }
    QSlider::handle:horizontal:focus { background: @accent; }
    #topBar QPushButton#appName { font-size: 15px; font-weight: 600; color: @text; background: transparent; border: 1px solid transparent;
      padding: 4px 2px 4px 6px; }
    #topBar QPushButton#appName:hover, #topBar QPushButton#appName:pressed { background: @raised; }
    #topBar QPushButton#appName:focus { border-color: @accent; }
    #leftStrip, #rightStrip { background: @surface; }
    #leftStrip { border-right: 1px solid @line; }
    #rightStrip { border-left: 1px solid @line; }
    QWidget[role="page"] { background: @background; }
    QLabel[role="title"] { font-size: 15px; font-weight: 600; color: @text; }
    QLabel[role="warning"] { color: @warning; font-size: 12px; }
    QPushButton[role="icon"] { background: transparent; border: 1px solid transparent; padding: 3px; min-width: 16px; max-width: 16px;
      min-height: 16px; max-height: 16px; }
    QPushButton[role="icon"]:hover { background: @raised; }
    QPushButton[role="icon"]:focus { border-color: @accent; }
    QPushButton[role="choice"] { padding: 0; max-height: 120px; }
    QCheckBox[role="bare"] { spacing: 0; }
    QLineEdit QToolButton { background: transparent; border: none; padding: 0; min-height: 0; max-height: 100px; }
    #sheet { background: @raised; border: 1px solid @line; border-radius: 8px; }
    #sheet QPushButton { background: @surface; }
    QAbstractItemView[role="plain"] { background: transparent; border: none; }
    QTreeView[role="table"] { background: transparent; border: none; }
    QTreeView[role="table"]::item:selected, QTreeView[role="table"]::branch:selected { background: @raised; }
    #log::item:selected { color: @text; }
    #queue, #log { outline: 1px solid @accent; }
    #queue::item, #log::item { min-height: 24px; }
    QHeaderView { background: transparent; border: none; }
    QHeaderView::section { background: transparent; border: none; border-bottom: 1px solid @line; padding: 4px 12px; color: @secondary; font-size: 11px; }
    #queue QHeaderView::section, #log QHeaderView::section { padding: 4px 3px; }
    #section { background: @surface; border: 1px solid @line; border-radius: 8px; }
    QMenu { background: @raised; border: 1px solid @line; padding: 4px; }
    QMenu::item { padding: 5px 20px 5px 12px; border-radius: 4px; color: @text; }
    QMenu::item:selected { background: @line; }
    QMenu::item:disabled { color: @faint; }
    QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
    QMenu::indicator { width: 10px; height: 10px; left: 6px; }
    QMenu::indicator:checked { image: url(:/icons/tick-@kind.svg); }
    QMenu::right-arrow { image: url(:/icons/more-@kind.svg); width: 10px; height: 10px; margin-right: 8px; }
    QLabel[role="label"] { font-size: 11px; color: @secondary; }
    QLabel[role="heading"] { font-size: 12px; font-weight: 600; color: @secondary; }
    QLabel[role="secondary"] { color: @secondary; font-size: 12px; }
    QLabel[role="hint"] { color: @faint; font-size: 12px; }
    QLabel[role="good"] { color: @good; font-size: 12px; }
    QLabel[role="bad"] { color: @bad; }
    QPushButton, QToolButton { background: @raised; border: 1px solid @line; border-radius: 6px; padding: 3px 12px; min-height: 20px; max-height: 20px; color: @text; }
    QPushButton:hover, QToolButton:hover { border-color: @secondary; }
    QPushButton:focus, QToolButton:focus { border-color: @accent; }
    QPushButton:disabled, QToolButton:disabled { color: @faint; }
    QPushButton#generate { background: @accent; color: @onAccent; border: 1px solid @accent; font-weight: 600; }
    #topBar QPushButton { padding: 4px 16px; }
    #topBar QPushButton#stopMenu { padding: 4px 3px; min-width: 14px; max-width: 14px; min-height: 20px; max-height: 20px;
      background: @raised; border: 1px solid @line; }
    #topBar QPushButton#stopMenu:hover { border-color: @secondary; }
    #topBar QPushButton#stopMenu:focus { border-color: @accent; }
    QPushButton#generate:focus { border-color: @text; }
    QPushButton#generate:disabled { background: @line; border-color: @line; color: @faint; }
    QPushButton[role="segment"] { background: transparent; border-color: transparent; color: @secondary; padding: 3px 8px; }
    QPushButton[role="segment"]:hover { color: @text; border-color: @line; }
    QPushButton[role="segment"]:checked { background: @raised; border-color: @line; color: @text; }
    QPushButton[role="segment"]:focus { border-color: @accent; }
    QPushButton[role="segment"]::menu-indicator { image: url(:/icons/chevron-@kind.svg); width: 10px; height: 10px;
      subcontrol-origin: padding; subcontrol-position: right center; right: 6px; }
    QPushButton#filter, QPushButton#view { padding-right: 22px; }
    QPushButton[role="chip"] { background: @raised; border-color: @line; border-radius: 10px; padding: 0 8px; min-height: 18px;
      max-height: 18px; font-size: 12px; }
    QPushButton#exportStart, #sheet QPushButton[role="primary"] { background: @accent; color: @onAccent; border-color: @accent;
      font-weight: 600; }
    QPushButton#exportStart:focus, #sheet QPushButton[role="primary"]:focus { border-color: @text; }
    QPushButton#exportStart:disabled, #sheet QPushButton[role="primary"]:disabled { background: @line; border-color: @line;
      color: @faint; }
    QPushButton[role="link"] { background: transparent; border: none; color: @accent; padding: 0 4px; }
    #card QPushButton[role="link"] { padding: 0; }
    QPushButton[role="link"]:focus { text-decoration: underline; }
    QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QPlainTextEdit {
      background: @background; border: 1px solid @line; border-radius: 6px; padding: 3px 8px;
      selection-background-color: @accent; selection-color: @onAccent; }
    QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox { min-height: 20px; max-height: 20px; }
    QComboBox QLineEdit { padding: 0; border: none; }
    QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus { border-color: @accent; }
    QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: none; }
    QComboBox::drop-down { border: none; width: 18px; }
    QComboBox::down-arrow { image: url(:/icons/chevron-@kind.svg); width: 10px; height: 10px; }
    QComboBox QAbstractItemView { background: @raised; border: 1px solid @line; color: @text; selection-background-color: @accent;
      selection-color: @onAccent; }
    #card { background: @raised; border: 1px solid @line; border-radius: 8px; }
    #preview { background: @background; border-radius: 4px; }
    QCheckBox { spacing: 8px; }
    QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid @secondary; border-radius: 3px; background: @background; }
    QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url(:/icons/check-@kind.svg); }
    QCheckBox:focus { color: @accent; }
    QProgressBar { background: @line; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
    QProgressBar::chunk { background: @accent; border-radius: 2px; }
    QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
    QScrollBar::handle:vertical { background: @line; border-radius: 4px; min-height: 28px; margin: 1px; }
    QScrollBar[isIdle="true"]::handle:vertical { background: transparent; }
    QScrollBar::add-line, QScrollBar::sub-line { height: 0; }
    QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
    QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
    QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 4px; }
  )");
  const std::pair<const char*, QColor> names[] = {
      {"@background", t.background}, {"@surface", t.surface}, {"@raised", t.raised}, {"@line", t.line},         {"@text", t.text},
      {"@secondary", t.secondary},   {"@faint", t.faint},     {"@accent", t.accent}, {"@onAccent", t.onAccent}, {"@good", t.good},
      {"@warning", t.warning},       {"@bad", t.bad}};
  // "@onAccent" before "@accent" does not matter: neither is a prefix of the other.
  for (const auto& [name, colour] : names) {
    sheet.replace(QLatin1String(name), colour.name());
  }
  return sheet.replace(QLatin1String("@kind"), t.text.lightnessF() > 0.5 ? QStringLiteral("dark") : QStringLiteral("light"));
}

}  // namespace

Tokens tokensOf(bool dark) {
  if (dark) {
    return {0x15171a, 0x1b1e22, 0x23272d, 0x30353d, 0xe7e9ec, 0x9aa3ae,
            0x8a93a0, 0x5b9dff, 0x0b1220, 0x56b68b, 0xe2ab45, 0xe76f61};
  }
  return {0xeef0f2, 0xf7f8f9, 0xffffff, 0xd9dde2, 0x1c2126, 0x5a6470, 0x626c77, 0x2467d6, 0xffffff, 0x1a7350, 0x8f6208, 0xbb3a2c};
}

double contrast(const QColor& a, const QColor& b) {
  const double first = luminance(a);
  const double second = luminance(b);
  return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

bool isPlatformDark() {
  // Without a palette of the program's own, the platform's shows.
  const QPalette own = QApplication::palette();
  QApplication::setPalette(QPalette());
  const bool isDark = QApplication::palette().color(QPalette::Window).lightnessF() < 0.5;
  QApplication::setPalette(own);
  return isDark;
}

void applyTheme(QApplication& application, ThemeKind kind) {
  mutableTokens() = tokensOf(kind == ThemeKind::Dark || (kind == ThemeKind::System && isPlatformDark()));
  if (application.style()->name() != QLatin1String("fusion")) {
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  }
  QApplication::setPalette(paletteOf(currentTokens()));
  application.setStyleSheet(sheetOf(currentTokens()));
}

const Tokens& currentTokens() { return mutableTokens(); }

}  // namespace polyptych::ui
