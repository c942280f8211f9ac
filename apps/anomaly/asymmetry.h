// What one half of the brain has and the other has not.
#pragma once

#include "prepared_subject.h"
#include "residual.h"

namespace ratnet::inline v1 {

// Twice the column that halves the brain, so that a plane between two columns counts too: the mean
// over the brain of all slices that can be judged, rounded. kJudgedSize - 1 where there is none.
std::int64_t twice_midsagittal_column(const PreparedSubject& subject);

// [S, 128, 128] f32: departure() of the image, smoothed inside the brain by a Gaussian of 3 pixels,
// from its mirror image about that column, for the slices that can be judged; 0 in the others and
// where the mirror image is not brain. Asks for slices whose columns run from left to right.
Tensor asymmetry_maps(const PreparedSubject& subject, Residual residual = Residual::positive);

}  // namespace ratnet::inline v1
