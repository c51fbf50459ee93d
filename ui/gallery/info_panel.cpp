#include "ui/gallery/info_panel.h"

#include <QCompleter>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "core/gallery/picture_marks.h"
#include "ui/gallery/picture_facts.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

QPushButton* link(const QString& words, QWidget* parent) {
  auto* button = new QPushButton(words, parent);
  button->setProperty("role", QStringLiteral("link"));
  button->setCursor(Qt::PointingHandCursor);
  return button;
}

}  // namespace

InfoPanel::InfoPanel(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("infoPanel"));
  setAttribute(Qt::WA_StyledBackground);
  setFixedWidth(Metrics::kInfoPanel);
  auto* area = new QScrollArea(this);
  area->setWidgetResizable(true);
  area->setFrameShape(QFrame::NoFrame);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  area->setFocusPolicy(Qt::NoFocus);
  auto* inside = new QWidget(area);
  area->setWidget(inside);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->addWidget(area);
  m_body = new QVBoxLayout(inside);
  m_body->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  m_body->setSpacing(Metrics::kPad);

  auto* heading = new QLabel(inside);
  heading->setProperty("role", QStringLiteral("heading"));
  m_hint = new QLabel(inside);
  m_hint->setProperty("role", QStringLiteral("hint"));
  m_hint->setWordWrap(true);
  m_buttons = new QWidget(inside);
  auto* buttons = new QVBoxLayout(m_buttons);
  buttons->setContentsMargins(0, 0, 0, 0);
  buttons->setSpacing(Metrics::kGap);
  auto* settings = new QPushButton(m_buttons);
  settings->setObjectName(QStringLiteral("useSettings"));
  auto* seed = new QPushButton(m_buttons);
  seed->setObjectName(QStringLiteral("useSeed"));
  auto* copy = new QPushButton(m_buttons);
  copy->setObjectName(QStringLiteral("copyPrompt"));
  auto* second = new QHBoxLayout;
  second->setSpacing(Metrics::kGap);
  second->addWidget(seed);
  second->addWidget(copy);
  buttons->addWidget(settings);
  buttons->addLayout(second);
  connect(settings, &QPushButton::clicked, this, [this] {
    if (m_details) {
      Q_EMIT useSettingsRequested(m_details->metadata);
    }
  });
  connect(seed, &QPushButton::clicked, this, [this] {
    if (m_details) {
      Q_EMIT useSeedRequested(m_details->metadata.request.seed);
    }
  });
  connect(copy, &QPushButton::clicked, this, &InfoPanel::copyPromptRequested);

  m_marks = new QWidget(inside);
  m_names = new QVBoxLayout(m_marks);
  m_names->setContentsMargins(0, 0, 0, 0);
  m_names->setSpacing(Metrics::kTight);
  const auto field = [&](QLabel*& words, const char* name) {
    words = new QLabel(m_marks);
    words->setProperty("role", QStringLiteral("label"));
    auto* edit = new QLineEdit(m_marks);
    edit->setObjectName(QLatin1String(name));
    edit->setMaxLength(gallery::kMaxNameCharacters);
    words->setBuddy(edit);
    m_names->addWidget(words);
    m_names->addWidget(edit);
    return edit;
  };
  QLabel* tags = nullptr;
  QLabel* albums = nullptr;
  m_tag = field(tags, "tagField");
  m_album = field(albums, "albumField");
  connect(m_tag, &QLineEdit::returnPressed, this, [this] {
    if (const auto name = gallery::markName(m_tag->text())) {
      backend::MarkChange change;
      change.addedTags = QStringList{*name};
      m_tag->clear();
      Q_EMIT changeWanted(change);
    }
  });
  connect(m_album, &QLineEdit::returnPressed, this, [this] {
    if (const auto name = gallery::markName(m_album->text())) {
      backend::MarkChange change;
      change.addedAlbum = *name;
      m_album->clear();
      Q_EMIT changeWanted(change);
    }
  });
  m_body->addWidget(heading);
  m_body->addWidget(m_hint);
  m_body->addWidget(m_buttons);
  m_body->addWidget(m_marks);
  m_body->addStretch(1);
  retranslated(this, [=, this] {
    heading->setText(tr("Picture"));
    settings->setText(tr("Use these settings"));
    seed->setText(tr("Use seed"));
    copy->setText(tr("Copy prompt"));
    tags->setText(tr("Tags"));
    m_tag->setPlaceholderText(tr("Add a tag, Enter"));
    m_tag->setAccessibleName(tr("Tags"));
    albums->setText(tr("Albums"));
    m_album->setPlaceholderText(tr("Add to an album, Enter"));
    m_album->setAccessibleName(tr("Albums"));
    setSelected(m_selected);
    rebuild();
  });
}

void InfoPanel::setFacets(const Facets& facets) {
  const auto complete = [this](QLineEdit* edit, const std::vector<gallery::NameCount>& names) {
    QStringList words;
    for (const auto& name : names) {
      words << name.name;
    }
    auto* completer = new QCompleter(words, this);
    completer->setCaseSensitivity(Qt::CaseInsensitive);
    delete edit->completer();
    edit->setCompleter(completer);
  };
  complete(m_tag, facets.tags);
  complete(m_album, facets.albums);
}

void InfoPanel::focusTags() { m_tag->setFocus(); }

void InfoPanel::setSelected(int selected) {
  m_selected = selected;
  m_hint->setText(selected > 1 ? tr("%n pictures are chosen; tags and albums go to all of them.", nullptr, selected)
                               : tr("Choose a picture to see how it was made."));
  m_hint->setVisible(selected > 1 || !m_details);
}

void InfoPanel::showNothing() {
  m_details.reset();
  rebuild();
}

void InfoPanel::show(const gallery::PictureDetails& details) {
  m_details = details;
  rebuild();
}

void InfoPanel::rebuild() {
  delete m_facts;
  delete m_nameList;
  m_facts = m_nameList = nullptr;
  m_buttons->setVisible(m_details.has_value());
  m_marks->setVisible(m_details.has_value());
  m_hint->setVisible(!m_details);
  if (!m_details) {
    return;
  }
  m_facts = new QWidget(this);
  m_facts->setObjectName(QStringLiteral("facts"));
  auto* grid = new QGridLayout(m_facts);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(Metrics::kGap);
  grid->setVerticalSpacing(Metrics::kTight);
  grid->setColumnStretch(1, 1);
  int row = 0;
  for (const Fact& fact : factsOf(*m_details)) {
    if (fact.value.isEmpty()) {
      continue;
    }
    auto* name = new QLabel(fact.name, m_facts);
    name->setProperty("role", QStringLiteral("label"));
    auto* value = new QLabel(m_facts);
    value->setTextFormat(Qt::PlainText);
    value->setText(fact.value);
    value->setWordWrap(true);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    value->setMinimumWidth(1);
    value->setAccessibleName(fact.name + QStringLiteral(": ") + fact.value);
    // Prompts have the whole width.
    const bool isLong = row < 4 && fact.value.size() > 24;
    if (isLong) {
      grid->addWidget(name, row++, 0, 1, 2);
      grid->addWidget(value, row++, 0, 1, 2);
    } else {
      grid->addWidget(name, row, 0, Qt::AlignTop);
      grid->addWidget(value, row++, 1);
    }
  }
  m_body->insertWidget(2, m_facts);

  m_nameList = new QWidget(m_marks);
  auto* list = new QVBoxLayout(m_nameList);
  list->setContentsMargins(0, 0, 0, 0);
  list->setSpacing(0);
  const auto add = [&](const QString& name, bool isTag) {
    auto* line = new QHBoxLayout;
    auto* words = new QLabel(m_nameList);
    words->setTextFormat(Qt::PlainText);
    words->setText(isTag ? QStringLiteral("# ") + name : name);
    auto* remove = link(tr("Remove"), m_nameList);
    remove->setAccessibleName(tr("Remove %1").arg(name));
    connect(remove, &QPushButton::clicked, this, [this, name, isTag] {
      backend::MarkChange change;
      if (isTag) {
        change.removedTags = QStringList{name};
      } else {
        change.removedAlbum = name;
      }
      Q_EMIT changeWanted(change);
    });
    line->addWidget(words, 1);
    line->addWidget(remove);
    list->addLayout(line);
  };
  for (const QString& tag : m_details->marks.tags) {
    add(tag, true);
  }
  for (const QString& album : m_details->marks.albums) {
    add(album, false);
  }
  m_names->addWidget(m_nameList);
}

}  // namespace polyptych::ui
