#pragma once

#include <QString>
#include <vector>

#include "core/base/result.h"
#include "core/domain/device_choice.h"
#include "core/library/database.h"

namespace polyptych::backend {

/// The devices that were chosen last, kept with the queue: a backend goes on with them though no face names them again. Inside
/// the caller's transaction.
base::Result<void> storeSlots(library::Database& database, const std::vector<domain::DeviceSlot>& slots);
/// Nothing that was stored, or nothing that can be read: no slots.
base::Result<std::vector<domain::DeviceSlot>> readSlots(library::Database& database);

}  // namespace polyptych::backend
