#include "ui/devices/device_card.h"

#include <QActionGroup>
#include <QApplication>
#include <QContextMenuEvent>
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QLocale>
#include <QMenu>
#include <QMouseEvent>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/error_text.h"
#include "ui/images.h"
#include "ui/shell/page.h"
#include "ui/shell/pop_up.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using backend::SlotState;

QString gigabytes(std::uint64_t bytes) { return QLocale().toString(static_cast<double>(bytes) / 1e9, 'f', 1); }

bool isActive(const backend::SlotStatus& status) {
  return status.state == SlotState::Busy || status.state == SlotState::LoadingModel;
}

bool isSetAside(const backend::SlotStatus& status) { return status.state == SlotState::Failed && !status.willRestart; }

/// Of what the worker does now.
void showProgress(QProgressBar& bar, const backend::SlotStatus& status) {
  const bool isBusy = status.state == SlotState::Busy;
  const bool isDenoising = isBusy && status.progress.steps > 0 && status.progress.stage == domain::Stage::Denoising;
  if (status.state == SlotState::LoadingModel && status.totalBytes > 0) {
    bar.setRange(0, 1000);
    bar.setValue(static_cast<int>(1000.0 * static_cast<double>(status.loadedBytes) / static_cast<double>(status.totalBytes)));
  } else if (isDenoising) {
    bar.setRange(0, status.progress.steps);
    bar.setValue(status.progress.step);
  } else {
    // Before its first step nothing is made; after the last one everything, and what is left has no steps.
    bar.setRange(0, 1);
    bar.setValue(isBusy && status.progress.stage != domain::Stage::Encoding ? 1 : 0);
  }
}

}  // namespace

QString slotName(const QString& slotId) {
  if (const qsizetype plus = slotId.indexOf(u'+'); plus >= 0) {
    const QString second = slotName(slotId.mid(plus + 1));
    return slotName(slotId.left(plus)) + QStringLiteral(" + ") + second.mid(second.indexOf(u' ') + 1);
  }
  const QString number = slotId.mid(slotId.indexOf(u':') + 1);
  if (slotId.startsWith(QLatin1String("cpu"))) {
    const QString cpu = QCoreApplication::translate("DeviceCard", "CPU");
    return slotId.contains(u':') ? cpu + u' ' + QString::number(number.toInt() + 1) : cpu;
  }
  const QStringList parts = number.split(u'#');
  const QString gpu = QCoreApplication::translate("DeviceCard", "GPU ") + parts.front();
  return parts.size() > 1 ? QStringLiteral("%1 (%2)").arg(gpu, parts[1]) : gpu;
}

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
  m_tick = new QCheckBox(shortName(), this);
  m_tick->setObjectName(QStringLiteral("tick-") + id);
  m_tick->setAccessibleName(m_tick->text() + u' ' + QString::fromStdString(device.name));
  auto* name = new ElidedLabel(this);
  name->setProperty("role", QStringLiteral("secondary"));
  name->setText(QString::fromStdString(device.name));
  name->setToolTip(wrappedTip(device.uuid.empty() ? name->text() : name->text() + u'\n' + QString::fromStdString(device.uuid)));
  m_mark = makeLabel("hint", this);
  m_preview = new QLabel(this);
  m_preview->setObjectName(QStringLiteral("preview"));
  m_preview->setFixedSize(Metrics::kPreview, Metrics::kPreview);
  m_preview->setAlignment(Qt::AlignCenter);
  m_preview->hide();
  m_prompt = new ElidedLabel(this);
  m_prompt->hide();
  m_state = makeLabel("secondary", this);
  m_state->setWordWrap(true);
  m_state->setObjectName(QStringLiteral("state-") + id);
  m_rate = makeLabel("hint", this);
  m_rate->setObjectName(QStringLiteral("rate-") + id);
  m_rate->hide();
  m_count = makeLabel("hint", this);
  m_count->setObjectName(QStringLiteral("count-") + id);
  m_count->hide();
  m_bar = new QProgressBar(this);
  m_bar->setTextVisible(false);
  m_bar->setRange(0, 1);
  m_bar->hide();
  m_trouble = new QWidget(this);
  m_restart = new QPushButton(m_trouble);
  m_restart->setObjectName(QStringLiteral("restart-") + id);
  m_log = new QPushButton(m_trouble);
  m_log->setObjectName(QStringLiteral("log-") + id);
  auto* troubleLayout = new QHBoxLayout(m_trouble);
  troubleLayout->setContentsMargins(0, 0, 0, 0);
  troubleLayout->setSpacing(Metrics::kGap);
  for (QPushButton* link : {m_restart, m_log}) {
    link->setProperty("role", QStringLiteral("link"));
    link->setCursor(Qt::PointingHandCursor);
    troubleLayout->addWidget(link);
  }
  troubleLayout->addStretch();
  m_trouble->hide();
  m_meters = new DeviceMeters(device, DeviceMeters::Kind::All, this);
  m_brief = new DeviceMeters(device, DeviceMeters::Kind::Brief, this);
  m_brief->hide();

  auto* top = new QHBoxLayout;
  top->setSpacing(Metrics::kGap);
  top->addWidget(m_tick);
  top->addWidget(name, 1);
  top->addWidget(m_rate);
  top->addWidget(m_mark);
  m_promptLine = new QHBoxLayout;
  m_promptLine->setSpacing(Metrics::kGap);
  m_promptLine->addWidget(m_prompt, 1);
  m_stateLine = new QHBoxLayout;
  m_stateLine->setSpacing(Metrics::kGap);
  m_stateLine->addWidget(m_state, 1);
  m_stateLine->addWidget(m_brief);
  m_stateLine->addWidget(m_count);
  auto* words = new QVBoxLayout;
  words->setSpacing(Metrics::kTight);
  words->addLayout(m_promptLine);
  words->addLayout(m_stateLine);
  words->addWidget(m_bar);
  auto* body = new QHBoxLayout;
  body->setSpacing(Metrics::kGap);
  body->addWidget(m_preview, 0, Qt::AlignTop);
  body->addLayout(words, 1);
  body->setAlignment(words, Qt::AlignVCenter);
  m_lineBox = new QVBoxLayout;
  m_lineBox->setSpacing(Metrics::kTight);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(Metrics::kPad, Metrics::kGap, Metrics::kPad, Metrics::kGap);
  all->setSpacing(Metrics::kTight + 2);
  all->addLayout(top);
  all->addLayout(body);
  all->addLayout(m_lineBox);
  all->addWidget(m_trouble);
  all->addWidget(m_meters);

  connect(m_tick, &QCheckBox::toggled, this, [this] {
    refresh();
    Q_EMIT tickChanged();
  });
  connect(m_restart, &QPushButton::clicked, this, [this] {
    for (const QString& slotId : failedSlots()) {
      Q_EMIT restartWanted(slotId);
    }
  });
  connect(m_log, &QPushButton::clicked, this, &DeviceCard::logWanted);
  for (QWidget* part : {static_cast<QWidget*>(m_tick), static_cast<QWidget*>(m_restart), static_cast<QWidget*>(m_log)}) {
    part->installEventFilter(this);
  }
  retranslated(this, [this] {
    m_restart->setText(QCoreApplication::translate("DeviceCard", "Restart"));
    m_restart->setAccessibleName(QCoreApplication::translate("DeviceCard", "Restart %1").arg(shortName()));
    m_log->setText(QCoreApplication::translate("DeviceCard", "Log"));
    m_log->setAccessibleName(QCoreApplication::translate("DeviceCard", "Log of %1").arg(shortName()));
    refresh();
  });
}

QString DeviceCard::shortName() const {
  const QString id = QString::fromStdString(m_device.id);
  return m_device.kind == domain::DeviceKind::Cpu
             ? QCoreApplication::translate("DeviceCard", "CPU")
             : id.mid(id.indexOf(u':') + 1).prepend(QCoreApplication::translate("DeviceCard", "GPU "));
}

QString DeviceCard::idleWords() const {
  if (!m_tick->isChecked()) {
    return QCoreApplication::translate("DeviceCard", "Idle: not ticked");
  }
  return m_isPaused ? QCoreApplication::translate("DeviceCard", "Idle: the queue is paused")
                    : QCoreApplication::translate("DeviceCard", "Idle: nothing waiting");
}

bool DeviceCard::hasSlot(const QString& slotId) const {
  return leads(slotId) || (slotId.contains(u'+') && leads(slotId.section(u'+', 1)));
}

bool DeviceCard::leads(const QString& slotId) const {
  const QString id = QString::fromStdString(m_device.id);
  const QString first = slotId.section(u'+', 0, 0);
  return first == id || first.startsWith(id + (m_device.kind == domain::DeviceKind::Cpu ? u':' : u'#'));
}

QString DeviceCard::teller() const {
  const auto joint = std::ranges::find_if(m_slots, [this](const Slot& slot) { return !leads(slot.status.slotId); });
  return joint == m_slots.end() ? shortName() : slotName(joint->status.slotId.section(u'+', 0, 0));
}

void DeviceCard::setStatus(const backend::SlotStatus& status, const QString& prompt) {
  Slot& slot = m_slots[status.slotId];
  slot.status = status;
  slot.prompt = prompt;
  if (status.state == SlotState::Busy) {
    slot.rate.add(status.progress, StepRate::Clock::now());
  } else if (status.state != SlotState::Idle) {
    slot.rate.reset();
  }
  // With others beside it, a worker that has ended is no more; alone it says so.
  if (status.state == SlotState::Stopped && m_slots.size() > 1) {
    m_slots.remove(status.slotId);
  }
  refresh();
}

void DeviceCard::setWorkers(int workers) {
  const int most = m_device.kind == domain::DeviceKind::Cpu ? kMostWorkers : 1;
  workers = std::clamp(workers, 1, most);
  if (workers != m_workers) {
    m_workers = workers;
    Q_EMIT tickChanged();
  }
}

void DeviceCard::clear() {
  m_slots.clear();
  backend::SlotStatus none;
  none.slotId = QString::fromStdString(m_device.id);
  setStatus(none, {});
}

void DeviceCard::endRuns() {
  m_slots.removeIf(
      [](const auto& slot) { return slot.value().status.state == SlotState::Failed && slot.value().status.willRestart; });
  refresh();
}

void DeviceCard::setPaused(bool isPaused) {
  m_isPaused = isPaused;
  refresh();
}

void DeviceCard::addFailure() {
  ++m_failures;
  refresh();
}

void DeviceCard::setReading(const backend::DeviceReading& reading) {
  m_meters->setReading(reading);
  m_brief->setReading(reading);
}

bool DeviceCard::isInTrouble() const { return !failedSlots().isEmpty(); }

QStringList DeviceCard::failedSlots() const {
  QStringList failed;
  for (const Slot& slot : m_slots) {
    if (isSetAside(slot.status)) {
      failed << slot.status.slotId;
    }
  }
  return failed;
}

std::optional<double> DeviceCard::stepsPerSecond() const {
  std::optional<double> all;
  for (const Slot& slot : m_slots) {
    if (slot.status.state == SlotState::Busy && leads(slot.status.slotId) && slot.rate.perSecond()) {
      all = all.value_or(0) + *slot.rate.perSecond();
    }
  }
  return all;
}

/// Beside the prompt, which is cut where it does not fit, the count leaves the whole line to what the device does.
void DeviceCard::placeCount(bool isBesidePrompt) {
  m_promptLine->removeWidget(m_count);
  m_stateLine->removeWidget(m_count);
  (isBesidePrompt ? m_promptLine : m_stateLine)->addWidget(m_count);
  m_isCountBesidePrompt = isBesidePrompt;
}

QString DeviceCard::countWords(int done) const {
  QStringList words;
  if (done > 0) {
    words << QCoreApplication::translate("DeviceCard", "%n done", nullptr, done);
  }
  if (m_failures > 0) {
    words << QCoreApplication::translate("DeviceCard", "%n failed", nullptr, m_failures);
  }
  return words.join(QStringLiteral(", "));
}

void DeviceCard::showMark(const char* mark, const char* role) {
  m_mark->setText(QString::fromUtf8(mark));
  changeRole(m_mark, role);
}

void DeviceCard::showRate() {
  const auto rate = stepsPerSecond();
  m_rate->setVisible(rate.has_value());
  if (rate) {
    m_rate->setText(
        QCoreApplication::translate("DeviceCard", "%1 it/s").arg(QLocale().toString(*rate, 'f', *rate < 100 ? 1 : 0)));
  }
}

void DeviceCard::refresh() {
  int done = 0;
  std::size_t known = 0;
  for (const Slot& slot : m_slots) {
    done += leads(slot.status.slotId) ? slot.status.picturesDone : 0;
    known += slot.status.state != SlotState::Stopped;
  }
  if (known > 1) {
    showSeveral();
  } else {
    // The one that is there, though another was here before it.
    const auto there = std::ranges::find_if(m_slots, [](const Slot& slot) { return slot.status.state != SlotState::Stopped; });
    showOne(there != m_slots.end() ? &*there : m_slots.isEmpty() ? nullptr : &m_slots.first());
  }
  m_count->setText(countWords(done));
  m_count->setVisible(!m_count->text().isEmpty());
  showRate();
  const bool isTrouble = isInTrouble();
  m_trouble->setVisible(isTrouble);
  fold();
}

void DeviceCard::showOne(const Slot* slot) {
  showLines(0);
  const bool isWorking = slot != nullptr && isActive(slot->status);
  const bool isFailed = slot != nullptr && slot->status.state == SlotState::Failed;
  // A worker that has ended because its device is not ticked any more is no news.
  const bool isUnwanted = slot != nullptr && slot->status.state == SlotState::Stopped && !m_tick->isChecked();
  const bool isJoint = slot != nullptr && !leads(slot->status.slotId);
  const QString words = slot == nullptr || isUnwanted ? QString()
                        : isJoint && slot->status.state == SlotState::Busy
                            ? QCoreApplication::translate("DeviceCard", "Works together with %1").arg(teller())
                            : stateInWords(slot->status);
  m_state->setText(words.isEmpty() ? idleWords() : words);
  m_state->setToolTip(isFailed ? wrappedTip(slot->status.reason) : QString());
  if (slot != nullptr && isSetAside(slot->status)) {
    changeRole(m_state, "bad");
    showMark("■", "bad");
  } else {
    changeRole(m_state, "secondary");
    showMark(isWorking ? "●" : "○", isWorking ? "good" : "hint");
  }
  m_bar->setVisible(isWorking);
  if (isWorking) {
    showProgress(*m_bar, slot->status);
  } else {
    m_preview->hide();
  }
  const bool hasPrompt = isWorking && !isJoint && slot->status.state == SlotState::Busy && !slot->prompt.isEmpty();
  if (hasPrompt != m_isCountBesidePrompt) {
    placeCount(hasPrompt);
  }
  m_prompt->setVisible(hasPrompt && !m_isFolded);
  m_prompt->setText(hasPrompt ? slot->prompt.simplified() : QString());
  m_prompt->setToolTip(hasPrompt ? wrappedTip(slot->prompt) : QString());
}

/// A line for each worker, and above them how many work.
void DeviceCard::showSeveral() {
  m_prompt->hide();
  m_preview->hide();
  m_bar->hide();
  if (m_isCountBesidePrompt) {
    placeCount(false);
  }
  showLines(static_cast<std::size_t>(m_slots.size()));
  int working = 0;
  std::size_t number = 0;
  bool isTrouble = false;
  QStringList reasons;
  for (const Slot& slot : m_slots) {
    const Line& line = m_lines[number++];
    const bool isWorking = isActive(slot.status);
    working += isWorking;
    const QString words = stateInWords(slot.status);
    line.name->setText(QString::number(number));
    line.bar->setEnabled(isWorking);
    showProgress(*line.bar, slot.status);
    const bool isDenoising = slot.status.state == SlotState::Busy && slot.status.progress.stage == domain::Stage::Denoising;
    line.state->setText(isDenoising ? QStringLiteral("%1 / %2").arg(slot.status.progress.step).arg(slot.status.progress.steps)
                                    : (words.isEmpty() ? QCoreApplication::translate("DeviceCard", "Waiting") : words));
    line.state->setToolTip(slot.prompt.isEmpty() ? QString() : wrappedTip(slot.prompt));
    if (isSetAside(slot.status)) {
      isTrouble = true;
      reasons << slot.status.reason;
    }
  }
  const auto all = static_cast<int>(m_slots.size());
  m_state->setText(working == 0 && !isTrouble
                       ? idleWords()
                       : QCoreApplication::translate("DeviceCard", "%1 of %n worker(s) at work", nullptr, all).arg(working));
  m_state->setToolTip(reasons.isEmpty() ? QString() : wrappedTip(reasons.join(u'\n')));
  changeRole(m_state, isTrouble ? "bad" : "secondary");
  showMark(isTrouble ? "■" : working > 0 ? "●" : "○", isTrouble ? "bad" : working > 0 ? "good" : "hint");
}

void DeviceCard::showLines(std::size_t count) {
  while (m_lines.size() < count) {
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(Metrics::kGap);
    Line line{makeLabel("hint", row), new QProgressBar(row), makeLabel("secondary", row)};
    line.bar->setTextVisible(false);
    line.name->setFixedWidth(Metrics::kGap + Metrics::kTight);
    line.state->setMinimumWidth(Metrics::kSlotState);
    layout->addWidget(line.name);
    layout->addWidget(line.bar, 1);
    layout->addWidget(line.state);
    m_lineBox->addWidget(row);
    m_lines.push_back(line);
  }
  for (std::size_t i = 0; i < m_lines.size(); ++i) {
    m_lines[i].name->parentWidget()->setVisible(i < count && !m_isFolded);
  }
}

void DeviceCard::setCrowded(bool isCrowded) {
  m_isCrowded = isCrowded;
  m_isOpened = m_isOpened && isCrowded;
  refresh();
}

/// Two lines: which it is, and what it does.
void DeviceCard::fold() {
  const bool isFolded = m_isCrowded && !m_isOpened && !m_hasKeyFocus && !isInTrouble();
  m_isFolded = isFolded;
  m_meters->setVisible(!isFolded);
  m_brief->setVisible(isFolded);
  if (isFolded) {
    m_prompt->hide();
    m_preview->hide();
    m_count->hide();
    for (const Line& line : m_lines) {
      line.name->parentWidget()->hide();
    }
  }
}

bool DeviceCard::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) {
    const Qt::FocusReason reason = static_cast<QFocusEvent*>(event)->reason();
    const bool isPassing = reason == Qt::PopupFocusReason || reason == Qt::ActiveWindowFocusReason;
    const bool hasFocus = isAncestorOf(QApplication::focusWidget()) && (m_hasKeyFocus || reason != Qt::MouseFocusReason);
    if (!isPassing && hasFocus != m_hasKeyFocus) {
      m_hasKeyFocus = hasFocus;
      const bool wasFolded = m_isFolded;
      refresh();
      if (wasFolded && !m_isFolded) {
        Q_EMIT unfolded();
      }
    }
  }
  return QFrame::eventFilter(watched, event);
}

void DeviceCard::setPreview(const domain::Image& preview) {
  if (preview.isNull() || m_bar->isHidden() || m_isFolded) {
    return;
  }
  const qreal ratio = devicePixelRatioF();
  QPixmap picture =
      QPixmap::fromImage(toQImage(preview)).scaled(m_preview->size() * ratio, Qt::KeepAspectRatio, Qt::SmoothTransformation);
  picture.setDevicePixelRatio(ratio);
  m_preview->setPixmap(picture);
  m_preview->show();
}

void DeviceCard::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton && m_isCrowded) {
    m_isOpened = !m_isOpened;
    refresh();
    event->accept();
    return;
  }
  QFrame::mousePressEvent(event);
}

void DeviceCard::contextMenuEvent(QContextMenuEvent* event) {
  auto* menu = new QMenu(this);
  QAction* tick =
      menu->addAction(m_tick->isChecked() ? QCoreApplication::translate("DeviceCard", "Do not use %1").arg(shortName())
                                          : QCoreApplication::translate("DeviceCard", "Use %1").arg(shortName()));
  connect(tick, &QAction::triggered, m_tick, &QCheckBox::toggle);
  QAction* restart = menu->addAction(QCoreApplication::translate("DeviceCard", "Restart"));
  restart->setEnabled(!m_slots.isEmpty());
  connect(restart, &QAction::triggered, this, [this] {
    const QStringList failed = failedSlots();
    for (const QString& slotId : failed.isEmpty() ? m_slots.keys() : failed) {
      Q_EMIT restartWanted(slotId);
    }
  });
  connect(menu->addAction(QCoreApplication::translate("DeviceCard", "Log")), &QAction::triggered, this, &DeviceCard::logWanted);
  if (m_device.kind == domain::DeviceKind::Cpu) {
    QMenu* workers = menu->addMenu(QCoreApplication::translate("DeviceCard", "Workers"));
    auto* group = new QActionGroup(workers);
    for (int count = 1; count <= kMostWorkers; ++count) {
      QAction* choice = workers->addAction(QLocale().toString(count));
      choice->setCheckable(true);
      choice->setChecked(count == m_workers);
      group->addAction(choice);
      connect(choice, &QAction::triggered, this, [this, count] { setWorkers(count); });
    }
  }
  if (m_isCrowded) {
    menu->addSeparator();
    connect(menu->addAction(m_isFolded ? QCoreApplication::translate("DeviceCard", "Unfold")
                                       : QCoreApplication::translate("DeviceCard", "Fold")),
            &QAction::triggered, this, [this] {
              m_isOpened = m_isFolded;
              refresh();
            });
  }
  popUp(menu, event->globalPos());
}

}  // namespace polyptych::ui
