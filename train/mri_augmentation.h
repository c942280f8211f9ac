// Changes to training images that a file can ask for by name: movements, with the mask, and what a
// scanner may do to intensities.
#pragma once

#include <string>
#include <string_view>

#include "../imaging/augment_geometry.h"
#include "../imaging/augment_intensity.h"
#include "loader.h"

namespace ratnet::inline v1 {

struct MriAugmentation {
  GeometryAugmentation geometry;    // first
  IntensityAugmentation intensity;  // of what has been moved
  Number3 spacing{1, 1, 1};         // mm between voxel centres along D, H, W
};

// An object of the members of GeometryAugmentation and IntensityAugmentation by their names, and
// `spacing`: {"rotation": [15, 0, 0], "mirror": [false, false, true], "gamma": 1.5}. Lists are of
// D, H, W. Throws Error (input) for other members, other types and numbers out of range.
MriAugmentation mri_augmentation_from_json(std::string_view source);

// The members that are not as they are by default.
std::string to_json(const MriAugmentation& augmentation);

// As a change of the samples of a Loader, images [H, W, C] or [D, H, W, C]; its name is to_json().
// Throws Error (usage) for numbers out of range.
SampleChange sample_change(const MriAugmentation& augmentation);

}  // namespace ratnet::inline v1
