// Padding and window sizes as people write them, shared by convolution and pooling.
#pragma once

#include <cstdint>
#include <vector>

#include "../core/shape.h"

namespace ratnet::inline v1 {

struct Window;

// same: as many positions as ceil(input / stride), the odd pixel of padding at the end.
// valid: no padding. custom: pad_before and pad_after as given.
enum class Padding : std::uint8_t { same, valid, custom };

// One number per spatial dimension; a single number stands for all, none for 1 (0 in paddings).
using Sizes = std::vector<std::int64_t>;

// The number for spatial dimension d of `rank`; `otherwise` where there is none. Throws Error
// (usage), beginning with `who`, where there are neither one nor `rank` numbers of `what`.
std::int64_t size_along(const Sizes& sizes, int d, int rank, std::int64_t otherwise,
                        const char* who, const char* what);

struct SlidingSizes {
  const Sizes& kernel;
  const Sizes& stride;
  const Sizes& dilation;
  Padding padding;
  const Sizes& pad_before;
  const Sizes& pad_after;
};

// The window over an input [N, spatial..., C]. Throws Error (usage), beginning with `who`, where
// the numbers do not fit the input's rank.
Window window_over(const Shape& input, const SlidingSizes& sizes, const char* who);

}  // namespace ratnet::inline v1
