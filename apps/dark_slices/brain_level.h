// What can be measured of slices without a network: the level of the brain, how strongly the slice
// ghosts, and the scale of a run or a file, its brain level.
//
// Slices are upright coronal ones (row 0 dorsal, column 0 left) on the model's grid, f32.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "brain_region.h"

namespace ratnet::inline v1 {

// Writes slice `index` into `out` [rows, columns].
using ReadSlice = std::function<void(std::int64_t index, std::span<float> out)>;

struct SliceMeasures {
  float mean = 0;     // of the whole slice
  float brain = 0;    // mean in the brain region
  float ghost = 0;    // see ghost_ratio
  float maximum = 0;  // of the slice
  bool empty = false;
};

// Signal in the outer 3 (of 64) columns beside the head over the mean in the brain, or, if that is
// more, in the outer rows above it: the larger of the ghosts along the two phase-encode axes. Of
// the outer columns the darker third of the rows counts (33rd percentile of their means), because
// the head reaches the edge in others. In good slices of awake rats at 7 T about 0.06.
float ghost_ratio(std::span<const float> slice, const BrainRegion& region, float brain);

SliceMeasures measure_slice(std::span<const float> slice, const BrainRegion& region);

// A 4D run.
struct RunMeasures {
  // The run's scale: median over volumes and slices of the mean in the brain region. 0 when all
  // slices are empty.
  double brain_level = 0;
  std::vector<BrainRegion> regions;     // [slices]
  std::vector<SliceMeasures> measures;  // [volumes * slices], slices fastest
};

// Slice `index` of `read` is volume * slices + slice. The regions come from medians over at most
// 51 volumes spread over the run.
RunMeasures measure_run(std::int64_t volumes, std::int64_t slices, int rows, int columns,
                        const ReadSlice& read);

// Slices that belong to no run: one scale for all of them.
struct LooseMeasures {
  // Median of the mean in the brain region over the slices that hardly ghost, so that dark slices,
  // which ghost, do not pull it down. 0 when all slices are empty.
  double brain_level = 0;
  // Nearly all slices have the same maximum: each was stretched to the full range on its own, the
  // level between them is lost and pure dimming cannot be seen.
  bool stretched = false;
  BrainRegion region;
  std::vector<SliceMeasures> measures;  // [count]
};

LooseMeasures measure_loose(std::int64_t count, int rows, int columns, const ReadSlice& read);

// What each loose slice is divided by before the network sees it: [count]. The file's brain level;
// for stretched slices each one's own mean in the brain, so that the network ranks them by their
// ghosts alone. 0 for empty slices.
std::vector<float> slice_scales(const LooseMeasures& loose);

}  // namespace ratnet::inline v1
