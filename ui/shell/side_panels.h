#pragma once

#include <QVariantMap>
#include <QWidget>
#include <array>

class QPushButton;

namespace polyptych::ui {

/// The two side panels and the centre between them. A panel can be made wider and narrower at its inner edge, and be hidden: then
/// a thin strip with a button stands in its place. In a window that is too narrow for three the right panel lies over the centre
/// while it is wanted, and in one that is too narrow for two the left one as well; a press in the centre puts it away.
class SidePanels : public QWidget {
  Q_OBJECT
 public:
  enum Side { Left, Right };
  SidePanels(QWidget* left, QWidget* centre, QWidget* right, QWidget* parent = nullptr);

  bool isShown(Side side) const;
  void setShown(Side side, bool isShown);
  void toggle(Side side) { setShown(side, !isShown(side)); }
  /// Hides both if one is there, else brings both back.
  void toggleBoth();
  /// It lies over the centre, or would if it were shown.
  bool isOverlaid(Side side) const;
  /// What is there in place of a panel that is not, with its button.
  QWidget* strip(Side side) const { return m_sides[side].strip; }
  int panelWidth(Side side) const { return m_sides[side].width; }

  /// Widths, and what is shown, in wide windows and in narrow ones.
  QVariantMap save() const;
  void restore(const QVariantMap& state);

  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void changed();
  /// A panel goes that has the keyboard.
  void focusFreed();

 protected:
  void resizeEvent(QResizeEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Panel {
    QWidget* widget = nullptr;
    QWidget* handle = nullptr;
    QWidget* strip = nullptr;
    QPushButton* button = nullptr;
    int width = 0;
    int least = 0;
    bool isShownDocked = true;
    bool isShownOver = false;
  };
  void place();
  void resizePanel(Side side, int width);
  void putAwayOverlaid();
  Side sideOf(const QObject* handle) const;

  std::array<Panel, 2> m_sides;
  QWidget* m_centre;
  int m_grabbedAt = 0;
};

}  // namespace polyptych::ui
