#include "ui/shell/preview_gate.h"

#include "ui/shell/preferences.h"

namespace polyptych::ui {

bool PreviewGate::lets(const QString& slotId, const PreferenceValues& values) {
  if (!values.showsPreviews) {
    return false;
  }
  QElapsedTimer& last = m_last[slotId];
  if (last.isValid() && last.elapsed() * values.previewsPerSecond < 1000) {
    return false;
  }
  last.start();
  return true;
}

}  // namespace polyptych::ui
