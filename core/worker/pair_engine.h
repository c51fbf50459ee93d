#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/domain/engine.h"
#include "core/domain/pair_link.h"
#include "core/worker/partner.h"

namespace polyptych::worker {

/// The engine of a pair's first process: its own engine, and beside it a partner that has the same model and makes half of each
/// guided unit. Whether a unit has a partner is asked by the own engine, in the middle of generate(). A partner that is lost
/// costs nothing but time: it is told once (PartnerLost), and started again for later units, after a pause that doubles from a
/// second to a minute while it goes on failing.
class PairEngine : public domain::Engine {
 public:
  /// @param partner, link  as the own engine's source of exchanges knows them
  PairEngine(std::unique_ptr<domain::Engine> own, std::shared_ptr<Partner> partner, std::shared_ptr<domain::PairLink> link);
  ~PairEngine() override;

  base::Result<domain::DeviceReport> device() const override { return m_own->device(); }
  /// Both load at the same time. A partner that cannot is a loss like any other.
  base::Result<domain::LoadedModelReport> load(const domain::ModelSpec& model, domain::ComputeType type,
                                               domain::LoadObserver& observer) override;
  base::Result<domain::UnitOutcome> generate(const domain::UnitOfWork& unit, domain::GenerateObserver& observer) override;
  void unload() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Loaded {
    domain::ModelSpec model;
    domain::ComputeType type;
  };

  void revive();
  void lose(const std::string& why);
  void settle();
  void tell(domain::UnitOutcome& outcome);

  const std::unique_ptr<domain::Engine> m_own;
  const std::shared_ptr<Partner> m_partner;
  const std::shared_ptr<domain::PairLink> m_link;
  std::optional<Loaded> m_loaded;
  bool m_isStarted = false;  ///< the partner was, and its loss is not noted yet
  int m_losses = 0;          ///< one after another, without a unit made together between them
  Clock::time_point m_nextStart;
  std::optional<std::string> m_untold;
};

}  // namespace polyptych::worker
