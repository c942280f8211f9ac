// An element of a tensor [N, D, H, W, C].
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace ratnet::inline v1 {

// Splits an index into [sample, position, channel].
struct GridPlace {
  std::int64_t sample, at[3], channel;
  GridPlace() = default;
  __device__ GridPlace(std::int64_t i, std::int64_t channels, const std::int64_t* sizes) {
    channel = i % channels;
    i /= channels;
    for (int d = 2; d >= 0; --d) {
      at[d] = i % sizes[d];
      i /= sizes[d];
    }
    sample = i;
  }
};

}  // namespace ratnet::inline v1
