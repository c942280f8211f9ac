// One label's voxels in an image, as the figures of segmentations take them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "../core/view.h"

namespace ratnet::inline v1 {

struct Mask {
  int dimensions = 3;                          // 2: a slice, sizes[0] is 1
  std::array<std::int64_t, 3> sizes{1, 1, 1};  // Z, Y, X
  std::vector<std::uint8_t> voxels;            // [Z, Y, X], 1 inside

  std::int64_t count() const { return sizes[0] * sizes[1] * sizes[2]; }
  std::int64_t inside() const;  // how many voxels are 1
  bool operator==(const Mask&) const = default;
};

// Where a label map, [Z, Y, X] or [Y, X], u8 or i32, on the host, holds `label`. Throws Error
// (usage) for other shapes and types.
Mask mask_of(ConstView labels, std::int32_t label);

// The smallest box with all voxels of both masks, and the masks in it. One without voxels where
// both are empty. Throws Error (usage) where the sizes differ.
struct MaskPair {
  Mask first;
  Mask second;
};
MaskPair cropped_to_both(const Mask& first, const Mask& second);

// The surface: voxels inside with a neighbour across a face (4 in a slice, 6 in a volume) outside.
// Beyond the image is outside.
Mask surface_of(const Mask& mask);

// Squared Euclidean distance from each voxel's centre to the nearest centre of a voxel inside, mm2:
// the exact transform, one axis after the other (Felzenszwalb and Huttenlocher, Theory of Computing
// 2012). spacing: mm between centres in the order of the mask's sizes, 3 for a volume, 2 for a
// slice. Infinite where the mask is empty. Throws Error (usage) for a spacing that is not positive.
std::vector<double> squared_distances(const Mask& mask, std::span<const double> spacing);

}  // namespace ratnet::inline v1
