// Which samples an epoch holds and in what order: shuffled, but so that images stored together are
// read together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

struct OrderOptions {
  std::uint64_t seed = 0;
  bool shuffle = true;
  bool balance = false;
  std::int64_t copies = 1;       // of every image in an epoch
  std::int64_t block = 1;        // images that are read together
  std::int64_t window_rows = 0;  // images held at once: blocks are shuffled, then rows in a window
};

// One use of an image; `copy` tells its repeated uses within an epoch apart.
struct Draw {
  std::int64_t index = 0;
  std::int32_t copy = 0;
};

// A stretch of the epoch and the images it needs.
struct OrderWindow {
  std::int64_t begin = 0;  // of EpochOrder::draws
  std::int64_t end = 0;
  std::vector<std::int64_t> rows;  // ascending, each once
};

struct EpochOrder {
  std::vector<Draw> draws;
  std::vector<OrderWindow> windows;
};

// As many draws as indices, `copies` times. Plain: each index once in each copy. Balanced: every
// class that occurs equally often (within one), a class's images equally often (within one), the
// odd ones drawn anew each epoch; `labels` is indexed by the indices. Every window but the last has
// at least window_rows draws or more than window_rows - block images.
EpochOrder epoch_order(std::span<const std::int64_t> indices, std::span<const std::uint8_t> labels,
                       const OrderOptions& options, std::int64_t epoch);

}  // namespace ratnet::inline v1
