#include <string>
#include <string_view>
#include <vector>

#include "core/diffusion/engine.h"
#include "core/distributed/rendezvous.h"
#include "core/worker/worker.h"

int main(int argc, char** argv) {
  using namespace polyptych;
  if (argc > 1 && std::string_view(argv[1]) == "rendezvous") {
    const std::vector<std::string> words(argv + 2, argv + argc);
    return distributed::rendezvousMain(words);
  }
  return worker::workerMain(argc, argv,
                            [](const worker::WorkerOptions& options) -> base::Result<std::unique_ptr<domain::Engine>> {
                              return diffusion::makeEngine(options.kind, options.threads);
                            });
}
