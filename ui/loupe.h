#pragma once

#include <QPixmap>
#include <QThreadPool>
#include <QWidget>

class QPushButton;

namespace polyptych::ui {

/// One picture large. Space or a double click changes between fit and 100 %; arrow keys ask for the neighbours; Esc and the link
/// below leave.
class Loupe : public QWidget {
  Q_OBJECT
 public:
  explicit Loupe(QWidget* parent = nullptr);
  ~Loupe() override;

  /// Reads the file on a thread; `small` stands there meanwhile. @param prompt  the line below the picture, cut
  /// at its end if it is too long  @param facts  what follows it and is always whole
  void show(const QString& path, const QPixmap& small, const QString& prompt, const QString& facts);
  bool isFit() const { return m_isFit; }

 Q_SIGNALS:
  void left();
  void neighbourWanted(int direction);

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;

 private:
  void toggleFit();

  QPushButton* m_close;
  QString m_path;
  QString m_prompt;
  QString m_facts;
  QPixmap m_picture;
  bool m_isFit = true;
  QPointF m_shift;
  QPointF m_grabbed;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
