// A simulated cohort: labelled slices of many animals on the model's grid, to train and to test on.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "../../core/thread_pool.h"
#include "../../train/dataset.h"
#include "simulator.h"

namespace ratnet::inline v1 {

struct CohortOptions {
  int animals = 240;
  int slices_per_animal = 60;  // half of them dark
  std::uint64_t seed = 1;
  SimulatorOptions run{.varied = 0.25};
  int size = 64;  // pixels a side of the model's grid

  void check() const;  // throws Error (usage)
};

struct Cohort {
  int size = 64;
  std::vector<std::uint8_t> images;  // [N, size, size]
  // Labels are 0 good, 1 dark, 255 ambiguous (only in the test split); subjects "rat-001", one run
  // each; splits 70/15/15 by animal.
  SampleTable table;
  std::vector<std::uint8_t> clear;      // [N], 1 = ghost above 0.25 or level below 0.6
  std::vector<std::uint8_t> ambiguous;  // [N], 1 = between good and dark
  std::vector<float> level;             // [N], brain over that of the clean slice
  std::vector<float> ghost;             // [N], beside the head over brain
  double brain_level = 0;               // of the training split: the file's scale

  std::int64_t count() const { return static_cast<std::int64_t>(table.labels.size()); }
};

// Called with (animals done, animals in all), one call at a time.
using CohortProgress = std::function<void(int done, int total)>;

// The same seed gives the same bytes whatever the executor.
Cohort simulate_cohort(const CohortOptions& options, Executor& executor,
                       const CohortProgress& progress = {});

}  // namespace ratnet::inline v1
