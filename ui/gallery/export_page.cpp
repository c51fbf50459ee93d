#include "ui/gallery/export_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QStandardPaths>
#include <QUrl>
#include <algorithm>
#include <utility>

#include "core/gallery/export/export_names.h"
#include "ui/elided.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using gallery::ExportFormat;

constexpr int kExampleDelayMs = 150;
constexpr int kNamesShown = 3;
constexpr int kProgressSteps = 1000;
const QString kDefaultName = QStringLiteral("{index}-{prompt}");

enum Row { Place, Name, Format, Quality, Metadata, Columns, Cell };

}  // namespace

ExportPage::ExportPage(PictureLibrary& library, bool isStored, QWidget* parent)
    : Page(parent), m_library(library), m_isStored(isStored) {
  setObjectName(QStringLiteral("exportPage"));
  m_threads.setMaxThreadCount(2);
  m_exampleTimer.setSingleShot(true);
  m_exampleTimer.setInterval(kExampleDelayMs);
  connect(&m_exampleTimer, &QTimer::timeout, this, &ExportPage::askExample);

  auto* kinds = new QHBoxLayout;
  kinds->setSpacing(Metrics::kTight);
  const char* const names[] = {"exportFolder", "exportZip", "exportSheet"};
  for (std::size_t i = 0; i < std::size(m_kinds); ++i) {
    auto* button = new QPushButton(this);
    button->setObjectName(QLatin1String(names[i]));
    button->setProperty("role", QStringLiteral("segment"));
    button->setCheckable(true);
    button->setAutoExclusive(true);
    connect(button, &QPushButton::clicked, this, [this, i] { setKind(static_cast<Kind>(i)); });
    kinds->addWidget(button);
    m_kinds[i] = button;
  }
  kinds->addStretch();
  body()->addLayout(kinds);

  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(Metrics::kWide);
  grid->setVerticalSpacing(Metrics::kGap);
  grid->setColumnStretch(1, 1);
  const auto addRow = [&](Row row, QWidget* field, bool isWide) {
    m_labels[row] = makeLabel("secondary", this);
    m_labels[row]->setBuddy(field);
    m_rows[row] = field;
    if (!isWide) {
      field->setFixedWidth(Metrics::kSettingWidth);
    }
    grid->addWidget(m_labels[row], 2 * row, 0);
    if (row != Place) {
      grid->addWidget(field, 2 * row, 1, isWide ? Qt::Alignment() : Qt::AlignLeft);
    }
  };
  m_place = new QLineEdit(this);
  m_place->setObjectName(QStringLiteral("exportPlace"));
  m_browse = new QPushButton(this);
  m_browse->setObjectName(QStringLiteral("exportBrowse"));
  addRow(Place, m_place, true);
  auto* place = new QHBoxLayout;
  place->setSpacing(Metrics::kGap);
  place->addWidget(m_place, 1);
  place->addWidget(m_browse);
  grid->addLayout(place, 2 * Place, 1);
  m_name = new QLineEdit(kDefaultName, this);
  m_name->setObjectName(QStringLiteral("exportName"));
  addRow(Name, m_name, true);
  m_words = makeLabel("hint", this);
  m_words->setWordWrap(true);
  grid->addWidget(m_words, 2 * Name + 1, 1);
  m_format = new ElidedComboBox(this);
  m_format->setObjectName(QStringLiteral("exportFormat"));
  m_format->addItems({QStringLiteral("PNG"), QStringLiteral("JPEG"), QStringLiteral("WebP")});
  addRow(Format, m_format, false);
  m_quality = new QSpinBox(this);
  m_quality->setObjectName(QStringLiteral("exportQuality"));
  m_quality->setRange(1, 100);
  m_quality->setValue(gallery::PictureExportOptions().quality);
  addRow(Quality, m_quality, false);
  m_metadata = new QCheckBox(this);
  m_metadata->setObjectName(QStringLiteral("exportMetadata"));
  m_metadata->setChecked(true);
  addRow(Metadata, m_metadata, true);
  m_columns = new QSpinBox(this);
  m_columns->setObjectName(QStringLiteral("exportColumns"));
  m_columns->setRange(0, 100);
  addRow(Columns, m_columns, false);
  m_cell = new QSpinBox(this);
  m_cell->setObjectName(QStringLiteral("exportCell"));
  m_cell->setRange(16, 1024);
  m_cell->setValue(gallery::ContactSheetOptions().cell);
  addRow(Cell, m_cell, false);
  body()->addLayout(grid);

  m_exampleText = makeLabel("hint", this);
  m_exampleText->setObjectName(QStringLiteral("exportExample"));
  m_exampleText->setTextFormat(Qt::PlainText);
  m_exampleText->setWordWrap(true);
  m_exampleText->setMinimumWidth(1);
  body()->addWidget(m_exampleText);
  m_start = new QPushButton(this);
  m_start->setObjectName(QStringLiteral("exportStart"));
  m_progress = new QProgressBar(this);
  m_progress->setTextVisible(false);
  m_progress->setRange(0, kProgressSteps);
  m_progressText = makeLabel("secondary", this);
  m_progressText->setObjectName(QStringLiteral("exportProgress"));
  auto* foot = new QHBoxLayout;
  foot->setSpacing(Metrics::kPad);
  foot->addWidget(m_start);
  foot->addWidget(m_progress, 1);
  foot->addWidget(m_progressText);
  foot->addStretch(1);
  body()->addLayout(foot);
  body()->addStretch(1);
  m_progress->hide();

  connect(m_place, &QLineEdit::textEdited, this, [this] { m_isPlaceTyped = true; });
  connect(m_place, &QLineEdit::textChanged, this, &ExportPage::showProblem);
  connect(m_browse, &QPushButton::clicked, this, &ExportPage::browse);
  connect(m_name, &QLineEdit::textChanged, this, &ExportPage::changed);
  connect(m_format, &QComboBox::currentIndexChanged, this, &ExportPage::changed);
  connect(m_start, &QPushButton::clicked, this, &ExportPage::startOrStop);
  restore();
  retranslated(this, [this] { retranslate(); });
  setKind(kind());
}

ExportPage::~ExportPage() {
  if (m_stopWish) {
    *m_stopWish = true;
  }
  m_threads.clear();
  m_threads.waitForDone();
}

void ExportPage::retranslate() {
  const int count = static_cast<int>(m_ids.size());
  setTitle(m_isSelection ? tr("Export %n chosen picture(s)", nullptr, count)
                         : tr("Export all %n picture(s) shown", nullptr, count));
  m_kinds[0]->setText(tr("To a folder"));
  m_kinds[1]->setText(tr("To a zip file"));
  m_kinds[2]->setText(tr("On a contact sheet"));
  const QString labels[] = {kind() == Kind::Folder ? tr("Folder") : tr("File"),
                            tr("Names"),
                            tr("Format"),
                            tr("Quality"),
                            tr("Settings"),
                            tr("Columns"),
                            tr("Size of a picture")};
  for (std::size_t row = 0; row < std::size(m_rows); ++row) {
    m_labels[row]->setText(labels[row]);
    m_rows[row]->setAccessibleName(labels[row]);
  }
  m_metadata->setText(tr("Keep prompt and settings in the files"));
  m_browse->setText(tr("Choose…"));
  m_columns->setSpecialValueText(tr("As fits"));
  m_cell->setSuffix(tr(" px"));
  m_words->setText(tr("In the place of %1, what it says; / makes a folder.")
                       .arg(QLatin1Char('{') + gallery::templateWords().join(QStringLiteral("} {")) + QLatin1Char('}')));
  m_progress->setAccessibleName(tr("Progress of the export"));
  m_start->setText(isWorking() ? tr("Stop") : tr("Export"));
  showProblem();
}

ExportPage::Kind ExportPage::kind() const {
  return m_kinds[2]->isChecked() ? Kind::Sheet : m_kinds[1]->isChecked() ? Kind::Zip : Kind::Folder;
}

void ExportPage::restore() {
  QSettings settings;
  settings.beginGroup(QStringLiteral("export"));
  const int kept = m_isStored ? settings.value(QStringLiteral("kind"), 0).toInt() : 0;
  m_kinds[std::clamp(kept, 0, 2)]->setChecked(true);
  if (!m_isStored) {
    return;
  }
  m_name->setText(settings.value(QStringLiteral("name"), kDefaultName).toString());
  m_format->setCurrentIndex(std::clamp(settings.value(QStringLiteral("format"), 0).toInt(), 0, 2));
  m_quality->setValue(settings.value(QStringLiteral("quality"), m_quality->value()).toInt());
  m_metadata->setChecked(settings.value(QStringLiteral("metadata"), true).toBool());
  m_columns->setValue(settings.value(QStringLiteral("columns"), 0).toInt());
  m_cell->setValue(settings.value(QStringLiteral("cell"), m_cell->value()).toInt());
}

void ExportPage::save() const {
  if (!m_isStored) {
    return;
  }
  QSettings settings;
  settings.beginGroup(QStringLiteral("export"));
  settings.setValue(QStringLiteral("kind"), static_cast<int>(kind()));
  settings.setValue(QStringLiteral("parent"), QFileInfo(m_place->text()).path());
  settings.setValue(QStringLiteral("name"), m_name->text());
  settings.setValue(QStringLiteral("format"), m_format->currentIndex());
  settings.setValue(QStringLiteral("quality"), m_quality->value());
  settings.setValue(QStringLiteral("metadata"), m_metadata->isChecked());
  settings.setValue(QStringLiteral("columns"), m_columns->value());
  settings.setValue(QStringLiteral("cell"), m_cell->value());
}

void ExportPage::setKind(Kind kind) {
  for (const Row row : {Name, Format, Quality, Metadata}) {
    m_labels[row]->setVisible(kind != Kind::Sheet);
    m_rows[row]->setVisible(kind != Kind::Sheet);
  }
  m_words->setVisible(kind != Kind::Sheet);
  for (const Row row : {Columns, Cell}) {
    m_labels[row]->setVisible(kind == Kind::Sheet);
    m_rows[row]->setVisible(kind == Kind::Sheet);
  }
  proposePlace();
  retranslate();
  changed();
}

/// A place of the right ending that is not taken, beside the last one; what was typed keeps its folder.
void ExportPage::proposePlace() {
  const QString ending = kind() == Kind::Zip     ? QStringLiteral(".zip")
                         : kind() == Kind::Sheet ? QStringLiteral(".png")
                                                 : QString();
  QString base;
  if (m_isPlaceTyped && !m_place->text().isEmpty()) {
    const QFileInfo typed(m_place->text());
    base = typed.path() + u'/' + typed.completeBaseName();
  } else {
    const QString pictures = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
    const QString parent = m_isStored ? QSettings().value(QStringLiteral("export/parent"), pictures).toString() : pictures;
    base = parent + u'/' + tr("Exported pictures");
  }
  m_place->setText(QDir::toNativeSeparators(base + ending));
}

void ExportPage::browse() {
  const QFileInfo start(QDir::fromNativeSeparators(m_place->text()));
  auto* dialog =
      new QFileDialog(this, kind() == Kind::Folder ? tr("Folder for the pictures") : tr("File to write"), start.path());
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  if (kind() == Kind::Folder) {
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
  } else {
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setOption(QFileDialog::DontConfirmOverwrite);
    dialog->selectFile(start.fileName());
  }
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& chosen) {
    m_isPlaceTyped = true;
    m_place->setText(QDir::toNativeSeparators(chosen));
  });
  dialog->open();
}

void ExportPage::begin(std::vector<qint64> ids, bool isSelection) {
  if (isWorking()) {
    return;
  }
  m_ids = std::move(ids);
  m_isSelection = isSelection;
  m_first.clear();
  m_example.clear();
  m_library.askRowsThen({m_ids.begin(), m_ids.begin() + std::min<std::ptrdiff_t>(kNamesShown, std::ssize(m_ids))},
                        [this](std::vector<gallery::PictureRow> rows) {
                          m_first = std::move(rows);
                          askExample();
                        });
  if (!m_isPlaceTyped) {
    proposePlace();
  }
  m_progressText->clear();
  retranslate();
  m_start->setFocus();
}

void ExportPage::changed() {
  const bool isSheet = kind() == Kind::Sheet;
  m_labels[Quality]->setVisible(!isSheet && m_format->currentIndex() != 0);
  m_quality->setVisible(!isSheet && m_format->currentIndex() != 0);
  m_exampleTimer.start();
  showProblem();
}

/// What the first names will be; reads the pictures' metadata.
void ExportPage::askExample() {
  if (m_first.empty()) {
    return;
  }
  const quint64 wish = ++m_exampleWish;
  m_threads.start([this, wish, rows = m_first, options = options(), count = static_cast<qint64>(m_ids.size())] {
    const QStringList names = gallery::exportNames(rows, options, count);
    // The page waits for its threads before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, wish, names] {
          if (wish == m_exampleWish) {
            m_example = names;
            showProblem();
          }
        },
        Qt::QueuedConnection);
  });
}

QString ExportPage::problem() const {
  if (m_place->text().trimmed().isEmpty()) {
    return tr("Say where the pictures are to go.");
  }
  if (kind() != Kind::Sheet) {
    if (const QStringList unknown = gallery::unknownWords(m_name->text()); !unknown.isEmpty()) {
      return tr("There is no {%1}. Take one of the words above.").arg(unknown.front());
    }
    if (m_name->text().trimmed().isEmpty()) {
      return tr("Say how the files are to be named.");
    }
  }
  return {};
}

void ExportPage::showProblem() {
  const QString wrong = problem();
  m_start->setEnabled((wrong.isEmpty() && !m_ids.empty()) || isWorking());
  QString text = wrong;
  if (wrong.isEmpty() && kind() != Kind::Sheet && !m_example.isEmpty()) {
    const bool hasMore = std::ssize(m_ids) > m_example.size();
    text = tr("Becomes %1").arg(m_example.join(QStringLiteral(", "))) + (hasMore ? QStringLiteral(", …") : QString());
  }
  m_exampleText->setText(text);
  m_exampleText->setProperty("role", wrong.isEmpty() ? QStringLiteral("hint") : QStringLiteral("warning"));
  m_exampleText->setStyleSheet(QString());  // another role: to be polished anew
}

gallery::PictureExportOptions ExportPage::options() const {
  gallery::PictureExportOptions options;
  options.place = QDir::fromNativeSeparators(m_place->text().trimmed());
  options.isZip = kind() == Kind::Zip;
  options.nameTemplate = m_name->text();
  options.format = static_cast<ExportFormat>(m_format->currentIndex());
  options.quality = m_quality->value();
  options.keepsMetadata = m_metadata->isChecked();
  return options;
}

gallery::ContactSheetOptions ExportPage::sheetOptions() const {
  gallery::ContactSheetOptions options;
  options.columns = m_columns->value();
  options.cell = m_cell->value();
  return options;
}

void ExportPage::startOrStop() {
  if (isWorking()) {
    *m_stopWish = true;
    m_start->setEnabled(false);
    return;
  }
  start();
}

void ExportPage::start() {
  save();
  const auto stopWish = std::make_shared<std::atomic_bool>(false);
  m_stopWish = stopWish;
  m_progress->setValue(0);
  m_progress->show();
  m_progressText->clear();
  retranslate();
  m_library.askRowsThen(m_ids, [this, stopWish, isSheet = kind() == Kind::Sheet, options = options(),
                                sheet = sheetOptions()](std::vector<gallery::PictureRow> rows) {
    m_threads.start([this, stopWish, isSheet, options, sheet, rows = std::move(rows)] {
      const auto count = static_cast<qint64>(rows.size());
      int shown = -1;
      const gallery::ExportProgress progress = [&](qint64 done) {
        if (const int step = static_cast<int>(done * kProgressSteps / std::max<qint64>(count, 1)); step != shown) {
          shown = step;
          QMetaObject::invokeMethod(
              this,
              [this, step, done, count] {
                const QLocale locale;
                m_progress->setValue(step);
                m_progressText->setText(tr("%1 of %2").arg(locale.toString(done), locale.toString(count)));
              },
              Qt::QueuedConnection);
        }
        return !*stopWish;
      };
      auto result =
          isSheet ? gallery::exportSheet(rows, options.place, sheet, progress) : gallery::exportPictures(rows, options, progress);
      QMetaObject::invokeMethod(
          this, [this, result = std::move(result)] { finish(result); }, Qt::QueuedConnection);
    });
  });
}

void ExportPage::finish(const base::Result<gallery::ExportReport>& result) {
  m_stopWish.reset();
  m_progress->hide();
  m_progressText->clear();
  retranslate();
  if (!result) {
    const bool wasStopped = result.error().code == base::ErrorCode::Cancelled;
    Q_EMIT told(wasStopped ? MessageBar::Kind::Notice : MessageBar::Kind::Trouble,
                wasStopped ? ErrorText{tr("The export was stopped."), {}} : textOf(result.error(), Subject::Settings), {});
    return;
  }
  const gallery::ExportReport& report = *result;
  QString sentence = tr("%n picture(s) exported.", nullptr, static_cast<int>(report.written));
  if (report.missing > 0) {
    sentence += u' ' + tr("%n could not be read.", nullptr, static_cast<int>(report.missing));
  }
  const QString place = report.place;
  MessageBar::Action show{tr("Show in file manager"), [place] {
                            const QFileInfo info(place);
                            QDesktopServices::openUrl(QUrl::fromLocalFile(info.isDir() ? place : info.path()));
                          }};
  Q_EMIT told(report.missing > 0 ? MessageBar::Kind::Trouble : MessageBar::Kind::Notice, ErrorText{sentence, place}, show);
  if (isVisible()) {
    Q_EMIT left();
  }
}

void ExportPage::keyPressEvent(QKeyEvent* event) {
  if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && m_start->isEnabled() && !isWorking()) {
    start();
    return;
  }
  Page::keyPressEvent(event);
}

}  // namespace polyptych::ui
