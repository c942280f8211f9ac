// Order statistics.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace ratnet::inline v1 {

// The value below which `share` (0 to 1) of the values lie, without interpolation; reorders them.
// 0 for none.
template <class T>
T quantile(std::vector<T>& values, double share) {
  if (values.empty()) return T(0);
  const auto n =
      static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + n, values.end());
  return values[static_cast<std::size_t>(n)];
}

}  // namespace ratnet::inline v1
