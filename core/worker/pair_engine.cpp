#include "core/worker/pair_engine.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace polyptych::worker {
namespace {

using base::Result;
using std::chrono::milliseconds;

/// Once this process has left a unit, its partner has nothing more to wait for.
constexpr milliseconds kLeaveLimit{5000};
/// A partner that loads longer than this process and so much more does so while the first pictures are made.
constexpr milliseconds kLoadLimit{120'000};
constexpr milliseconds kBetweenLoadBeats{500};
constexpr milliseconds kFirstPause{1000};
constexpr int kMostDoublings = 6;

}  // namespace

PairEngine::PairEngine(std::unique_ptr<domain::Engine> own, std::shared_ptr<Partner> partner,
                       std::shared_ptr<domain::PairLink> link)
    : m_own(std::move(own)), m_partner(std::move(partner)), m_link(std::move(link)), m_nextStart(Clock::now()) {}

PairEngine::~PairEngine() {
  m_link->close();
  m_partner->end("the worker ended it");
}

Result<domain::LoadedModelReport> PairEngine::load(const domain::ModelSpec& model, domain::ComputeType type,
                                                   domain::LoadObserver& observer) {
  m_loaded = Loaded{model, type};
  if (m_partner->isThere()) {
    m_partner->load(model, type);
  }
  revive();
  Result<domain::LoadedModelReport> report = m_own->load(model, type, observer);
  if (!report) {
    m_loaded.reset();
    m_partner->unload();
    return report;
  }
  const Clock::time_point end = Clock::now() + kLoadLimit;
  while (m_partner->waitForLoad(kBetweenLoadBeats) == Partner::Load::UnderWay && Clock::now() < end && !observer.isCancelled()) {
    observer.onBytes(report->weightBytes, report->weightBytes);
  }
  return report;
}

Result<domain::UnitOutcome> PairEngine::generate(const domain::UnitOfWork& unit, domain::GenerateObserver& observer) {
  revive();
  Result<domain::UnitOutcome> outcome = m_own->generate(unit, observer);
  settle();
  if (outcome) {
    tell(*outcome);
  }
  revive();
  return outcome;
}

void PairEngine::unload() {
  m_loaded.reset();
  m_partner->unload();
  m_own->unload();
}

/// Starts a partner that is not there, as soon as that may be tried; it loads in the background.
void PairEngine::revive() {
  if (m_isStarted && !m_partner->isThere()) {
    lose({});
  } else if (m_isStarted && m_partner->loadState() == Partner::Load::Failed) {
    lose("it could not load the model");
  }
  if (m_isStarted || !m_loaded || Clock::now() < m_nextStart) {
    return;
  }
  const Result<std::string> token = m_link->open();
  if (!token) {
    lose(token.error().message);
    return;
  }
  if (const Result<void> started = m_partner->start(*token, [link = m_link] { link->close(); }); !started) {
    lose(started.error().message + " " + started.error().detail);
    return;
  }
  m_isStarted = true;
  m_partner->load(m_loaded->model, m_loaded->type);
}

/// Once this process has left a unit, its partner has left it, too, or is of no more use.
void PairEngine::settle() {
  const Result<bool> shared = m_partner->finish(kLeaveLimit);
  if (!shared) {
    lose(shared.error().message);
  } else if (m_isStarted && !m_link->isWell()) {
    lose("the two did not hear each other");
  } else if (*shared) {
    m_losses = 0;
  }
}

/// @param why  if the partner itself does not know better
void PairEngine::lose(const std::string& why) {
  m_link->close();
  m_partner->end(why);
  m_isStarted = false;
  const std::string trouble = m_partner->trouble().empty() ? why : m_partner->trouble();
  std::fprintf(stderr, "The second device of the pair is lost: %s\n", trouble.c_str());
  if (m_losses == 0) {
    m_untold = trouble;
  }
  const milliseconds pause = m_losses == 0 ? milliseconds(0) : kFirstPause * (1 << std::min(m_losses - 1, kMostDoublings));
  m_nextStart = Clock::now() + std::min<milliseconds>(pause, std::chrono::minutes(1));
  ++m_losses;
}

/// Of many losses one after another the first is told.
void PairEngine::tell(domain::UnitOutcome& outcome) {
  if (!m_untold || outcome.kind != domain::OutcomeKind::Done) {
    return;
  }
  const std::string why = *std::exchange(m_untold, std::nullopt);
  const auto told = std::find_if(outcome.warnings.begin(), outcome.warnings.end(),
                                 [](const domain::Warning& warning) { return warning.code == domain::WarningCode::PartnerLost; });
  if (told != outcome.warnings.end()) {
    told->sentence += " (" + why + ")";
    return;
  }
  outcome.warnings.push_back(
      {domain::WarningCode::PartnerLost,
       "The second device of the pair is lost (" + why + "). Pictures are made on one until it is back; it is started again."});
}

}  // namespace polyptych::worker
