#include "ui/shell/shortcut_page.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>

#include "ui/shell/actions.h"
#include "ui/shell/key_caps.h"
#include "ui/shell/key_recorder.h"
#include "ui/shell/line_icon.h"
#include "ui/shell/retranslate.h"
#include "ui/shell/shortcut_model.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

class ShortcutDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const override {
    const bool isHeading = !index.data(ShortcutModel::IdRole).isValid();
    return {0, isHeading ? Metrics::kListRow + Metrics::kGap : Metrics::kDenseRow};
  }
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const Tokens& t = currentTokens();
    const bool isHeading = !index.data(ShortcutModel::IdRole).isValid();
    const QRect line = option.rect.adjusted(Metrics::kPad, 0, -Metrics::kPad, 0);
    painter->save();
    QFont font = option.font;
    if (isHeading) {
      font.setPixelSize(Metrics::kSmallText);
      font.setWeight(QFont::DemiBold);
      painter->setFont(font);
      painter->setPen(t.secondary);
      painter->drawText(line.adjusted(0, 0, 0, -Metrics::kTight), Qt::AlignBottom | Qt::AlignLeft,
                        index.data(Qt::DisplayRole).toString());
      painter->restore();
      return;
    }
    painter->setFont(font);
    painter->setRenderHint(QPainter::Antialiasing);
    if (option.state & QStyle::State_Selected) {
      painter->setPen(option.state & QStyle::State_HasFocus ? QPen(t.accent) : QPen(Qt::NoPen));
      painter->setBrush(t.raised);
      painter->drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), Metrics::kControlRadius,
                               Metrics::kControlRadius);
    }
    const int keys = paintKeyCaps(*painter, line, index.data(ShortcutModel::KeysRole).toStringList());
    painter->setPen(t.text);
    const int room = line.width() - keys - Metrics::kWide;
    painter->drawText(line, Qt::AlignVCenter | Qt::AlignLeft,
                      QFontMetrics(font).elidedText(index.data(Qt::DisplayRole).toString(), Qt::ElideRight, room));
    painter->restore();
  }
};

}  // namespace

ShortcutPage::ShortcutPage(Actions& actions, QWidget* parent) : Page(parent), m_actions(actions) {
  m_model = new ShortcutModel(actions, this);
  m_query = new QLineEdit(this);
  m_query->setObjectName(QStringLiteral("shortcutQuery"));
  m_query->addAction(lineIcon(QStringLiteral("search")), QLineEdit::LeadingPosition);
  m_query->setFixedWidth(Metrics::kSearchWidth);
  m_query->installEventFilter(this);
  tools()->addWidget(m_query);
  m_list = new QListView(this);
  m_list->setObjectName(QStringLiteral("shortcuts"));
  m_list->setProperty("role", QStringLiteral("plain"));
  m_list->setModel(m_model);
  m_list->setItemDelegate(new ShortcutDelegate(m_list));
  m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_list->setMaximumWidth(Metrics::kPageWidth);
  m_sentence = makeLabel("secondary", this);
  m_sentence->setObjectName(QStringLiteral("shortcutSentence"));
  m_sentence->setWordWrap(true);
  m_recorder = new KeyRecorder(this);
  const auto button = [this](const char* name) {
    auto* made = new QPushButton(this);
    made->setObjectName(QLatin1String(name));
    return made;
  };
  m_change = button("changeKeys");
  m_remove = button("removeKeys");
  m_reset = button("resetKeys");
  m_resetAll = button("resetAllKeys");
  m_takeOver = button("takeOverKeys");
  m_keep = button("keepKeys");
  auto* foot = new QHBoxLayout;
  foot->setSpacing(Metrics::kGap);
  for (QWidget* widget : std::initializer_list<QWidget*>{m_recorder, m_takeOver, m_keep, m_change, m_remove, m_reset}) {
    foot->addWidget(widget);
  }
  foot->addStretch();
  foot->addWidget(m_resetAll);
  auto* column = new QWidget(this);
  column->setMaximumWidth(Metrics::kPageWidth);
  auto* inside = new QVBoxLayout(column);
  inside->setContentsMargins(0, 0, 0, 0);
  inside->setSpacing(Metrics::kGap);
  inside->addWidget(m_list, 1);
  inside->addWidget(m_sentence);
  inside->addLayout(foot);
  body()->addWidget(column, 1);

  retranslated(this, [this] {
    setTitle(tr("Keyboard shortcuts"));
    m_query->setPlaceholderText(tr("Find an action or keys"));
    m_query->setAccessibleName(tr("Find an action or keys"));
    m_list->setAccessibleName(tr("Actions and their keys"));
    m_change->setText(tr("Change keys"));
    m_remove->setText(tr("Remove keys"));
    m_reset->setText(tr("Back to default"));
    m_resetAll->setText(tr("Reset all"));
    m_takeOver->setText(tr("Use them here"));
    m_keep->setText(tr("Leave as it is"));
    endRecording();
  });
  connect(m_query, &QLineEdit::textEdited, this, [this](const QString& text) {
    m_model->setQuery(text);
    endRecording();
  });
  connect(m_list, &QListView::activated, this, &ShortcutPage::record);
  connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this, &ShortcutPage::endRecording);
  connect(m_model, &QAbstractItemModel::dataChanged, this, &ShortcutPage::updateFoot);
  connect(m_change, &QPushButton::clicked, this, &ShortcutPage::record);
  connect(m_recorder, &KeyRecorder::recorded, this, &ShortcutPage::onRecorded);
  connect(m_recorder, &KeyRecorder::left, this, [this] {
    if (m_isRecording) {
      endRecording();
    }
  });
  connect(m_recorder, &KeyRecorder::givenUp, this, [this] {
    endRecording();
    m_list->setFocus();
  });
  connect(m_remove, &QPushButton::clicked, this, [this] {
    m_list->setFocus();
    m_actions.setKeys(currentId(), {});
    updateFoot();
  });
  connect(m_reset, &QPushButton::clicked, this, [this] {
    const QString id = currentId();
    m_list->setFocus();
    QList<QKeySequence> free;
    for (const QKeySequence& keys : m_actions.defaultKeys(id)) {
      if (const QString other = m_actions.conflictOf(id, keys); other.isEmpty()) {
        free << keys;
      } else {
        say(tr("“%1” has %2 now.").arg(m_actions.text(other), keyText(keys)));
      }
    }
    m_actions.setKeys(id, free);
    updateFoot();
  });
  connect(m_resetAll, &QPushButton::clicked, this, [this] {
    for (const QString& id : m_actions.ids()) {
      m_actions.setKeys(id, m_actions.defaultKeys(id));
    }
    m_list->setFocus();
    endRecording();
  });
  connect(m_takeOver, &QPushButton::clicked, this, [this] {
    const QString id = currentId();
    const QString other = m_actions.conflictOf(id, m_asked);
    m_list->setFocus();
    if (!other.isEmpty()) {
      QList<QKeySequence> left = m_actions.keys(other);
      left.removeAll(m_asked);
      m_actions.setKeys(other, left);
    }
    m_actions.setKeys(id, {m_asked});
    endRecording();
  });
  connect(m_keep, &QPushButton::clicked, this, [this] {
    m_list->setFocus();
    endRecording();
  });
}

void ShortcutPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  m_query->clear();
  m_model->setQuery({});
  endRecording();
  m_query->setFocus();
}

bool ShortcutPage::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_query && event->type() == QEvent::KeyPress) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    if (key == Qt::Key_Down || key == Qt::Key_Return || key == Qt::Key_Enter) {
      for (int row = 0; row < m_model->rowCount() && !m_list->currentIndex().isValid(); ++row) {
        if (m_model->index(row).flags() & Qt::ItemIsSelectable) {
          m_list->setCurrentIndex(m_model->index(row));
        }
      }
      m_list->setFocus();
      return true;
    }
  }
  return Page::eventFilter(watched, event);
}

QString ShortcutPage::currentId() const { return m_list->currentIndex().data(ShortcutModel::IdRole).toString(); }

void ShortcutPage::say(const QString& sentence) { m_sentence->setText(sentence); }

void ShortcutPage::record() {
  if (currentId().isEmpty()) {
    return;
  }
  say(tr("New keys for “%1”. Esc leaves it as it is.").arg(m_actions.text(currentId())));
  m_isRecording = true;
  m_recorder->show();
  m_recorder->setFocus();
  for (QWidget* button : {m_change, m_remove, m_reset, m_takeOver, m_keep}) {
    button->hide();
  }
}

void ShortcutPage::onRecorded(const QKeySequence& keys) {
  m_isRecording = false;
  const QString id = currentId();
  const QString other = m_actions.conflictOf(id, keys);
  if (other.isEmpty()) {
    m_list->setFocus();
    m_actions.setKeys(id, {keys});
    endRecording();
    return;
  }
  m_asked = keys;
  m_takeOver->show();
  m_keep->show();
  m_keep->setFocus();
  m_recorder->hide();
  say(tr("%1 belongs to “%2”.").arg(keyText(keys), m_actions.text(other)));
}

void ShortcutPage::endRecording() {
  m_isRecording = false;
  m_recorder->hide();
  m_takeOver->hide();
  m_keep->hide();
  for (QWidget* button : {m_change, m_remove, m_reset}) {
    button->show();
  }
  say(tr("Enter on an action gives it other keys. Every action is also in the action list, with %1.")
          .arg(m_actions.keysText(QStringLiteral("program.actionList"))));
  updateFoot();
}

void ShortcutPage::updateFoot() {
  const QString id = currentId();
  m_change->setEnabled(!id.isEmpty());
  m_remove->setEnabled(!id.isEmpty() && !m_actions.keys(id).isEmpty());
  m_reset->setEnabled(m_list->currentIndex().data(ShortcutModel::IsChangedRole).toBool());
}

}  // namespace polyptych::ui
