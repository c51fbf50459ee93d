#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/distributed/store.h"
#include "core/domain/engine.h"

namespace polyptych::diffusion {
class WeightFeed;
}

namespace polyptych::distributed {

struct WeightFeedOptions {
  StoreAddress store;  ///< with a prefix of its own for each start of the group
  int rank = 0;
  int size = 1;
  domain::DeviceKind device = domain::DeviceKind::Cpu;  ///< of all ranks
  std::string version;                                  ///< of the program
  bool isMeasured = true;                               ///< false: rank 0 reads and sends, whatever is faster
  /// Until all ranks load. What waits longer reads by itself.
  std::chrono::milliseconds joinTimeout{10'000};
  /// How much later than the others a rank may be with a bucket of weights.
  std::chrono::milliseconds callTimeout{30'000};
};

/// The workers of several ranks that load the same model: shareWeights() in a group that is made for the first load of this
/// process and ends with it. Whatever goes wrong, this process reads its files. A process that takes the place of another one of
/// the same rank finds in the store that the rank has been there, and reads at once. A rank that will not come can say so in the
/// store: Group::kVerdict. Rank 0 tells the user where the weights came from; the others write it to the log.
std::shared_ptr<diffusion::WeightFeed> makeWeightFeed(WeightFeedOptions options);

}  // namespace polyptych::distributed
