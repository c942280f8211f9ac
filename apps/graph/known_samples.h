// What a model knows of the samples of a file: how it split them, and which ones it learnt from.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "trained_graph.h"

namespace ratnet::inline v1 {

// The file's own splits, [N], else those that the model's training made of the same images; empty
// where it was trained on others.
std::vector<Split> known_splits(const TrainedGraph& trained, const Dataset& dataset);

struct LearntSamples {
  std::int64_t images = 0;    // that the model learnt from or was validated on, to the pixel
  std::int64_t subjects = 0;  // others that are of the same subjects as such images of the file
};

// Of those that are judged. Absent where the model does not tell, or images have no hashes.
std::optional<LearntSamples> learnt_among(const TrainedGraph& trained, const Dataset& dataset,
                                          const std::vector<std::int64_t>& judged);

}  // namespace ratnet::inline v1
