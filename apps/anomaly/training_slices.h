// What the autoencoders learn from: healthy slices, and what is done to each before every step.
#pragma once

#include <memory>
#include <span>

#include "../../train/loader.h"
#include "prepared_subject.h"

namespace ratnet::inline v1 {

struct TrainingSamples {
  std::unique_ptr<Dataset> images, brains;  // [N, ..., 1]: f32; u8, 1 inside
  std::vector<std::size_t> subjects;        // [N] places among those they are of, ascending
};

// [N, n, n, 1] on the network's grid, by subject and slice. Throws Error as healthy_slices() does.
TrainingSamples training_slices(std::span<const PreparedSubject* const> subjects, std::int64_t n);

// Random changes within the brain. Numbers are of images as they are prepared, where the brain's
// median is 0.5.
struct HealthyAugmentation {
  double rotation = 8.6;   // degrees, uniform up to this either way
  double scaling = 1.08;   // times up to this, or divided by it
  double contrast = 0.15;  // times U(1 - contrast, 1 + contrast)
  double offset = 0.03;    // plus U(-offset, offset)
};

// Noise to be removed (Kascenas, Pugeault and O'Neil, MIDL 2022): normal numbers on a coarse grid,
// interpolated linearly, moved by a random number of pixels around the image.
struct CoarseNoise {
  double deviation = 0.3;  // 0: none
  std::int64_t grid = 8;   // numbers along H and W; along D as close together as along W
};

// Makes the image the target, its brain the weights, and then disturbs the image.
SampleChange healthy_change(const HealthyAugmentation& augmentation, const CoarseNoise& noise);
// The noise alone, for validation.
SampleChange noise_change(const CoarseNoise& noise);

}  // namespace ratnet::inline v1
