// Less fine structure than is usual at a place: what pushes the folds of the brain away, or lies
// over them, may be as bright as what was there.
#pragma once

#include "position_z_score.h"

namespace ratnet::inline v1 {

// [S, 128, 128] f32: the logarithm of how much the image varies about each pixel, less its (upper)
// median over the slice, for the slices that can be judged; 0 in the others and outside of the
// brain. What varies is the image between Gaussians of 1 and of 4 pixels (below 1 is noise, beyond
// 4 shading), squared and averaged under one of 4, each inside the brain; 0.01 is added to its
// root.
Tensor local_structure(const PreparedSubject& subject);

// Its mean and deviation in healthy slices, by place and height as those of the z-score.
PositionZScore learn_structure(std::span<const PreparedSubject* const> subjects);

// [S, 128, 128] f32: by how many deviations a place has less structure than its mean; 0 where it
// has more, in slices that cannot be judged and where brains are hardly ever.
Tensor structure_loss_maps(const PositionZScore& learnt, const PreparedSubject& subject);

}  // namespace ratnet::inline v1
