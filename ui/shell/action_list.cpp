#include "ui/shell/action_list.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QLabel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "ui/shell/action_list_model.h"
#include "ui/shell/actions.h"
#include "ui/shell/key_caps.h"
#include "ui/shell/line_icon.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

class ActionDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {0, Metrics::kListRow}; }
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const Tokens& t = currentTokens();
    painter->save();
    painter->setFont(option.font);
    painter->setRenderHint(QPainter::Antialiasing);
    if (option.state & QStyle::State_Selected) {
      painter->setPen(Qt::NoPen);
      painter->setBrush(t.line);
      painter->drawRoundedRect(option.rect, Metrics::kControlRadius, Metrics::kControlRadius);
    }
    const QRect line = option.rect.adjusted(Metrics::kPad, 0, -Metrics::kPad, 0);
    const int keys = paintKeyCaps(*painter, line, index.data(ActionListModel::KeysRole).toStringList());
    const QString category = index.data(ActionListModel::CategoryRole).toString();
    const QString text = index.data(Qt::DisplayRole).toString();
    const QFontMetrics metrics(option.font);
    const int room = line.width() - keys - Metrics::kWide;
    painter->setPen(t.text);
    painter->drawText(line, Qt::AlignVCenter | Qt::AlignLeft, metrics.elidedText(text, Qt::ElideRight, room));
    const int used = metrics.horizontalAdvance(text) + Metrics::kPad;
    if (used + metrics.horizontalAdvance(category) < room) {
      painter->setPen(t.faint);
      painter->drawText(line.adjusted(used, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, category);
    }
    painter->restore();
  }
};

}  // namespace

ActionList::ActionList(Actions& actions, QWidget* window, const Preferences& preferences)
    : Overlay(window, preferences), m_actions(actions) {
  m_model = new ActionListModel(actions, this);
  m_query = new QLineEdit(card());
  m_query->setObjectName(QStringLiteral("actionQuery"));
  m_query->addAction(lineIcon(QStringLiteral("search")), QLineEdit::LeadingPosition);
  m_query->installEventFilter(this);
  m_list = new QListView(card());
  m_list->setObjectName(QStringLiteral("actionList"));
  m_list->setProperty("role", QStringLiteral("plain"));
  m_list->setModel(m_model);
  m_list->setItemDelegate(new ActionDelegate(m_list));
  m_list->setUniformItemSizes(true);
  m_list->setFocusPolicy(Qt::NoFocus);
  m_list->setMouseTracking(true);
  m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_nothing = new QLabel(card());
  m_nothing->setProperty("role", QStringLiteral("hint"));
  m_nothing->setAlignment(Qt::AlignCenter);
  auto* layout = new QVBoxLayout(card());
  layout->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  layout->setSpacing(Metrics::kGap);
  layout->addWidget(m_query);
  layout->addWidget(m_list, 1);
  layout->addWidget(m_nothing, 1);
  retranslated(this, [this] {
    m_query->setPlaceholderText(tr("What do you want to do?"));
    m_query->setAccessibleName(tr("Find an action"));
    m_list->setAccessibleName(tr("Actions"));
    m_nothing->setText(tr("No action matches."));
  });
  connect(m_query, &QLineEdit::textEdited, m_model, &ActionListModel::setQuery);
  const auto choose = [this] {
    const bool isEmpty = m_model->rowCount() == 0;
    m_list->setVisible(!isEmpty);
    m_nothing->setVisible(isEmpty);
    m_list->setCurrentIndex(m_model->index(0));
  };
  connect(m_model, &QAbstractItemModel::modelReset, this, choose);
  connect(m_list, &QListView::clicked, this, &ActionList::run);
  connect(m_list, &QListView::entered, m_list, &QListView::setCurrentIndex);
  choose();
}

void ActionList::open() {
  m_query->clear();
  m_model->setQuery({});
  Overlay::open();
}

QSize ActionList::cardSize() const {
  return {Metrics::kSheetWidth,
          Metrics::kListRow * Metrics::kListRows + m_query->sizeHint().height() + 2 * Metrics::kPad + Metrics::kGap};
}

bool ActionList::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_query && event->type() == QEvent::KeyPress) {
    switch (static_cast<QKeyEvent*>(event)->key()) {
      case Qt::Key_Up:
      case Qt::Key_Down:
      case Qt::Key_PageUp:
      case Qt::Key_PageDown:
        QCoreApplication::sendEvent(m_list, event);
        return true;
      case Qt::Key_Return:
      case Qt::Key_Enter:
        run(m_list->currentIndex());
        return true;
      default:
        break;
    }
  }
  return Overlay::eventFilter(watched, event);
}

void ActionList::run(const QModelIndex& index) {
  if (!index.isValid()) {
    return;
  }
  const QString id = index.data(ActionListModel::IdRole).toString();
  // Closed first: the action may set the focus, or open something over the window.
  close();
  m_actions.trigger(id);
}

}  // namespace polyptych::ui
