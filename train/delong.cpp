#include "delong.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "../core/error.h"
#include "roc.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Of each sample, in the order of the input: the part of the other class that it stands on the
// right side of, ties half. Their mean over either class is the area.
struct Placements {
  std::vector<double> positives;
  std::vector<double> negatives;
};

Placements placements_of(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  const Ranking ranking = rank_scores(scores, labels);
  const std::size_t n = scores.size();
  const auto positives = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  const double negatives = static_cast<double>(n) - positives;
  std::vector<double> parts(n);  // by position in the input
  double positives_above = 0, negatives_above = 0;
  for (std::size_t i = 0; i < n;) {
    std::size_t end = i;
    double tied_positives = 0, tied_negatives = 0;
    for (; end < n && ranking.scores[end] == ranking.scores[i]; ++end)
      (ranking.labels[end] != 0 ? tied_positives : tied_negatives) += 1;
    for (; i < end; ++i)
      parts[ranking.positions[i]] =
          ranking.labels[i] != 0 ? (negatives - negatives_above - tied_negatives / 2) / negatives
                                 : (positives_above + tied_positives / 2) / positives;
    positives_above += tied_positives;
    negatives_above += tied_negatives;
  }
  Placements placements;
  for (std::size_t i = 0; i < n; ++i)
    (labels[i] != 0 ? placements.positives : placements.negatives).push_back(parts[i]);
  return placements;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// The variance of the mean; NaN for fewer than two.
double variance_of_mean(const std::vector<double>& values) {
  if (values.size() < 2) return kNaN;
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  const auto n = static_cast<double>(values.size());
  return sum / (n - 1) / n;
}

double standard_error(const Placements& placements) {
  return std::sqrt(variance_of_mean(placements.positives) + variance_of_mean(placements.negatives));
}

// How many standard errors to either side hold this part of a normal distribution.
double normal_width(double confidence) {
  require(confidence > 0 && confidence < 1, "a confidence of ", confidence,
          " is not between 0 and 1");
  double low = 0, high = 40;  // beyond 40 nothing is left in double precision
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::numbers::sqrt2) > 1 - confidence ? low : high) = middle;
  }
  return low;
}

AurocEstimate estimate(const Placements& placements, double width) {
  if (placements.positives.empty() || placements.negatives.empty()) return {kNaN, kNaN, kNaN, kNaN};
  AurocEstimate result{.auroc = mean(placements.positives),
                       .standard_error = standard_error(placements)};
  const double reach = width * result.standard_error;
  // Written so that NaN stays.
  result.low = result.auroc - reach < 0 ? 0 : result.auroc - reach;
  result.high = result.auroc + reach > 1 ? 1 : result.auroc + reach;
  return result;
}

std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> result;
  for (std::size_t i = 0; i < a.size(); ++i) result.push_back(a[i] - b[i]);
  return result;
}

}  // namespace

AurocEstimate delong_interval(std::span<const double> scores, std::span<const std::uint8_t> labels,
                              double confidence) {
  return estimate(placements_of(scores, labels), normal_width(confidence));
}

DelongTest delong_test(std::span<const double> first, std::span<const double> second,
                       std::span<const std::uint8_t> labels, double confidence) {
  const double width = normal_width(confidence);
  const Placements a = placements_of(first, labels), b = placements_of(second, labels);
  DelongTest test{.first = estimate(a, width), .second = estimate(b, width)};
  test.difference = test.first.auroc - test.second.auroc;
  // Of the differences themselves, so that no rounding is left where the two rank alike.
  test.standard_error = standard_error(
      {differences(a.positives, b.positives), differences(a.negatives, b.negatives)});
  test.low = test.difference - width * test.standard_error;
  test.high = test.difference + width * test.standard_error;
  const bool alike = test.standard_error == 0 && test.difference == 0;
  test.z = alike ? 0 : test.standard_error > 0 ? test.difference / test.standard_error : kNaN;
  test.p = std::erfc(std::abs(test.z) / std::numbers::sqrt2);
  return test;
}

}  // namespace ratnet::inline v1
