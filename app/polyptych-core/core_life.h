#pragma once

#include <QObject>
#include <QTimer>
#include <chrono>

namespace polyptych::core {

/// Decides when a backend without work and without faces ends.
class CoreLife : public QObject {
  Q_OBJECT
 public:
  /// @param firstFace  how long the very first face is waited for at least
  /// @param endsWhenAlone  with its last face, also in the middle of work
  CoreLife(std::chrono::milliseconds linger, std::chrono::milliseconds firstFace, bool endsWhenAlone = false,
           QObject* parent = nullptr);

  void setFaces(int faces);
  void setIdle(bool isIdle);
  /// Ends as soon as there is neither work nor face, without lingering. A new face makes it forgotten.
  void wantEnd();

 Q_SIGNALS:
  void ended();

 private:
  void decide();

  const std::chrono::milliseconds m_linger;
  const std::chrono::milliseconds m_firstFace;
  const bool m_endsWhenAlone;
  QTimer m_timer;
  int m_faces = 0;
  bool m_isIdle = false;
  bool m_hadFace = false;
  bool m_wantsEnd = false;
};

}  // namespace polyptych::core
