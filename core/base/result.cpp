#include "core/base/result.h"

#include <array>

namespace polyptych::base {
namespace {

struct CodeName {
  ErrorCode code;
  std::string_view name;
};

constexpr std::array kCodeNames{
    CodeName{ErrorCode::InvalidArgument, "invalid_argument"},
    CodeName{ErrorCode::NotFound, "not_found"},
    CodeName{ErrorCode::Unsupported, "unsupported"},
    CodeName{ErrorCode::Corrupt, "corrupt"},
    CodeName{ErrorCode::ModelUnusable, "model_unusable"},
    CodeName{ErrorCode::OutOfMemory, "out_of_memory"},
    CodeName{ErrorCode::DeviceLost, "device_lost"},
    CodeName{ErrorCode::WorkerDied, "worker_died"},
    CodeName{ErrorCode::Io, "io"},
    CodeName{ErrorCode::DiskFull, "disk_full"},
    CodeName{ErrorCode::AlreadyExists, "already_exists"},
    CodeName{ErrorCode::Protocol, "protocol"},
    CodeName{ErrorCode::VersionMismatch, "version_mismatch"},
    CodeName{ErrorCode::Timeout, "timeout"},
    CodeName{ErrorCode::Cancelled, "cancelled"},
    CodeName{ErrorCode::Internal, "internal"},
};

}  // namespace

std::string_view toString(ErrorCode code) {
  for (const CodeName& entry : kCodeNames) {
    if (entry.code == code) {
      return entry.name;
    }
  }
  return "internal";
}

ErrorCode errorCodeFromString(std::string_view name) {
  for (const CodeName& entry : kCodeNames) {
    if (entry.name == name) {
      return entry.code;
    }
  }
  return ErrorCode::Internal;
}

}  // namespace polyptych::base
