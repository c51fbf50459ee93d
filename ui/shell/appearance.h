#pragma once

#include <QApplication>
#include <QDBusVariant>
#include <QObject>
#include <QThreadPool>
#include <optional>

#include "ui/theme.h"

namespace polyptych::ui {

/// Light, dark, or as the desktop has it, which is followed while the program runs: what the desktop's portal says
/// (org.freedesktop.appearance, color-scheme), or else how dark the platform's own palette is.
class Appearance : public QObject {
  Q_OBJECT
 public:
  explicit Appearance(QApplication& application);
  ~Appearance() override;

  void apply(ThemeKind kind);
  /// What the desktop prefers; nothing: it has no preference that it tells.
  void setSystemDark(std::optional<bool> isDark);
  /// Asks the portal and listens to it. Returns at once.
  void followDesktop();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private Q_SLOTS:
  void onSettingChanged(const QString& group, const QString& key, const QDBusVariant& value);

 private:
  void listen();
  void take(const QVariant& value);

  QApplication& m_application;
  ThemeKind m_kind = ThemeKind::System;
  std::optional<bool> m_isSystemDark;
  bool m_isDark = false;
  bool m_isApplied = false;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
