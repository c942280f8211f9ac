// How a model file keeps the numbers its slices were prepared with.
#pragma once

#include <span>
#include <vector>

#include "../../network/model.h"
#include "prepare.h"

namespace ratnet::inline v1 {

// The steps "resample_to_field_of_view", "brain_mask", "bias_field" (where one is taken out),
// "normalise" and "judged_zone".
std::vector<PreprocessingStep> steps_of(const PreparationOptions& options);

// The inverse. Throws Error (input) for steps or numbers that are missing, unknown or make no
// preparation, and for another grid than the judged one.
PreparationOptions preparation_of(std::span<const PreprocessingStep> steps);

}  // namespace ratnet::inline v1
