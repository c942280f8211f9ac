#include "calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

std::size_t check_logits(std::span<const double> logits, int classes) {
  require(classes >= 2, "softmax over ", classes, " classes");
  const auto width = static_cast<std::size_t>(classes);
  require(logits.size() % width == 0, logits.size(), " logits are no rows of ", classes);
  for (std::size_t i = 0; i < logits.size(); ++i)
    if (!std::isfinite(logits[i]))
      fail(ErrorKind::input, "logit ", i % width, " of sample ", i / width, " is not finite");
  return logits.size() / width;
}

// The mean loss and its first two derivatives by b, where b = 1/T.
struct Loss {
  double value = 0;
  double slope = 0;
  double curvature = 0;
};

Loss loss_at(double b, std::span<const double> logits, std::span<const std::uint8_t> labels,
             std::size_t classes) {
  Loss sum;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    const double top = *std::max_element(row.begin(), row.end());
    double weight = 0, first = 0, second = 0;
    for (const double logit : row) {
      const double z = logit - top;
      const double e = std::exp(b * z);
      weight += e;
      first += e * z;
      second += e * z * z;
    }
    const double mean = first / weight;
    const double own = row[labels[i]] - top;
    sum.value += std::log(weight) - b * own;
    sum.slope += mean - own;
    sum.curvature += std::max(0.0, second / weight - mean * mean);
  }
  const auto n = static_cast<double>(labels.size());
  return {sum.value / n, sum.slope / n, sum.curvature / n};
}

}  // namespace

Calibration calibration(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                        int bins) {
  require(probabilities.size() == labels.size(), probabilities.size(), " probabilities for ",
          labels.size(), " labels");
  require(bins >= 1, "calibration over ", bins, " bins");
  std::vector<double> probability_sum(static_cast<std::size_t>(bins));
  std::vector<double> positives(static_cast<std::size_t>(bins));
  Calibration result;
  result.bins.resize(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities[i];
    require(labels[i] <= 1, "label ", int{labels[i]}, " where 0 or 1 is needed");
    if (!(p >= 0 && p <= 1))
      fail(ErrorKind::input, "the probability of sample ", i, " is ", p, ", not in [0, 1]");
    const int bin = std::clamp(static_cast<int>(std::ceil(p * bins)) - 1, 0, bins - 1);
    const auto b = static_cast<std::size_t>(bin);
    ++result.bins[b].count;
    probability_sum[b] += p;
    positives[b] += labels[i];
  }
  double gaps = 0;
  for (std::size_t b = 0; b < result.bins.size(); ++b) {
    const auto count = static_cast<double>(result.bins[b].count);
    result.bins[b].mean_probability = probability_sum[b] / count;
    result.bins[b].positive_fraction = positives[b] / count;
    gaps += std::abs(probability_sum[b] - positives[b]);
  }
  result.error = gaps / static_cast<double>(labels.size());
  return result;
}

std::vector<double> softmax_probabilities(std::span<const double> logits, int classes, int which,
                                          double temperature) {
  const std::size_t n = check_logits(logits, classes);
  require(which >= 0 && which < classes, "class ", which, " is not one of ", classes);
  require(temperature > 0 && std::isfinite(temperature), "a temperature of ", temperature);
  const auto width = static_cast<std::size_t>(classes);
  std::vector<double> result(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = logits.subspan(i * width, width);
    const double top = *std::max_element(row.begin(), row.end());
    double weight = 0;
    for (const double logit : row) weight += std::exp((logit - top) / temperature);
    result[i] = std::exp((row[static_cast<std::size_t>(which)] - top) / temperature) / weight;
  }
  return result;
}

TemperatureFit fit_temperature(std::span<const double> logits, std::span<const std::uint8_t> labels,
                               int classes) {
  const std::size_t n = check_logits(logits, classes);
  require(n == labels.size(), n, " rows of logits for ", labels.size(), " labels");
  for (const std::uint8_t label : labels)
    require(label < classes, "label ", int{label}, " is not one of ", classes, " classes");
  if (std::all_of(labels.begin(), labels.end(), [&](auto label) { return label == labels[0]; }))
    fail(ErrorKind::input, "a temperature needs validation samples of at least two classes");

  const auto width = static_cast<std::size_t>(classes);
  const auto at = [&](double b) { return loss_at(b, logits, labels, width); };
  TemperatureFit fit{.loss_before = at(1).value};
  double low = 1 / kGreatestTemperature, high = 1 / kLeastTemperature, b = 1;
  if (at(low).slope >= 0 || at(high).slope <= 0) {
    fit.at_bound = true;
    b = at(low).slope >= 0 ? low : high;
  } else {
    for (int i = 0; i < 200 && high - low > 1e-10 * b; ++i) {
      const Loss loss = at(b);
      if (loss.slope == 0) break;
      (loss.slope > 0 ? high : low) = b;
      const double newton = b - loss.slope / loss.curvature;
      const bool inside = newton > low && newton < high;  // false for NaN too
      const double next = inside ? newton : std::sqrt(low * high);
      if (std::abs(next - b) <= 1e-12 * b) break;
      b = next;
    }
  }
  fit.temperature = 1 / b;
  fit.loss_after = at(b).value;
  return fit;
}

}  // namespace ratnet::inline v1
