#pragma once

#include <QString>
#include <cstdint>
#include <string>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "core/backend/backend.h"
#include "core/base/result.h"
#include "core/cluster/launch_environment.h"

namespace polyptych::cli {

/// What rank 0 has fixed for all ranks of a group.
struct GroupAgreement {
  std::uint64_t seed = 0;
  bool wasSeedDrawn = false;
  int threads = 1;
  domain::ComputeType computeType = domain::ComputeType::Fp32;
  QString fingerprint;  ///< of the whole run
  QString site;         ///< tells this start of the group from every other one
  Weights weights = Weights::Files;
  bool isGpu = false;            ///< rank 0's device
  std::vector<bool> isFinished;  ///< by position in the run's list, when the run began
};

/// Seeds, number type and threads of every request and of the plan.
void apply(const GroupAgreement& agreement, backend::RunSpec& spec);

/// As rank 0 tells it. @param spec  that the agreement was applied to
QString toText(const GroupAgreement& agreement, const backend::RunSpec& spec, Split split, int size);

/// Compares what rank 0 was started with and what this rank was, and applies what is fixed.
/// @param spec  of this rank; changed
/// @return VersionMismatch, or InvalidArgument, with what to start otherwise
base::Result<GroupAgreement> agree(const QString& text, const cluster::LaunchEnvironment& environment, Split split,
                                   backend::RunSpec& spec);

/// Flags in a text that travels: packed, compressed, base64.
QString textOfFlags(const std::vector<bool>& flags);
/// @return InvalidArgument if they are not that many
base::Result<std::vector<bool>> flagsOfText(const QString& text, std::size_t size);

}  // namespace polyptych::cli
