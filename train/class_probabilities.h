// Figures of probabilities over several classes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration.h"

namespace ratnet::inline v1 {

// In what follows probabilities: [N, classes], rows that add up to 1 within 0.001; labels: [N],
// each below `classes`. Throws Error: usage (sizes, labels, classes < 2), input (a row that is no
// distribution). Figures of no samples are NaN.

// Area under the ROC curve of each class against all others; NaN for a class without samples or
// with all of them.
std::vector<double> auroc_by_class(std::span<const double> probabilities,
                                   std::span<const std::uint8_t> labels, int classes);

// Mean over the classes where it is defined.
double macro_auroc(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                   int classes);

// Mean of -log P(true class), in nats; infinite where a true class was given probability 0.
double log_loss(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                int classes);

// Mean over samples of the sum over classes of (P - [is the class])^2: 0 is best, 2 worst (Brier
// 1950). With two classes this is twice the score of P(positive) alone.
double brier_score(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                   int classes);

// calibration() of the most probable class (the first of equals): is it right as often as it is
// sure? In the bins mean_probability is the confidence and positive_fraction the accuracy.
Calibration confidence_calibration(std::span<const double> probabilities,
                                   std::span<const std::uint8_t> labels, int classes,
                                   int bins = 15);

}  // namespace ratnet::inline v1
