// A network that sees patches, run over a whole image or volume.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "../core/tensor.h"

namespace ratnet::inline v1 {

struct SlidingWindow {
  // H, W: an image, or every slice across D of a volume; D, H, W: a volume.
  std::vector<std::int64_t> patch;
  double overlap = 0.5;  // at least this share of a patch lies in the next one, 0 to below 1
  // Voxels count by a Gaussian of this share of the patch about its centre, since networks know
  // less at the border (1/8 in nnU-Net; Isensee and others, Nature Methods 2021); 0 counts all
  // alike.
  double sigma = 0.125;
  // Along D, H, W: patches are also shown mirrored, in all combinations, and the results mirrored
  // back and averaged.
  std::array<bool, 3> flips{};
  std::int64_t batch = 4;  // patches at once
  float outside = 0;       // about an image smaller than a patch
};

// patches: f32 [n, H, W, C] or [n, D, H, W, C], n at most `batch`; outputs: f32 [n, ..., K] of the
// same places, all to be written. Predictor::run(patches, {}, outputs) is one.
using PatchFunction = std::function<void(const ConstView& patches, const View& outputs)>;

// image: f32 [H, W, C] or [D, H, W, C]; the result is f32 [H, W, K] or [D, H, W, K], K being
// `outputs`: the weighted mean of what all patches say of a voxel. Patches are evenly spaced, the
// outermost ones at the border; an image smaller than a patch lies in its middle. Where patches lie
// alike from both ends (not with the middle one half a voxel off) flips make the result of a
// mirrored image the mirrored result. The order of sums does not depend on `batch`. Memory: the
// result and `batch` patches with their outputs. Throws Error (usage) for options that make no
// sense and shapes that do not fit.
Tensor slide(const SlidingWindow& window, const ConstView& image, std::int64_t outputs,
             const PatchFunction& function);

// The same into memory that is there: result f32 [H, W, K] or [D, H, W, K], whatever it holds.
void slide(const SlidingWindow& window, const ConstView& image, const PatchFunction& function,
           const View& result);

}  // namespace ratnet::inline v1
