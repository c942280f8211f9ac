// Simulated heads for the anomaly system: healthy subjects to learn from, and lesioned ones with
// exact masks to test on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "../../core/thread_pool.h"
#include "../../train/dataset.h"
#include "lesion.h"

namespace ratnet::inline v1 {

struct HeadCohortOptions {
  int subjects = 60;
  int slices = 24;                       // 8 to 64 of each subject, from skull base to vertex
  int size = 128;                        // pixels a side, 64 to 256
  double lesioned = 0.4;                 // share of the subjects
  std::optional<HeadContrast> contrast;  // of all subjects; each draws its own where there is none
  std::uint64_t seed = 1;

  void check() const;  // throws Error (usage)
};

constexpr double kHeadFieldOfView = 220;  // mm, both sides

// One subject's stack. Row 0 is anterior, column 0 the subject's left, slice 0 the lowest.
struct SimulatedHead {
  HeadContrast contrast = HeadContrast::t1;
  double slice_spacing = 0;          // mm
  std::vector<std::uint8_t> images;  // [slices, size, size]
  std::vector<std::uint8_t> masks;   // [slices, size, size], 1 where half of the pixel is lesion
  std::vector<std::uint8_t> brain;   // [slices, size, size], 1 inside the skull: tissue and fluid
  std::vector<LesionKind> kinds;     // [slices], the lesion in it; a slice has at most one
};

// Subject number `subject` of a cohort, with or without its lesions, everything else the same.
// Every slice comes from random streams of its own.
SimulatedHead simulate_head(const HeadCohortOptions& options, int subject, bool lesioned);

struct HeadCohort {
  std::vector<std::uint8_t> images, masks;  // [N, size, size]
  // Labels 1 where there is lesion in the slice; subjects "head001"; lesioned subjects are test,
  // the others 70/15/15 by subject, of two or more at least one for validation. Columns
  // `lesion_kind` (LesionKind) and `contrast` (HeadContrast).
  SampleTable table;
  std::vector<double> slice_spacing;  // [subjects], mm

  std::int64_t count() const { return static_cast<std::int64_t>(table.labels.size()); }
};

// Which subjects have lesions, [subjects].
std::vector<std::uint8_t> lesioned_subjects(const HeadCohortOptions& options);

// The same options give the same bytes whatever the executor. progress: called with the subjects
// done, one call at a time.
HeadCohort simulate_head_cohort(const HeadCohortOptions& options, Executor& executor,
                                const std::function<void(int done)>& progress = {});

}  // namespace ratnet::inline v1
