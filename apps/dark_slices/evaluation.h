// How well RatNet, and the simple rules beside it, tell dark slices from good ones.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../../train/metrics.h"
#include "baselines.h"
#include "scoring.h"

namespace ratnet::inline v1 {

// The simple rule's coefficients as the model keeps them: {intercept, level, ghost}.
LogisticBaseline logistic_of(const Model& model);

struct DarkSlicesEvaluation {
  BinaryMetrics network;
  struct Baseline {
    std::string name;
    BinaryMetrics metrics;  // threshold chosen on these very slices at 1% false positives
  };
  std::vector<Baseline> baselines;
  double recall_clear = 0;  // of slices anybody would call dark (column `clear`), at 1%; or NaN
  std::int64_t clear = 0;   // how many there are
  double recall_mild = 0;   // of the other dark ones, at 1%; or NaN where there is no such column
  double worst_subject_fpr = 0;  // the largest false-positive rate of any subject; or NaN
  std::string worst_subject;
  std::int64_t empty = 0;            // slices left out because they show nothing
  std::int64_t unlabelled = 0;       // left out too; of them ...
  std::int64_t ambiguous = 0;        // ... marked as between good and dark (column `ambiguous`)
  double ambiguous_called_dark = 0;  // share of those at or above the threshold; or NaN
  // The second opinion of whole runs (time_opinion.h), at a threshold chosen as for baselines.
  std::optional<BinaryMetrics> in_time;
  double recall_mild_in_time = 0;
  bool stretched = false;
  double threshold = 0;
  std::vector<std::string> notes;
};

// Of slices in whole runs, what their neighbours in time say. Both [N], or empty.
struct TimeOpinions {
  std::vector<double> probability;  // RunScores::probability_in_time
  std::vector<double> darkness;     // darkness_through_time, a baseline
};

// truth: of the slices that were scored, in that order; `name` says where they come from. Throws
// Error (input) where there are no good or no dark slices among them.
DarkSlicesEvaluation evaluate_dark_slices(const SliceScores& scores, const SampleTable& truth,
                                          const std::string& name, const LogisticBaseline& logistic,
                                          const TimeOpinions& in_time = {},
                                          const BootstrapOptions& bootstrap = {});

// All figures as JSON: n, auroc, auroc_ci, auprc, recall_at_1pct_fpr, ece, threshold, recall, fpr,
// baselines by name with the same figures, and what else is known. NaN is null.
std::string to_json(const DarkSlicesEvaluation& evaluation);

}  // namespace ratnet::inline v1
