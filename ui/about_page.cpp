#include "ui/about_page.h"

#include <QFrame>
#include <QScrollArea>

#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// Shipped with the program, or linked by it.
struct Part {
  const char* name;
  const char* licence;
  const char* place;
};

constexpr Part kParts[] = {
    {"Qt", "LGPL-3.0", "https://www.qt.io"},
    {"SQLite", "public domain", "https://www.sqlite.org"},
    {"LibTorch (PyTorch)", "BSD-3-Clause", "https://pytorch.org"},
    {"oneDNN", "Apache-2.0", "https://github.com/oneapi-src/oneDNN"},
    {"ICU", "Unicode-3.0", "https://icu.unicode.org"},
    {"JSON for Modern C++", "MIT", "https://github.com/nlohmann/json"},
    {"libpng", "libpng-2.0", "http://www.libpng.org"},
    {"zlib", "Zlib", "https://zlib.net"},
};

void addLine(QGridLayout* grid, const QString& left, const QString& right) {
  const int row = grid->rowCount();
  auto* name = new QLabel(left);
  auto* value = makeLabel("secondary", nullptr);
  value->setText(right);
  for (QLabel* label : {name, value}) {
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  }
  grid->addWidget(name, row, 0);
  grid->addWidget(value, row, 1);
}

}  // namespace

AboutPage::AboutPage(std::function<Versions()> versions, QWidget* parent) : Page(parent), m_versions(std::move(versions)) {
  setFocusPolicy(Qt::StrongFocus);
  m_threads.setMaxThreadCount(1);
  auto* inside = new QWidget;
  auto* column = new QVBoxLayout(inside);
  column->setContentsMargins(0, 0, Metrics::kGap, Metrics::kWide);
  column->setSpacing(Metrics::kGap);
  auto* sentence = makeLabel("secondary", inside);
  sentence->setWordWrap(true);
  auto* versionsTitle = makeLabel("heading", inside);
  auto* licencesTitle = makeLabel("heading", inside);
  auto* licences = new QGridLayout;
  m_grid = new QGridLayout;
  for (QGridLayout* grid : {m_grid, licences}) {
    grid->setHorizontalSpacing(2 * Metrics::kWide);
    grid->setVerticalSpacing(Metrics::kTight);
    grid->setColumnStretch(2, 1);
    grid->setColumnMinimumWidth(0, Metrics::kPad * Metrics::kPad);
  }
  for (const Part& part : kParts) {
    addLine(licences, QString::fromUtf8(part.name),
            QString::fromUtf8(part.licence) + QStringLiteral(" · ") + QString::fromUtf8(part.place));
  }
  const auto section = [&](QLabel* title, QGridLayout* grid) {
    auto* box = new QFrame(inside);
    box->setObjectName(QStringLiteral("section"));
    box->setMaximumWidth(Metrics::kPageWidth);
    box->setLayout(grid);
    grid->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
    column->addWidget(title);
    column->addWidget(box);
    column->addSpacing(Metrics::kGap);
  };
  column->addWidget(sentence);
  column->addSpacing(Metrics::kGap);
  section(versionsTitle, m_grid);
  section(licencesTitle, licences);
  column->addStretch();
  auto* scroll = new QScrollArea(this);
  scroll->setWidget(inside);
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setFocusPolicy(Qt::NoFocus);
  body()->addWidget(scroll, 1);
  showVersions({});
  retranslated(this, [=, this] {
    setTitle(tr("About Polyptych"));
    sentence->setText(
        tr("Turns a list of prompts into a gallery of pictures with every GPU of the machine. Nothing leaves this "
           "computer."));
    versionsTitle->setText(tr("Versions"));
    licencesTitle->setText(tr("Licences of what is shipped with it"));
  });
}

AboutPage::~AboutPage() {
  m_threads.clear();
  m_threads.waitForDone();
}

void AboutPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  if (!m_versions) {
    return;
  }
  m_threads.start([this] {
    // The page waits for its thread before it goes.
    QMetaObject::invokeMethod(
        this, [this, versions = m_versions()] { showVersions(versions); }, Qt::QueuedConnection);
  });
}

void AboutPage::showVersions(const Versions& versions) {
  while (QLayoutItem* item = m_grid->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  addLine(m_grid, QStringLiteral("Polyptych"), QStringLiteral(POLYPTYCH_VERSION));
  addLine(m_grid, QStringLiteral("Qt"), QString::fromLatin1(qVersion()));
  for (const auto& [name, version] : versions) {
    addLine(m_grid, name, version);
  }
}

}  // namespace polyptych::ui
