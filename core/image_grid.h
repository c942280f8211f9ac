// An image or a volume, channels last, seen as three axes: depth, height, width.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "view.h"

namespace ratnet::inline v1 {

// Three numbers, one for each of D, H, W; for an image that of D is 1 voxel, or unused.
using Size3 = std::array<std::int64_t, 3>;

struct ImageGrid {
  Size3 size{1, 1, 1};  // D, H, W in voxels
  std::int64_t channels = 1;

  std::int64_t voxels() const { return size[0] * size[1] * size[2]; }
  std::int64_t at(std::int64_t d, std::int64_t h, std::int64_t w) const {
    return (d * size[1] + h) * size[2] + w;
  }
};

// Two sizes as [1, H, W], three as they are. Throws Error (usage), naming `who`, for other numbers
// of sizes and for sizes below 1.
Size3 three_axes(const char* who, std::span<const std::int64_t> sizes);

// Of f32 [H, W, C] or [D, H, W, C]. Throws Error (usage), naming `who`, for anything else.
ImageGrid image_grid(const char* who, const ConstView& image);

// Throws Error (usage), naming `who`, unless mask is u8 [H, W] or [D, H, W] of the image's sizes.
void check_mask(const char* who, const ConstView& image, const ConstView& mask);

}  // namespace ratnet::inline v1
