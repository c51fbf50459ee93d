#include "core/diffusion/engine.h"
#include "core/worker/worker.h"

int main(int argc, char** argv) {
  using namespace polyptych;
  return worker::workerMain(argc, argv,
                            [](const worker::WorkerOptions& options) -> base::Result<std::unique_ptr<domain::Engine>> {
                              return diffusion::makeEngine(options.kind, options.threads);
                            });
}
