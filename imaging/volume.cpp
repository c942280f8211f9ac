#include "volume.h"

#include <cmath>

namespace ratnet::inline v1 {

std::array<double, 3> spacing_of(const Affine& affine) {
  std::array<double, 3> spacing{};
  for (std::size_t axis = 0; axis < 3; ++axis)
    spacing[axis] = std::hypot(affine[0][axis], affine[1][axis], affine[2][axis]);
  return spacing;
}

std::string orientation_of(const Affine& affine) {
  // Columns scaled to length 1, so that thick slices weigh no more than thin ones.
  const std::array<double, 3> spacing = spacing_of(affine);
  double m[3][3];
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (!(spacing[axis] > 0) || !std::isfinite(spacing[axis])) return "";
      m[row][axis] = affine[row][axis] / spacing[axis];
    }
  const double determinant = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
                             m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
                             m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  if (!(std::abs(determinant) > 1e-6)) return "";

  // Of the six ways to pair array axes with world axes, the one with the most in common.
  constexpr std::size_t kPairings[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                           {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  double best = -1;
  std::string codes;
  for (const auto& world : kPairings) {
    double common = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) common += std::abs(m[world[axis]][axis]);
    // A hair's breadth more is rounding, not a better pairing.
    if (common <= best + 1e-9) continue;
    best = common;
    codes.clear();
    for (std::size_t axis = 0; axis < 3; ++axis)
      codes += (m[world[axis]][axis] > 0 ? "RAS" : "LPI")[world[axis]];
  }
  return codes;
}

void check(const Volume& volume) {
  const ScanGeometry& g = volume.geometry;
  const Shape expected{g.times, g.sizes[2], g.sizes[1], g.sizes[0]};
  require(volume.data && volume.data.dtype() == DType::f32 && volume.data.shape() == expected,
          "volume: data is ", name_of(volume.data.dtype()), " ", to_string(volume.data.shape()),
          ", its geometry asks for f32 ", to_string(expected));
}

}  // namespace ratnet::inline v1
