// Healthy slices as a plane through a mean: what lies off it stands out.
#pragma once

#include "prepared_subject.h"
#include "residual.h"

namespace ratnet::inline v1 {

struct PrincipalComponents {
  Tensor mean;        // [1, 64, 64] f32
  Tensor components;  // [up to 16, 64, 64] f32, orthonormal, that of the largest variance first
};

// Of all healthy slices (subject_slices.h), or of 600 evenly spread over them where there are more.
// Fewer components where fewer slices have them.
PrincipalComponents learn_principal_components(std::span<const PreparedSubject* const> subjects);

// [S, 128, 128] f32: the residual between slices and their projections, made at 64 x 64, for the
// slices that can be judged; 0 in the others.
Tensor principal_component_maps(const PrincipalComponents& learnt, const PreparedSubject& subject,
                                Residual residual = Residual::positive);

}  // namespace ratnet::inline v1
