// Soft edges between what phantoms are drawn from.
#pragma once

#include <algorithm>

namespace ratnet::inline v1 {

// 0 at x <= a, 1 at x >= b, smooth between.
inline double ramp(double x, double a, double b) {
  const double t = std::clamp((x - a) / (b - a), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

inline double mix(double a, double b, double share) { return a + share * (b - a); }

}  // namespace ratnet::inline v1
