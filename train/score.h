// What a network says of the images of a dataset.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "../network/plan.h"
#include "loader.h"
#include "whole_images.h"

namespace ratnet::inline v1 {

struct ScoreOptions {
  // What pixels are multiplied by: one factor, or one for every sample of the dataset; empty is 1.
  std::vector<float> scales;
  int threads = 1;  // that convert images
  // Shows whole images to a plan of patches, one at a time; null where it takes images as they are.
  WholeImages* whole = nullptr;
};

// How many images of that shape at once, up to `most`, keep them within a few megabytes.
std::int64_t images_at_once(const Shape& image, std::int64_t most);

// The n-th sample of a batch, [B, ...].
ConstView sample_of(const ConstView& batch, std::int64_t n);

// Runs a plan of one input over the images, in the order of the indices; visit is given each batch
// with all outputs of the plan, [B, ...] f32 in host memory.
void run_over(Plan& plan, Dataset& dataset, const std::vector<std::int64_t>& indices,
              const ScoreOptions& options,
              const std::function<void(const Batch& batch, std::span<const View> outputs)>& visit);

// Outputs [indices, K] of a plan of one input and one output (its batch decides how many at once),
// in the order of the indices. progress is told how many are done.
std::vector<float> score(Plan& plan, Dataset& dataset, const std::vector<std::int64_t>& indices,
                         const ScoreOptions& options = {},
                         const std::function<void(std::int64_t done)>& progress = {});

}  // namespace ratnet::inline v1
