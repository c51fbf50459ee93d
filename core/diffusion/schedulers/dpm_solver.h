#pragma once

#include <deque>

#include "core/diffusion/schedulers/exponential_scheduler.h"

namespace polyptych::diffusion {

/// What DPM-Solver's multistep and singlestep forms share: arXiv 2206.00927 (noise form, "dpmsolver") and 2211.01095 (data form,
/// "dpmsolver++", with noise "sde-dpmsolver++").
class DpmSolver : public ExponentialScheduler {
 protected:
  DpmSolver(const ConfigValues& config, ZeroSnr zeroSnr, bool hasTimestepSpacing, bool takesSdeNoiseForm);

  /// As the solver integrates it: x0 or noise, bounded.
  at::Tensor convert(const at::Tensor& modelOutput, const at::Tensor& sample, int call) const;
  bool isDataForm() const { return m_algorithm == "dpmsolver++" || m_algorithm == "sde-dpmsolver++"; }
  bool drawsNoise() const { return m_algorithm.starts_with("sde-"); }

  /// One step of length `h` from level `from` to `to`: the terms of an expansion in derivatives of the converted output.
  struct Terms {
    at::Tensor d0;
    at::Tensor d1;  ///< undefined: first order
    at::Tensor d2;  ///< undefined: second order
  };
  at::Tensor advance(const Level& to, const Level& from, const at::Tensor& sample, const Terms& terms, const at::Tensor& noise,
                     bool midpoint) const;

  void appendFinalSigma(Grid& grid) const;

  std::string m_algorithm;
  std::string m_solver;
  bool m_isFinalZero;
  int m_cut = 0;
  std::deque<at::Tensor> m_outputs;  ///< newest first
};

}  // namespace polyptych::diffusion
