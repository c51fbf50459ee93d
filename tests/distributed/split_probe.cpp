// Prints every share for split_parity.py: a line "length world rank padded: elements" each, elements counted from 0.
#include <cstdio>
#include <numeric>

#include "core/cluster/split.h"

using namespace polyptych;

int main() {
  for (std::size_t length = 0; length <= 40; ++length) {
    std::vector<int> list(length);
    std::iota(list.begin(), list.end(), 0);
    const std::map<std::string, std::vector<int>> dictionary{{"a", list}, {"b", list}};
    for (int world = 1; world <= 9; ++world) {
      for (int rank = 0; rank < world; ++rank) {
        for (const bool isPadded : {false, true}) {
          const auto share = cluster::shareOf(length, world, rank, isPadded);
          const auto part = cluster::splitDictionary(dictionary, world, rank, isPadded);
          std::printf("%zu %d %d %d:", length, world, rank, isPadded ? 1 : 0);
          if (!share || !part) {
            std::printf(" refused");
          } else {
            const std::vector<int> taken = cluster::take(list, *share);
            if (part->at("a") != taken || part->at("b") != taken) {
              std::printf(" dictionary differs");
            }
            for (const int element : taken) {
              std::printf(" %d", element);
            }
          }
          std::printf("\n");
        }
      }
    }
  }
  return 0;
}
