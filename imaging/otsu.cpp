#include "otsu.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "../core/error.h"

namespace ratnet::inline v1 {

double otsu_threshold(std::span<const float> values, double low, double high) {
  require(std::isfinite(low) && std::isfinite(high) && low < high, "otsu: no range from ", low,
          " to ", high);
  constexpr std::size_t kBins = 256;
  const double width = (high - low) / kBins;
  std::array<double, kBins> counts{};
  for (const float value : values) {
    const double bin = std::clamp((static_cast<double>(value) - low) / width, 0.0, kBins - 1.0);
    ++counts[static_cast<std::size_t>(bin)];
  }
  double total = 0, sum = 0;  // of bins, then of those up to the level
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    total += counts[bin];
    sum += counts[bin] * static_cast<double>(bin);
  }
  double below = 0, sum_below = 0, best = 0;
  std::size_t level = 0;
  for (std::size_t bin = 0; bin + 1 < kBins; ++bin) {
    below += counts[bin];
    sum_below += counts[bin] * static_cast<double>(bin);
    const double above = total - below;
    if (below == 0 || above == 0) continue;
    const double apart = sum_below / below - (sum - sum_below) / above;
    const double between = below * above * apart * apart;
    if (between > best) {
      best = between;
      level = bin;
    }
  }
  return low + static_cast<double>(level + 1) * width;
}

}  // namespace ratnet::inline v1
