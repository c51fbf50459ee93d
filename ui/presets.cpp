#include "ui/presets.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QSettings>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr QLatin1String kArray("presets");

}  // namespace

Presets::Presets(bool isStored) : m_isStored(isStored) {
  if (!m_isStored) {
    return;
  }
  QSettings settings;
  const int count = settings.beginReadArray(kArray);
  for (int i = 0; i < count; ++i) {
    settings.setArrayIndex(i);
    m_values.insert(settings.value(QStringLiteral("name")).toString(), settings.value(QStringLiteral("values")).toMap());
  }
}

QStringList Presets::names() const {
  QStringList names = m_values.keys();
  names.sort(Qt::CaseInsensitive);
  return names;
}

void Presets::set(const QString& name, const QVariantMap& values) {
  m_values.insert(name, values);
  store();
}

void Presets::remove(const QString& name) {
  m_values.remove(name);
  store();
}

void Presets::store() const {
  if (!m_isStored) {
    return;
  }
  QSettings settings;
  settings.remove(kArray);
  const QStringList all = names();
  settings.beginWriteArray(kArray, static_cast<int>(all.size()));
  for (int i = 0; i < all.size(); ++i) {
    settings.setArrayIndex(i);
    settings.setValue(QStringLiteral("name"), all[i]);
    settings.setValue(QStringLiteral("values"), m_values.value(all[i]));
  }
}

PresetSheet::PresetSheet(QWidget* window, const Preferences& preferences) : Overlay(window, preferences) {
  auto* title = makeLabel("title", card());
  m_name = new QLineEdit(card());
  m_name->setObjectName(QStringLiteral("presetName"));
  m_save = new QPushButton(card());
  m_save->setProperty("role", QStringLiteral("primary"));
  auto* line = new QHBoxLayout;
  line->setSpacing(Metrics::kGap);
  line->addWidget(m_name, 1);
  line->addWidget(m_save);
  auto* all = new QVBoxLayout(card());
  all->setContentsMargins(Metrics::kWide, Metrics::kWide, Metrics::kWide, Metrics::kWide);
  all->setSpacing(Metrics::kGap);
  all->addWidget(title);
  all->addLayout(line);
  connect(m_save, &QPushButton::clicked, this, &PresetSheet::accept);
  connect(m_name, &QLineEdit::textChanged, this, &PresetSheet::updateButton);
  retranslated(this, [this, title] {
    title->setText(tr("Save the settings as a preset"));
    m_name->setPlaceholderText(tr("Name"));
    m_name->setAccessibleName(tr("Name of the preset"));
    updateButton();
  });
}

QSize PresetSheet::cardSize() const { return {Metrics::kSheetWidth, heightOf(Metrics::kSheetWidth)}; }

void PresetSheet::ask(const QStringList& taken) {
  m_taken = taken;
  m_name->clear();
  updateButton();
  open();
}

void PresetSheet::updateButton() {
  m_save->setText(m_taken.contains(m_name->text().trimmed()) ? tr("Replace") : tr("Save"));
  m_save->setEnabled(!m_name->text().trimmed().isEmpty());
}

void PresetSheet::accept() {
  if (const QString name = m_name->text().trimmed(); !name.isEmpty()) {
    close();
    Q_EMIT named(name);
  }
}

void PresetSheet::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    accept();
    event->accept();
    return;
  }
  Overlay::keyPressEvent(event);
}

}  // namespace polyptych::ui
