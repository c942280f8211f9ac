// What the autoencoders of volumes learn from.
#pragma once

#include "../../layers/sliding.h"
#include "training_slices.h"

namespace ratnet::inline v1 {

// Patches [N, D, H, W, 1] of the judged grid, each about a voxel of the brain, within healthy
// slices that follow each other; where these are fewer than D, or a patch is larger than a slice,
// zeros lie about them. A subject has as many patches as hold its healthy slices' voxels once,
// drawn by `seed` and the subject's place. Throws Error as healthy_slices() does.
TrainingSamples training_patches(std::span<const PreparedSubject* const> subjects,
                                 const Sizes& patch, std::uint64_t seed);

}  // namespace ratnet::inline v1
