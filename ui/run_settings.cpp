#include "ui/run_settings.h"

#include <QFileDialog>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QStandardItemModel>
#include <algorithm>
#include <numeric>

#include "core/domain/scheduler_name.h"
#include "core/models/bundled_models.h"
#include "core/prompt/expand.h"
#include "ui/elided.h"
#include "ui/error_text.h"
#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr int kSizes[][2] = {{128, 128},  {256, 256}, {512, 512}, {512, 640},  {512, 768},
                             {576, 1024}, {640, 512}, {768, 512}, {1024, 576}, {768, 768}};
enum SeedChoice { kRandom, kCounting, kSame };

QString sizeText(int width, int height) {
  const int divisor = std::max(1, std::gcd(width, height));
  return QStringLiteral("%1 × %2 · %3:%4").arg(width).arg(height).arg(width / divisor).arg(height / divisor);
}

}  // namespace

std::optional<QSize> sizeFromText(const QString& text) {
  static const QRegularExpression pattern(QStringLiteral("^\\s*(\\d{1,5})\\s*[x×X*]\\s*(\\d{1,5})\\s*(·\\s*\\d+:\\d+\\s*)?$"));
  const auto match = pattern.match(text);
  if (!match.hasMatch()) {
    return std::nullopt;
  }
  return QSize(match.capturedView(1).toInt(), match.capturedView(2).toInt());
}

bool isPictureSize(const QSize& size) {
  return size.width() % 8 == 0 && size.height() % 8 == 0 && std::min(size.width(), size.height()) >= domain::kMinSide &&
         std::max(size.width(), size.height()) <= domain::kMaxSide;
}

QString sizeRule() {
  return RunSettings::tr("The size is width × height, both multiples of 8 from %1 to %2, such as 512 × 768.")
      .arg(domain::kMinSide)
      .arg(domain::kMaxSide);
}

QVBoxLayout* RunSettings::labelled(const char* text, QWidget* field) {
  auto* box = new QVBoxLayout;
  box->setSpacing(Metrics::kTight);
  auto* label = makeLabel("label", this);
  label->setBuddy(field);
  m_labels.emplace_back(label, text);
  box->addWidget(label);
  box->addWidget(field);
  return box;
}

RunSettings::RunSettings(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("settingsBox"));
  setAttribute(Qt::WA_StyledBackground);
  m_presets = new QPushButton(this);
  m_presets->setObjectName(QStringLiteral("presets"));
  m_presets->setProperty("role", QStringLiteral("link"));
  m_model = new QComboBox(this);
  m_model->setObjectName(QStringLiteral("model"));
  m_model->setEditable(true);
  m_model->setInsertPolicy(QComboBox::NoInsert);
  m_model->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_browse = new QPushButton(this);
  m_modelNote = makeLabel("hint", this);
  m_modelNote->setWordWrap(true);
  m_modelNote->hide();
  m_negative = new QLineEdit(this);
  m_negative->setObjectName(QStringLiteral("negative"));
  m_size = new QComboBox(this);
  m_size->setObjectName(QStringLiteral("size"));
  m_size->setEditable(true);
  m_size->setInsertPolicy(QComboBox::NoInsert);
  m_size->addItem(QString());
  for (const auto& size : kSizes) {
    m_size->addItem(sizeText(size[0], size[1]));
  }
  m_size->setMaxVisibleItems(m_size->count());
  m_scheduler = new ElidedComboBox(this);
  m_scheduler->setObjectName(QStringLiteral("scheduler"));
  m_scheduler->addItem(QString(), QString());
  for (const auto& choice : domain::schedulerCatalogue()) {
    const QString name = QString::fromStdString(choice.name);
    m_scheduler->addItem(name, name);
  }
  m_scheduler->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_steps = new QSpinBox(this);
  m_steps->setObjectName(QStringLiteral("steps"));
  m_steps->setRange(1, domain::kMaxSteps);
  m_steps->setValue(25);
  m_guidance = new QDoubleSpinBox(this);
  m_guidance->setObjectName(QStringLiteral("guidance"));
  m_guidance->setRange(0, 100);
  m_guidance->setDecimals(1);
  m_guidance->setSingleStep(0.5);
  m_guidance->setValue(7.5);
  m_images = new QSpinBox(this);
  m_images->setObjectName(QStringLiteral("images"));
  m_images->setRange(1, prompt::kMaxImagesPerPrompt);
  m_seedRule = new ElidedComboBox(this);
  m_seedRule->setObjectName(QStringLiteral("seedRule"));
  m_seedRule->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_seedRule->addItems({QString(), QString(), QString()});
  m_seed = new QLineEdit(this);
  m_seed->setObjectName(QStringLiteral("seed"));

  auto* heading = makeLabel("heading", this);
  m_labels.emplace_back(heading, QT_TR_NOOP("Settings"));
  auto* top = new QHBoxLayout;
  top->addWidget(heading);
  top->addStretch();
  top->addWidget(m_presets);
  auto* modelLine = new QWidget(this);
  auto* modelLayout = new QHBoxLayout(modelLine);
  modelLayout->setContentsMargins(0, 0, 0, 0);
  modelLayout->setSpacing(Metrics::kGap);
  modelLayout->addWidget(m_model, 1);
  modelLayout->addWidget(m_browse);
  modelLine->setFocusProxy(m_model);
  // Six columns: two fields in a line, or three.
  auto* grid = new QGridLayout;
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(Metrics::kGap);
  grid->setVerticalSpacing(Metrics::kGap);
  grid->addLayout(labelled(QT_TR_NOOP("Size"), m_size), 0, 0, 1, 3);
  grid->addLayout(labelled(QT_TR_NOOP("Scheduler"), m_scheduler), 0, 3, 1, 3);
  grid->addLayout(labelled(QT_TR_NOOP("Steps"), m_steps), 1, 0, 1, 2);
  grid->addLayout(labelled(QT_TR_NOOP("Guidance"), m_guidance), 1, 2, 1, 2);
  grid->addLayout(labelled(QT_TR_NOOP("Per prompt"), m_images), 1, 4, 1, 2);
  grid->addLayout(labelled(QT_TR_NOOP("Seeds"), m_seedRule), 2, 0, 1, 3);
  grid->addLayout(labelled(QT_TR_NOOP("Seed"), m_seed), 2, 3, 1, 3);
  for (int column = 0; column < 6; ++column) {
    grid->setColumnStretch(column, 1);
    grid->setColumnMinimumWidth(column, 1);
  }
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  layout->setSpacing(Metrics::kGap);
  layout->addLayout(top);
  layout->addLayout(labelled(QT_TR_NOOP("Model"), modelLine));
  layout->addWidget(m_modelNote);
  layout->addLayout(labelled(QT_TR_NOOP("Negative prompt"), m_negative));
  layout->addLayout(grid);

  connect(m_browse, &QPushButton::clicked, this, &RunSettings::chooseModelFolder);
  connect(m_model, &QComboBox::currentTextChanged, this, &RunSettings::modelChanged);
  connect(m_images, &QSpinBox::valueChanged, this, &RunSettings::changed);
  connect(m_steps, &QSpinBox::valueChanged, this, &RunSettings::changed);
  connect(m_size, &QComboBox::currentTextChanged, this, &RunSettings::changed);
  connect(m_seed, &QLineEdit::textChanged, this, &RunSettings::matchSeedRule);
  connect(m_seedRule, &QComboBox::activated, this, &RunSettings::applySeedRule);
  retranslated(this, [this] { retranslate(); });
}

void RunSettings::retranslate() {
  for (const auto& [label, text] : m_labels) {
    label->setText(tr(text));
    if (QWidget* field = label->buddy()) {
      (field->focusProxy() != nullptr ? field->focusProxy() : field)->setAccessibleName(tr(text));
    }
  }
  m_images->setAccessibleName(tr("Pictures per prompt"));
  m_images->setToolTip(tr("Pictures per prompt"));
  m_presets->setText(tr("Presets"));
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
  m_seedRule->setItemText(kRandom, tr("Random"));
  m_seedRule->setItemText(kCounting, tr("Counting up"));
  m_seedRule->setItemText(kSame, tr("Same for each prompt"));
  m_seed->setPlaceholderText(tr("Drawn for each run"));
}

/// No seed is a random one.
void RunSettings::matchSeedRule() {
  const bool isEmpty = m_seed->text().trimmed().isEmpty();
  if (isEmpty != (m_seedRule->currentIndex() == kRandom)) {
    m_seedRule->setCurrentIndex(isEmpty ? kRandom : kCounting);
  }
}

void RunSettings::applySeedRule() {
  const int choice = m_seedRule->currentIndex();
  if (choice == kRandom) {
    m_seed->clear();
  } else if (m_seed->text().trimmed().isEmpty()) {
    m_seed->setText(QString::number(QRandomGenerator::global()->generate()));
    m_seedRule->setCurrentIndex(choice);
  }
}

void RunSettings::setModels(const QVector<models::ModelSummary>& models) {
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
  m_modelNote->setVisible(m_model->count() == 0 && typed.isEmpty());
  Q_EMIT modelChanged();
}

QStringList RunSettings::modelNames() const {
  QStringList names;
  for (int i = 0; i < m_model->count(); ++i) {
    names << m_model->itemText(i);
  }
  return names;
}

void RunSettings::setModelReference(const QString& reference) {
  m_model->setCurrentIndex(-1);
  m_model->setEditText(reference);
  m_model->lineEdit()->setCursorPosition(0);
  m_modelNote->hide();
}

QString RunSettings::modelReference() const {
  // A name that was picked stands for its reference; a typed one for itself.
  const int picked = m_model->findText(m_model->currentText());
  return picked >= 0 ? m_model->itemData(picked).toString() : m_model->currentText().trimmed();
}

void RunSettings::chooseModelFolder() {
  auto* dialog = new QFileDialog(this, tr("Choose a model folder"), m_model->currentText());
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  connect(dialog, &QFileDialog::fileSelected, this, &RunSettings::setModelReference);
  dialog->open();
}

std::optional<QSize> RunSettings::size() const {
  return m_size->currentText() == m_size->itemText(0) ? std::nullopt : sizeFromText(m_size->currentText());
}

base::Result<void> RunSettings::read(RunInput& input) {
  const auto refuse = [](QWidget* field, const QString& sentence) {
    field->setFocus();
    return base::Error{base::ErrorCode::InvalidArgument, sentence.toStdString(), {}};
  };
  input.modelReference = modelReference();
  if (input.modelReference.isEmpty()) {
    return refuse(m_model, tr("No model is chosen. Choose a folder with a Stable Diffusion model in diffusers format."));
  }
  if (m_size->currentText() != m_size->itemText(0)) {
    const auto size = sizeFromText(m_size->currentText());
    if (!size || !isPictureSize(*size)) {
      return refuse(m_size, sizeRule());
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
  input.seedRule = m_seedRule->currentIndex() == kSame ? prompt::SeedRule::Restart : prompt::SeedRule::Continue;
  input.negative = m_negative->text();
  input.scheduler = scheduler();
  input.steps = m_steps->value();
  input.guidance = m_guidance->value();
  input.imagesPerPrompt = m_images->value();
  return {};
}

void RunSettings::use(const domain::PictureMetadata& metadata) {
  const domain::GenerationRequest& request = metadata.request;
  m_negative->setText(QString::fromStdString(request.negativePrompt.value_or("")));
  m_size->setEditText(sizeText(request.width, request.height));
  m_scheduler->setCurrentIndex(std::max(0, m_scheduler->findData(QString::fromStdString(request.scheduler))));
  m_steps->setValue(request.steps);
  m_guidance->setValue(request.guidanceScale);
  m_images->setValue(1);
  useSeed(request.seed);
  if (const int model = m_model->findText(QString::fromStdString(metadata.modelName)); model >= 0) {
    m_model->setCurrentIndex(model);
  }
}

void RunSettings::useSeed(quint64 seed) { m_seed->setText(QString::number(seed)); }

QVariantMap RunSettings::values() const {
  return {{QStringLiteral("model"), m_model->currentText()},
          {QStringLiteral("negative"), m_negative->text()},
          {QStringLiteral("size"), m_size->currentText() == m_size->itemText(0) ? QString() : m_size->currentText()},
          {QStringLiteral("scheduler"), m_scheduler->currentData()},
          {QStringLiteral("steps"), m_steps->value()},
          {QStringLiteral("guidance"), m_guidance->value()},
          {QStringLiteral("seed"), m_seed->text()},
          {QStringLiteral("seedRule"), m_seedRule->currentIndex()},
          {QStringLiteral("images"), m_images->value()}};
}

void RunSettings::setValues(const QVariantMap& values) {
  const auto with = [&values](const char* name, const auto& use) {
    if (const auto found = values.constFind(QLatin1String(name)); found != values.constEnd()) {
      use(*found);
    }
  };
  with("model", [this](const QVariant& value) {
    if (!value.toString().isEmpty()) {
      setModelReference(value.toString());
    }
  });
  with("negative", [this](const QVariant& value) { m_negative->setText(value.toString()); });
  with("size", [this](const QVariant& value) {
    m_size->setEditText(value.toString());
    if (!sizeFromText(m_size->currentText())) {
      m_size->setCurrentIndex(0);
      m_size->setEditText(m_size->itemText(0));
    }
  });
  with("scheduler",
       [this](const QVariant& value) { m_scheduler->setCurrentIndex(std::max(0, m_scheduler->findData(value.toString()))); });
  with("steps", [this](const QVariant& value) { m_steps->setValue(value.toInt()); });
  with("guidance", [this](const QVariant& value) { m_guidance->setValue(value.toDouble()); });
  with("images", [this](const QVariant& value) { m_images->setValue(value.toInt()); });
  with("seed", [this](const QVariant& value) { m_seed->setText(value.toString()); });
  with("seedRule", [this](const QVariant& value) {
    if (!m_seed->text().isEmpty()) {
      m_seedRule->setCurrentIndex(value.toInt() == kSame ? kSame : kCounting);
    }
  });
}

}  // namespace polyptych::ui
