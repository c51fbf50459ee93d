#include "ui/models_page.h"

#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QUrl>
#include <utility>

#include "core/models/bundled_models.h"
#include "ui/shell/preferences.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

class ModelDelegate : public QStyledItemDelegate {
 public:
  explicit ModelDelegate(QTreeView* view) : QStyledItemDelegate(view), m_view(view) {}
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const int text = QFontMetrics(option.font).horizontalAdvance(index.data(Qt::DisplayRole).toString());
    return {text + 2 * Metrics::kPad, Metrics::kModelRow};
  }
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const Tokens& t = currentTokens();
    painter->save();
    if (option.state & QStyle::State_Selected) {
      painter->fillRect(option.rect, t.raised);
      if (index.column() == 0 && (option.state & QStyle::State_Active)) {
        painter->fillRect(QRect(option.rect.topLeft(), QSize(Metrics::kRing, option.rect.height())), t.accent);
      }
    }
    const QRect room = option.rect.adjusted(Metrics::kPad, 0, -Metrics::kPad, 0);
    const bool isUsable = index.data(ModelsTable::UsableRole).toBool();
    QFont font = option.font;
    if (index.column() == ModelsTable::Name) {
      QFont small = font;
      small.setPixelSize(Metrics::kSmallText);
      const QFontMetrics upper(font);
      const QFontMetrics lower(small);
      const int top = room.top() + (room.height() - upper.height() - lower.height() - 2) / 2;
      painter->setFont(font);
      painter->setPen(isUsable ? t.text : t.secondary);
      const QString word =
          index.data(ModelsTable::DefaultRole).toBool() ? QStringLiteral(" · ") + ModelsTable::tr("default") : QString();
      const int wordWidth = upper.horizontalAdvance(word);
      const QString name = upper.elidedText(index.data(Qt::DisplayRole).toString(), Qt::ElideMiddle, room.width() - wordWidth);
      const QRect first(room.left(), top, room.width(), upper.height());
      painter->drawText(first, Qt::AlignLeft | Qt::AlignVCenter, name);
      painter->setPen(t.secondary);
      painter->drawText(first.adjusted(upper.horizontalAdvance(name), 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, word);
      painter->setFont(small);
      painter->setPen(isUsable ? t.faint : t.bad);
      QString note = (isUsable ? QString() : QStringLiteral("■ ")) + index.data(ModelsTable::NoteRole).toString();
      const QString facts = index.data(ModelsTable::FactsRole).toString();
      if (!isUsable && !facts.isEmpty()) {
        note += QStringLiteral(" · ") + facts;
      } else if (isUsable && m_view->isColumnHidden(ModelsTable::Family)) {
        note.prepend(QStringLiteral(" · ")).prepend(facts);
      }
      // Letters of another script may be higher than the font says.
      painter->drawText(QRect(room.left(), top + upper.height() + 2, room.width(), lower.height()),
                        Qt::AlignLeft | Qt::AlignVCenter | Qt::TextDontClip,
                        lower.elidedText(note, Qt::ElideRight, room.width()));
    } else {
      QColor ink = isUsable ? t.secondary : t.faint;
      QString text = index.data(Qt::DisplayRole).toString();
      if (const QVariant fit = index.data(ModelsTable::FitRole); index.column() == ModelsTable::Memory && fit.isValid()) {
        // The worst of them, as a shape and a colour beside the words.
        const struct {
          const char* sign;
          QColor ink;
        } signs[] = {{"●", t.good}, {"▲", t.warning}, {"■", t.bad}};
        const auto& sign = signs[fit.toInt()];
        painter->setPen(sign.ink);
        painter->setFont(font);
        const QString mark = QString::fromUtf8(sign.sign);
        painter->drawText(room, Qt::AlignLeft | Qt::AlignVCenter, mark);
        const int used = QFontMetrics(font).horizontalAdvance(mark) + Metrics::kGap;
        painter->setPen(t.text);
        const QRect rest = room.adjusted(used, 0, 0, 0);
        painter->drawText(rest, Qt::AlignLeft | Qt::AlignVCenter,
                          QFontMetrics(font).elidedText(text, Qt::ElideRight, rest.width()));
        painter->restore();
        return;
      }
      painter->setPen(ink);
      painter->setFont(font);
      painter->drawText(room, Qt::AlignLeft | Qt::AlignVCenter,
                        QFontMetrics(font).elidedText(text, Qt::ElideRight, room.width()));
    }
    painter->restore();
  }

 private:
  QTreeView* m_view;
};

}  // namespace

ModelsPage::ModelsPage(Preferences& preferences, QStringList folders, ListModels list, DescribeModel describe, QWidget* parent)
    : Page(parent),
      m_preferences(preferences),
      m_givenFolders(std::move(folders)),
      m_list(std::move(list)),
      m_describe(std::move(describe)) {
  m_threads.setMaxThreadCount(1);
  m_table = new ModelsTable(this);
  m_table->setDefault(preferences.values().defaultModel);
  m_view = new QTreeView(this);
  m_view->setObjectName(QStringLiteral("models"));
  m_view->setProperty("role", QStringLiteral("table"));
  m_view->setModel(m_table);
  m_view->setItemDelegate(new ModelDelegate(m_view));
  m_view->setRootIsDecorated(false);
  m_view->setUniformRowHeights(true);
  m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_view->header()->setSectionsMovable(false);
  m_view->header()->setSectionsClickable(false);
  m_view->header()->setStretchLastSection(false);
  m_view->header()->setSectionResizeMode(ModelsTable::Name, QHeaderView::Stretch);
  for (const int column : {ModelsTable::Family, ModelsTable::Size, ModelsTable::Precision}) {
    m_view->header()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
  }
  m_sentence = makeLabel("hint", this);
  m_sentence->setObjectName(QStringLiteral("modelsSentence"));
  m_sentence->setWordWrap(true);
  m_refresh = new QPushButton(this);
  m_refresh->setObjectName(QStringLiteral("refreshModels"));
  tools()->addWidget(m_refresh);
  m_default = new QPushButton(this);
  m_default->setObjectName(QStringLiteral("useAsDefault"));
  m_show = new QPushButton(this);
  m_show->setObjectName(QStringLiteral("showModel"));
  m_add = new QPushButton(this);
  m_add->setObjectName(QStringLiteral("addModelFolder"));
  auto* foot = new QHBoxLayout;
  foot->setSpacing(Metrics::kGap);
  foot->addWidget(m_default);
  foot->addWidget(m_show);
  foot->addStretch();
  m_foldersTitle = makeLabel("heading", this);
  m_folderRows = new QVBoxLayout;
  m_folderRows->setSpacing(Metrics::kTight);
  auto* folderTop = new QHBoxLayout;
  folderTop->addWidget(m_foldersTitle);
  folderTop->addStretch();
  folderTop->addWidget(m_add);
  body()->addWidget(m_view, 1);
  body()->addLayout(foot);
  body()->addLayout(folderTop);
  body()->addLayout(m_folderRows);
  body()->addWidget(m_sentence);

  retranslated(this, [this] {
    setTitle(tr("Models"));
    m_view->setAccessibleName(tr("Models"));
    m_sentence->setText(
        tr("Polyptych downloads nothing by itself. It finds models in diffusers format in these folders, in the "
           "Hugging Face cache, and the small one that comes with it."));
    m_default->setText(tr("Use as default"));
    m_show->setText(tr("Show in file manager"));
    m_add->setText(tr("Add folder…"));
    m_foldersTitle->setText(tr("Folders searched for models"));
    m_refresh->setText(m_isLooking ? tr("Searching") : tr("Refresh"));
    m_table->retranslate();
    updateFolders();
  });
  connect(m_refresh, &QPushButton::clicked, this, &ModelsPage::refresh);
  connect(m_default, &QPushButton::clicked, this, &ModelsPage::chooseDefault);
  connect(m_view, &QTreeView::activated, this, &ModelsPage::chooseDefault);
  connect(m_add, &QPushButton::clicked, this, &ModelsPage::addFolder);
  connect(m_show, &QPushButton::clicked, this, [this] {
    QDesktopServices::openUrl(
        QUrl::fromLocalFile(m_view->currentIndex().siblingAtColumn(0).data(ModelsTable::PathRole).toString()));
  });
  connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, &ModelsPage::updateFoot);
  connect(&preferences, &Preferences::changed, this, [this](const PreferenceValues& before) {
    const PreferenceValues& now = m_preferences.values();
    if (now.modelFolders != before.modelFolders) {
      updateFolders();
      refresh();
    }
    m_table->setDefault(now.defaultModel);
    updateFoot();
  });
  updateFoot();
}

ModelsPage::~ModelsPage() {
  m_threads.clear();
  m_threads.waitForDone();
}

QStringList ModelsPage::folders() const { return m_givenFolders + m_preferences.values().modelFolders; }

void ModelsPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  if (!m_wasListed) {
    refresh();
  }
  m_view->setFocus();
}

void ModelsPage::resizeEvent(QResizeEvent* event) {
  Page::resizeEvent(event);
  const int room = width() - 2 * Metrics::kWide;
  // Where columns would be too narrow to be read, their facts stand below the name.
  for (const int column : {ModelsTable::Family, ModelsTable::Size, ModelsTable::Precision}) {
    m_view->setColumnHidden(column, room < Metrics::kModelsWide);
  }
  m_view->header()->resizeSection(ModelsTable::Memory, room * 2 / 5);
}

void ModelsPage::refresh() {
  m_isLooking = true;
  m_refresh->setText(tr("Searching"));
  const int look = ++m_look;
  m_threads.start([this, look, folders = folders()] {
    QVector<ModelEntry> entries;
    QVector<models::ModelSummary> summaries = m_list(folders);
    for (const models::ModelSummary& summary : std::as_const(summaries)) {
      ModelEntry entry{summary, std::nullopt};
      if (summary.isUsable) {
        if (const auto description = m_describe(summary.reference)) {
          entry.shape = models::shapeOf(*description);
        }
      }
      entries.append(std::move(entry));
    }
    // The page waits for its thread before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, look, entries = std::move(entries), summaries = std::move(summaries)] {
          if (look != m_look) {
            return;
          }
          m_isLooking = false;
          m_wasListed = true;
          m_refresh->setText(tr("Refresh"));
          const QString current = m_view->currentIndex().siblingAtColumn(0).data(ModelsTable::ReferenceRole).toString();
          m_table->setEntries(entries);
          for (int row = 0; row < m_table->rowCount(); ++row) {
            // Why a model cannot be used has the whole line: the other columns say nothing of it.
            m_view->setFirstColumnSpanned(row, {}, !m_table->index(row, 0).data(ModelsTable::UsableRole).toBool());
            if (m_table->index(row, 0).data(ModelsTable::ReferenceRole).toString() == current || row == 0) {
              m_view->setCurrentIndex(m_table->index(row, 0));
            }
          }
          updateFoot();
          Q_EMIT listed(summaries);
        },
        Qt::QueuedConnection);
  });
}

void ModelsPage::updateFolders() {
  while (QLayoutItem* item = m_folderRows->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  const auto addRow = [this](const QString& folder, bool isOwn) {
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* path = new ElidedLabel(row);
    path->setText(QDir::toNativeSeparators(folder));
    path->setToolTip(wrappedTip(path->text()));
    path->setProperty("role", QStringLiteral("secondary"));
    layout->addWidget(path, 1);
    if (isOwn) {
      auto* remove = new QPushButton(tr("Remove"), row);
      remove->setProperty("role", QStringLiteral("link"));
      remove->setCursor(Qt::PointingHandCursor);
      remove->setAccessibleName(tr("Remove %1 from the list").arg(path->text()));
      layout->addWidget(remove);
      // Queued: the row goes with the click that it is in.
      connect(
          remove, &QPushButton::clicked, this,
          [this, folder] {
            m_add->setFocus();
            m_preferences.change([&](PreferenceValues& values) { values.modelFolders.removeAll(folder); });
          },
          Qt::QueuedConnection);
    }
    m_folderRows->addWidget(row);
  };
  for (const QString& folder : m_givenFolders) {
    addRow(folder, false);
  }
  for (const QString& folder : m_preferences.values().modelFolders) {
    addRow(folder, true);
  }
}

void ModelsPage::updateFoot() {
  const QModelIndex index = m_view->currentIndex().siblingAtColumn(0);
  m_default->setEnabled(index.data(ModelsTable::UsableRole).toBool() && !index.data(ModelsTable::DefaultRole).toBool());
  m_show->setEnabled(index.isValid());
}

void ModelsPage::addFolder() {
  auto* dialog = new QFileDialog(this, tr("Add a folder with models"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) {
    m_preferences.change([&](PreferenceValues& values) {
      if (!values.modelFolders.contains(folder)) {
        values.modelFolders << folder;
      }
    });
  });
  dialog->open();
}

void ModelsPage::chooseDefault() {
  const QModelIndex index = m_view->currentIndex().siblingAtColumn(0);
  if (!index.data(ModelsTable::UsableRole).toBool()) {
    return;
  }
  const QString reference = index.data(ModelsTable::ReferenceRole).toString();
  if (m_default->hasFocus()) {
    m_view->setFocus();
  }
  m_preferences.change([&](PreferenceValues& values) { values.defaultModel = reference; });
  Q_EMIT defaultChosen(reference);
}

}  // namespace polyptych::ui
