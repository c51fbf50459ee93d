#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace polyptych::cluster {

/// Which of a list's elements are one rank's: [begin, end), and then the list's last element `padding` times more.
struct Share {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t padding = 0;

  std::size_t size() const { return end - begin + padding; }
  friend bool operator==(const Share&, const Share&) = default;
};

/// accelerate's rule (state.py, PartialState.split_between_processes): contiguous blocks, the first ranks get one element more
/// each until the remainder is used up; with padding every rank has as many as the first. One process has everything, unpadded.
/// @param worldSize  1 or more. @param rank  0 to worldSize - 1
/// @return InvalidArgument for such numbers, and for padding an empty list: it has no last element
base::Result<Share> shareOf(std::size_t length, int worldSize, int rank, bool isPadded = false);

/// The elements of a share of `list`; the share must be of a list of that length.
template <typename T>
std::vector<T> take(const std::vector<T>& list, const Share& share) {
  std::vector<T> taken(list.begin() + static_cast<std::ptrdiff_t>(share.begin),
                       list.begin() + static_cast<std::ptrdiff_t>(share.end));
  if (share.padding > 0) {
    taken.insert(taken.end(), share.padding, list.back());
  }
  return taken;
}

/// One rank's part of a dictionary of lists: of each list the same elements. The caller's dictionary stays whole.
/// @return as shareOf(); InvalidArgument if the lists have different lengths
template <typename T>
base::Result<std::map<std::string, std::vector<T>>> splitDictionary(const std::map<std::string, std::vector<T>>& dictionary,
                                                                    int worldSize, int rank, bool isPadded = false) {
  const std::size_t length = dictionary.empty() ? 0 : dictionary.begin()->second.size();
  for (const auto& [key, list] : dictionary) {
    if (list.size() != length) {
      return base::Error{base::ErrorCode::InvalidArgument,
                         "Every list of a dictionary must have the same length to be split between processes: '" +
                             dictionary.begin()->first + "' has " + std::to_string(length) + " elements, '" + key + "' has " +
                             std::to_string(list.size()) + ".",
                         {}};
    }
  }
  std::map<std::string, std::vector<T>> part;
  if (dictionary.empty()) {
    return part;
  }
  const base::Result<Share> share = shareOf(length, worldSize, rank, isPadded);
  if (!share) {
    return share.error();
  }
  for (const auto& [key, list] : dictionary) {
    part[key] = take(list, *share);
  }
  return part;
}

}  // namespace polyptych::cluster
