#pragma once

#include <QListView>

namespace polyptych::ui {

/// The grid: as many columns as fit, and tiles that grow or shrink a little so that they fill the width.
class GalleryView : public QListView {
  Q_OBJECT
 public:
  explicit GalleryView(QWidget* parent = nullptr);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void updateHandle();
};

}  // namespace polyptych::ui
