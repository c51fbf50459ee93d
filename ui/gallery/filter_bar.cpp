#include "ui/gallery/filter_bar.h"

#include <QActionGroup>
#include <QDateTime>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QResizeEvent>
#include <QSlider>
#include <QStyle>
#include <algorithm>

#include "core/gallery/picture_marks.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using gallery::PictureFilter;
using Order = GalleryQuery::Order;
using Grouping = GalleryQuery::Grouping;

constexpr std::size_t kMenuNames = 25;
constexpr int kWordsKept = 40;

QString starsText(int stars) { return QString(stars, QChar(0x2605)); }

QString shortened(const QString& words) {
  const QString line = words.simplified();
  return line.size() <= kWordsKept ? line : line.left(kWordsKept - 1) + QChar(0x2026);
}

QString counted(const QString& words, qint64 count) {
  // An ampersand would be read as the mark of a key.
  return QString(words).replace(QLatin1String("&"), QLatin1String("&&")) + u'\t' + QLocale().toString(count);
}

QString dayWords(const QString& iso) { return QLocale().toString(QDate::fromString(iso, Qt::ISODate), QLocale::LongFormat); }

}  // namespace

FilterBar::FilterBar(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("filterBar"));
  setAttribute(Qt::WA_StyledBackground);
  m_search = new QLineEdit;
  m_search->setObjectName(QStringLiteral("search"));
  m_search->setClearButtonEnabled(true);
  m_search->setMaximumWidth(Metrics::kInfoPanel);
  const auto segment = [&](const char* name) {
    auto* button = new QPushButton(this);
    button->setObjectName(QLatin1String(name));
    button->setProperty("role", QStringLiteral("segment"));
    button->setCheckable(true);
    return button;
  };
  m_all = segment("showAll");
  m_picks = segment("showPicks");
  m_rejects = segment("showRejects");
  m_filter = new QPushButton(this);
  m_filter->setObjectName(QStringLiteral("filter"));
  m_filter->setProperty("role", QStringLiteral("segment"));
  m_filterMenu = new QMenu(m_filter);
  m_filter->setMenu(m_filterMenu);
  m_view = new QPushButton(this);
  m_view->setObjectName(QStringLiteral("view"));
  m_view->setProperty("role", QStringLiteral("segment"));
  m_viewMenu = new QMenu(m_view);
  m_view->setMenu(m_viewMenu);
  m_size = new QSlider(Qt::Horizontal, this);
  m_size->setObjectName(QStringLiteral("tileSize"));
  m_size->setRange(Metrics::kTileLeast, Metrics::kTileMost);
  m_size->setSingleStep(Metrics::kTileStep);
  m_size->setPageStep(3 * Metrics::kTileStep);
  m_size->setValue(Metrics::kTile);
  m_size->setFixedWidth(Metrics::kSlider);
  m_selected = new QLabel(this);
  m_selected->setObjectName(QStringLiteral("selected"));
  m_selected->setProperty("role", QStringLiteral("secondary"));
  m_compare = new QPushButton(this);
  m_compare->setObjectName(QStringLiteral("compareButton"));
  m_export = new QPushButton(this);
  m_export->setObjectName(QStringLiteral("exportButton"));
  auto* row = new QHBoxLayout;
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(Metrics::kTight);
  for (QWidget* widget : {static_cast<QWidget*>(m_all), static_cast<QWidget*>(m_picks), static_cast<QWidget*>(m_rejects),
                          static_cast<QWidget*>(m_filter), static_cast<QWidget*>(m_view)}) {
    row->addWidget(widget);
  }
  row->addStretch(1);
  row->addWidget(m_size);
  row->addSpacing(Metrics::kGap);
  row->addWidget(m_selected);
  row->addSpacing(Metrics::kTight);
  row->addWidget(m_compare);
  row->addWidget(m_export);
  m_chipRow = new QWidget(this);
  new QHBoxLayout(m_chipRow);
  m_chipRow->layout()->setContentsMargins(0, 0, 0, 0);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(Metrics::kPad, Metrics::kGap, Metrics::kPad, Metrics::kTight);
  layout->setSpacing(Metrics::kTight);
  layout->addLayout(row);
  layout->addWidget(m_chipRow);
  connect(m_all, &QPushButton::clicked, this, [this] { clearFilter(); });
  connect(m_picks, &QPushButton::clicked, this,
          [this] { change([](PictureFilter& filter) { filter.pick = filter.pick == 1 ? std::nullopt : std::optional(1); }); });
  connect(m_rejects, &QPushButton::clicked, this,
          [this] { change([](PictureFilter& filter) { filter.pick = filter.pick == -1 ? std::nullopt : std::optional(-1); }); });
  connect(m_search, &QLineEdit::textChanged, this,
          [this](const QString& text) { change([&](PictureFilter& filter) { filter.text = text; }); });
  connect(m_filterMenu, &QMenu::aboutToShow, this, &FilterBar::fillFilterMenu);
  connect(m_viewMenu, &QMenu::aboutToShow, this, &FilterBar::fillViewMenu);
  connect(m_size, &QSlider::valueChanged, this, &FilterBar::tileSideChosen);
  connect(m_compare, &QPushButton::clicked, this, &FilterBar::compareWanted);
  connect(m_export, &QPushButton::clicked, this, &FilterBar::exportWanted);
  retranslated(this, [this] { retranslate(); });
}

void FilterBar::retranslate() {
  m_search->setPlaceholderText(tr("Search prompts"));
  m_search->setAccessibleName(tr("Search prompts"));
  m_filter->setText(tr("Filter"));
  m_view->setText(tr("View"));
  m_size->setAccessibleName(tr("Size of the pictures in the grid"));
  m_size->setToolTip(tr("Size of the pictures (Ctrl+wheel)"));
  m_compare->setText(tr("Compare"));
  m_compare->setToolTip(tr("Two pictures side by side (C)"));
  m_export->setText(tr("Export…"));
  m_export->setToolTip(tr("Save the chosen pictures, or all that are shown (Ctrl+E)"));
  rebuildWords();
  rebuildChips();
  setShown(m_shown);
  setSelected(m_selectedCount);
}

void FilterBar::setTileSide(int side) {
  const QSignalBlocker blocker(m_size);
  m_size->setValue(side);
}

void FilterBar::setQuery(const GalleryQuery& query) {
  m_query = query;
  {
    const QSignalBlocker blocker(m_search);
    if (m_search->text() != query.filter.text) {
      m_search->setText(query.filter.text);
    }
  }
  rebuildWords();
  rebuildChips();
  Q_EMIT queryChanged(m_query);
}

void FilterBar::change(const std::function<void(PictureFilter&)>& change) {
  GalleryQuery query = m_query;
  change(query.filter);
  setQuery(query);
}

void FilterBar::clearFilter() {
  change([](PictureFilter& filter) { filter = PictureFilter(); });
}

void FilterBar::showTrash() {
  change([](PictureFilter& filter) {
    filter = PictureFilter();
    filter.trash = PictureFilter::Trash::Only;
  });
}

bool FilterBar::isFiltered() const { return m_query.filter != PictureFilter(); }

void FilterBar::setFacets(const Facets& facets) {
  m_facets = facets;
  rebuildWords();
}

void FilterBar::setShown(int shown) {
  m_shown = shown;
  m_all->setToolTip(tr("%n picture(s) are shown", nullptr, shown));
  m_export->setEnabled(shown > 0);
}

void FilterBar::setSelected(int count) {
  m_selectedCount = count;
  m_selected->setText(count > 0 ? tr("%n selected", nullptr, count) : QString());
  m_compare->setEnabled(count >= 2);
  fit();
}

void FilterBar::rebuildWords() {
  const QLocale locale;
  const auto words = [&](const QString& name, qint64 count) { return count > 0 ? name + u' ' + locale.toString(count) : name; };
  m_all->setText(words(tr("All"), m_facets.stars.empty() ? 0 : m_facets.stars[0]));
  m_picks->setText(words(tr("Picks"), m_facets.picks));
  m_rejects->setText(words(tr("Rejects"), m_facets.rejects));
  m_all->setChecked(!isFiltered());
  m_picks->setChecked(m_query.filter.pick == 1);
  m_rejects->setChecked(m_query.filter.pick == -1);
  fit();
}

std::vector<FilterBar::Chip> FilterBar::chips() const {
  std::vector<Chip> chips;
  const PictureFilter& filter = m_query.filter;
  if (!filter.text.isEmpty()) {
    chips.push_back({QStringLiteral("“%1”").arg(shortened(filter.text)), [](PictureFilter& f) { f.text.clear(); }});
  }
  if (filter.trash == PictureFilter::Trash::Only) {
    chips.push_back({tr("Trash"), [](PictureFilter& f) { f.trash = PictureFilter::Trash::Without; }});
  }
  if (filter.minStars > 0) {
    chips.push_back({tr("%1 or more").arg(starsText(filter.minStars)), [](PictureFilter& f) { f.minStars = 0; }});
  }
  if (filter.pick) {
    chips.push_back({*filter.pick > 0   ? tr("Picks")
                     : *filter.pick < 0 ? tr("Rejects")
                                        : tr("Not judged"),
                     [](PictureFilter& f) { f.pick.reset(); }});
  }
  for (const QString& tag : filter.tags) {
    chips.push_back({QStringLiteral("# ") + tag, [tag](PictureFilter& f) { f.tags.removeAll(tag); }});
  }
  if (!filter.album.isEmpty()) {
    chips.push_back({tr("Album %1").arg(filter.album), [](PictureFilter& f) { f.album.clear(); }});
  }
  if (!filter.model.isEmpty()) {
    chips.push_back({filter.model, [](PictureFilter& f) { f.model.clear(); }});
  }
  if (filter.runId != 0) {
    const auto run = std::ranges::find_if(m_facets.runs, [&](const auto& entry) { return entry.first.id == filter.runId; });
    chips.push_back({run != m_facets.runs.end() ? tr("Run %1").arg(run->first.number) : tr("One run"),
                     [](PictureFilter& f) { f.runId = 0; }});
  }
  if (filter.sinceMs) {
    chips.push_back({QLocale().toString(QDateTime::fromMSecsSinceEpoch(*filter.sinceMs).date(), QLocale::ShortFormat),
                     [](PictureFilter& f) { f.sinceMs = f.untilMs = std::nullopt; }});
  }
  return chips;
}

QStringList FilterBar::chipTexts() const {
  QStringList texts;
  for (const Chip& chip : chips()) {
    texts << chip.words;
  }
  return texts;
}

void FilterBar::rebuildChips() {
  delete m_chips;
  m_chips = nullptr;
  const std::vector<Chip> all = chips();
  m_chipRow->setVisible(!all.empty());
  if (all.empty()) {
    return;
  }
  m_chips = new QWidget(m_chipRow);
  auto* row = new QHBoxLayout(m_chips);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(Metrics::kTight);
  for (const Chip& chip : all) {
    auto* button =
        new QPushButton(QString(chip.words).replace(QLatin1String("&"), QLatin1String("&&")) + QStringLiteral("  ×"), m_chips);
    button->setProperty("role", QStringLiteral("chip"));
    button->setAccessibleName(tr("Remove the filter %1").arg(chip.words));
    // Not by the button's own press: it goes with the others.
    connect(
        button, &QPushButton::clicked, this, [this, remove = chip.remove] { change(remove); }, Qt::QueuedConnection);
    row->addWidget(button);
  }
  if (all.size() > 1) {
    auto* clear = new QPushButton(tr("Clear"), m_chips);
    clear->setProperty("role", QStringLiteral("link"));
    connect(clear, &QPushButton::clicked, this, &FilterBar::clearFilter, Qt::QueuedConnection);
    row->addWidget(clear);
  }
  row->addStretch(1);
  m_chipRow->layout()->addWidget(m_chips);
}

void FilterBar::fillFilterMenu() {
  m_filterMenu->clear();
  // Menus below it are not among what it clears.
  qDeleteAll(m_filterMenu->findChildren<QMenu*>(Qt::FindDirectChildrenOnly));
  const PictureFilter& filter = m_query.filter;
  const auto add = [&](QMenu* menu, const QString& words, qint64 count, bool isOn, std::function<void(PictureFilter&)> set) {
    QAction* action = menu->addAction(counted(words, count));
    action->setCheckable(true);
    action->setChecked(isOn);
    connect(action, &QAction::triggered, this, [this, set = std::move(set)] { change(set); });
  };
  QMenu* stars = m_filterMenu->addMenu(tr("Stars"));
  for (int least = gallery::kMaxStars; least >= 1; --least) {
    const auto count =
        static_cast<std::size_t>(least) < m_facets.stars.size() ? m_facets.stars[static_cast<std::size_t>(least)] : 0;
    add(stars, least < gallery::kMaxStars ? tr("%1 or more").arg(starsText(least)) : starsText(least), count,
        filter.minStars == least, [least](PictureFilter& f) { f.minStars = f.minStars == least ? 0 : least; });
  }
  const auto names = [&](const QString& title, const std::vector<gallery::NameCount>& list, const auto& isOn, const auto& set,
                         const auto& wordsOf) {
    if (list.empty()) {
      return;
    }
    QMenu* menu = m_filterMenu->addMenu(title);
    for (std::size_t i = 0; i < std::min(list.size(), kMenuNames); ++i) {
      const QString name = list[i].name;
      add(menu, wordsOf(name), list[i].count, isOn(name), [set, name](PictureFilter& f) { set(f, name); });
    }
  };
  const auto asItIs = [](const QString& name) { return shortened(name); };
  names(
      tr("Tags"), m_facets.tags, [&](const QString& name) { return filter.tags.contains(name); },
      [](PictureFilter& f, const QString& name) {
        if (!f.tags.removeAll(name)) {
          f.tags << name;
        }
      },
      asItIs);
  names(
      tr("Albums"), m_facets.albums, [&](const QString& name) { return filter.album == name; },
      [](PictureFilter& f, const QString& name) { f.album = f.album == name ? QString() : name; }, asItIs);
  names(
      tr("Model"), m_facets.models, [&](const QString& name) { return filter.model == name; },
      [](PictureFilter& f, const QString& name) { f.model = f.model == name ? QString() : name; }, asItIs);
  if (!m_facets.runs.empty()) {
    QMenu* menu = m_filterMenu->addMenu(tr("Run"));
    for (std::size_t i = 0; i < std::min(m_facets.runs.size(), kMenuNames); ++i) {
      const auto& [run, count] = m_facets.runs[i];
      add(menu, QStringLiteral("%1 · %2").arg(run.number).arg(shortened(run.title)), count, filter.runId == run.id,
          [id = run.id](PictureFilter& f) { f.runId = f.runId == id ? 0 : id; });
    }
  }
  const auto dayStart = [](const QString& iso) { return QDate::fromString(iso, Qt::ISODate).startOfDay().toMSecsSinceEpoch(); };
  names(
      tr("Day"), m_facets.days, [&](const QString& name) { return filter.sinceMs == dayStart(name); },
      [dayStart](PictureFilter& f, const QString& name) {
        if (f.sinceMs == dayStart(name)) {
          f.sinceMs = f.untilMs = std::nullopt;
          return;
        }
        f.sinceMs = dayStart(name);
        f.untilMs = QDate::fromString(name, Qt::ISODate).addDays(1).startOfDay().toMSecsSinceEpoch();
      },
      dayWords);
  m_filterMenu->addSeparator();
  QAction* trash = m_filterMenu->addAction(counted(tr("Trash"), m_facets.trashed));
  trash->setObjectName(QStringLiteral("filterTrash"));
  trash->setCheckable(true);
  trash->setChecked(filter.trash == PictureFilter::Trash::Only);
  connect(trash, &QAction::triggered, this, [this] {
    if (m_query.filter.trash == PictureFilter::Trash::Only) {
      clearFilter();
    } else {
      showTrash();
    }
  });
}

void FilterBar::fillViewMenu() {
  m_viewMenu->clear();
  const auto add = [&](QActionGroup* group, const QString& words, bool isOn, std::function<void(GalleryQuery&)> set) {
    QAction* action = m_viewMenu->addAction(words);
    action->setCheckable(true);
    action->setChecked(isOn);
    group->addAction(action);
    connect(action, &QAction::triggered, this, [this, set = std::move(set)] {
      GalleryQuery query = m_query;
      set(query);
      setQuery(query);
    });
  };
  auto* orders = new QActionGroup(m_viewMenu);
  m_viewMenu->addSection(tr("Order"));
  for (const auto& [order, words] :
       {std::pair{Order::Runs, tr("Run order")}, std::pair{Order::Newest, tr("Newest first")},
        std::pair{Order::Oldest, tr("Oldest first")}, std::pair{Order::Stars, tr("Most stars first")}}) {
    add(orders, words, m_query.order == order, [order = order](GalleryQuery& query) { query.order = order; });
  }
  auto* groups = new QActionGroup(m_viewMenu);
  m_viewMenu->addSection(tr("Groups"));
  for (const auto& [grouping, words] :
       {std::pair{Grouping::Run, tr("By run")}, std::pair{Grouping::Prompt, tr("By prompt")},
        std::pair{Grouping::Day, tr("By day")}, std::pair{Grouping::None, tr("Without groups")}}) {
    add(groups, words, m_query.grouping == grouping, [grouping = grouping](GalleryQuery& query) { query.grouping = grouping; });
  }
}

void FilterBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fit();
}

/// What matters least goes first where there is no room.
void FilterBar::fit() {
  const auto widthOf = [](const QWidget* widget) { return widget->sizeHint().width() + Metrics::kTight; };
  int left = width() - 2 * Metrics::kPad - Metrics::kWide;
  for (const QWidget* widget : {static_cast<QWidget*>(m_all), static_cast<QWidget*>(m_filter), static_cast<QWidget*>(m_view),
                                static_cast<QWidget*>(m_export)}) {
    left -= widthOf(widget);
  }
  const auto place = [&](QWidget* widget, bool isWanted) {
    const bool fits = isWanted && left >= widthOf(widget);
    widget->setVisible(fits);
    left -= fits ? widthOf(widget) : 0;
  };
  place(m_compare, m_selectedCount >= 2);
  place(m_picks, true);
  place(m_rejects, true);
  place(m_selected, m_selectedCount > 0);
  place(m_size, true);
}

}  // namespace polyptych::ui
