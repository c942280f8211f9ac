// Random changes to the intensities of an MR training image; its labels stay.
#pragma once

#include "../core/image_grid.h"
#include "../core/random.h"

namespace ratnet::inline v1 {

// Applied in this order, contrast first and the scanner after it. Each change is off while its
// range is empty, and otherwise made in its share of the channels; every channel is a scan of its
// own and draws for itself, but one bias field, the coil's, lies over all. "Level" is the root mean
// square of the channel before any change.
struct IntensityAugmentation {
  double gamma = 1;  // exponents from 1 / gamma to gamma, log-uniform, range kept (change_gamma)
  double gamma_chance = 0.3;
  double bias = 0;           // root mean square of the log field: uniform up to this
  int bias_order = 3;        // of its cosines, 1 to 8
  double bias_chance = 0.3;  // of the image
  double blur = 0;           // Gaussian, sigma uniform up to this many voxels
  double blur_chance = 0.2;
  double low_resolution = 1;  // voxels up to this many times as long, uniform, along each axis
  double low_resolution_chance = 0.2;
  double ghosts = 0;     // phase error uniform up to this many radians (add_ghosts)
  int ghost_period = 4;  // 2 to this many ghosts around the image
  int ghost_axis = 1;    // phase-encode direction: 0, 1 or 2 for D, H, W
  double ghosts_chance = 0.1;
  double rician_noise = 0;  // deviation uniform up to this many levels
  double rician_noise_chance = 0.2;
  double gaussian_noise = 0;  // deviation uniform up to this many levels
  double gaussian_noise_chance = 0.2;
  double scale = 0;   // times U(1 - scale, 1 + scale), in every channel
  double offset = 0;  // plus up to this many levels either way, in every channel

  bool any() const;
};

// Throws Error (usage), naming the member, for a number out of range.
void check_augmentation(const IntensityAugmentation& options);

// image: f32 [H, W, C] or [D, H, W, C], in place. How many numbers are drawn depends on the
// options, the sizes and the chances, never on values. Throws Error (input) for values below 0
// where ghosts or Rician noise are on: both are of magnitudes; normalise afterwards.
void augment_intensity(const IntensityAugmentation& options, const View& image, Random& random);

}  // namespace ratnet::inline v1
