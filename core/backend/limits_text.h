#pragma once

#include <QByteArray>

#include "core/base/result.h"
#include "core/pool/supervision_limits.h"

namespace polyptych::backend {

/// Limits as one JSON object, keys as SupervisionLimits has them, times in milliseconds: what a library keeps.
QByteArray toJson(const pool::SupervisionLimits& limits);
/// The reverse; keys that are missing keep what `limits` has, others are refused. @return InvalidArgument with the key and what
/// is allowed
base::Result<pool::SupervisionLimits> limitsFromJson(const QByteArray& json, pool::SupervisionLimits limits = {});

}  // namespace polyptych::backend
