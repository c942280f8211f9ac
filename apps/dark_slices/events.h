// When a run loses signal: which slices of which volumes, in the order in which they are read.
#pragma once

#include <cstdint>
#include <vector>

#include "../../core/random.h"

namespace ratnet::inline v1 {

// What happens to one slice of one volume.
struct SliceEvent {
  bool dropout = false;
  float severity = 0;  // 0.3 to 1
  bool pure_dimming = false;
  float gain = 1;  // of a slice that only dims, or that recovers from an event before it
};

// Slice numbers in the order of acquisition: 0, 2, 4, ... then 1, 3, 5, ...
std::vector<int> interleaved_order(int slices);

// Draws events for about `fraction` of the slices, [volumes * slices] with slices fastest: 60%
// single slices, the rest 2 to 4 slices in a row of acquisition (alternate bands, because slices
// are interleaved) or whole volumes; each lasts 1 to 3 volumes; up to 3 volumes after it recover
// as 1 - exp(-t / T1).
std::vector<SliceEvent> draw_events(Random& random, int volumes, int slices, double fraction,
                                    double repetition_time);

}  // namespace ratnet::inline v1
