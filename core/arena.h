// Places blocks with known lifetimes in one stretch of memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

// A block is needed from step `first` to step `last`, both included.
struct Lifetime {
  std::size_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct ArenaLayout {
  std::vector<std::size_t> offsets;  // one per block, each a multiple of 64
  std::size_t bytes = 0;             // size of the whole arena
};

// Offsets such that blocks alive at the same step never overlap. Largest block first, each at the
// lowest offset that fits (greedy by size; Pisarchyk and Lee, 2020).
ArenaLayout plan_arena(std::span<const Lifetime> blocks);

}  // namespace ratnet::inline v1
