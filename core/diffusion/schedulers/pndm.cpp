#include <ATen/ATen.h>

#include "core/diffusion/failure.h"
#include "core/diffusion/schedulers/alpha_scheduler.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

constexpr int kRungeKuttaSteps = 4;

/// diffusers' PNDMScheduler: arXiv 2202.09778. Four-point multistep after three Runge-Kutta steps of four calls, or
/// (skip_prk_steps) after a first step of two calls.
class Pndm : public AlphaScheduler {
 public:
  explicit Pndm(const ConfigValues& config)
      : AlphaScheduler(config, {}, ZeroSnr::Ignored, std::nullopt, false),
        m_skipsRungeKutta(config.flag("skip_prk_steps", false)) {
    if (!config.flag("set_alpha_to_one", false)) {
      m_finalAlpha = m_schedule.alphasCumprod[0];
    }
  }

  void setTimesteps(int steps) override {
    checkSteps(steps);
    m_stride = m_schedule.trainSteps / steps;
    std::vector<double> rising =
        spacedTimesteps(m_spacing, steps, m_schedule.trainSteps, m_schedule.trainSteps, m_stepsOffset, 0, true);
    std::reverse(rising.begin(), rising.end());
    const std::size_t count = rising.size();
    std::vector<double> times;
    if (m_skipsRungeKutta) {
      // ..., t2, t2, t1: the last but one twice, then turned round.
      for (std::size_t i = 0; i + 1 < count; ++i) {
        times.push_back(rising[i]);
      }
      if (count > 1) {
        times.push_back(rising[count - 2]);
      }
      times.push_back(rising[count - 1]);
      std::reverse(times.begin(), times.end());
    } else {
      if (steps < kRungeKuttaSteps) {
        throw EngineFailure(
            {base::ErrorCode::InvalidArgument,
             "The scheduler PNDM needs at least " + std::to_string(kRungeKuttaSteps) + " steps. Ask for more, or choose PLMS.",
             {}});
      }
      std::vector<double> pairs;
      for (std::size_t i = count - kRungeKuttaSteps; i < count; ++i) {
        pairs.push_back(rising[i]);
        pairs.push_back(rising[i] + m_stride / 2);
      }
      pairs.pop_back();
      std::vector<double> doubled;
      for (const double time : pairs) {
        doubled.insert(doubled.end(), {time, time});
      }
      times.assign(doubled.rbegin() + 1, doubled.rend() - 1);
      m_rungeKuttaCalls = static_cast<int>(times.size());
      for (std::size_t i = count - 3; i-- > 0;) {
        times.push_back(rising[i]);
      }
    }
    m_timesteps = asInts(times);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    return call < m_rungeKuttaCalls ? rungeKuttaStep(modelOutput, call, sample) : multistep(modelOutput, call, sample);
  }

 private:
  at::Tensor rungeKuttaStep(const at::Tensor& modelOutput, int call, const at::Tensor& sample) {
    const std::int64_t next = timestep(call) - (call % 2 == 1 ? 0 : m_stride / 2);
    const std::int64_t time = timestep(call / 4 * 4);
    at::Tensor slope = modelOutput;
    switch (call % 4) {
      case 0:
        m_sum = 1.0 / 6 * modelOutput;
        m_slopes.push_back(modelOutput);
        m_start = sample;
        break;
      case 1:
      case 2:
        m_sum = m_sum + 1.0 / 3 * modelOutput;
        break;
      default:
        slope = m_sum + 1.0 / 6 * modelOutput;
    }
    return transfer(m_start, time, next, slope);
  }

  at::Tensor multistep(const at::Tensor& modelOutput, int call, at::Tensor sample) {
    std::int64_t time = timestep(call);
    std::int64_t next = time - m_stride;
    if (call != 1) {
      if (m_slopes.size() > 3) {
        m_slopes.erase(m_slopes.begin(), m_slopes.end() - 3);
      }
      m_slopes.push_back(modelOutput);
    } else {
      next = time;
      time += m_stride;
    }
    const std::size_t n = m_slopes.size();
    at::Tensor slope = modelOutput;
    if (n == 1 && call == 0) {
      m_start = sample;
    } else if (n == 1 && call == 1) {
      slope = (modelOutput + m_slopes[0]) / 2;
      sample = m_start;
    } else if (n == 2) {
      slope = (3 * m_slopes[1] - m_slopes[0]) / 2;
    } else if (n == 3) {
      slope = (23 * m_slopes[2] - 16 * m_slopes[1] + 5 * m_slopes[0]) / 12;
    } else {
      slope = 1.0 / 24 * (55 * m_slopes[n - 1] - 59 * m_slopes[n - 2] + 37 * m_slopes[n - 3] - 9 * m_slopes[n - 4]);
    }
    return transfer(sample, time, next, slope);
  }

  /// arXiv 2202.09778, eq. 9.
  at::Tensor transfer(const at::Tensor& sample, std::int64_t time, std::int64_t next, at::Tensor slope) const {
    const at::Tensor a = alpha(time);
    const at::Tensor b = alpha(next);
    if (m_prediction == "v_prediction") {
      slope = a.pow(0.5) * slope + (1 - a).pow(0.5) * sample;
    }
    const at::Tensor divisor = a * (1 - b).pow(0.5) + (a * (1 - a) * b).pow(0.5);
    return (b / a).pow(0.5) * sample - (b - a) * slope / divisor;
  }

  bool m_skipsRungeKutta;
  int m_stride = 1;
  int m_rungeKuttaCalls = 0;
  std::vector<at::Tensor> m_slopes;  ///< newest last
  at::Tensor m_sum;
  at::Tensor m_start;
};

}  // namespace

std::unique_ptr<Scheduler> makePndm(const ConfigValues& config) { return std::make_unique<Pndm>(config); }

}  // namespace polyptych::diffusion
