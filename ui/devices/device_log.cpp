#include "ui/devices/device_log.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QLocale>

#include "ui/devices/device_card.h"
#include "ui/error_text.h"
#include "ui/theme.h"

namespace polyptych::ui {

void DeviceLog::add(const QString& device, const QString& event, bool isTrouble) {
  if (static_cast<int>(m_events.size()) >= kMost) {
    beginRemoveRows({}, kMost - 1, rowCount() - 1);
    m_events.resize(kMost - 1);
    endRemoveRows();
  }
  beginInsertRows({}, 0, 0);
  m_events.push_front({QDateTime::currentDateTime(), device, event, isTrouble});
  endInsertRows();
}

void DeviceLog::noteStatus(const QString& device, const backend::SlotStatus& status) {
  using State = backend::SlotState;
  QString words;
  if (status.state == State::LoadingModel) {
    words = QCoreApplication::translate("DeviceCard", "Loading model");
  } else if (status.state == State::Idle) {
    words = tr("Ready");
  } else if (status.state != State::Busy && status.state != State::Handshaking) {
    words = stateInWords(status);
  }
  if (status.state == State::Failed && !status.reason.isEmpty()) {
    words += QStringLiteral(" · ") + status.reason.simplified();
  }
  // Between two pictures it is ready for a moment: the same state as before, no news.
  QString& before = m_states[status.slotId];
  if (words.isEmpty() || words == before) {
    return;
  }
  before = words;
  add(device, words, status.state == State::Failed);
}

void DeviceLog::notePicture(const QString& device, const backend::PictureEvent& picture) {
  add(device, tr("Picture %1 in %2 s").arg(QFileInfo(picture.path).fileName(), QLocale().toString(picture.seconds, 'f', 1)));
}

void DeviceLog::noteFailure(const QString& device, const backend::FailureEvent& failure) {
  const ErrorText text = textOf(failure.error);
  add(device,
      tr("Picture %1 failed: %2")
          .arg(failure.index + 1)
          .arg(text.detail.isEmpty() ? text.sentence : text.sentence + u' ' + text.detail.simplified()),
      true);
}

QString DeviceLog::text(const QString& device) const {
  QString lines;
  for (auto event = m_events.rbegin(); event != m_events.rend(); ++event) {
    if (device.isEmpty() || event->device == device) {
      lines += event->at.toString(Qt::ISODate) + u'\t' + event->device + u'\t' + event->event + u'\n';
    }
  }
  return lines;
}

int DeviceLog::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_events.size()); }

int DeviceLog::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant DeviceLog::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
    return {};
  }
  const Entry& entry = m_events[static_cast<std::size_t>(index.row())];
  if (role == Qt::DisplayRole) {
    switch (index.column()) {
      case Time:
        return QLocale().toString(entry.at.time(), QStringLiteral("HH:mm:ss"));
      case Device:
        return entry.device;
      default:
        return entry.isTrouble ? QStringLiteral("■ ") + entry.event : entry.event;
    }
  }
  if (role == Qt::ToolTipRole && index.column() == Event) {
    return wrappedTip(entry.event);
  }
  if (role == Qt::ForegroundRole) {
    return index.column() == Event ? (entry.isTrouble ? currentTokens().bad : currentTokens().text) : currentTokens().secondary;
  }
  return {};
}

QVariant DeviceLog::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) {
    return {};
  }
  return section == Time ? tr("Time") : section == Device ? tr("Device") : tr("What happened");
}

}  // namespace polyptych::ui
