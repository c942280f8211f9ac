// How unusual a pixel is for its place: the rule that networks have to beat.
#pragma once

#include <functional>
#include <span>

#include "prepared_subject.h"
#include "residual.h"

namespace ratnet::inline v1 {

// Mean and deviation of healthy brains, pixel by pixel, at positions from bottom to top.
struct PositionZScore {
  // [41, 64, 64] f32 at positions 0, 1/40, ... 1. A deviation of 0 says that brains are hardly ever
  // there.
  Tensor mean, deviation;

  static Shape shape() { return {41, 64, 64}; }
};
// Of a place where there are brains: its square is added to the variance. 4% of the level of
// images; of what is a logarithm (structure_loss.h), 2% of that.
constexpr double kLeastDeviation = 0.02;

// What is compared in place of a subject's images: [S, 128, 128] f32, 0 outside of the brain.
using ComparedImages = std::function<Tensor(const PreparedSubject&)>;

// Of all healthy slices (subject_slices.h), smoothed slightly, each weighted by a Gaussian of 0.04
// about the position; the sums are smoothed again because brains do not lie alike. compared: null
// for the images.
PositionZScore learn_position_z_score(std::span<const PreparedSubject* const> subjects,
                                      const ComparedImages& compared = nullptr);

// [S, 128, 128] f32: departure() of (image - mean) / deviation at the nearest position, for the
// slices that can be judged; 0 in the others and where brains are hardly ever. compared: as learnt.
Tensor position_z_score_maps(const PositionZScore& learnt, const PreparedSubject& subject,
                             Residual residual = Residual::positive,
                             const ComparedImages& compared = nullptr);

}  // namespace ratnet::inline v1
