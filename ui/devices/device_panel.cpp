#include "ui/devices/device_panel.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <map>
#include <string>

#include "ui/elided.h"
#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {

DevicePanel::DevicePanel(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("rightPanel"));
  setAttribute(Qt::WA_StyledBackground);
  auto* title = makeLabel("heading", this);
  m_count = makeLabel("heading", this);
  m_hint = makeLabel("hint", this);
  m_hint->setWordWrap(true);
  auto* top = new QHBoxLayout;
  top->addWidget(title);
  top->addStretch();
  top->addWidget(m_count);
  // As high as the head of the prompts, which has a button.
  title->setMinimumHeight(Metrics::kHead);
  auto* inside = new QWidget;
  m_list = new QVBoxLayout(inside);
  m_list->setContentsMargins(0, 0, 0, 0);
  m_list->setSpacing(Metrics::kGap);
  m_togetherBox = new QWidget(inside);
  m_list->addWidget(m_hint);
  m_list->addWidget(m_togetherBox);
  m_list->addStretch();
  m_scroll = new QScrollArea(this);
  m_scroll->setWidget(inside);
  m_scroll->setWidgetResizable(true);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_scroll->setFocusPolicy(Qt::NoFocus);
  m_together = new QCheckBox(m_togetherBox);
  m_together->setObjectName(QStringLiteral("together"));
  m_togetherHint = makeLabel("hint", m_togetherBox);
  m_togetherHint->setWordWrap(true);
  auto* together = new QVBoxLayout(m_togetherBox);
  together->setContentsMargins(0, Metrics::kTight, 0, Metrics::kTight);
  together->setSpacing(Metrics::kTight);
  together->addWidget(m_together);
  together->addWidget(m_togetherHint);
  m_togetherBox->hide();
  connect(m_together, &QCheckBox::toggled, this, &DevicePanel::tickChanged);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  all->setSpacing(Metrics::kTight);
  all->addLayout(top);
  all->addWidget(m_scroll, 1);
  retranslated(this, [this, title] {
    title->setText(tr("Devices"));
    m_together->setText(tr("Make each picture together"));
    m_togetherHint->setText(tr("Two GPUs of a kind share a picture: one is there sooner, many take longer."));
    m_together->setToolTip(wrappedTip(m_togetherHint->text()));
    m_together->setAccessibleDescription(m_togetherHint->text());
    m_hint->setText(m_devices.empty()
                        ? tr("Looking for devices")
                        : tr("No NVIDIA GPU with a driver was found. Pictures are made on the CPU: it works, but slowly."));
  });
}

void DevicePanel::setDevices(const std::vector<domain::DeviceInfo>& devices, const QStringList& ticked) {
  const int workers = cpuWorkers();
  for (DeviceCard* card : m_cards) {
    delete card;
  }
  m_cards.clear();
  m_devices = devices;
  const bool hasGpu =
      std::any_of(devices.begin(), devices.end(), [](const auto& d) { return d.kind == domain::DeviceKind::Cuda; });
  bool isAnyTicked = false;
  for (const auto& device : devices) {
    auto* card = new DeviceCard(device, this);
    card->setPaused(m_isPaused);
    card->setWorkers(workers);
    const QString key = QString::fromStdString(device.uuid.empty() ? device.id : device.uuid);
    card->setTicked(ticked.contains(key));
    isAnyTicked |= card->isTicked();
    m_cards.push_back(card);
    m_list->insertWidget(m_list->indexOf(m_togetherBox), card);
  }
  if (!isAnyTicked) {
    for (DeviceCard* card : m_cards) {
      card->setTicked((card->device().kind == domain::DeviceKind::Cuda) == hasGpu);
    }
  }
  if (!m_cards.empty()) {
    // Tab goes as the eye does: behind all of the cards.
    QWidget::setTabOrder(m_cards.back()->findChildren<QPushButton*>().back(), m_together);
  }
  m_hint->setVisible(!hasGpu);
  m_hint->setText(tr("No NVIDIA GPU with a driver was found. Pictures are made on the CPU: it works, but slowly."));
  const auto update = [this] {
    m_count->setText(QStringLiteral("%1 / %2").arg(tickedNames().size()).arg(m_cards.size()));
    m_togetherBox->setVisible(canBeTogether());
    Q_EMIT tickChanged();
  };
  for (DeviceCard* card : m_cards) {
    connect(card, &DeviceCard::tickChanged, this, update);
    connect(card, &DeviceCard::restartWanted, this, &DevicePanel::restartWanted);
    connect(card, &DeviceCard::unfolded, this, [this, card] {
      // Once it has its new height.
      QTimer::singleShot(0, card, [this, card] { m_scroll->ensureWidgetVisible(card, 0, 0); });
    });
    connect(card, &DeviceCard::logWanted, this, [this, card] { Q_EMIT logWanted(card->teller()); });
    card->setCrowded(static_cast<int>(m_cards.size()) > kMostWhole);
  }
  update();
}

void DevicePanel::setPaused(bool isPaused) {
  m_isPaused = isPaused;
  for (DeviceCard* card : m_cards) {
    card->setPaused(isPaused);
  }
}

void DevicePanel::stop() {
  for (DeviceCard* card : m_cards) {
    card->clear();
  }
}

void DevicePanel::tickAll() {
  const bool isGpuHere =
      std::ranges::any_of(m_cards, [](const DeviceCard* card) { return card->device().kind == domain::DeviceKind::Cuda; });
  for (DeviceCard* card : m_cards) {
    // The CPU beside GPUs only holds them up.
    if (!isGpuHere || card->device().kind == domain::DeviceKind::Cuda) {
      card->setTicked(true);
    }
  }
}

void DevicePanel::takeFocus() {
  if (!m_cards.empty()) {
    m_cards.front()->tick()->setFocus();
  }
}

void DevicePanel::show(const backend::SlotStatus& status, const QString& prompt) {
  for (DeviceCard* card : m_cards) {
    if (card->hasSlot(status.slotId)) {
      card->setStatus(status, prompt);
    }
  }
  if (const DeviceCard* card = cardOf(status.slotId)) {
    m_log.noteStatus(card->shortName(), status);
  }
}

void DevicePanel::notePicture(const backend::PictureEvent& picture) {
  if (const DeviceCard* card = picture.wasAlreadyThere ? nullptr : cardOf(picture.slotId)) {
    m_log.notePicture(card->shortName(), picture);
  }
}

void DevicePanel::noteFailure(const backend::FailureEvent& failure) {
  if (DeviceCard* card = cardOf(failure.slotId)) {
    card->addFailure();
    m_log.noteFailure(card->shortName(), failure);
  }
}

void DevicePanel::setReadings(const std::vector<backend::DeviceReading>& readings) {
  for (const backend::DeviceReading& reading : readings) {
    if (DeviceCard* card = cardOf(reading.deviceId)) {
      card->setReading(reading);
    }
  }
}

void DevicePanel::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  Q_EMIT watched(true);
}

void DevicePanel::hideEvent(QHideEvent* event) {
  QWidget::hideEvent(event);
  Q_EMIT watched(false);
}

void DevicePanel::endRuns() {
  for (DeviceCard* card : m_cards) {
    card->endRuns();
  }
}

bool DevicePanel::areTogether() const { return m_together->isChecked(); }

void DevicePanel::setTogether(bool areTogether) { m_together->setChecked(areTogether); }

/// Ticked GPUs of the same name, in the order of the cards; one that is left over works by itself.
std::vector<DevicePanel::Pair> DevicePanel::pairs() const {
  std::vector<Pair> found;
  std::map<std::string, const DeviceCard*> single;
  for (const DeviceCard* card : m_cards) {
    const domain::DeviceInfo& device = card->device();
    if (!card->isTicked() || device.kind != domain::DeviceKind::Cuda || device.uuid.empty()) {
      continue;
    }
    const DeviceCard*& first = single[device.name];
    if (first == nullptr) {
      first = card;
    } else {
      found.emplace_back(std::exchange(first, nullptr), card);
    }
  }
  return found;
}

QString DevicePanel::tickedList() const {
  QStringList list = tickedNames();
  if (areTogether()) {
    for (const auto& [first, second] : pairs()) {
      const QString partner = QString::fromStdString(second->device().uuid);
      list.removeAll(partner);
      list[list.indexOf(QString::fromStdString(first->device().uuid))] += u'+' + partner;
    }
  }
  for (QString& name : list) {
    if (name == QLatin1String("cpu") && cpuWorkers() > 1) {
      name += u':' + QString::number(cpuWorkers());
    }
  }
  return list.join(u',');
}

QStringList DevicePanel::tickedNames() const {
  QStringList names;
  for (const DeviceCard* card : m_cards) {
    if (card->isTicked()) {
      names << QString::fromStdString(card->device().uuid.empty() ? card->device().id : card->device().uuid);
    }
  }
  return names;
}

int DevicePanel::cpuWorkers() const {
  const auto cpu =
      std::ranges::find(m_cards, domain::DeviceKind::Cpu, [](const DeviceCard* card) { return card->device().kind; });
  return cpu == m_cards.end() ? m_cpuWorkers : (*cpu)->workers();
}

void DevicePanel::setCpuWorkers(int workers) {
  m_cpuWorkers = workers;
  for (DeviceCard* card : m_cards) {
    card->setWorkers(workers);
  }
}

DeviceCard* DevicePanel::cardOf(const QString& slotId) const {
  for (DeviceCard* card : m_cards) {
    if (card->leads(slotId)) {
      return card;
    }
  }
  return nullptr;
}

}  // namespace polyptych::ui
