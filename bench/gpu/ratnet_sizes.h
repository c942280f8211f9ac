// The layers of RatNet as sizes: see apps/dark_slices/ratnet.h.
#pragma once

#include <cstdint>

#include "../../kernels/window.h"

namespace ratnet::inline v1 {

inline constexpr std::int64_t kImageSize = 64;  // rows and columns
inline constexpr std::int64_t kChannels = 32;   // out of every convolution
inline constexpr std::int64_t kParameters = 281'346;

struct ConvSize {
  const char* name;
  std::int64_t size, in;  // rows and columns; channels
};
inline constexpr ConvSize kConvSizes[] = {{"conv1", 64, 1}, {"conv2", 32, 32}, {"conv3", 16, 32}};

struct DenseSize {
  const char* name;
  std::int64_t in, out;
};
inline constexpr DenseSize kDenseSizes[] = {{"dense", 2048, 128}, {"logits", 128, 2}};

inline constexpr Window kThree{
    .rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}};
inline constexpr Window kPool{.rank = 2, .kernel = {2, 2}, .stride = {2, 2}};

}  // namespace ratnet::inline v1
