#include "ui/run_form.h"

#include <QCoreApplication>
#include <QFileDialog>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QRegularExpression>
#include <QSettings>
#include <QStandardItemModel>
#include <QTextBlock>
#include <QVBoxLayout>
#include <algorithm>
#include <limits>

#include "core/domain/request.h"
#include "core/domain/scheduler_name.h"
#include "core/models/bundled_models.h"
#include "core/prompt/expand.h"
#include "ui/elided.h"
#include "ui/error_text.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr int kSizes[][2] = {{128, 128}, {256, 256}, {512, 512}, {512, 768}, {768, 512}, {768, 768}};

QLabel* makeLabel(const QString& text, const char* role, QWidget* buddy = nullptr) {
  auto* label = new QLabel(text);
  label->setProperty("role", QLatin1String(role));
  label->setBuddy(buddy);
  if (buddy != nullptr) {
    buddy->setAccessibleName(text);
  }
  return label;
}

/// On a line that has a prompt; it goes when the line does.
class PromptMark : public QTextBlockUserData {
 public:
  explicit PromptMark(std::shared_ptr<int> count) : m_count(std::move(count)) { ++*m_count; }
  ~PromptMark() override { --*m_count; }

 private:
  std::shared_ptr<int> m_count;
};

QString picturesInWords(qint64 pictures) {
  // The plural form is asked for with an int; above its range all numbers have the same.
  const int form = static_cast<int>(std::min<qint64>(pictures, std::numeric_limits<int>::max()));
  return QCoreApplication::translate("polyptych::ui::RunForm", "%L1 picture(s)", nullptr, form).arg(pictures);
}

}  // namespace

QVBoxLayout* RunForm::labelled(const char* text, QWidget* field) {
  auto* box = new QVBoxLayout;
  box->setSpacing(Metrics::kTight);
  auto* label = makeLabel({}, "label", field);
  m_labels.emplace_back(label, text);
  box->addWidget(label);
  box->addWidget(field);
  return box;
}

void RunForm::retranslate() {
  for (const auto& [label, text] : m_labels) {
    label->setText(tr(text));
    if (QWidget* field = label->buddy()) {
      (field->focusProxy() != nullptr ? field->focusProxy() : field)->setAccessibleName(tr(text));
    }
  }
  m_prompts->setPlaceholderText(tr("One prompt a line. Paste as many as you like."));
  m_model->lineEdit()->setPlaceholderText(tr("Folder, or a name such as org/model"));
  m_browse->setText(tr("Folder…"));
  m_browse->setAccessibleName(tr("Choose a model folder"));
  m_modelNote->setText(
      tr("No model was found on this machine. Choose a folder with a Stable Diffusion model in diffusers format."));
  const bool isOwnSize = m_size->currentText() == m_size->itemText(0);
  m_size->setItemText(0, tr("Model's own"));
  if (isOwnSize) {
    m_size->setCurrentIndex(0);
    m_size->setEditText(m_size->itemText(0));
  }
  m_scheduler->setItemText(0, tr("Model's best"));
  m_seed->setPlaceholderText(tr("Random"));
  updateForecast();
}

std::optional<QSize> sizeFromText(const QString& text) {
  static const QRegularExpression pattern(QStringLiteral("^\\s*(\\d{1,5})\\s*[x×X*]\\s*(\\d{1,5})\\s*$"));
  const auto match = pattern.match(text);
  if (!match.hasMatch()) {
    return std::nullopt;
  }
  return QSize(match.capturedView(1).toInt(), match.capturedView(2).toInt());
}

RunForm::RunForm(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("leftPanel"));
  setAttribute(Qt::WA_StyledBackground);
  m_prompts = new QPlainTextEdit(this);
  m_prompts->setObjectName(QStringLiteral("prompts"));
  m_prompts->setTabChangesFocus(true);
  m_prompts->document()->setDocumentMargin(Metrics::kTextInset);
  m_promptCount = makeLabel({}, "heading");
  auto* top = new QHBoxLayout;
  m_labels.emplace_back(makeLabel({}, "heading", m_prompts), QT_TR_NOOP("Prompts"));
  top->addWidget(m_labels.back().first);
  top->addStretch();
  top->addWidget(m_promptCount);
  auto* upper = new QVBoxLayout;
  upper->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  upper->setSpacing(Metrics::kGap);
  upper->addLayout(top);
  upper->addWidget(m_prompts, 1);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->setSpacing(0);
  all->addLayout(upper, 1);
  all->addWidget(makeSettings());
  connect(m_prompts->document(), &QTextDocument::contentsChange, this,
          [this](int position, int, int added) { countPrompts(position, added); });
  connect(m_prompts, &QPlainTextEdit::textChanged, this, &RunForm::updateForecast);
  connect(m_images, &QSpinBox::valueChanged, this, &RunForm::updateForecast);
  retranslated(this, [this] { retranslate(); });
}

QWidget* RunForm::makeSettings() {
  m_model = new QComboBox;
  m_model->setObjectName(QStringLiteral("model"));
  m_model->setEditable(true);
  m_model->setInsertPolicy(QComboBox::NoInsert);
  m_model->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_browse = new QPushButton;
  m_modelNote = makeLabel({}, "hint");
  m_modelNote->setWordWrap(true);
  m_modelNote->hide();
  m_negative = new QLineEdit;
  m_negative->setObjectName(QStringLiteral("negative"));
  m_size = new QComboBox;
  m_size->setObjectName(QStringLiteral("size"));
  m_size->setEditable(true);
  m_size->setInsertPolicy(QComboBox::NoInsert);
  m_size->addItem(QString());
  for (const auto& size : kSizes) {
    m_size->addItem(QStringLiteral("%1 × %2").arg(size[0]).arg(size[1]));
  }
  m_scheduler = new ElidedComboBox;
  m_scheduler->setObjectName(QStringLiteral("scheduler"));
  m_scheduler->addItem(QString(), QString());
  for (const auto& choice : domain::schedulerCatalogue()) {
    const QString name = QString::fromStdString(choice.name);
    m_scheduler->addItem(name, name);
  }
  m_scheduler->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_steps = new QSpinBox;
  m_steps->setObjectName(QStringLiteral("steps"));
  m_steps->setRange(1, domain::kMaxSteps);
  m_steps->setValue(25);
  m_guidance = new QDoubleSpinBox;
  m_guidance->setObjectName(QStringLiteral("guidance"));
  m_guidance->setRange(0, 100);
  m_guidance->setDecimals(1);
  m_guidance->setSingleStep(0.5);
  m_guidance->setValue(7.5);
  m_seed = new QLineEdit;
  m_seed->setObjectName(QStringLiteral("seed"));
  m_images = new QSpinBox;
  m_images->setObjectName(QStringLiteral("images"));
  m_images->setRange(1, prompt::kMaxImagesPerPrompt);
  m_forecast = makeLabel({}, "secondary");
  m_forecast->setObjectName(QStringLiteral("forecast"));
  m_forecast->setWordWrap(true);

  const auto withButton = [](QWidget* field, QPushButton* button) {
    auto* line = new QWidget;
    auto* layout = new QHBoxLayout(line);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(Metrics::kGap);
    layout->addWidget(field, 1);
    layout->addWidget(button);
    line->setFocusProxy(field);
    return line;
  };
  auto* grid = new QGridLayout;
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(Metrics::kGap);
  grid->setVerticalSpacing(Metrics::kGap);
  grid->addLayout(labelled(QT_TR_NOOP("Size"), m_size), 0, 0);
  grid->addLayout(labelled(QT_TR_NOOP("Scheduler"), m_scheduler), 0, 1);
  grid->addLayout(labelled(QT_TR_NOOP("Steps"), m_steps), 1, 0);
  grid->addLayout(labelled(QT_TR_NOOP("Guidance"), m_guidance), 1, 1);
  grid->addLayout(labelled(QT_TR_NOOP("Seed"), m_seed), 2, 0);
  grid->addLayout(labelled(QT_TR_NOOP("Pictures per prompt"), m_images), 2, 1);
  grid->setColumnStretch(0, 4);
  grid->setColumnStretch(1, 5);

  auto* box = new QWidget;
  box->setObjectName(QStringLiteral("settingsBox"));
  box->setAttribute(Qt::WA_StyledBackground);
  auto* layout = new QVBoxLayout(box);
  layout->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  layout->setSpacing(Metrics::kGap);
  m_labels.emplace_back(makeLabel({}, "heading"), QT_TR_NOOP("Settings"));
  layout->addWidget(m_labels.back().first);
  layout->addLayout(labelled(QT_TR_NOOP("Model"), withButton(m_model, m_browse)));
  layout->addWidget(m_modelNote);
  layout->addLayout(labelled(QT_TR_NOOP("Negative prompt"), m_negative));
  layout->addLayout(grid);
  layout->addWidget(m_forecast);
  connect(m_browse, &QPushButton::clicked, this, &RunForm::chooseModelFolder);
  return box;
}

/// Looks at the lines that changed only: a list may have a hundred thousand. Lines that go take their mark with them.
void RunForm::countPrompts(int position, int added) {
  const QTextDocument& document = *m_prompts->document();
  const QTextBlock end = document.findBlock(position + added).next();
  for (QTextBlock block = document.findBlock(position); block.isValid() && block != end; block = block.next()) {
    const QString line = block.text();
    const bool isPrompt = std::any_of(line.begin(), line.end(), [](QChar c) { return !c.isSpace(); });
    if (isPrompt != (block.userData() != nullptr)) {
      block.setUserData(isPrompt ? new PromptMark(m_count) : nullptr);
    }
  }
}

void RunForm::updateForecast() {
  const int prompts = promptCount();
  m_promptCount->setText(prompts > 0 ? QString::number(prompts) : QString());
  m_forecast->setText(prompts == 0 ? tr("Type a prompt to begin.")
                                   : tr("%n prompt(s)", nullptr, prompts) + QStringLiteral(" × %1 = ").arg(m_images->value()) +
                                         picturesInWords(pictureCount()));
  Q_EMIT changed();
}

void RunForm::setModels(const QVector<models::ModelSummary>& models) {
  const QString typed = m_model->currentText();
  m_model->clear();
  for (const auto& model : models) {
    m_model->addItem(model.name, model.reference);
    const int row = m_model->count() - 1;
    m_model->setItemData(
        row,
        model.isUsable
            ? model.family + QStringLiteral(" · ") + models::sizeText(model.bytes)
            : wrappedTip(tipOf(textOf({base::ErrorCode::ModelUnusable, model.reason.toStdString(), {}}, Subject::Model))),
        Qt::ToolTipRole);
    if (!model.isUsable) {
      qobject_cast<QStandardItemModel*>(m_model->model())->item(row)->setEnabled(false);
    }
  }
  if (!typed.isEmpty()) {
    m_model->setCurrentIndex(-1);
    m_model->setEditText(typed);
  } else {
    m_model->setCurrentIndex(std::max(0, m_model->findText(QLatin1String(models::kDemoModelName))));
  }
  const bool isEmpty = m_model->count() == 0 && typed.isEmpty();
  m_modelNote->setVisible(isEmpty);
}

void RunForm::setModelReference(const QString& reference) {
  m_model->setCurrentIndex(-1);
  m_model->setEditText(reference);
  m_model->lineEdit()->setCursorPosition(0);
  m_modelNote->hide();
}

void RunForm::chooseModelFolder() {
  auto* dialog = new QFileDialog(this, tr("Choose a model folder"), m_model->currentText());
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  connect(dialog, &QFileDialog::fileSelected, this, &RunForm::setModelReference);
  dialog->open();
}

base::Result<RunInput> RunForm::input() {
  const auto refuse = [](QWidget* field, const QString& sentence) {
    field->setFocus();
    return base::Error{base::ErrorCode::InvalidArgument, sentence.toStdString(), {}};
  };
  RunInput input;
  input.promptText = m_prompts->toPlainText();
  if (promptCount() == 0) {
    return refuse(m_prompts, tr("There is no prompt yet. Type one in the list on the left."));
  }
  // A name that was picked stands for its reference; a typed one for itself.
  const int picked = m_model->findText(m_model->currentText());
  input.modelReference = picked >= 0 ? m_model->itemData(picked).toString() : m_model->currentText().trimmed();
  if (input.modelReference.isEmpty()) {
    return refuse(m_model, tr("No model is chosen. Choose a folder with a Stable Diffusion model in diffusers format."));
  }
  if (m_size->currentText() != m_size->itemText(0)) {
    const auto size = sizeFromText(m_size->currentText());
    if (!size || size->width() % 8 != 0 || size->height() % 8 != 0 ||
        std::min(size->width(), size->height()) < domain::kMinSide ||
        std::max(size->width(), size->height()) > domain::kMaxSide) {
      return refuse(m_size, tr("The size is width × height, both multiples of 8 from %1 to %2, such as 512 × 768.")
                                .arg(domain::kMinSide)
                                .arg(domain::kMaxSide));
    }
    input.width = size->width();
    input.height = size->height();
  }
  const QString seed = m_seed->text().trimmed();
  if (!seed.isEmpty()) {
    bool isNumber = false;
    input.seed = seed.toULongLong(&isNumber);
    if (!isNumber) {
      return refuse(m_seed, tr("The seed is a whole number from 0 to 18446744073709551615, or nothing for a random one."));
    }
  }
  input.negative = m_negative->text();
  input.scheduler = m_scheduler->currentData().toString();
  input.steps = m_steps->value();
  input.guidance = m_guidance->value();
  input.imagesPerPrompt = m_images->value();
  return input;
}

void RunForm::useSettings(const domain::PictureMetadata& metadata) {
  const domain::GenerationRequest& request = metadata.request;
  // By a cursor: what stood there can be had back with Ctrl+Z.
  QTextCursor cursor(m_prompts->document());
  cursor.select(QTextCursor::Document);
  cursor.insertText(QString::fromStdString(request.prompt).simplified());
  m_negative->setText(QString::fromStdString(request.negativePrompt.value_or("")));
  m_size->setEditText(QStringLiteral("%1 × %2").arg(request.width).arg(request.height));
  m_scheduler->setCurrentIndex(std::max(0, m_scheduler->findData(QString::fromStdString(request.scheduler))));
  m_steps->setValue(request.steps);
  m_guidance->setValue(request.guidanceScale);
  m_images->setValue(1);
  useSeed(request.seed);
  if (const int model = m_model->findText(QString::fromStdString(metadata.modelName)); model >= 0) {
    m_model->setCurrentIndex(model);
  }
}

void RunForm::useSeed(quint64 seed) { m_seed->setText(QString::number(seed)); }

QString RunForm::samplePrompts() {
  return QStringList{tr("a red sailing boat on the sea at sunset"), tr("a yellow house in the snow at night"),
                     tr("a green balloon over a meadow")}
      .join(u'\n');
}

void RunForm::restore() {
  QSettings settings;
  settings.beginGroup(QStringLiteral("run"));
  // A first start begins with something to generate.
  m_prompts->setPlainText(settings.value(QStringLiteral("prompts"), samplePrompts()).toString());
  const QString model = settings.value(QStringLiteral("model")).toString();
  if (!model.isEmpty()) {
    setModelReference(model);
  }
  m_negative->setText(settings.value(QStringLiteral("negative")).toString());
  m_size->setEditText(settings.value(QStringLiteral("size"), m_size->itemText(0)).toString());
  if (!sizeFromText(m_size->currentText())) {
    m_size->setCurrentIndex(0);
  }
  m_scheduler->setCurrentIndex(std::max(0, m_scheduler->findData(settings.value(QStringLiteral("scheduler")).toString())));
  m_steps->setValue(settings.value(QStringLiteral("steps"), 25).toInt());
  m_guidance->setValue(settings.value(QStringLiteral("guidance"), 7.5).toDouble());
  m_seed->setText(settings.value(QStringLiteral("seed")).toString());
  m_images->setValue(settings.value(QStringLiteral("images"), 1).toInt());
}

void RunForm::save() const {
  QSettings settings;
  settings.beginGroup(QStringLiteral("run"));
  settings.setValue(QStringLiteral("prompts"), m_prompts->toPlainText());
  settings.setValue(QStringLiteral("model"), m_model->currentText());
  settings.setValue(QStringLiteral("negative"), m_negative->text());
  settings.setValue(QStringLiteral("size"), m_size->currentIndex() == 0 ? QString() : m_size->currentText());
  settings.setValue(QStringLiteral("scheduler"), m_scheduler->currentData());
  settings.setValue(QStringLiteral("steps"), m_steps->value());
  settings.setValue(QStringLiteral("guidance"), m_guidance->value());
  settings.setValue(QStringLiteral("seed"), m_seed->text());
  settings.setValue(QStringLiteral("images"), m_images->value());
}

}  // namespace polyptych::ui
