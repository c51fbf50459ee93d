#include "ui/devices/device_log_page.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QRegularExpression>

#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {

DeviceLogPage::DeviceLogPage(DeviceLog& log, QWidget* parent) : Page(parent), m_log(log) {
  m_filtered.setSourceModel(&log);
  m_filtered.setFilterKeyColumn(DeviceLog::Device);
  m_device = new QComboBox(this);
  m_device->setObjectName(QStringLiteral("logDevice"));
  m_device->addItem(QString());
  m_device->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  m_copy = new QPushButton(this);
  m_copy->setObjectName(QStringLiteral("logCopy"));
  tools()->addWidget(m_device);
  tools()->addWidget(m_copy);
  m_table = new QTreeView(this);
  m_table->setObjectName(QStringLiteral("log"));
  m_table->setProperty("role", QStringLiteral("table"));
  m_table->setModel(&m_filtered);
  m_table->setRootIsDecorated(false);
  m_table->setUniformRowHeights(true);
  m_table->setAllColumnsShowFocus(true);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->header()->setStretchLastSection(true);
  m_table->header()->setSectionsMovable(false);
  m_table->setColumnWidth(DeviceLog::Time, Metrics::kLogTime);
  m_table->setColumnWidth(DeviceLog::Device, Metrics::kLogTime);
  m_nothing = makeLabel("hint", this);
  m_nothing->setAlignment(Qt::AlignCenter);
  body()->addWidget(m_table, 1);
  body()->addWidget(m_nothing, 1);
  connect(m_device, &QComboBox::currentIndexChanged, this, &DeviceLogPage::filter);
  connect(m_copy, &QPushButton::clicked, this, [this] {
    QGuiApplication::clipboard()->setText(m_log.text(m_device->currentIndex() > 0 ? m_device->currentText() : QString()));
  });
  for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved}) {
    connect(&m_filtered, signal, this, &DeviceLogPage::updateNothing);
  }
  retranslated(this, [this] {
    setTitle(tr("Log of the devices"));
    m_device->setItemText(0, tr("All devices"));
    m_device->setAccessibleName(tr("Device"));
    m_copy->setText(tr("Copy all"));
    m_table->setAccessibleName(tr("Log of the devices"));
    m_nothing->setText(tr("Nothing has happened yet. What devices do is noted here until the window closes."));
  });
  updateNothing();
}

void DeviceLogPage::setDevices(const QStringList& names) {
  const QString before = m_device->currentIndex() > 0 ? m_device->currentText() : QString();
  while (m_device->count() > 1) {
    m_device->removeItem(1);
  }
  m_device->addItems(names);
  choose(before);
}

void DeviceLogPage::choose(const QString& device) {
  m_device->setCurrentIndex(device.isEmpty() ? 0 : std::max(0, m_device->findText(device)));
  filter();
}

void DeviceLogPage::filter() {
  const QString device = m_device->currentIndex() > 0 ? m_device->currentText() : QString();
  m_filtered.setFilterRegularExpression(
      device.isEmpty() ? QRegularExpression()
                       : QRegularExpression(QRegularExpression::anchoredPattern(QRegularExpression::escape(device))));
  updateNothing();
}

void DeviceLogPage::updateNothing() {
  const bool isEmpty = m_filtered.rowCount() == 0;
  m_table->setVisible(!isEmpty);
  m_nothing->setVisible(isEmpty);
}

void DeviceLogPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  (m_table->isHidden() ? static_cast<QWidget*>(m_device) : m_table)->setFocus();
}

}  // namespace polyptych::ui
