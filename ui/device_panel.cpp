#include "ui/device_panel.h"

#include <QCoreApplication>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLocale>
#include <QScrollArea>
#include <QStyle>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/error_text.h"
#include "ui/images.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using backend::SlotState;

QLabel* makeLabel(const QString& text, const char* role, QWidget* parent) {
  auto* label = new QLabel(text, parent);
  label->setProperty("role", QLatin1String(role));
  return label;
}

void setRole(QWidget* widget, const char* role) {
  if (widget->property("role").toString() != QLatin1String(role)) {
    widget->setProperty("role", QLatin1String(role));
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
  }
}

QString gigabytes(std::uint64_t bytes) { return QLocale().toString(static_cast<double>(bytes) / 1e9, 'f', 1); }

}  // namespace

QString stateInWords(const backend::SlotStatus& status) {
  switch (status.state) {
    case SlotState::Stopped:
      return QCoreApplication::translate("DeviceCard", "Stopped");
    case SlotState::Starting:
    case SlotState::Handshaking:
      return QCoreApplication::translate("DeviceCard", "Starting");
    case SlotState::LoadingModel:
      return status.totalBytes == 0 ? QCoreApplication::translate("DeviceCard", "Loading model")
                                    : QCoreApplication::translate("DeviceCard", "Loading model %1 of %2 GB")
                                          .arg(gigabytes(status.loadedBytes), gigabytes(status.totalBytes));
    case SlotState::Idle:
      return {};
    case SlotState::Stopping:
      return QCoreApplication::translate("DeviceCard", "Stopping");
    case SlotState::Failed:
      return status.willRestart ? QCoreApplication::translate("DeviceCard", "Restarting")
                                : QCoreApplication::translate("DeviceCard", "Set aside: %1")
                                      .arg(fewWords(status.failure.value_or(base::ErrorCode::WorkerDied)));
    case SlotState::Busy:
      break;
  }
  switch (status.progress.stage) {
    case domain::Stage::Encoding:
      return QCoreApplication::translate("DeviceCard", "Reading the prompt");
    case domain::Stage::Denoising:
      return QCoreApplication::translate("DeviceCard", "Generating %1 / %2").arg(status.progress.step).arg(status.progress.steps);
    case domain::Stage::Decoding:
      return QCoreApplication::translate("DeviceCard", "Decoding");
    case domain::Stage::Saving:
      return QCoreApplication::translate("DeviceCard", "Saving");
  }
  return {};
}

DeviceCard::DeviceCard(const domain::DeviceInfo& device, QWidget* parent) : QFrame(parent), m_device(device) {
  setObjectName(QStringLiteral("card"));
  const QString id = QString::fromStdString(device.id);
  const bool isCpu = device.kind == domain::DeviceKind::Cpu;
  m_tick = new QCheckBox(isCpu ? QCoreApplication::translate("DeviceCard", "CPU")
                               : id.mid(id.indexOf(u':') + 1).prepend(QCoreApplication::translate("DeviceCard", "GPU ")),
                         this);
  m_tick->setObjectName(QStringLiteral("tick-") + id);
  m_tick->setAccessibleName(m_tick->text() + u' ' + QString::fromStdString(device.name));
  auto* name = new ElidedLabel(this);
  name->setProperty("role", QStringLiteral("secondary"));
  name->setText(QString::fromStdString(device.name));
  name->setToolTip(wrappedTip(device.uuid.empty() ? name->text() : name->text() + u'\n' + QString::fromStdString(device.uuid)));
  m_mark = makeLabel(QStringLiteral("○"), "hint", this);
  m_preview = new QLabel(this);
  m_preview->setObjectName(QStringLiteral("preview"));
  m_preview->setFixedSize(Metrics::kPreview, Metrics::kPreview);
  m_preview->setAlignment(Qt::AlignCenter);
  m_preview->hide();
  m_prompt = new ElidedLabel(this);
  m_prompt->hide();
  m_state = makeLabel({}, "secondary", this);
  m_state->setWordWrap(true);
  m_state->setObjectName(QStringLiteral("state-") + id);
  m_count = makeLabel({}, "hint", this);
  m_count->hide();
  m_bar = new QProgressBar(this);
  m_bar->setTextVisible(false);
  m_bar->setRange(0, 1);
  m_bar->hide();

  auto* top = new QHBoxLayout;
  top->addWidget(m_tick);
  top->addWidget(name, 1);
  top->addWidget(m_mark);
  m_words = new QGridLayout;
  m_words->setVerticalSpacing(Metrics::kTight);
  m_words->setHorizontalSpacing(Metrics::kGap);
  m_words->setColumnStretch(0, 1);
  m_words->addWidget(m_prompt, 0, 0);
  m_words->addWidget(m_bar, 2, 0, 1, 2);
  placeCount(false);
  auto* body = new QHBoxLayout;
  body->setSpacing(Metrics::kGap);
  body->addWidget(m_preview, 0, Qt::AlignTop);
  body->addLayout(m_words, 1);
  body->setAlignment(m_words, Qt::AlignVCenter);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(Metrics::kPad, Metrics::kGap, Metrics::kPad, Metrics::kPad);
  all->setSpacing(Metrics::kGap);
  all->addLayout(top);
  all->addLayout(body);

  connect(m_tick, &QCheckBox::toggled, this, [this] {
    if (m_bar->isHidden()) {
      setIdle(idleWords());
    }
    Q_EMIT tickChanged();
  });
  setIdle(idleWords());
  retranslated(this, [this] {
    if (m_last) {
      setStatus(*m_last, m_lastPrompt);
    } else {
      setIdle(idleWords());
    }
  });
}

QString DeviceCard::idleWords() const {
  if (!m_tick->isChecked()) {
    return QCoreApplication::translate("DeviceCard", "Idle: not ticked");
  }
  return m_isPaused ? QCoreApplication::translate("DeviceCard", "Idle: the queue is paused")
                    : QCoreApplication::translate("DeviceCard", "Idle: nothing waiting");
}

void DeviceCard::endRuns() {
  if (m_isRestarting) {
    setIdle(idleWords());
  }
}

bool DeviceCard::hasSlot(const QString& slotId) const {
  const QString id = QString::fromStdString(m_device.id);
  if (m_device.kind == domain::DeviceKind::Cpu) {
    return slotId == id || slotId.startsWith(id + u':');
  }
  return slotId == id || slotId.startsWith(id + u'#');
}

/// Beside the prompt, which is cut where it does not fit, the count leaves the whole line to what the device does.
void DeviceCard::placeCount(bool isBesidePrompt) {
  m_words->removeWidget(m_state);
  m_words->removeWidget(m_count);
  m_words->addWidget(m_state, 1, 0, 1, isBesidePrompt ? 2 : 1);
  m_words->addWidget(m_count, isBesidePrompt ? 0 : 1, 1);
  m_isCountBesidePrompt = isBesidePrompt;
}

void DeviceCard::setPaused(bool isPaused) {
  const bool isIdle = m_state->text() == idleWords();
  m_isPaused = isPaused;
  if (isIdle) {
    setIdle(idleWords());
  }
}

void DeviceCard::setIdle(const QString& why) {
  m_isRestarting = false;
  m_state->setText(why);
  m_state->setToolTip({});
  setRole(m_state, "secondary");
  m_mark->setText(QStringLiteral("○"));
  setRole(m_mark, "hint");
  m_bar->hide();
  m_preview->hide();
  m_prompt->hide();
}

void DeviceCard::setStatus(const backend::SlotStatus& status, const QString& prompt) {
  m_last = status;
  m_lastPrompt = prompt;
  const bool isBusy = status.state == SlotState::Busy;
  const bool isLoading = status.state == SlotState::LoadingModel;
  if (!isBusy && !isLoading) {
    const QString words = stateInWords(status);
    setIdle(words.isEmpty() ? idleWords() : words);
  }
  if (status.state == SlotState::Failed) {
    m_state->setToolTip(wrappedTip(status.reason));
    m_isRestarting = status.willRestart;
  }
  if (status.state == SlotState::Failed && !status.willRestart) {
    setRole(m_state, "bad");
    m_mark->setText(QStringLiteral("■"));
    setRole(m_mark, "bad");
  }
  if (isBusy || isLoading) {
    m_isRestarting = false;
    m_state->setText(stateInWords(status));
    m_state->setToolTip({});
    setRole(m_state, "secondary");
    m_mark->setText(QStringLiteral("●"));
    setRole(m_mark, "good");
    m_bar->show();
    const bool isDenoising = isBusy && status.progress.steps > 0 && status.progress.stage == domain::Stage::Denoising;
    if (isLoading && status.totalBytes > 0) {
      m_bar->setRange(0, 1000);
      m_bar->setValue(
          static_cast<int>(1000.0 * static_cast<double>(status.loadedBytes) / static_cast<double>(status.totalBytes)));
    } else if (isDenoising) {
      m_bar->setRange(0, status.progress.steps);
      m_bar->setValue(status.progress.step);
    } else if (isBusy && status.progress.stage == domain::Stage::Encoding) {
      m_bar->setRange(0, 1);
      m_bar->setValue(0);
    } else if (isBusy && !isDenoising) {
      // Every step is made; what is left has no steps.
      m_bar->setRange(0, 1);
      m_bar->setValue(1);
    }
  }
  const bool hasPrompt = isBusy && !prompt.isEmpty();
  if (hasPrompt != m_isCountBesidePrompt) {
    placeCount(hasPrompt);
  }
  m_prompt->setVisible(hasPrompt);
  m_prompt->setText(prompt.simplified());
  m_prompt->setToolTip(wrappedTip(prompt));
  m_count->setText(status.picturesDone > 0 ? QCoreApplication::translate("DeviceCard", "%n done", nullptr, status.picturesDone)
                                           : QString());
  m_count->setVisible(status.picturesDone > 0);
}

void DeviceCard::setPreview(const domain::Image& preview) {
  if (preview.isNull() || m_bar->isHidden()) {
    return;
  }
  const qreal ratio = devicePixelRatioF();
  QPixmap picture =
      QPixmap::fromImage(toQImage(preview)).scaled(m_preview->size() * ratio, Qt::KeepAspectRatio, Qt::SmoothTransformation);
  picture.setDevicePixelRatio(ratio);
  m_preview->setPixmap(picture);
  m_preview->show();
}

DevicePanel::DevicePanel(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("rightPanel"));
  setAttribute(Qt::WA_StyledBackground);
  auto* title = makeLabel({}, "heading", this);
  m_count = makeLabel({}, "heading", this);
  m_hint = makeLabel({}, "hint", this);
  m_hint->setWordWrap(true);
  auto* top = new QHBoxLayout;
  top->addWidget(title);
  top->addStretch();
  top->addWidget(m_count);
  auto* inside = new QWidget;
  m_list = new QVBoxLayout(inside);
  m_list->setContentsMargins(0, 0, 0, 0);
  m_list->setSpacing(Metrics::kGap);
  m_list->addWidget(m_hint);
  m_list->addStretch();
  auto* scroll = new QScrollArea(this);
  scroll->setWidget(inside);
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setFocusPolicy(Qt::NoFocus);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad);
  all->setSpacing(Metrics::kGap);
  all->addLayout(top);
  all->addWidget(scroll, 1);
  retranslated(this, [this, title] {
    title->setText(tr("Devices"));
    m_hint->setText(m_devices.empty()
                        ? tr("Looking for devices")
                        : tr("No NVIDIA GPU with a driver was found. Pictures are made on the CPU: it works, but slowly."));
  });
}

void DevicePanel::setDevices(const std::vector<domain::DeviceInfo>& devices, const QStringList& ticked) {
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
    const QString key = QString::fromStdString(device.uuid.empty() ? device.id : device.uuid);
    card->setTicked(ticked.contains(key));
    isAnyTicked |= card->isTicked();
    m_cards.push_back(card);
    m_list->insertWidget(m_list->count() - 1, card);
  }
  if (!isAnyTicked) {
    for (DeviceCard* card : m_cards) {
      card->setTicked((card->device().kind == domain::DeviceKind::Cuda) == hasGpu);
    }
  }
  m_hint->setVisible(!hasGpu);
  m_hint->setText(tr("No NVIDIA GPU with a driver was found. Pictures are made on the CPU: it works, but slowly."));
  const auto update = [this] {
    m_count->setText(QStringLiteral("%1 / %2").arg(tickedNames().size()).arg(m_cards.size()));
    Q_EMIT tickChanged();
  };
  for (DeviceCard* card : m_cards) {
    connect(card, &DeviceCard::tickChanged, this, update);
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
    card->setStatus({}, {});
  }
}

void DevicePanel::endRuns() {
  for (DeviceCard* card : m_cards) {
    card->endRuns();
  }
}

QString DevicePanel::tickedList() const {
  QStringList list;
  for (const DeviceCard* card : m_cards) {
    if (card->isTicked()) {
      list << QString::fromStdString(card->device().uuid.empty() ? card->device().id : card->device().uuid);
    }
  }
  return list.join(u',');
}

QStringList DevicePanel::tickedNames() const { return tickedList().split(u',', Qt::SkipEmptyParts); }

DeviceCard* DevicePanel::cardOf(const QString& slotId) const {
  for (DeviceCard* card : m_cards) {
    if (card->hasSlot(slotId)) {
      return card;
    }
  }
  return nullptr;
}

}  // namespace polyptych::ui
