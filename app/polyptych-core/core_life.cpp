#include "app/polyptych-core/core_life.h"

#include <algorithm>

namespace polyptych::core {

CoreLife::CoreLife(std::chrono::milliseconds linger, std::chrono::milliseconds firstFace, bool endsWhenAlone, QObject* parent)
    : QObject(parent), m_linger(linger), m_firstFace(firstFace), m_endsWhenAlone(endsWhenAlone) {
  m_timer.setSingleShot(true);
  connect(&m_timer, &QTimer::timeout, this, &CoreLife::ended);
}

void CoreLife::setFaces(int faces) {
  m_faces = faces;
  if (faces > 0) {
    m_hadFace = true;
    m_wantsEnd = false;
  }
  decide();
}

void CoreLife::setIdle(bool isIdle) {
  m_isIdle = isIdle;
  decide();
}

void CoreLife::wantEnd() {
  m_wantsEnd = true;
  decide();
}

void CoreLife::decide() {
  if (m_endsWhenAlone && m_hadFace && m_faces == 0) {
    m_timer.start(0);
  } else if (m_faces > 0 || !m_isIdle) {
    m_timer.stop();
  } else if (m_wantsEnd) {
    m_timer.start(0);
  } else {
    m_timer.start(m_hadFace ? m_linger : std::max(m_linger, m_firstFace));
  }
}

}  // namespace polyptych::core
