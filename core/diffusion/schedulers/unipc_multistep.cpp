#include <ATen/ATen.h>

#include <algorithm>
#include <deque>

#include "core/diffusion/schedulers/exponential_scheduler.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' UniPCMultistepScheduler: arXiv 2302.04867, a predictor and, before each but the first step, a corrector of the
/// sample it came to.
class UniPcMultistep : public ExponentialScheduler {
 public:
  explicit UniPcMultistep(const ConfigValues& config)
      : ExponentialScheduler(config, ZeroSnr::RescaledAndFinite, true, true),
        m_predictsOriginal(config.flag("predict_x0", true)),
        m_endsLower(config.flag("lower_order_final", true)),
        m_isFinalZero(config.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero"),
        m_isBh1(config.choice("solver_type", "bh2", {"bh1", "bh2", "midpoint", "heun", "logrho"}) == "bh1"),
        m_uncorrected(config.numbers("disable_corrector").value_or(std::vector<double>())) {}

  void setTimesteps(int steps) override {
    Grid run = grid(steps, 0, Rounding::Karras);
    const double smallest = m_sigmaSpacing.any() ? run.sigmas.back() : static_cast<double>(m_trained.front());
    run.sigmas.push_back(m_isFinalZero ? 0.0 : smallest);
    m_sigmas = asFloats(run.sigmas);
    m_timesteps = asInts(run.timesteps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    const at::Tensor converted =
        m_predictsOriginal ? predictOriginal(modelOutput, sample, call) : predictNoise(modelOutput, sample, call);
    at::Tensor x = sample;
    const bool isCorrected = std::find(m_uncorrected.begin(), m_uncorrected.end(), call - 1.0) == m_uncorrected.end();
    if (call > 0 && isCorrected) {
      x = correct(converted, call);
    }
    m_outputs.push_front(converted);
    if (static_cast<int>(m_outputs.size()) > m_solverOrder) {
      m_outputs.pop_back();
    }
    const int left = static_cast<int>(m_timesteps.size(0)) - call;
    m_order = std::min(m_endsLower ? std::min(m_solverOrder, left) : m_solverOrder, std::min(call, m_solverOrder) + 1);
    m_last = x;
    return predict(x, call);
  }

 private:
  /// The B(h) system of section 3.1 for a step between two levels.
  struct System {
    at::Tensor phi;                       ///< expm1(hh)
    at::Tensor b;                         ///< B(h)
    std::vector<at::Tensor> differences;  ///< (m_i - m_0) / r_i
    at::Tensor matrix;                    ///< [order, order]
    at::Tensor right;                     ///< [order]
  };
  /// @param older  level index of the output before the newest
  System system(const Level& to, const Level& from, int older, int order) const {
    const at::Tensor h = to.lambda - from.lambda;
    std::vector<at::Tensor> ratios;
    System out;
    for (int i = 1; i < order; ++i) {
      const at::Tensor ratio = (level(older - i + 1).lambda - from.lambda) / h;
      ratios.push_back(ratio);
      out.differences.push_back((m_outputs[static_cast<std::size_t>(i)] - m_outputs[0]) / ratio);
    }
    ratios.push_back(at::ones({}, at::kFloat));
    const at::Tensor row = at::stack(ratios);
    const at::Tensor hh = m_predictsOriginal ? -h : h;
    out.phi = at::expm1(hh);
    out.b = m_isBh1 ? hh : at::expm1(hh);
    at::Tensor term = out.phi / hh - 1;
    std::int64_t factorial = 1;
    std::vector<at::Tensor> rows;
    std::vector<at::Tensor> rights;
    for (int i = 1; i <= order; ++i) {
      rows.push_back(row.pow(i - 1));
      rights.push_back(term * factorial / out.b);
      factorial *= i + 1;
      term = term / hh - 1.0 / static_cast<double>(factorial);
    }
    out.matrix = at::stack(rows);
    out.right = at::stack(rights);
    return out;
  }

  static at::Tensor weighted(const at::Tensor& weights, const std::vector<at::Tensor>& values) {
    at::Tensor sum = weights[0] * values[0];
    for (std::size_t i = 1; i < values.size(); ++i) {
      sum = sum + weights[static_cast<std::int64_t>(i)] * values[i];
    }
    return sum;
  }

  at::Tensor base(const Level& to, const Level& from, const at::Tensor& x, const System& system) const {
    return m_predictsOriginal ? to.sigma / from.sigma * x - to.alpha * system.phi * m_outputs[0]
                              : to.alpha / from.alpha * x - to.sigma * system.phi * m_outputs[0];
  }

  at::Tensor predict(const at::Tensor& x, int call) const {
    const Level to = level(call + 1);
    const Level from = level(call);
    const System equations = system(to, from, call - 1, m_order);
    at::Tensor out = base(to, from, x, equations);
    if (!equations.differences.empty()) {
      const at::Tensor weights =
          m_order == 2 ? at::full({1}, 0.5, x.options().device(at::kCPU))
                       : at::linalg_solve(equations.matrix.slice(0, 0, -1).slice(1, 0, -1), equations.right.slice(0, 0, -1))
                             .to(x.scalar_type());
      out = out - (m_predictsOriginal ? to.alpha : to.sigma) * equations.b * weighted(weights, equations.differences);
    }
    return out.to(x.scalar_type());
  }

  at::Tensor correct(const at::Tensor& converted, int call) const {
    const Level to = level(call);
    const Level from = level(call - 1);
    const System equations = system(to, from, call - 2, m_order);
    const at::Tensor weights = m_order == 1 ? at::full({1}, 0.5, m_last.options().device(at::kCPU))
                                            : at::linalg_solve(equations.matrix, equations.right).to(m_last.scalar_type());
    at::Tensor change = weights[-1] * (converted - m_outputs[0]);
    if (!equations.differences.empty()) {
      change = weighted(weights, equations.differences) + change;
    }
    const at::Tensor out = base(to, from, m_last, equations) - (m_predictsOriginal ? to.alpha : to.sigma) * equations.b * change;
    return out.to(m_last.scalar_type());
  }

  bool m_predictsOriginal;
  bool m_endsLower;
  bool m_isFinalZero;
  bool m_isBh1;
  std::vector<double> m_uncorrected;  ///< calls after which the corrector is left out
  std::deque<at::Tensor> m_outputs;   ///< newest first
  at::Tensor m_last;                  ///< the sample that the last prediction started from
  int m_order = 1;
};

}  // namespace

std::unique_ptr<Scheduler> makeUniPcMultistep(const ConfigValues& config) { return std::make_unique<UniPcMultistep>(config); }

}  // namespace polyptych::diffusion
