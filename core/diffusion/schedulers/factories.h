#pragma once

#include <memory>

#include "core/diffusion/schedulers/config_values.h"
#include "core/diffusion/schedulers/scheduler.h"

namespace polyptych::diffusion {

// One function a sampler, each in the file of its name. They throw as makeScheduler() does.
std::unique_ptr<Scheduler> makeDdim(const ConfigValues& config);
std::unique_ptr<Scheduler> makeDdpm(const ConfigValues& config);
std::unique_ptr<Scheduler> makeDeisMultistep(const ConfigValues& config);
std::unique_ptr<Scheduler> makeDpmSolverMultistep(const ConfigValues& config);
std::unique_ptr<Scheduler> makeDpmSolverSinglestep(const ConfigValues& config);
std::unique_ptr<Scheduler> makeEuler(const ConfigValues& config);
std::unique_ptr<Scheduler> makeEulerAncestral(const ConfigValues& config);
std::unique_ptr<Scheduler> makeHeun(const ConfigValues& config);
std::unique_ptr<Scheduler> makeKdpm2(const ConfigValues& config);
std::unique_ptr<Scheduler> makeKdpm2Ancestral(const ConfigValues& config);
std::unique_ptr<Scheduler> makeLcm(const ConfigValues& config);
std::unique_ptr<Scheduler> makeLms(const ConfigValues& config);
std::unique_ptr<Scheduler> makePndm(const ConfigValues& config);
std::unique_ptr<Scheduler> makeTcd(const ConfigValues& config);
std::unique_ptr<Scheduler> makeUniPcMultistep(const ConfigValues& config);

}  // namespace polyptych::diffusion
