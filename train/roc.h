// How well scores separate two classes: curves over every threshold and points on them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

// Samples sorted by score, highest first: sorted once, it serves every figure below and every
// bootstrap resample. A sample is called positive when its score is >= the threshold, so equal
// scores always fall together.
struct Ranking {
  std::vector<double> scores;          // [N], descending
  std::vector<std::uint8_t> labels;    // [N], 1 = positive
  std::vector<std::size_t> positions;  // [N], where the sample stood in the input
};

// scores: [N], higher = more positive, infinities allowed; labels: [N], 0 or 1. Throws Error:
// usage when the lengths differ or a label is neither 0 nor 1, input when a score is NaN.
Ranking rank_scores(std::span<const double> scores, std::span<const std::uint8_t> labels);

// In what follows `counts` says how often each sample (in the order of the input) is taken; empty
// takes each once. Figures that are not defined, because a class is absent, are NaN.

// Area under the ROC curve: the probability that a positive scores above a negative, ties half.
double auroc(const Ranking& ranking, std::span<const std::uint32_t> counts = {});

// Area under the precision-recall curve as average precision: sum of precision x gain in recall
// over the distinct scores, without interpolation. NaN without positives.
double auprc(const Ranking& ranking, std::span<const std::uint32_t> counts = {});

struct OperatingPoint {
  double threshold = 0;            // positive when score >= threshold
  double recall = 0;               // true-positive rate
  double false_positive_rate = 0;  // of all negatives
};

// The point with the largest recall whose false-positive rate is <= `rate` on these samples (no
// interpolation between points, so never optimistic). The threshold lies midway between the lowest
// score admitted and the highest one refused; above every score, with recall 0, when even the
// highest score brings too many false positives (NaN when that score is infinite: nothing lies
// above it). On validation data this chooses the threshold for
// a stated false-positive rate. All NaN when a class is absent. Throws Error (usage) unless
// 0 <= rate <= 1.
OperatingPoint point_at_false_positive_rate(const Ranking& ranking, double rate,
                                            std::span<const std::uint32_t> counts = {});

// What a given threshold does on these samples.
OperatingPoint point_at_threshold(const Ranking& ranking, double threshold,
                                  std::span<const std::uint32_t> counts = {});

}  // namespace ratnet::inline v1
