// The brain in a stack of axial head slices, by its brightness and shape alone: nothing is trained.
#pragma once

#include <vector>

#include "../../core/tensor.h"
#include "../../core/view.h"

namespace ratnet::inline v1 {

// Lengths are in pixels of the judged grid (about 1.9 mm in a head's field of view). How thick the
// slices are is unknown, so lengths across them are in `caps`: the head's cap is what lies between
// the slices, from the top, where its area first exceeds 0.3 and 0.8 of its largest (about 34 mm).
struct BrainMaskOptions {
  double smoothing = 0.8;      // sigma of the Gaussian
  double head_level = 0.6;     // the head's least brightness, of Otsu's threshold
  double head_closing = 3;     // radius
  double head_rim = 5;         // scalp and skull, inside of the head's border
  double deep = 15;            // what lies so far inside of the head says how bright tissue is
  double tissue_level = 0.55;  // tissue's least brightness, of the deep tissue's median
  double opening = 2;          // radius, of tissue
  double seed_top = 0.5;     // caps below the slice of 0.3: here the brain is the largest component
  double seed_bottom = 1.5;  // caps below: to here
  double bottom = 4.6;       // caps below: no brain from here on
  double growth = 20;        // by how much a border may move outwards over one cap downwards
  double bridge = 3;         // downwards, what hangs together by less than this radius is apart
  double overlap = 0.7;  // and belongs where so much of it lies below the brain of the slice above
  double closing = 3;    // radius, of the brain
  // Where the stack ends inside of the head's cap: the seed's slices by their share of the stack.
  double stack_low = 0.40;
  double stack_high = 0.75;
};

// Throws Error (usage) for numbers that make no recipe.
void check(const BrainMaskOptions& options);

// Where magnitudes begin, which may have been shifted below 0: their 1% quantile, or 0 where that
// is above. Reorders them.
float zero_level(std::vector<float>& magnitudes);

// slices: f32 [S, 128, 128], bottom to top; result: u8 [S, 128, 128], 1 inside. From the seed the
// brain is followed up, never outside of the slice below, and down. Empty where there is no head
// with deep tissue: constant slices, noise that fills the picture. Throws Error: input for values
// that are not finite, usage for other shapes.
Tensor brain_mask(const ConstView& slices, const BrainMaskOptions& options = {});

}  // namespace ratnet::inline v1
