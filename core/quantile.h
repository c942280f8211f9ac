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

// Linear between the two nearest order statistics, as NumPy's default; reorders them. values: one
// or more.
template <class T>
double quantile_linear(std::vector<T>& values, double share) {
  const double place = share * static_cast<double>(values.size() - 1);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(values.begin(), middle, values.end());
  const auto below = static_cast<double>(*middle);
  if (middle + 1 == values.end()) return below;
  const auto above = static_cast<double>(*std::min_element(middle + 1, values.end()));
  return below + (place - std::floor(place)) * (above - below);
}

}  // namespace ratnet::inline v1
