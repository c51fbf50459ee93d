#include "ui/settings_page.h"

#include <QDir>
#include <QEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QVBoxLayout>
#include <chrono>

#include "ui/shell/preferences.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using namespace std::chrono_literals;

constexpr auto kSendAfter = 400ms;
constexpr int kMostMinutes = 24 * 60;
constexpr int kMostFailures = 100;
constexpr double kMostReserve = 1024;
constexpr double kGigabyte = 1024.0 * 1024.0 * 1024.0;

int minutesOf(const std::optional<std::chrono::milliseconds>& time) {
  return time ? std::max(1, static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(*time).count())) : 0;
}

std::optional<std::chrono::milliseconds> timeOf(int minutes) {
  return minutes > 0 ? std::optional<std::chrono::milliseconds>(std::chrono::minutes(minutes)) : std::nullopt;
}

}  // namespace

SettingsPage::SettingsPage(Preferences& preferences, const QString& library, QWidget* parent)
    : Page(parent), m_preferences(preferences) {
  auto* inside = new QWidget;
  m_sections = new QVBoxLayout;
  m_sections->setSpacing(Metrics::kWide);
  auto* centre = new QHBoxLayout(inside);
  centre->setContentsMargins(0, 0, Metrics::kGap, Metrics::kWide);
  auto* column = new QWidget(inside);
  column->setMaximumWidth(Metrics::kPageWidth);
  column->setLayout(m_sections);
  m_sections->setContentsMargins(0, 0, 0, 0);
  centre->addWidget(column, 1);
  auto* scroll = new QScrollArea(this);
  scroll->setWidget(inside);
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setFocusPolicy(Qt::NoFocus);
  body()->addWidget(scroll, 1);
  addText([this] { setTitle(tr("Settings")); });
  makeLook();
  makeWork();
  makeLibrary(library);
  makeLimits();
  m_sections->addStretch();

  m_later.setSingleShot(true);
  m_later.setInterval(kSendAfter);
  connect(&m_later, &QTimer::timeout, this, &SettingsPage::sendLimits);
  connect(&preferences, &Preferences::changed, this, &SettingsPage::showValues);
  retranslated(this, [this] {
    m_isShowing = true;
    for (const auto& setText : m_texts) {
      setText();
    }
    m_isShowing = false;
  });
  showValues();
  showLimits({});
}

void SettingsPage::addText(std::function<void()> setText) { m_texts.push_back(std::move(setText)); }

QVBoxLayout* SettingsPage::addSection(const Words& title) {
  auto* heading = makeLabel("heading", this);
  addText([heading, title] { heading->setText(title()); });
  auto* box = new QFrame(this);
  box->setObjectName(QStringLiteral("section"));
  auto* rows = new QVBoxLayout(box);
  rows->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  rows->setSpacing(Metrics::kPad);
  auto* all = new QVBoxLayout;
  all->setSpacing(Metrics::kGap);
  all->addWidget(heading);
  all->addWidget(box);
  m_sections->addLayout(all);
  return rows;
}

void SettingsPage::addRow(QVBoxLayout* section, const Words& label, const Words& hint, QWidget* control) {
  auto* words = new QVBoxLayout;
  words->setSpacing(2);
  auto* upper = new QLabel(this);
  upper->setBuddy(control);
  words->addWidget(upper);
  QLabel* lower = nullptr;
  if (hint) {
    lower = makeLabel("hint", this);
    lower->setWordWrap(true);
    words->addWidget(lower);
  }
  auto* row = new QHBoxLayout;
  row->setSpacing(Metrics::kWide);
  row->addLayout(words, 1);
  row->addWidget(control, 0, Qt::AlignTop);
  section->addLayout(row);
  addText([=] {
    upper->setText(label());
    control->setAccessibleName(label());
    if (lower != nullptr) {
      lower->setText(hint());
      control->setAccessibleDescription(hint());
    }
  });
  // The wheel scrolls the page; it changes only what has the focus.
  if (qobject_cast<QCheckBox*>(control) == nullptr) {
    control->setFocusPolicy(Qt::StrongFocus);
    control->installEventFilter(this);
  }
}

QComboBox* SettingsPage::makeChoice(const char* name, const std::vector<Words>& words) {
  auto* choice = new ElidedComboBox(this);
  choice->setObjectName(QLatin1String(name));
  choice->setFixedWidth(Metrics::kSettingWidth);
  for (std::size_t i = 0; i < words.size(); ++i) {
    choice->addItem(QString());
  }
  addText([choice, words] {
    for (std::size_t i = 0; i < words.size(); ++i) {
      choice->setItemText(static_cast<int>(i), words[i]());
    }
  });
  return choice;
}

QSpinBox* SettingsPage::makeNumber(const char* name, int most, const Words& unit, const Words& zero) {
  auto* number = new QSpinBox(this);
  number->setObjectName(QLatin1String(name));
  number->setRange(0, most);
  number->setFixedWidth(Metrics::kSettingWidth / 2);
  addText([number, unit, zero] {
    if (unit) {
      number->setSuffix(unit());
    }
    if (zero) {
      number->setSpecialValueText(zero());
    }
  });
  return number;
}

void SettingsPage::makeLook() {
  auto* section = addSection([] { return tr("Appearance"); });
  m_language = makeChoice("language", {[] { return tr("System"); }, [] { return QStringLiteral("English"); },
                                       [] { return QStringLiteral("한국어"); }});
  addRow(
      section, [] { return tr("Language"); }, {}, m_language);
  m_theme = makeChoice("theme", {[] { return tr("System"); }, [] { return tr("Light"); }, [] { return tr("Dark"); }});
  addRow(
      section, [] { return tr("Theme"); }, {}, m_theme);
  m_reducesMotion = new QCheckBox(this);
  m_reducesMotion->setProperty("role", QStringLiteral("bare"));
  m_reducesMotion->setObjectName(QStringLiteral("reducesMotion"));
  addRow(
      section, [] { return tr("Reduce motion"); }, [] { return tr("Nothing fades in or out."); }, m_reducesMotion);
  connect(m_language, &QComboBox::activated, this, [this](int index) {
    m_preferences.change([=](PreferenceValues& values) { values.language = static_cast<LanguageChoice>(index); });
  });
  connect(m_theme, &QComboBox::activated, this, [this](int index) {
    m_preferences.change([=](PreferenceValues& values) { values.theme = static_cast<ThemeKind>(index); });
  });
  connect(m_reducesMotion, &QCheckBox::clicked, this,
          [this](bool isOn) { m_preferences.change([=](PreferenceValues& values) { values.reducesMotion = isOn; }); });
}

void SettingsPage::makeWork() {
  auto* section = addSection([] { return tr("While working"); });
  m_previews = new QCheckBox(this);
  m_previews->setProperty("role", QStringLiteral("bare"));
  m_previews->setObjectName(QStringLiteral("previews"));
  addRow(
      section, [] { return tr("Show pictures while they are made"); }, [] { return tr("From the next run on."); }, m_previews);
  m_previewRate = makeNumber("previewRate", 10, [] { return tr(" a second"); }, {});
  m_previewRate->setMinimum(1);
  addRow(
      section, [] { return tr("Previews of each device, at most"); }, {}, m_previewRate);
  m_notifies = new QCheckBox(this);
  m_notifies->setProperty("role", QStringLiteral("bare"));
  m_notifies->setObjectName(QStringLiteral("notifies"));
  addRow(
      section, [] { return tr("Notify when everything is made"); }, [] { return tr("Only while the window is not in front."); },
      m_notifies);
  m_closing = makeChoice("closing", {[] { return tr("Ask"); }, [] { return tr("Go on without the window"); },
                                     [] { return tr("Finish what is being made"); }, [] { return tr("Stop now"); }});
  addRow(
      section, [] { return tr("When the window closes over its work"); },
      [] { return tr("What is not made stays in the queue in every case."); }, m_closing);
  connect(m_previews, &QCheckBox::clicked, this,
          [this](bool isOn) { m_preferences.change([=](PreferenceValues& values) { values.showsPreviews = isOn; }); });
  connect(m_previewRate, &QSpinBox::valueChanged, this, [this](int rate) {
    if (!m_isShowing) {
      m_preferences.change([=](PreferenceValues& values) { values.previewsPerSecond = rate; });
    }
  });
  connect(m_notifies, &QCheckBox::clicked, this,
          [this](bool isOn) { m_preferences.change([=](PreferenceValues& values) { values.notifiesAtEnd = isOn; }); });
  connect(m_closing, &QComboBox::activated, this, [this](int index) {
    m_preferences.change([=](PreferenceValues& values) { values.closing = static_cast<ClosingChoice>(index); });
  });
}

void SettingsPage::makeLibrary(const QString& library) {
  auto* section = addSection([] { return tr("Folders"); });
  auto* path = new ElidedLabel(this);
  path->setText(QDir::toNativeSeparators(library));
  path->setToolTip(wrappedTip(path->text()));
  path->setProperty("role", QStringLiteral("secondary"));
  path->setVisible(!library.isEmpty());
  auto* open = new QPushButton(this);
  open->setObjectName(QStringLiteral("openLibrary"));
  addRow(
      section, [] { return tr("Library"); },
      [] { return tr("Holds the pictures, their data and the queue. Work in the library that is left goes on."); }, open);
  section->addWidget(path);
  auto* modelsButton = new QPushButton(this);
  modelsButton->setObjectName(QStringLiteral("openModels"));
  addRow(
      section, [] { return tr("Model folders"); }, {}, modelsButton);
  addText([=] {
    open->setText(tr("Open another…"));
    modelsButton->setText(tr("Models…"));
    open->setAccessibleName(tr("Open another library"));
    modelsButton->setAccessibleName(tr("Model folders"));
  });
  connect(open, &QPushButton::clicked, this, &SettingsPage::chooseLibrary);
  connect(modelsButton, &QPushButton::clicked, this, &SettingsPage::modelsWanted);
}

void SettingsPage::makeLimits() {
  auto* section = addSection([] { return tr("Devices and limits"); });
  m_limitHint = makeLabel("hint", this);
  section->addWidget(m_limitHint);
  m_limitFields = new QWidget(this);
  auto* rows = new QVBoxLayout(m_limitFields);
  rows->setContentsMargins(0, 0, 0, 0);
  rows->setSpacing(Metrics::kPad);
  section->addWidget(m_limitFields);
  m_limitFields->setEnabled(false);
  const Words minutes = [] { return tr(" min"); };
  const Words never = [] { return tr("never"); };
  m_releaseAfter = makeNumber("releaseAfter", kMostMinutes, minutes, never);
  addRow(
      rows, [] { return tr("Free an idle device's memory after"); },
      [] { return tr("The model is loaded again when there is work."); }, m_releaseAfter);
  m_stopAfter = makeNumber("stopAfter", kMostMinutes, minutes, never);
  addRow(
      rows, [] { return tr("End an idle worker after"); }, {}, m_stopAfter);
  m_deaths = makeNumber("deaths", kMostFailures, {}, never);
  addRow(
      rows, [] { return tr("Park a picture after this many crashes"); }, {}, m_deaths);
  m_deviceBreaker = makeNumber("deviceBreaker", kMostFailures, {}, never);
  addRow(
      rows, [] { return tr("Set a device aside after this many failures in a row"); }, {}, m_deviceBreaker);
  m_overallBreaker = makeNumber("overallBreaker", kMostFailures, {}, never);
  addRow(
      rows, [] { return tr("Pause the queue after this many failures in a row"); }, {}, m_overallBreaker);
  m_reserve = new QDoubleSpinBox(this);
  m_reserve->setObjectName(QStringLiteral("reserve"));
  m_reserve->setRange(0, kMostReserve);
  m_reserve->setDecimals(1);
  m_reserve->setSuffix(QStringLiteral(" GB"));
  m_reserve->setFixedWidth(Metrics::kSettingWidth / 2);
  addRow(
      rows, [] { return tr("Computer memory to keep free"); },
      [] { return tr("Models load one after another where it would run short."); }, m_reserve);
  m_smaller = new QCheckBox(this);
  m_smaller->setProperty("role", QStringLiteral("bare"));
  m_smaller->setObjectName(QStringLiteral("smaller"));
  addRow(
      rows, [] { return tr("Make a smaller picture when memory runs out"); },
      [] { return tr("Another picture than the one that was asked for; it says so."); }, m_smaller);
  addText([this] {
    m_limitHint->setText(m_limits ? tr("Kept with this library.") : tr("The library has not told its limits yet."));
  });
  const auto changed = [this] {
    if (!m_isShowing) {
      m_later.start();
    }
  };
  for (QSpinBox* box : {m_releaseAfter, m_stopAfter, m_deaths, m_deviceBreaker, m_overallBreaker}) {
    connect(box, &QSpinBox::valueChanged, this, changed);
  }
  connect(m_reserve, &QDoubleSpinBox::valueChanged, this, changed);
  connect(m_smaller, &QCheckBox::clicked, this, changed);
}

void SettingsPage::showValues() {
  m_isShowing = true;
  const PreferenceValues& values = m_preferences.values();
  m_language->setCurrentIndex(static_cast<int>(values.language));
  m_theme->setCurrentIndex(static_cast<int>(values.theme));
  m_reducesMotion->setChecked(values.reducesMotion);
  m_previews->setChecked(values.showsPreviews);
  m_previewRate->setValue(values.previewsPerSecond);
  m_previewRate->setEnabled(values.showsPreviews);
  m_notifies->setChecked(values.notifiesAtEnd);
  m_closing->setCurrentIndex(static_cast<int>(values.closing));
  m_isShowing = false;
}

void SettingsPage::setLimits(const pool::SupervisionLimits& limits) {
  if (m_later.isActive()) {
    return;  // what is being typed comes after this
  }
  m_limits = limits;
  m_limitFields->setEnabled(true);
  m_limitHint->setText(tr("Kept with this library."));
  showLimits(limits);
}

void SettingsPage::showLimits(const pool::SupervisionLimits& limits) {
  m_isShowing = true;
  m_releaseAfter->setValue(minutesOf(limits.releaseAfter));
  m_stopAfter->setValue(minutesOf(limits.stopAfter));
  m_deaths->setValue(limits.maxDeathsPerUnit);
  m_deviceBreaker->setValue(limits.deviceBreaker);
  m_overallBreaker->setValue(limits.overallBreaker);
  m_reserve->setValue(static_cast<double>(limits.hostReserveBytes) / kGigabyte);
  m_smaller->setChecked(limits.allowsSmallerSize);
  m_isShowing = false;
}

void SettingsPage::sendLimits() {
  if (!m_limits) {
    return;
  }
  m_later.stop();
  // A time that is shown in whole minutes stays exactly what it was unless its field says something else.
  const auto take = [](std::optional<std::chrono::milliseconds>& limit, int minutes) {
    if (minutesOf(limit) != minutes) {
      limit = timeOf(minutes);
    }
  };
  take(m_limits->releaseAfter, m_releaseAfter->value());
  take(m_limits->stopAfter, m_stopAfter->value());
  m_limits->maxDeathsPerUnit = m_deaths->value();
  m_limits->deviceBreaker = m_deviceBreaker->value();
  m_limits->overallBreaker = m_overallBreaker->value();
  m_limits->hostReserveBytes = static_cast<std::uint64_t>(m_reserve->value() * kGigabyte);
  m_limits->allowsSmallerSize = m_smaller->isChecked();
  Q_EMIT limitsWanted(*m_limits);
}

void SettingsPage::chooseLibrary() {
  auto* dialog = new QFileDialog(this, tr("Open another library"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  connect(dialog, &QFileDialog::fileSelected, this, &SettingsPage::libraryWanted);
  dialog->open();
}

void SettingsPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  m_language->setFocus();
}

void SettingsPage::hideEvent(QHideEvent* event) {
  Page::hideEvent(event);
  if (m_later.isActive()) {
    sendLimits();
  }
}

bool SettingsPage::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Wheel && !static_cast<QWidget*>(watched)->hasFocus()) {
    event->ignore();
    return true;
  }
  return Page::eventFilter(watched, event);
}

}  // namespace polyptych::ui
