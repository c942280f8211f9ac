// Runs whose slices somebody has labelled, to judge the model on as it is used: on whole scans.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../../train/dataset.h"
#include "evaluation.h"
#include "scoring.h"

namespace ratnet::inline v1 {

// What somebody knows of a slice of a run.
struct SliceLabel {
  std::int64_t volume = 0, slice = 0;
  std::uint8_t label = kUnlabelled;  // 0 good, 1 dark
  bool clear = false;                // dark as anybody would say
  bool ambiguous = false;            // between good and dark
};

// The slices of many runs in one row, as evaluate_dark_slices takes them. The measures are in units
// of each run's brain level, so the scale of all is 1.
struct LabelledRuns {
  SliceScores scores;
  SampleTable truth;
  TimeOpinions in_time;  // empty where a run is too short for one

  // Throws Error (input) naming `run` when a label is of no slice of the run, or of one twice.
  // Slices without a label stay unlabelled.
  void add(const RunScores& run_scores, const std::vector<SliceLabel>& labels,
           const std::string& subject, const std::string& run);
};

}  // namespace ratnet::inline v1
