#include <ATen/ATen.h>

#include "core/diffusion/schedulers/dpm_solver.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' DPMSolverSinglestepScheduler: steps of one to three calls, each starting anew from the step's own sample. The sde
/// form draws noise at every call.
class DpmSolverSinglestep : public DpmSolver {
 public:
  explicit DpmSolverSinglestep(const ConfigValues& config)
      : DpmSolver(config, ZeroSnr::Ignored, false, false), m_endsLower(config.flag("lower_order_final", false)) {
    if (m_bounds.isThresholding() && !isDataForm()) {
      config.refuse("thresholding", "true", "false with algorithm_type dpmsolver");
    }
  }

  void setTimesteps(int steps) override {
    Grid run = grid(steps, m_cut, Rounding::Karras);
    appendFinalSigma(run);
    m_sigmas = asFloats(run.sigmas);
    m_timesteps = asInts(run.timesteps);
    // A number of steps that the order does not divide, or a final level of zero, needs lower orders at the end.
    const bool endsLower = m_endsLower || steps % m_solverOrder != 0 || m_isFinalZero;
    m_orders = orders(steps, endsLower);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource& source) override {
    const at::Tensor converted = convert(modelOutput, sample, call);
    m_outputs.push_front(converted);
    if (static_cast<int>(m_outputs.size()) > m_solverOrder) {
      m_outputs.pop_back();
    }
    const at::Tensor noise = drawsNoise() ? source.normal(converted.sizes(), converted.scalar_type()) : at::Tensor();
    const int order = std::min(m_orders[static_cast<std::size_t>(call)], static_cast<int>(m_outputs.size()));
    if (order == 1) {
      m_start = sample;
    }
    const Level to = level(call + 1);
    const Level from = level(call - order + 1);
    const bool midpoint = m_solver == "midpoint";
    if (order == 1) {
      return advance(to, from, m_start, {m_outputs[0], {}, {}}, noise, midpoint);
    }
    const at::Tensor h = to.lambda - from.lambda;
    const at::Tensor& oldest = m_outputs[static_cast<std::size_t>(order - 1)];
    const at::Tensor r0 = (level(call).lambda - from.lambda) / h;
    const at::Tensor outer = 1.0 / r0 * (m_outputs[0] - oldest);
    if (order == 2) {
      return advance(to, from, m_start, {oldest, outer, {}}, noise, midpoint);
    }
    if (midpoint) {
      return advance(to, from, m_start, {oldest, outer, {}}, noise, false);
    }
    const at::Tensor r1 = (level(call - 1).lambda - from.lambda) / h;
    const at::Tensor inner = 1.0 / r1 * (m_outputs[1] - oldest);
    const at::Tensor d1 = (r0 * inner - r1 * outer) / (r0 - r1);
    const at::Tensor d2 = 2.0 * (outer - inner) / (r0 - r1);
    return advance(to, from, m_start, {oldest, d1, d2}, noise, false);
  }

 private:
  std::vector<int> orders(int steps, bool endsLower) const {
    std::vector<int> list;
    const auto append = [&list](std::initializer_list<int> part, int times) {
      for (int i = 0; i < times; ++i) {
        list.insert(list.end(), part);
      }
    };
    if (m_solverOrder == 1) {
      append({1}, steps);
    } else if (m_solverOrder == 2) {
      append({1, 2}, endsLower && steps % 2 == 0 ? steps / 2 - 1 : steps / 2);
      if (endsLower) {
        steps % 2 == 0 ? append({1, 1}, 1) : append({1}, 1);
      }
    } else {
      append({1, 2, 3}, endsLower && steps % 3 == 0 ? steps / 3 - 1 : steps / 3);
      if (endsLower) {
        steps % 3 == 0 ? append({1, 2, 1}, 1) : steps % 3 == 1 ? append({1}, 1) : append({1, 2}, 1);
      }
    }
    if (m_isFinalZero && !list.empty()) {
      list.back() = 1;
    }
    return list;
  }

  bool m_endsLower;
  std::vector<int> m_orders;  ///< of each call
  at::Tensor m_start;         ///< sample at the step's first call
};

}  // namespace

std::unique_ptr<Scheduler> makeDpmSolverSinglestep(const ConfigValues& config) {
  return std::make_unique<DpmSolverSinglestep>(config);
}

}  // namespace polyptych::diffusion
