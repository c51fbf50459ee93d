#include "core/diffusion/engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "core/diffusion/cuda_device.h"
#include "core/diffusion/failure.h"
#include "core/diffusion/generation_run.h"
#include "core/diffusion/guidance_exchange.h"
#include "core/diffusion/weight_feed.h"

namespace polyptych::diffusion {
namespace {

at::ScalarType scalarTypeOf(domain::ComputeType type) {
  switch (type) {
    case domain::ComputeType::Fp16:
      return at::kHalf;
    case domain::ComputeType::Bf16:
      return at::kBFloat16;
    case domain::ComputeType::Fp32:
      return at::kFloat;
    case domain::ComputeType::Auto:
      break;
  }
  throw EngineFailure({base::ErrorCode::InvalidArgument, "A run plan names its arithmetic: fp32, fp16 or bf16.", {}});
}

std::string cpuName() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "CPU";
}

domain::DeviceReport cpuDeviceReport() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long pageBytes = sysconf(_SC_PAGE_SIZE);
  const std::uint64_t bytes =
      pages > 0 && pageBytes > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(pageBytes) : 0;
  return {domain::DeviceKind::Cpu, cpuName(), {}, bytes};
}

class TorchEngine : public domain::Engine {
 public:
  TorchEngine(domain::DeviceKind kind, std::shared_ptr<ExchangeSource> partners, std::shared_ptr<base::SharedPages> shared,
              std::shared_ptr<WeightFeed> feed)
      : m_kind(kind),
        m_partners(std::move(partners)),
        m_shared(std::move(shared)),
        m_feed(std::move(feed)),
        m_device(kind == domain::DeviceKind::Cuda ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU)) {}

  base::Result<domain::DeviceReport> device() const override {
    return m_kind == domain::DeviceKind::Cuda ? cudaDeviceReport() : cpuDeviceReport();
  }

  base::Result<domain::LoadedModelReport> load(const domain::ModelSpec& model, domain::ComputeType type,
                                               domain::LoadObserver& observer) override {
    unload();
    const auto start = std::chrono::steady_clock::now();
    try {
      const c10::InferenceMode guard;
      m_model = loadModel(model, scalarTypeOf(type), m_device, observer, m_shared, m_feed.get());
    } catch (...) {
      return errorOfCurrentException("load the model");
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    domain::LoadedModelReport report{m_model->weightBytes, seconds.count(), {}};
    if (auto said = m_feed != nullptr ? m_feed->takeReport() : std::nullopt) {
      report.warnings.push_back(*std::move(said));
    }
    return report;
  }

  base::Result<domain::UnitOutcome> generate(const domain::UnitOfWork& unit, domain::GenerateObserver& observer) override {
    if (auto valid = validate(unit); !valid) {
      return valid.error();
    }
    if (!m_model) {
      return base::Error{base::ErrorCode::Internal, "No model is loaded.", {}};
    }
    try {
      const c10::InferenceMode guard;
      return GenerationRun(*m_model, unit, observer, m_preview, m_partners.get()).run();
    } catch (...) {
      return errorOfCurrentException("make the picture");
    }
  }

  void unload() override {
    m_preview.reset();
    const bool hadModel = m_model != nullptr;
    m_model.reset();
    if (m_shared != nullptr) {
      m_shared->releaseAll();  // of a load that failed, too
    }
    if (!hadModel) {
      return;
    }
    if (m_kind == domain::DeviceKind::Cuda) {
      emptyCudaCache();
    } else {
      ::malloc_trim(0);
    }
  }

 private:
  domain::DeviceKind m_kind;
  std::shared_ptr<ExchangeSource> m_partners;
  std::shared_ptr<base::SharedPages> m_shared;  ///< outlives what was shared
  std::shared_ptr<WeightFeed> m_feed;
  at::Device m_device;
  std::unique_ptr<const LoadedModel> m_model;
  std::unique_ptr<LatentPreview> m_preview;
};

}  // namespace

std::unique_ptr<domain::Engine> makeEngine(domain::DeviceKind kind, int threads, std::shared_ptr<ExchangeSource> partners,
                                           std::shared_ptr<base::SharedPages> shared, std::shared_ptr<WeightFeed> feed) {
  at::set_num_threads(threads);
  // Equal requests give equal bytes: no algorithm is chosen by timing, none adds in an order of its own.
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  // fp32 is fp32: the ten bits of TF32 would make other pictures than the CPU's.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  return std::make_unique<TorchEngine>(kind, std::move(partners), std::move(shared), std::move(feed));
}

}  // namespace polyptych::diffusion
