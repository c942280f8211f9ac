// A scan as another scanner might store it.
#pragma once

#include "../../imaging/nifti.h"

namespace ratnet::test {

// Calls what(here, there) for every voxel of a scan of one volume: its places in the scan and in it
// as stored_otherwise().
template <class What>
void each_voxel(const ScanGeometry& scan, const What& what) {
  const auto& [columns, rows, slices] = scan.sizes;
  std::size_t here = 0;
  for (std::int64_t z = 0; z < slices; ++z)
    for (std::int64_t y = 0; y < rows; ++y)
      for (std::int64_t x = 0; x < columns; ++x)
        what(here++,
             static_cast<std::size_t>((slices - 1 - z) + slices * (x + columns * (rows - 1 - y))));
}

// With its axes in the order z, x, y and the first and last of them turned round.
inline Volume stored_otherwise(const Volume& scan) {
  Volume other;
  ScanGeometry& to = other.geometry;
  const ScanGeometry& from = scan.geometry;
  to = from;
  to.sizes = {from.sizes[2], from.sizes[0], from.sizes[1]};
  constexpr std::size_t kFrom[3] = {2, 0, 1};
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double step = from.affine[row][kFrom[axis]];
      to.affine[row][axis] = axis == 1 ? step : -step;
      if (axis != 1) to.affine[row][3] += step * static_cast<double>(to.sizes[axis] - 1);
    }
  to.spacing = spacing_of(to.affine);
  to.orientation = orientation_of(to.affine);
  to.slice_axis = 0;
  other.data = Tensor({1, to.sizes[2], to.sizes[1], to.sizes[0]}, DType::f32);
  each_voxel(from, [&](std::size_t here, std::size_t there) {
    other.data.values<float>()[there] = scan.data.values<float>()[here];
  });
  return other;
}

}  // namespace ratnet::test
