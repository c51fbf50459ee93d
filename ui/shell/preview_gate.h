#pragma once

#include <QElapsedTimer>
#include <QHash>
#include <QString>

namespace polyptych::ui {

struct PreferenceValues;

/// Lets so many previews of each device through as somebody wants to see.
class PreviewGate {
 public:
  /// True if this one is to be shown.
  bool lets(const QString& slotId, const PreferenceValues& values);

 private:
  QHash<QString, QElapsedTimer> m_last;
};

}  // namespace polyptych::ui
