// Smooth random fields: normal numbers on a lattice, interpolated between its points.
#pragma once

#include <vector>

#include "../../core/random.h"

namespace ratnet::inline v1 {

// A field over x, y (0..63) and z (0..14), the phantom's own coordinates; about mean 0 and
// standard deviation 1, constant beyond its ends.
class NoiseField {
 public:
  // cell_xy, cell_z: distance between lattice points in pixels and in slices.
  NoiseField(Random& random, double cell_xy, double cell_z);

  double at(double x, double y, double z) const;

 private:
  double cell_xy_, cell_z_;
  int nx_, nz_;
  std::vector<float> lattice_;  // [nz, nx, nx]
};

// The same along one axis of n points; `cell` is the distance between lattice points.
std::vector<float> smooth_noise(Random& random, int n, double cell);

}  // namespace ratnet::inline v1
