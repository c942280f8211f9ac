#include "time_opinion.h"

#include <algorithm>
#include <cmath>

#include "../../core/error.h"
#include "../../core/quantile.h"

namespace ratnet::inline v1 {

std::vector<double> dimming_through_time(std::span<const float> levels, std::int64_t slices) {
  const auto step = static_cast<std::size_t>(std::max<std::int64_t>(slices, 1));
  require(slices >= 1 && levels.size() % step == 0, levels.size(),
          " values are not whole volumes of ", slices, " slices");
  std::vector<double> dimming(levels.size(), 0);
  if (levels.size() / step < static_cast<std::size_t>(kLeastVolumesForTime)) return dimming;
  for (std::size_t s = 0; s < step; ++s) {
    std::vector<float> values;
    for (std::size_t i = s; i < levels.size(); i += step)
      if (std::isfinite(levels[i])) values.push_back(levels[i]);
    if (values.empty()) continue;
    const float usual = quantile(values, 0.5);
    if (usual <= 0) continue;
    for (std::size_t i = s; i < levels.size(); i += step) {
      if (!std::isfinite(levels[i])) continue;
      const double ratio = static_cast<double>(levels[i]) / static_cast<double>(usual);
      dimming[i] = std::clamp(-std::log(std::max(ratio, 1e-3)), -0.3, 0.5);
    }
  }
  return dimming;
}

double add_time_opinion(double log_odds, double dimming) {
  constexpr double kLogOdds = 1.5, kDimming = 14, kOffset = -1.7;
  return kLogOdds * log_odds + kDimming * dimming + kOffset;
}

}  // namespace ratnet::inline v1
