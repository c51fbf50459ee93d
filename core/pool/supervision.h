#pragma once

/// The decisions about units, workers and devices that went wrong, all in one place for who makes them. Pure: std only, no
/// thread, no clock; time is passed in. Each lives on one thread.

#include "core/pool/breaker.h"
#include "core/pool/consequences.h"
#include "core/pool/idle_policy.h"
#include "core/pool/load_admission.h"
#include "core/pool/out_of_memory_ladder.h"
#include "core/pool/poison_rule.h"
#include "core/pool/restart_policy.h"
#include "core/pool/step_watchdog.h"
#include "core/pool/supervision_limits.h"
