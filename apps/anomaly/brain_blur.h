// Smoothing inside the brain, into which nothing leaks from outside.
#pragma once

#include <cstdint>
#include <span>

namespace ratnet::inline v1 {

// Each pixel of the brain becomes the mean of the brain around it under a Gaussian of `sigma`
// pixels (0 to 64); others become 0. brain: [size, size], the share of each pixel that is brain, 0
// to 1; image: [size, size], times that share already, as the means over areas of an image are that
// is 0 outside of the brain.
void blur_in_brain(std::span<float> image, std::span<const float> brain, std::int64_t size,
                   double sigma);

}  // namespace ratnet::inline v1
