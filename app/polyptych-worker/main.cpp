#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/shared_pages.h"
#include "core/diffusion/engine.h"
#include "core/distributed/group_weight_feed.h"
#include "core/distributed/pair.h"
#include "core/distributed/rendezvous.h"
#include "core/worker/pair_engine.h"
#include "core/worker/worker.h"

namespace {

using namespace polyptych;

std::shared_ptr<diffusion::WeightFeed> makeFeed(const worker::WorkerOptions& options) {
  if (!options.sharedLoad) {
    return nullptr;
  }
  distributed::WeightFeedOptions feed;
  feed.store.host = options.sharedLoad->host;
  feed.store.port = options.sharedLoad->port;
  feed.store.prefix = options.sharedLoad->prefix;
  feed.rank = options.sharedLoad->rank;
  feed.size = options.sharedLoad->size;
  feed.device = options.kind;
  feed.version = POLYPTYCH_VERSION;
  feed.isMeasured = options.sharedLoad->isMeasured;
  return distributed::makeWeightFeed(std::move(feed));
}

base::Result<std::unique_ptr<domain::Engine>> makeEngine(const worker::WorkerOptions& options) {
  std::shared_ptr<base::SharedPages> shared;
  if (options.sharedMemoryFd >= 0) {
    base::Result<std::unique_ptr<base::SharedPages>> opened = base::SharedPages::open(options.sharedMemoryFd);
    if (!opened) {
      return opened.error();
    }
    shared = std::move(*opened);
  }
  distributed::PairOptions pair;
  pair.device = options.kind;
  pair.version = POLYPTYCH_VERSION;
  if (options.isPartner) {
    return diffusion::makeEngine(options.kind, options.threads, distributed::makePairHelper(pair, options.token), shared);
  }
  if (!options.partner) {
    return diffusion::makeEngine(options.kind, options.threads, nullptr, shared, makeFeed(options));
  }
  auto partner = std::make_shared<worker::Partner>(options);
  const distributed::PairLeader leader =
      distributed::makePairLeader(pair, [partner](const domain::UnitOfWork& unit) { return partner->begin(unit); });
  std::unique_ptr<domain::Engine> own =
      diffusion::makeEngine(options.kind, options.threads, leader.source, shared, makeFeed(options));
  return std::unique_ptr<domain::Engine>(std::make_unique<worker::PairEngine>(std::move(own), partner, leader.link));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "rendezvous") {
    const std::vector<std::string> words(argv + 2, argv + argc);
    return distributed::rendezvousMain(words);
  }
  return worker::workerMain(argc, argv, makeEngine);
}
