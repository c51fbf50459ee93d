#include "core/pool/poison_rule.h"

#include <vector>

namespace polyptych::pool {

using base::ErrorCode;

bool PoisonRule::isDeath(ErrorCode code) {
  switch (code) {
    case ErrorCode::WorkerDied:
    case ErrorCode::Timeout:
    case ErrorCode::DeviceLost:
    case ErrorCode::Protocol:
    case ErrorCode::Io:
    case ErrorCode::Internal:
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
    case ErrorCode::Unsupported:
    case ErrorCode::Corrupt:
    case ErrorCode::ModelUnusable:
    case ErrorCode::AlreadyExists:
      return true;
    case ErrorCode::OutOfMemory:      // the ladder's
    case ErrorCode::DiskFull:         // the disk's
    case ErrorCode::VersionMismatch:  // the installation's
    case ErrorCode::Cancelled:
      return false;
  }
  return true;
}

std::string PoisonRule::sentenceFor(int deaths, const base::Error& last, const Rung& rung) const {
  std::vector<std::string> proposals;
  if (rung.pictures > 1) {
    proposals.emplace_back("a smaller batch");
  }
  if (!rung.vaeTiling) {
    proposals.emplace_back("VAE tiling");
  }
  proposals.emplace_back("a smaller size");
  std::string list = proposals.front();
  for (std::size_t i = 1; i < proposals.size(); ++i) {
    list += (i + 1 == proposals.size() ? " or " : ", ") + proposals[i];
  }
  return "Parked: " + std::to_string(deaths) + (deaths == 1 ? " worker" : " workers") +
         " ended while making it. The last time: " + last.message + " Try it again with " + list + ".";
}

}  // namespace polyptych::pool
