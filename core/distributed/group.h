#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/distributed/store.h"
#include "core/domain/engine.h"

namespace polyptych::distributed {

/// Which process of which group this is.
struct GroupOptions {
  int rank = 0;
  int localRank = 0;  ///< among the processes of this machine
  int size = 1;
  domain::DeviceKind device = domain::DeviceKind::Cpu;  ///< NCCL for GPUs (one rank a GPU), Gloo for CPUs
  /// This machine's address that the others reach; empty: the one that it reaches the store from. (A machine's own name often has
  /// the loopback's address, which no other machine reaches.)
  std::string hostAddress;
  std::string version;  ///< of the program: all must be equal
  std::chrono::milliseconds joinTimeout{60'000};
  std::chrono::milliseconds callTimeout{60'000};
};

/// Processes that do something together, over c10d. Collectives are called by all ranks in the same order; each ends within the
/// time-out of a call, and the first that fails ends the group: every later call gives the same error, on every rank sooner or
/// later. Errors name the ranks that are missing, their hosts, and the phase. Tensors: contiguous, on the group's device, equal
/// shapes and types on all ranks. For one thread, but abort().
class Group {
 public:
  /// A key of the store: "code\nsentence" ends the meeting of all that wait in join(), with that error. For a process that knows
  /// that a rank will not come.
  static constexpr const char* kVerdict = "verdict";

  /// Waits until all ranks are there and have said the same version. SIGPIPE is ignored from here on, unless the process handles
  /// it. @param store  outlives the group
  /// @return Timeout with the ranks that did not come; VersionMismatch; InvalidArgument for a rank that is there twice;
  /// DeviceLost (NCCL without a driver); Unsupported (NCCL in a program without CUDA)
  static base::Result<std::unique_ptr<Group>> join(Store& store, const GroupOptions& options);
  /// Waits for calls under way at most as long as a call may take.
  ~Group();

  int rank() const { return m_options.rank; }
  int localRank() const { return m_options.localRank; }
  int size() const { return m_options.size; }
  bool isMain() const { return m_options.rank == 0; }
  domain::DeviceKind device() const { return m_options.device; }

  /// Of the calls from now on, in place of GroupOptions::callTimeout.
  void limitCalls(std::chrono::milliseconds limit) { m_callTimeout = limit; }
  void restoreLimit() { m_callTimeout = m_options.callTimeout; }

  /// @param phase  for errors: "the start of the run"
  base::Result<void> barrier(const std::string& phase);
  /// Fills every rank's tensor with the root's.
  base::Result<void> broadcast(at::Tensor tensor, int root, const std::string& phase);
  /// @return one tensor a rank, in their order
  base::Result<std::vector<at::Tensor>> allGather(const at::Tensor& tensor, const std::string& phase);
  /// The same for bytes of any length; no type travels, nothing is executed.
  base::Result<std::vector<std::string>> gatherObjects(const std::string& bytes, const std::string& phase);

  /// From any thread: the call under way ends soon with Cancelled, and so does every later one. The other ranks fail by their
  /// time-outs, or as soon as they see the connection close.
  void abort();
  /// What ended the group; nothing while it is well.
  std::optional<base::Error> failure() const;

  struct Backend;

 private:
  Group(Store& store, GroupOptions options);
  static GroupOptions withAddress(GroupOptions options, const Store& store);
  base::Result<void> meet();
  base::Error condemn(base::Error error);
  base::Result<std::string> helloOf(int rank, std::chrono::steady_clock::time_point end);
  template <typename Start>
  base::Result<void> run(const std::string& phase, Start start);
  base::Error withMissing(base::Error error, const std::string& phase);

  Store& m_store;
  const GroupOptions m_options;
  std::chrono::milliseconds m_callTimeout;
  std::vector<std::string> m_hosts;  ///< by rank: "host, process 4711"
  std::unique_ptr<Backend> m_backend;
  std::uint64_t m_calls = 0;
  std::atomic<bool> m_isAborted = false;
  mutable std::mutex m_mutex;
  std::optional<base::Error> m_failure;
};

}  // namespace polyptych::distributed
