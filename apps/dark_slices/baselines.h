// The simple rules RatNet has to beat. Every score is higher for a darker slice.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "brain_level.h"

namespace ratnet::inline v1 {

// Logistic regression on (log brain level, log ghost ratio): the rule that is hard to beat. Its
// three coefficients are fitted on training animals and kept in the model.
struct LogisticBaseline {
  double intercept = 0;
  double level = 0;  // of log(brain / brain level of the run or file)
  double ghost = 0;  // of log(ghost ratio)

  // Log-odds of dark.
  double score(const SliceMeasures& measures, double brain_level) const;
};

// Fits by Newton's method with a slight ridge (1e-3), so that separable data have an answer.
// labels: [N], 0 good, 1 dark, others passed over, as are empty slices. Throws Error (usage) when a
// class is absent, lengths differ or brain_level is not positive.
LogisticBaseline fit_logistic(std::span<const SliceMeasures> measures,
                              std::span<const std::uint8_t> labels, double brain_level);

// How many robust standard deviations (1.4826 median absolute deviations, at least 1% of the
// median) each slice's brain mean lies below its median over volumes. levels: [volumes * slices],
// slices fastest; NaN marks slices to leave out, whose score is 0.
std::vector<double> darkness_through_time(std::span<const float> levels, std::int64_t slices);

// One rule's scores for all slices.
struct BaselineScores {
  std::string name;
  std::vector<double> scores;  // [N], NaN-free; empty slices have the lowest score
};

// "whole-image mean", "brain mean", "ghost ratio", "logistic", in this order.
std::vector<BaselineScores> baseline_scores(std::span<const SliceMeasures> measures,
                                            double brain_level, const LogisticBaseline& logistic);

}  // namespace ratnet::inline v1
