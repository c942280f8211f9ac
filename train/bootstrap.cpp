#include "bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <vector>

#include "../core/error.h"
#include "../core/quantile.h"
#include "../core/random.h"

namespace ratnet::inline v1 {

Interval bootstrap_interval(std::int64_t n, std::span<const std::string> subjects,
                            const Statistic& statistic, const BootstrapOptions& options) {
  require(n >= 0, "bootstrap of ", n, " samples");
  const auto samples = static_cast<std::size_t>(n);
  require(subjects.empty() || subjects.size() == samples, subjects.size(), " subjects for ", n,
          " samples");
  require(options.resamples >= 1, "bootstrap needs at least one resample, not ", options.resamples);
  require(options.confidence > 0 && options.confidence < 1, "a confidence of ", options.confidence,
          " is not between 0 and 1");

  // Units are numbered by first appearance.
  std::vector<std::size_t> unit_of(samples);
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < samples; ++i)
    unit_of[i] = subjects.empty() ? i : known.try_emplace(subjects[i], known.size()).first->second;
  const std::size_t units = subjects.empty() ? samples : known.size();

  Interval interval{.low = std::numeric_limits<double>::quiet_NaN(),
                    .high = std::numeric_limits<double>::quiet_NaN(),
                    .by_subject = !subjects.empty(),
                    .units = static_cast<std::int64_t>(units),
                    .defined = 0};
  if (units == 0) return interval;

  std::vector<double> values;
  std::vector<std::uint32_t> drawn(units), counts(samples);
  for (int resample = 0; resample < options.resamples; ++resample) {
    Random random(options.seed, static_cast<std::uint64_t>(resample));
    std::fill(drawn.begin(), drawn.end(), 0u);
    for (std::size_t i = 0; i < units; ++i)
      ++drawn[static_cast<std::size_t>(random.integer(interval.units))];
    for (std::size_t i = 0; i < samples; ++i) counts[i] = drawn[unit_of[i]];
    const double value = statistic(counts);
    if (!std::isnan(value)) values.push_back(value);
  }
  interval.defined = static_cast<std::int64_t>(values.size());
  if (interval.defined * 2 < options.resamples) return interval;
  interval.low = quantile_linear(values, (1 - options.confidence) / 2);
  interval.high = quantile_linear(values, (1 + options.confidence) / 2);
  return interval;
}

}  // namespace ratnet::inline v1
