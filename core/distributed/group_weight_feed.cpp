#include "core/distributed/group_weight_feed.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "core/diffusion/weight_feed.h"
#include "core/distributed/group.h"
#include "core/distributed/weight_sharing.h"

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

/// Two buckets are measured, so that there should be some more of them.
constexpr std::int64_t kBuckets = 8;
constexpr std::int64_t kLeastBucket = std::int64_t(64) << 10;
constexpr std::int64_t kMostBucket = std::int64_t(64) << 20;

/// Looks, while it lives, whether the load was cancelled: the load's own thread waits for other processes.
class CancelWatch {
 public:
  CancelWatch(const domain::LoadObserver& observer, std::function<void()> onCancelled)
      : m_thread([this, &observer, call = std::move(onCancelled)](const std::stop_token& stop) {
          std::unique_lock lock(m_mutex);
          while (!m_changed.wait_for(lock, stop, kBetweenLooks, [] { return false; }) && !stop.stop_requested()) {
            if (observer.isCancelled()) {
              call();
              return;
            }
          }
        }) {}

 private:
  static constexpr milliseconds kBetweenLooks{50};
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::jthread m_thread;  ///< ends first
};

class GroupWeightFeed : public diffusion::WeightFeed {
 public:
  explicit GroupWeightFeed(WeightFeedOptions options) : m_options(std::move(options)) {}

  bool meet(const domain::LoadObserver& observer) override {
    m_report.reset();
    if (std::exchange(m_isSpent, true) || m_options.size < 2) {
      return false;
    }
    if (const Result<bool> met = join(observer); !met || !*met) {
      m_group.reset();
      m_store.reset();
      if (!met) {
        explain(met.error());
      }
      return false;
    }
    return true;
  }

  bool fill(const std::string& identity, const std::vector<at::Tensor>& tensors, const Read& read, const Progress& progress,
            const domain::LoadObserver& observer) override {
    std::int64_t total = 0;
    for (const at::Tensor& tensor : tensors) {
      total += static_cast<std::int64_t>(tensor.nbytes());
    }
    WeightSharingOptions options;
    options.source = m_options.isMeasured ? WeightSource::Measured : WeightSource::Broadcast;
    options.bucketBytes = std::clamp(total / kBuckets, kLeastBucket, kMostBucket);
    options.identity = identity;
    options.onFilled = progress;
    const ReadWeight readUnlessCancelled = [&](std::size_t index, const at::Tensor& tensor) -> Result<void> {
      return observer.isCancelled() ? Error{ErrorCode::Cancelled, "The load was cancelled.", {}} : read(index, tensor);
    };
    Result<WeightSharingReport> shared = [&] {
      const CancelWatch watch(observer, [this] { m_group->abort(); });
      Result<WeightSharingReport> done = shareWeights(*m_group, tensors, readUnlessCancelled, options);
      if (done && done->source == WeightSource::Broadcast) {
        // Who ends its connections early may take what is still under way along. What is filled stays, whoever is missing.
        static_cast<void>(m_group->barrier("the end of the sharing of the weights"));
      }
      return done;
    }();
    if (!shared) {
      // A group that failed waits for its last call. The files need not.
      m_ending = std::jthread([group = std::move(m_group), store = std::move(m_store)]() mutable {
        group.reset();
        store.reset();
      });
      explain(shared.error());
      return false;
    }
    m_group.reset();
    m_store.reset();
    tell(shared->sentence());
    return true;
  }

  std::optional<domain::Warning> takeReport() override { return std::exchange(m_report, std::nullopt); }

 private:
  /// @return false: this rank has loaded before
  Result<bool> join(const domain::LoadObserver& observer) {
    Result<std::unique_ptr<Store>> store = Store::connect(m_options.store, m_options.joinTimeout);
    if (!store) {
      return store.error();
    }
    m_store = std::move(*store);
    const Result<std::int64_t> begun = m_store->add("begun/" + std::to_string(m_options.rank), 1);
    if (!begun) {
      return begun.error();
    }
    if (*begun > 1) {
      // Who still waits for the first one waits in vain.
      static_cast<void>(m_store->compareSet(
          Group::kVerdict, "",
          "unsupported\nThe worker of rank " + std::to_string(m_options.rank) + " was started again; it loads by itself."));
      return false;
    }
    GroupOptions options;
    options.rank = m_options.rank;
    options.size = m_options.size;
    options.device = m_options.device;
    options.version = m_options.version;
    options.joinTimeout = m_options.joinTimeout;
    options.callTimeout = m_options.callTimeout;
    const CancelWatch watch(observer, [this] { m_store->abort(); });
    Result<std::unique_ptr<Group>> group = Group::join(*m_store, options);
    if (!group) {
      return group.error();
    }
    m_group = std::move(*group);
    return true;
  }

  void explain(const Error& error) {
    if (error.code != ErrorCode::Cancelled) {
      tell("Each rank reads the weights from its own files: " + error.message);
    }
  }

  void tell(const std::string& sentence) {
    if (m_options.rank == 0) {
      m_report = domain::Warning{domain::WarningCode::Other, sentence};
    } else {
      std::fprintf(stderr, "%s\n", sentence.c_str());
    }
  }

  const WeightFeedOptions m_options;
  bool m_isSpent = false;
  std::unique_ptr<Store> m_store;
  std::unique_ptr<Group> m_group;
  std::optional<domain::Warning> m_report;
  std::jthread m_ending;  ///< of the group and its store
};

}  // namespace

std::shared_ptr<diffusion::WeightFeed> makeWeightFeed(WeightFeedOptions options) {
  return std::make_shared<GroupWeightFeed>(std::move(options));
}

}  // namespace polyptych::distributed
