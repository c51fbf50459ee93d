#include "core/diffusion/trace.h"

#include <ATen/Functions.h>

#include <cstdio>

#include "core/checkpoint/safetensors.h"
#include "core/diffusion/failure.h"

namespace polyptych::diffusion {
namespace {

checkpoint::Dtype dtypeOf(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return checkpoint::Dtype::F32;
    case at::kDouble:
      return checkpoint::Dtype::F64;
    case at::kHalf:
      return checkpoint::Dtype::F16;
    case at::kBFloat16:
      return checkpoint::Dtype::BF16;
    case at::kLong:
      return checkpoint::Dtype::I64;
    case at::kInt:
      return checkpoint::Dtype::I32;
    default:
      throw EngineFailure({base::ErrorCode::Internal, "A tensor of this type cannot be traced.", c10::toString(type)});
  }
}

}  // namespace

void Trace::add(const std::string& name, const at::Tensor& tensor) {
  if (!m_isWanted) {
    return;
  }
  // A copy always: the loop goes on to change or free what it hands over.
  m_tensors.emplace_back(name, tensor.to(at::kCPU).clone(at::MemoryFormat::Contiguous));
}

void Trace::add(const std::string& name, int call, const at::Tensor& tensor) {
  if (!m_isWanted) {
    return;
  }
  char number[16];
  std::snprintf(number, sizeof number, ".%03d", call);
  add(name + number, tensor);
}

std::vector<std::byte> Trace::bytes() const {
  if (!m_isWanted) {
    return {};
  }
  std::vector<checkpoint::NamedTensor> named;
  named.reserve(m_tensors.size());
  for (const auto& [name, tensor] : m_tensors) {
    const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
    named.push_back({name, {dtypeOf(tensor.scalar_type()), tensor.sizes().vec(), {data, tensor.nbytes()}}});
  }
  auto file = checkpoint::writeSafetensors(named);
  if (!file) {
    throw EngineFailure(file.error());
  }
  return std::move(file).value();
}

}  // namespace polyptych::diffusion
