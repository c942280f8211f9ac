// Slices and maps as the pictures that reports hold.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../prepared_subject.h"

namespace ratnet::inline v1 {

// The overlay's colours end at this many thresholds, so that one colour means the same on all
// pages of a model.
constexpr double kOverlayTop = 4;

// image: [side, side] as prepared, shown from 0, black, to 1.2, white.
std::string slice_png(std::span<const float> image, std::int64_t side);

// map: [side, side]; clear below the threshold, heat_of() from there to kOverlayTop thresholds.
// Empty where nothing reaches it, or the threshold is not a number above 0.
std::string overlay_png(std::span<const float> map, std::int64_t side, double threshold);

// A square of the judged grid.
struct Crop {
  std::int64_t row = 0, column = 0;
  std::int64_t side = kJudgedSize;  // even
};

// The smallest around the brain in all slices, with a little air; everything where there is none.
Crop crop_to_brain(const PreparedSubject& subject);

// image: [128, 128]; result: [side, side].
std::vector<float> cropped(std::span<const float> image, const Crop& crop);

// [side, side] to [side / 2, side / 2]: means, or the highest of four.
std::vector<float> half_mean(std::span<const float> image, std::int64_t side);
std::vector<float> half_highest(std::span<const float> map, std::int64_t side);

}  // namespace ratnet::inline v1
