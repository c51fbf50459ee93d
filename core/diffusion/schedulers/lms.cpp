#include <ATen/ATen.h>

#include <deque>

#include "core/diffusion/schedulers/factories.h"
#include "core/diffusion/schedulers/sigma_scheduler.h"

namespace polyptych::diffusion {
namespace {

constexpr int kMaxOrder = 4;

/// diffusers' LMSDiscreteScheduler: linear multistep with coefficients integrated for the run's own noise levels.
class Lms : public SigmaScheduler {
 public:
  explicit Lms(const ConfigValues& config) : SigmaScheduler(config, {}, ZeroSnr::Ignored, true, false, true) {}

  void setTimesteps(int steps) override {
    Grid run = grid(steps);
    run.sigmas.push_back(0.0);
    m_sigmas = asFloats(run.sigmas);
    m_timesteps = asFloats(run.timesteps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    const at::Tensor now = sigma(call);
    m_slopes.push_front((sample - predictOriginal(modelOutput, sample, now)) / now);
    if (m_slopes.size() > kMaxOrder) {
      m_slopes.pop_back();
    }
    const int order = std::min(call + 1, kMaxOrder);
    at::Tensor change = coefficient(order, call, 0) * m_slopes[0];
    for (int k = 1; k < order; ++k) {
      change = change + coefficient(order, call, k) * m_slopes[static_cast<std::size_t>(k)];
    }
    return sample + change;
  }

 private:
  double level(int index) const { return m_sigmas[index].item<double>(); }

  /// Integral from this level to the next of the Lagrange polynomial that is 1 at level `call - which`. Its degree is at most 3,
  /// where Simpson's rule is exact.
  double coefficient(int order, int call, int which) const {
    const auto polynomial = [&](double tau) {
      double product = 1;
      for (int k = 0; k < order; ++k) {
        if (k != which) {
          product *= (tau - level(call - k)) / (level(call - which) - level(call - k));
        }
      }
      return product;
    };
    const double from = level(call);
    const double to = level(call + 1);
    return (to - from) / 6 * (polynomial(from) + 4 * polynomial((from + to) / 2) + polynomial(to));
  }

  std::deque<at::Tensor> m_slopes;  ///< newest first
};

}  // namespace

std::unique_ptr<Scheduler> makeLms(const ConfigValues& config) { return std::make_unique<Lms>(config); }

}  // namespace polyptych::diffusion
