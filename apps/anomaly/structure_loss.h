// Less fine structure than is usual at a place: what pushes the folds of the brain away, or lies
// over them, may be as bright as what was there.
#pragma once

#include <array>
#include <vector>

#include "position_z_score.h"

namespace ratnet::inline v1 {

// What varies: the image between two Gaussians, squared and averaged under a third, each inside the
// brain. Their deviations in pixels of 128 x 128.
struct StructureBand {
  double fine, coarse, window;
};
// What is lost in the one is mostly kept in the other (docs/decisions/0011-structure-loss.md).
constexpr std::array<StructureBand, 2> kStructureBands = {{{0, 0.7, 6}, {2, 4, 6}}};
// The only one of older models.
constexpr StructureBand kOldStructureBand = {1, 4, 4};

// [S, 128, 128] f32: the logarithm of how much the image varies about each pixel (the root of
// that mean, plus 0.01), less its (upper) median over the slice, for the slices that can be judged;
// 0 in the others and outside of the brain.
Tensor local_structure(const PreparedSubject& subject, const StructureBand& band);

// Its mean and deviation in healthy slices, by place and height as those of the z-score.
struct LearntStructure {
  StructureBand band;
  PositionZScore usual;
};
// Of each of kStructureBands.
std::vector<LearntStructure> learn_structure(std::span<const PreparedSubject* const> subjects);

// [S, 128, 128] f32: by how many deviations a place has less structure than its mean, 0 where it
// has more, summed over the bands; 0 in slices that cannot be judged and where brains are hardly
// ever.
Tensor structure_loss_maps(std::span<const LearntStructure> learnt, const PreparedSubject& subject);

}  // namespace ratnet::inline v1
