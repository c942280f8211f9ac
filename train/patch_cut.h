// Where a patch of an image or a volume lies, and what is in it.
#pragma once

#include <cstdint>
#include <optional>

#include "../core/image_grid.h"
#include "../core/random.h"

namespace ratnet::inline v1 {

// Whether draw `index` is among the share of all draws that something shall have: every stretch of
// draws has its share, not only the mean.
bool in_share(double share, std::int64_t index);

// The voxel of the corner of a patch of that size about a voxel (its place in the grid), moved
// inside where it is near the border, or anywhere inside. Along an axis where the grid is the
// smaller one the patch has it in its middle: the corner is then negative.
Size3 patch_corner(const ImageGrid& grid, const Size3& size,
                   const std::optional<std::int64_t>& about, Random& random);

// Copies the patch of that size with its corner at `first` of an image u8, u16, i16 or f32 [grid,
// channels] to memory of the same type; `outside` is what lies outside the image. Throws Error
// (internal) for other types.
void cut_patch(const ConstView& image, const ImageGrid& grid, const Size3& first, const Size3& size,
               double outside, void* to);

}  // namespace ratnet::inline v1
