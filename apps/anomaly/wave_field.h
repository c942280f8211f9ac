// Smooth random fields without a lattice: sums of waves in random directions. Where such a field is
// zero, lines of nearly equal distance meander and branch, as the folds of a cortex do.
#pragma once

#include <vector>

#include "../../core/random.h"

namespace ratnet::inline v1 {

// A place in a head: mm from its centre to the right, to the back and to the top.
struct HeadPoint {
  double x, y, z;
};

// Mean 0, standard deviation 1 over space. `length` is the waves' in mm, each wave's own within
// `spread` (a share of it). The waves are cubic polynomials in place of cosines: quick, and the
// same on every machine.
class WaveField {
 public:
  WaveField(Random& random, int waves, double length, double spread);

  double at(const HeadPoint& p) const;

 private:
  struct Wave {
    double x, y, z, phase;  // turns for each mm; turns
  };
  std::vector<Wave> waves_;
  double gain_;
};

}  // namespace ratnet::inline v1
