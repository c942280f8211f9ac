// The most similar healthy slices as what a slice should look like.
#pragma once

#include "prepared_subject.h"
#include "residual.h"

namespace ratnet::inline v1 {

// All healthy slices (subject_slices.h) of some subjects.
struct NearestHealthy {
  Tensor images;                  // [N, 64, 64] f32
  Tensor small;                   // [N, 32, 32] f32: by which they are compared
  std::vector<double> positions;  // [N]
};
NearestHealthy learn_nearest_healthy(std::span<const PreparedSubject* const> subjects);

// [S, 128, 128] f32: the residual between slices and the mean of the 8 healthy ones that differ
// least (sum of squares) within 0.1 of their position, made at 64 x 64, for the slices that can be
// judged; 0 in the others. Where fewer than 8 are so near, the nearest 8 in position are taken
// (all, where there are fewer).
Tensor nearest_healthy_maps(const NearestHealthy& learnt, const PreparedSubject& subject,
                            Residual residual = Residual::positive);

}  // namespace ratnet::inline v1
