#include "core/backend/device_slots.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace polyptych::backend {
namespace {

using base::Result;
using domain::DeviceSlot;

const QString kKey = QStringLiteral("devices");

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

}  // namespace

Result<void> storeSlots(library::Database& database, const std::vector<DeviceSlot>& slots) {
  QJsonArray list;
  for (const DeviceSlot& slot : slots) {
    QJsonArray cores;
    for (const int core : slot.cores) {
      cores.append(core);
    }
    list.append(QJsonObject{{"id", text(slot.id)},
                            {"isGpu", slot.kind == domain::DeviceKind::Cuda},
                            {"name", text(slot.name)},
                            {"uuid", text(slot.uuid)},
                            {"cores", cores}});
  }
  return database.setMeta(kKey, QString::fromUtf8(QJsonDocument(list).toJson(QJsonDocument::Compact)));
}

Result<std::vector<DeviceSlot>> readSlots(library::Database& database) {
  const Result<QVariant> stored = database.meta(kKey);
  if (!stored) {
    return stored.error();
  }
  std::vector<DeviceSlot> slots;
  for (const QJsonValue& value : QJsonDocument::fromJson(stored->toString().toUtf8()).array()) {
    const QJsonObject object = value.toObject();
    DeviceSlot slot;
    slot.id = object["id"].toString().toStdString();
    slot.kind = object["isGpu"].toBool() ? domain::DeviceKind::Cuda : domain::DeviceKind::Cpu;
    slot.name = object["name"].toString().toStdString();
    slot.uuid = object["uuid"].toString().toStdString();
    for (const QJsonValue& core : object["cores"].toArray()) {
      slot.cores.push_back(core.toInt());
    }
    if (!slot.id.empty()) {
      slots.push_back(std::move(slot));
    }
  }
  return slots;
}

}  // namespace polyptych::backend
