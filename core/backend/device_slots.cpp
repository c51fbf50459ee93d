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

QJsonArray arrayOf(const std::vector<int>& cores) {
  QJsonArray array;
  for (const int core : cores) {
    array.append(core);
  }
  return array;
}

std::vector<int> coresOf(const QJsonArray& array) {
  std::vector<int> cores;
  for (const QJsonValue& core : array) {
    cores.push_back(core.toInt());
  }
  return cores;
}

}  // namespace

Result<void> storeSlots(library::Database& database, const std::vector<DeviceSlot>& slots) {
  QJsonArray list;
  for (const DeviceSlot& slot : slots) {
    QJsonObject object{{"id", text(slot.id)},
                       {"isGpu", slot.kind == domain::DeviceKind::Cuda},
                       {"name", text(slot.name)},
                       {"uuid", text(slot.uuid)},
                       {"cores", arrayOf(slot.cores)}};
    if (slot.partner) {
      object["partner"] = QJsonObject{
          {"name", text(slot.partner->name)}, {"uuid", text(slot.partner->uuid)}, {"cores", arrayOf(slot.partner->cores)}};
    }
    list.append(object);
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
    slot.cores = coresOf(object["cores"].toArray());
    if (const QJsonObject partner = object["partner"].toObject(); !partner.isEmpty()) {
      slot.partner = domain::PartnerDevice{partner["name"].toString().toStdString(), partner["uuid"].toString().toStdString(),
                                           coresOf(partner["cores"].toArray())};
    }
    if (!slot.id.empty()) {
      slots.push_back(std::move(slot));
    }
  }
  return slots;
}

}  // namespace polyptych::backend
