// Everything that is reported of a classifier of two classes, in one call.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "bootstrap.h"
#include "calibration.h"
#include "classification.h"
#include "roc.h"

namespace ratnet::inline v1 {

struct BinaryMetrics {
  std::int64_t n = 0;
  std::int64_t positives = 0;
  double auroc = 0;
  Interval auroc_interval;
  double auprc = 0;
  OperatingPoint at_1pct_fpr;    // the largest recall at a false-positive rate <= 0.01
  double calibration_error = 0;  // NaN where the scores are no probabilities
  OperatingPoint at_threshold;   // what the given threshold does
  ConfusionMatrix confusion;     // at the given threshold; class 1 = positive
};

struct BinaryMetricsOptions {
  double threshold = 0.5;
  bool scores_are_probabilities = true;
  BootstrapOptions bootstrap{};
};

// scores: [N]; labels: [N], 0 or 1; subjects: [N] or empty (see bootstrap_interval). Errors and
// undefined figures (NaN) as documented at each.
BinaryMetrics binary_metrics(std::span<const double> scores, std::span<const std::uint8_t> labels,
                             std::span<const std::string> subjects,
                             const BinaryMetricsOptions& options = {});

}  // namespace ratnet::inline v1
