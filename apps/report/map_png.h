// The slice x volume map of a run as a picture: which slices lost signal, and when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "contact_sheet.h"

namespace ratnet::inline v1 {

struct SliceMap {
  std::string name{};                // the file, for the title
  std::vector<std::string> notes{};  // sentences under the title: scale, model, warnings
  std::int64_t volumes = 0;
  std::int64_t slices = 0;
  std::vector<float> probability{};     // [volumes, slices] P(dark) in [0, 1]; NaN = not judged
  double threshold = 0.5;               // dark when probability >= threshold
  double repetition_time = 0;           // seconds; no time axis unless 1 ms .. 1 h
  std::vector<double> brain_level{};    // [volumes] or empty; NaN = none; drawn over time
  std::vector<SliceThumbnail> worst{};  // drawn beneath, most probable first; may be empty
};

// "12 of 1050 slices dark (1.1%), in 9 of 70 volumes; 70 slices not judged".
std::string verdict_of(const SliceMap& map);

// Width and height of the picture grow with the run within bounds (at most 1800 x 2400 or so, more
// only for many notes). Where a run has more volumes (or slices) than the map has pixels, a pixel
// shows the worst of those that share it, and dark slices are drawn at least three pixels wide.
// Written whole or not at all. Throws Error: usage (sizes, threshold or probabilities that make no
// map), file_system, internal (text cannot be drawn).
void write_map_png(const std::string& path, const SliceMap& map);

}  // namespace ratnet::inline v1
