#include "arena.h"

#include <algorithm>
#include <numeric>

namespace ratnet::inline v1 {

ArenaLayout plan_arena(std::span<const Lifetime> blocks) {
  constexpr std::size_t kAlignment = 64;
  const auto padded = [](std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  };
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });

  ArenaLayout layout;
  layout.offsets.resize(blocks.size());
  std::vector<std::size_t> placed;  // by rising offset
  for (const std::size_t block : order) {
    const std::size_t size = padded(blocks[block].bytes);
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together =
          blocks[other].first <= blocks[block].last && blocks[block].first <= blocks[other].last;
      if (!together) continue;
      if (offset + size <= layout.offsets[other]) break;  // fits in the gap before it
      offset = std::max(offset, layout.offsets[other] + padded(blocks[other].bytes));
    }
    layout.offsets[block] = offset;
    layout.bytes = std::max(layout.bytes, offset + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), block,
                                   [&](std::size_t a, std::size_t b) {
                                     return layout.offsets[a] < layout.offsets[b];
                                   }),
                  block);
  }
  return layout;
}

}  // namespace ratnet::inline v1
