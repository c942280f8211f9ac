// How well a graph tells the classes of samples apart.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../../train/calibration.h"
#include "../../train/class_output.h"
#include "../../train/classification.h"
#include "../../train/delong.h"
#include "../../train/mcnemar.h"
#include "../../train/metrics.h"

namespace ratnet::inline v1 {

// What a graph says of n samples whose class is known.
struct ClassCalls {
  int classes = 0;
  std::vector<std::uint8_t> labels;   // [n]
  std::vector<std::string> subjects;  // [n]; empty where none are known
  std::vector<std::uint8_t> calls;    // [n], the most likely class
  std::vector<double> probabilities;  // [n, classes]
  std::vector<double> margins;        // [n], ClassOutput::margin(); empty with more than 2 classes
};

// scores: [n, output.width], as the graph gives them. Throws Error (usage) for other sizes.
ClassCalls class_calls(const ClassOutput& output, std::span<const float> scores,
                       std::vector<std::uint8_t> labels, std::vector<std::string> subjects);

struct ClassFigures {
  ConfusionMatrix confusion;
  Interval accuracy;                   // of the share of right calls
  std::vector<double> auroc_by_class;  // each against all others
  double macro_auroc = 0;
  double log_loss = 0;
  double brier_score = 0;
  // Of two classes P(class 1), of more that of the most likely class.
  Calibration calibration;
  std::optional<BinaryMetrics> binary;  // of two classes; thresholds are on the margin
};

// Errors and undefined figures (NaN) as documented at each.
ClassFigures class_figures(const ClassCalls& calls, const BootstrapOptions& bootstrap = {});

// Two graphs on the same samples.
struct ClassComparison {
  McnemarTest accuracy;
  std::optional<DelongTest> auroc;  // of two classes
};
// Throws Error (input) unless both tell as many classes apart.
ClassComparison compare_classes(const ClassCalls& first, const ClassCalls& second);

}  // namespace ratnet::inline v1
