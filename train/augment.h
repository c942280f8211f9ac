// Random changes to training images that keep their label.
#pragma once

#include "../core/random.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

// Applied in this order; every change is off by default.
struct Augmentation {
  double shift = 0;       // up to this many pixels along H and along W, uniform; zeros move in
  bool subpixel = false;  // shifts by fractions of a pixel, bilinear, in place of whole ones
  bool flip_left_right = false;  // mirrors W in half of the images
  double gain = 0;               // times U(1 - gain, 1 + gain)
  double noise = 0;  // adds normal noise of this deviation, in units of the scaled image

  bool any() const { return shift > 0 || flip_left_right || gain > 0 || noise > 0; }
};

// Throws Error (usage) for a shift, gain or noise that is negative or not finite, or a gain of 1
// or more.
void check_augmentation(const Augmentation& options);

// One image, f32 [H, W, C] or [D, H, W, C], from `from` into `to` (other memory). Draws the same
// numbers from `random` for images of every content.
void augment(const Augmentation& options, ConstView from, View to, Random& random);

// The mask of such an image, u8 [H, W, 1] or [D, H, W, 1], moved and mirrored as augment() does
// with the same random numbers; zeros move in. Whole-pixel shifts only.
void augment_mask(const Augmentation& options, ConstView from, View to, Random& random);

}  // namespace ratnet::inline v1
