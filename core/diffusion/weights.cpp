#include "core/diffusion/weights.h"

#include <ATen/ATen.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/diffusion/failure.h"

namespace polyptych::diffusion {
namespace {

constexpr std::size_t kShownFaults = 10;

std::optional<at::ScalarType> floatingType(checkpoint::Dtype dtype) {
  switch (dtype) {
    case checkpoint::Dtype::F16:
      return at::kHalf;
    case checkpoint::Dtype::BF16:
      return at::kBFloat16;
    case checkpoint::Dtype::F32:
      return at::kFloat;
    case checkpoint::Dtype::F64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

at::Tensor mappedTensor(const checkpoint::WeightSet& set, const checkpoint::TensorView& view, at::ScalarType stored) {
  // ATen takes no read-only memory; nothing here or in the networks writes to weights.
  void* bytes = const_cast<std::byte*>(view.bytes.data());
  return at::from_blob(
      bytes, view.shape, [keep = set.keepAlive()](void*) {}, at::TensorOptions().dtype(stored));
}

std::string shapeText(at::IntArrayRef shape) {
  std::string text = "[";
  for (const std::int64_t side : shape) {
    text += (text.size() == 1 ? "" : ", ") + std::to_string(side);
  }
  return text + "]";
}

}  // namespace

std::vector<CopiedWeight> copiedWeights(const checkpoint::WeightSet& set, at::Device device, at::ScalarType type) {
  std::vector<CopiedWeight> copied;
  for (std::string& name : set.names()) {
    const checkpoint::TensorView& view = *set.find(name);
    const auto stored = floatingType(view.dtype);
    if (stored && !(device.is_cpu() && *stored == type)) {
      at::Tensor mapped = mappedTensor(set, view, *stored);
      copied.push_back({std::move(name), std::move(mapped)});
    }
  }
  return copied;
}

WeightReader::WeightReader(checkpoint::WeightSet set, std::string what, at::Device device, at::ScalarType type,
                           domain::LoadObserver& observer, std::uint64_t doneBefore, std::uint64_t total,
                           std::shared_ptr<base::SharedPages> shared, FilledWeights filled)
    : m_set(std::move(set)),
      m_what(std::move(what)),
      m_device(device),
      m_type(type),
      m_observer(observer),
      m_done(doneBefore),
      m_total(total != 0 ? total : doneBefore + m_set.totalBytes()),
      m_shared(std::move(shared)),
      m_filled(std::move(filled)) {}

at::Tensor WeightReader::take(const std::string& name, at::IntArrayRef shape) {
  if (m_observer.isCancelled()) {
    throw EngineFailure({base::ErrorCode::Cancelled, "Loading the model was cancelled.", {}});
  }
  const auto fault = [&](std::string sentence) {
    m_faults.push_back(std::move(sentence));
    return at::zeros({1}, at::TensorOptions().dtype(m_type)).expand(shape);
  };
  m_taken.insert(name);
  const checkpoint::TensorView* view = m_set.find(name);
  if (view == nullptr) {
    return fault("missing: " + name + " " + shapeText(shape));
  }
  if (at::IntArrayRef(view->shape) != shape) {
    return fault("wrong shape: " + name + " is " + shapeText(view->shape) + ", the config asks for " + shapeText(shape));
  }
  const auto stored = floatingType(view->dtype);
  if (!stored) {
    return fault("not floating-point numbers: " + name + " (" + std::string(checkpoint::toString(view->dtype)) + ")");
  }
  at::Tensor tensor = convert(name, *view, *stored);
  m_done += view->bytes.size();
  m_observer.onBytes(m_done, m_total);
  return tensor;
}

void WeightReader::ignore(const std::string& name) {
  if (const checkpoint::TensorView* view = m_set.find(name); view != nullptr && m_taken.insert(name).second) {
    m_done += view->bytes.size();
  }
}

at::Tensor WeightReader::convert(const std::string& name, const checkpoint::TensorView& view, at::ScalarType stored) {
  if (const auto filled = m_filled.find(name); filled != m_filled.end()) {
    at::Tensor tensor = std::move(filled->second);
    m_filled.erase(filled);  // once it is in another layout, nobody needs this one
    return tensor;
  }
  const at::Tensor mapped = mappedTensor(m_set, view, stored);
  if (m_device.is_cpu()) {
    if (stored == m_type) {
      m_mapped.insert(mapped.const_data_ptr());
    }
    return mapped.to(m_type);
  }
  // Converting on the device moves the smaller of the two types over the bus only when the file's is smaller; weights rarely are
  // larger.
  return mapped.to(m_device).to(m_type);
}

void releasePages(const at::Tensor& mapped) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped.const_data_ptr());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + mapped.nbytes()) / page * page;
  if (end > first) {
    // Advice: nothing is lost if the system does not take it.
    static_cast<void>(madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED));
  }
}

base::Result<void> WeightReader::finish() {
  for (const std::string& name : m_set.names()) {
    if (!m_taken.contains(name)) {
      m_faults.push_back("not part of this model: " + name + " " + shapeText(m_set.find(name)->shape));
    }
  }
  if (m_faults.empty()) {
    return {};
  }
  std::string message = "The weights of \"" + m_what + "\" do not fit its config.json (" + std::to_string(m_faults.size()) +
                        (m_faults.size() == 1 ? " tensor" : " tensors") + "): ";
  for (std::size_t i = 0; i < std::min(m_faults.size(), kShownFaults); ++i) {
    message += (i == 0 ? "" : "; ") + m_faults[i];
  }
  message += m_faults.size() > kShownFaults ? "; and more. " : ". ";
  message += "Get the model's files anew, all from the same place.";
  return base::Error{base::ErrorCode::ModelUnusable, std::move(message), {}};
}

}  // namespace polyptych::diffusion
