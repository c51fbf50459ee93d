#include "ui/devices/step_rate.h"

namespace polyptych::ui {
namespace {

constexpr std::size_t kRemembered = 12;

}  // namespace

void StepRate::add(const domain::StepProgress& progress, Clock::time_point now) {
  if (progress.stage != domain::Stage::Denoising) {
    m_steps.clear();
    return;
  }
  if (!m_steps.empty() && progress.step <= m_steps.back().number) {
    if (progress.step == m_steps.back().number) {
      return;  // told twice
    }
    m_steps.clear();  // another unit
  }
  m_steps.push_back({now, progress.step});
  if (m_steps.size() > kRemembered) {
    m_steps.pop_front();
  }
  const double seconds = std::chrono::duration<double>(m_steps.back().at - m_steps.front().at).count();
  if (seconds > 0) {
    m_rate = (m_steps.back().number - m_steps.front().number) / seconds;
  }
}

}  // namespace polyptych::ui
