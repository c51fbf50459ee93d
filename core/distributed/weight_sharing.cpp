#include "core/distributed/weight_sharing.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <sstream>

#include "core/distributed/failure.h"

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Clock = std::chrono::steady_clock;

constexpr const char* kPhase = "the sharing of the weights";
constexpr std::size_t kLeastBuckets = 3;
constexpr double kGigabyte = 1e9;

/// Consecutive tensors: first..last-1.
struct Bucket {
  std::size_t first = 0;
  std::size_t last = 0;
  std::int64_t bytes = 0;
};

std::int64_t bytesOf(const at::Tensor& tensor) { return static_cast<std::int64_t>(tensor.nbytes()); }

std::vector<Bucket> bucketsOf(const std::vector<at::Tensor>& tensors, std::int64_t most) {
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::int64_t bytes = bytesOf(tensors[i]);
    if (buckets.empty() || buckets.back().bytes + bytes > most) {
      buckets.push_back({i, i, 0});
    }
    buckets.back().last = i + 1;
    buckets.back().bytes += bytes;
  }
  return buckets;
}

at::Tensor asBytes(const at::Tensor& tensor) { return tensor.view({-1}).view(at::kByte); }

class Sharing {
 public:
  Sharing(Group& group, const std::vector<at::Tensor>& tensors, const ReadWeight& read, const WeightSharingOptions& options)
      : m_group(group),
        m_tensors(tensors),
        m_read(read),
        m_options(options),
        m_buckets(bucketsOf(tensors, options.bucketBytes)),
        m_device(group.device() == domain::DeviceKind::Cuda ? at::kCUDA : at::kCPU) {}

  Result<WeightSharingReport> run() {
    if (const Result<void> same = compareLists(); !same) {
      return same.error();
    }
    for (const Bucket& bucket : m_buckets) {
      m_report.totalBytes += static_cast<std::uint64_t>(bucket.bytes);
    }
    m_report.source = m_options.source;
    std::size_t next = 0;
    if (m_report.source == WeightSource::Measured) {
      m_report.source = WeightSource::Files;
      if (m_group.size() > 1 && m_buckets.size() >= kLeastBuckets) {
        if (const Result<void> measured = measure(); !measured) {
          return measured.error();
        }
        next = 2;
        noteFilled(m_buckets[1]);
      }
    }
    for (; next < m_buckets.size(); ++next) {
      const bool isSent = m_report.source == WeightSource::Broadcast && m_group.size() > 1;
      if (const Result<void> done = isSent ? send(m_buckets[next]) : readAll(m_buckets[next]); !done) {
        return done.error();
      }
      noteFilled(m_buckets[next]);
    }
    return m_report;
  }

 private:
  void noteFilled(const Bucket& bucket) const {
    if (m_options.onFilled) {
      m_options.onFilled(bucket.last);
    }
  }

  /// The ranks call in step from here on: whoever has another list, or other wishes, would wait for what never comes.
  Result<void> compareLists() {
    std::ostringstream mine;
    mine << toString(m_options.source) << ' ' << m_options.root << ' ' << m_options.bucketBytes;
    for (const at::Tensor& tensor : m_tensors) {
      mine << ' ' << static_cast<int>(tensor.scalar_type());
      for (const std::int64_t side : tensor.sizes()) {
        mine << ',' << side;
      }
    }
    mine << ' ' << m_options.identity;
    const Result<std::vector<std::string>> all = m_group.gatherObjects(mine.str(), kPhase);
    if (!all) {
      return all.error();
    }
    for (std::size_t rank = 0; rank < all->size(); ++rank) {
      if ((*all)[rank] != all->front()) {
        return Error{ErrorCode::InvalidArgument,
                     "Rank " + std::to_string(rank) +
                         " shares other weights than rank 0, or in another way. Start all with the "
                         "same model and options.",
                     {}};
      }
    }
    return {};
  }

  Result<void> readAll(const Bucket& bucket) {
    for (std::size_t i = bucket.first; i < bucket.last; ++i) {
      if (const Result<void> done = m_read(i, m_tensors[i]); !done) {
        return done;
      }
    }
    return {};
  }

  /// From the root to the others, after its word that it has them.
  Result<void> send(const Bucket& bucket) {
    const bool isRoot = m_group.rank() == m_options.root;
    const Result<void> isRead = isRoot ? readAll(bucket) : Result<void>();
    const at::Tensor word = at::full({1}, isRead ? 1 : 0, at::TensorOptions().dtype(at::kByte).device(m_device));
    if (const Result<void> said = m_group.broadcast(word, m_options.root, kPhase); !said) {
      return said;
    }
    if (!isRead) {
      return isRead;
    }
    if (word.item<std::uint8_t>() == 0) {
      return Error{
          ErrorCode::Io,
          "Rank " + std::to_string(m_options.root) + " could not read the weights that it was to send; its own message says why.",
          {}};
    }
    if (bucket.bytes == 0) {
      return {};
    }
    if (bucket.last - bucket.first == 1) {
      return m_group.broadcast(asBytes(m_tensors[bucket.first]), m_options.root, kPhase);
    }
    if (!m_staging || m_staging->numel() < bucket.bytes) {
      m_staging = at::empty({bucket.bytes}, at::TensorOptions().dtype(at::kByte).device(m_device));
    }
    const at::Tensor staging = m_staging->narrow(0, 0, bucket.bytes);
    const auto forEachPart = [&](auto&& copy) {
      std::int64_t at = 0;
      for (std::size_t i = bucket.first; i < bucket.last; ++i) {
        const std::int64_t bytes = bytesOf(m_tensors[i]);
        copy(staging.narrow(0, at, bytes), asBytes(m_tensors[i]));
        at += bytes;
      }
    };
    if (isRoot) {
      forEachPart([](const at::Tensor& part, const at::Tensor& tensor) { part.copy_(tensor); });
    }
    if (const Result<void> sent = m_group.broadcast(staging, m_options.root, kPhase); !sent) {
      return sent;
    }
    if (!isRoot) {
      forEachPart([](const at::Tensor& part, const at::Tensor& tensor) { tensor.copy_(part); });
    }
    return {};
  }

  /// Fills the first two buckets in the two ways. All ranks come to the same choice.
  Result<void> measure() {
    // Begun by all at once: readers of one disk or one cache are in each other's way, as they will be.
    if (const Result<void> begun = m_group.barrier(kPhase); !begun) {
      return begun;
    }
    Clock::time_point start = Clock::now();
    const Result<void> isRead = readAll(m_buckets[0]);
    const double ownReading = isRead ? secondsSince(start) : -1.0;
    const Result<std::optional<double>> reading = slowest(ownReading);
    if (!reading) {
      return reading.error();
    }
    if (!isRead) {
      return isRead;
    }
    if (!*reading) {
      return Error{ErrorCode::Io, "Another rank could not read the weights; its own message says why.", {}};
    }
    start = Clock::now();
    if (const Result<void> sent = send(m_buckets[1]); !sent) {
      return sent;
    }
    const Result<std::optional<double>> sending = slowest(secondsSince(start));
    if (!sending) {
      return sending.error();
    }
    const auto speed = [](const Bucket& bucket, double seconds) {
      return static_cast<double>(bucket.bytes) / std::max(seconds, 1e-9);
    };
    m_report.readBytesPerSecond = speed(m_buckets[0], **reading);
    m_report.broadcastBytesPerSecond = speed(m_buckets[1], **sending);
    m_report.source =
        m_report.broadcastBytesPerSecond > m_report.readBytesPerSecond ? WeightSource::Broadcast : WeightSource::Files;
    return {};
  }

  static double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

  /// The longest of all ranks' times; nothing if a rank gives a negative one: it failed.
  Result<std::optional<double>> slowest(double seconds) {
    const Result<std::vector<at::Tensor>> all =
        m_group.allGather(at::full({1}, seconds, at::TensorOptions().dtype(at::kDouble).device(m_device)), kPhase);
    if (!all) {
      return all.error();
    }
    double most = 0;
    for (const at::Tensor& one : *all) {
      const double value = one.item<double>();
      if (value < 0) {
        return std::optional<double>();
      }
      most = std::max(most, value);
    }
    return std::optional<double>(most);
  }

  Group& m_group;
  const std::vector<at::Tensor>& m_tensors;
  const ReadWeight& m_read;
  const WeightSharingOptions m_options;
  const std::vector<Bucket> m_buckets;
  const at::DeviceType m_device;
  std::optional<at::Tensor> m_staging;
  WeightSharingReport m_report;
};

}  // namespace

std::string toString(WeightSource source) {
  switch (source) {
    case WeightSource::Measured:
      return "measured";
    case WeightSource::Files:
      return "files";
    case WeightSource::Broadcast:
      return "broadcast";
  }
  return "files";
}

std::string WeightSharingReport::sentence() const {
  const auto gigabytes = [](double bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f GB", bytes / kGigabyte);
    return std::string(text.data());
  };
  const bool isSmall = static_cast<double>(totalBytes) < kGigabyte;
  std::string text =
      (isSmall ? std::to_string((totalBytes + 999'999) / 1'000'000) + " MB" : gigabytes(static_cast<double>(totalBytes))) +
      " of weights came from " +
      (source == WeightSource::Broadcast ? "one rank that read and sent them" : "the files of each rank");
  if (readBytesPerSecond > 0) {
    text += " (reading " + gigabytes(readBytesPerSecond) + "/s, sending " + gigabytes(broadcastBytesPerSecond) + "/s)";
  }
  return text + ".";
}

Result<WeightSharingReport> shareWeights(Group& group, const std::vector<at::Tensor>& tensors, const ReadWeight& read,
                                         const WeightSharingOptions& options) {
  if (options.root < 0 || options.root >= group.size() || options.bucketBytes < 1) {
    return Error{ErrorCode::InvalidArgument,
                 "Weights cannot be shared from rank " + std::to_string(options.root) + " of " + std::to_string(group.size()) +
                     " in buckets of " + std::to_string(options.bucketBytes) + " bytes.",
                 {}};
  }
  try {
    return Sharing(group, tensors, read, options).run();
  } catch (...) {
    return errorOfCurrentException("share the weights", "Check the memory of the device.");
  }
}

}  // namespace polyptych::distributed
