#include "ui/gallery/compare.h"

#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/elided.h"
#include "ui/gallery/picture_facts.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {

Compare::Compare(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("compare"));
  setAttribute(Qt::WA_StyledBackground);
  setFocusPolicy(Qt::StrongFocus);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, 0);
  layout->setSpacing(Metrics::kGap);
  auto* panes = new QHBoxLayout;
  panes->setSpacing(Metrics::kGap);
  for (int side = 0; side < 2; ++side) {
    m_panes[side] = new PicturePane(this);
    panes->addWidget(m_panes[side], 1);
    connect(m_panes[side], &PicturePane::viewChanged, this, [this, side] { m_panes[1 - side]->setView(m_panes[side]->view()); });
    connect(m_panes[side], &PicturePane::pressed, this, [this, side] {
      activate(side);
      setFocus();
    });
    connect(&m_pictures[side], &FullPictures::read, this, [this, side](const QString& path, const QImage& image) {
      if (path == m_sides[side].path && !image.isNull()) {
        m_panes[side]->setPicture(QPixmap::fromImage(image), image.size());
      }
    });
  }
  layout->addLayout(panes, 1);
  m_foot = new QWidget(this);
  new QVBoxLayout(m_foot);
  m_foot->layout()->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_foot);
  auto* close = new QPushButton(this);
  close->setObjectName(QStringLiteral("closeCompare"));
  close->setProperty("role", QStringLiteral("link"));
  close->setCursor(Qt::PointingHandCursor);
  auto* hint = new QLabel(this);
  hint->setProperty("role", QStringLiteral("hint"));
  hint->setMinimumWidth(1);
  auto* line = new QHBoxLayout;
  line->setContentsMargins(0, 0, 0, Metrics::kGap);
  line->addWidget(hint, 1);
  line->addWidget(close);
  layout->addLayout(line);
  connect(close, &QPushButton::clicked, this, &Compare::left);
  retranslated(this, [this, close, hint] {
    setAccessibleName(tr("Two pictures side by side"));
    m_panes[0]->setAccessibleName(tr("Left picture"));
    m_panes[1]->setAccessibleName(tr("Right picture"));
    close->setText(tr("Back to the gallery"));
    close->setToolTip(tr("Esc"));
    hint->setText(tr("Tab changes sides · arrow keys change the picture · marks go to the one with the ring"));
    showDifferences();
  });
}

void Compare::show(const Side& leftSide, const Side& rightSide) {
  m_sides[0] = leftSide;
  m_sides[1] = rightSide;
  m_panes[0]->fit();
  m_panes[1]->fit();
  load(0);
  load(1);
  activate(0);
}

void Compare::replaceActive(const Side& side) {
  m_sides[m_active] = side;
  load(m_active);
}

void Compare::load(int side) {
  m_details[side].reset();
  const QImage image = m_pictures[side].of(m_sides[side].path);
  if (image.isNull()) {
    m_panes[side]->setPicture(m_sides[side].small, m_sides[side].size);
  } else {
    m_panes[side]->setPicture(QPixmap::fromImage(image), image.size());
  }
  showDifferences();
  if (m_sides[side].id != 0) {
    Q_EMIT detailsWanted(m_sides[side].id);
  }
}

void Compare::activate(int side) {
  m_active = side;
  m_panes[side]->setMarked(true);
  m_panes[1 - side]->setMarked(false);
}

void Compare::setDetails(const gallery::PictureDetails& details) {
  for (int side = 0; side < 2; ++side) {
    if (m_sides[side].id == details.row.id) {
      m_details[side] = details;
    }
  }
  showDifferences();
}

void Compare::showDifferences() {
  delete m_table;
  m_table = nullptr;
  m_differences.clear();
  if (!m_details[0] || !m_details[1]) {
    return;
  }
  m_table = new QWidget(m_foot);
  m_table->setObjectName(QStringLiteral("differences"));
  auto* grid = new QGridLayout(m_table);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(Metrics::kPad);
  grid->setVerticalSpacing(Metrics::kTight);
  grid->setColumnStretch(1, 1);
  grid->setColumnStretch(2, 1);
  const auto left = factsOf(*m_details[0]);
  const auto right = factsOf(*m_details[1]);
  int row = 0;
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (left[i].value == right[i].value) {
      continue;
    }
    m_differences << left[i].name;
    auto* name = new QLabel(left[i].name, m_table);
    name->setProperty("role", QStringLiteral("label"));
    grid->addWidget(name, row, 0);
    int column = 1;
    for (const QString& value : {left[i].value, right[i].value}) {
      auto* text = new ElidedLabel(m_table);
      text->setText(value.isEmpty() ? QStringLiteral("–") : value.simplified());
      text->setToolTip(wrappedTip(value));
      grid->addWidget(text, row, column++);
    }
    ++row;
  }
  if (row == 0) {
    auto* none = new QLabel(tr("Nothing that is known of them differs."), m_table);
    none->setProperty("role", QStringLiteral("hint"));
    grid->addWidget(none, 0, 0, 1, 3);
  }
  m_foot->layout()->addWidget(m_table);
}

/// Tab is for the sides here.
bool Compare::focusNextPrevChild(bool) {
  activate(1 - m_active);
  return true;
}

void Compare::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Escape:
    case Qt::Key_G:
      Q_EMIT left();
      return;
    case Qt::Key_Left:
    case Qt::Key_Up:
      Q_EMIT neighbourWanted(-1);
      return;
    case Qt::Key_Right:
    case Qt::Key_Down:
      Q_EMIT neighbourWanted(1);
      return;
    case Qt::Key_Space:
    case Qt::Key_Z:
      if (!(event->modifiers() & Qt::ControlModifier)) {
        m_panes[m_active]->toggleFit();
        return;
      }
      break;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      m_panes[m_active]->zoom(1.25);
      return;
    case Qt::Key_Minus:
      m_panes[m_active]->zoom(1 / 1.25);
      return;
    default:
      break;
  }
  QWidget::keyPressEvent(event);
}

}  // namespace polyptych::ui
