// What a network makes of a subject's slices, and where they differ from it.
#pragma once

#include "../../network/plan.h"
#include "score_map.h"

namespace ratnet::inline v1 {

struct Reconstruction {
  // Of the slices that can be judged, 0 in the others.
  Tensor images;  // [S, n, n] f32 on the network's grid
  Tensor raw;     // [S, 128, 128] f32: the residual, for score_subject()
};

// plan: of a network that takes images [n, n, 1] or patches [D, H, W, 1] and whose first output has
// the same sizes (autoencoders.h), not in training; any batch, which the result does not depend on.
// Slices go to the network's grid as means over areas; the residual comes back linearly. Patches
// slide over the judged grid (network/sliding_window.h), n being 128, from the first judged slice
// to the last. With options.flip_average both results are means over the slice and its mirror
// image, mirrored back. Throws Error (usage) for other networks, wrong sizes or options.
Reconstruction reconstruct(Plan& plan, const PreparedSubject& subject,
                           const AnomalyScoreOptions& options = {});

}  // namespace ratnet::inline v1
