// How close images that a graph makes come to those that went in.
#pragma once

#include "../../core/queue.h"
#include "../../core/view.h"
#include "../../train/objective.h"

namespace ratnet::inline v1 {

// Of one sample, in the network's units (pixels times the scale).
struct ImageFigures {
  double mse = 0;   // mean squared error
  double l1 = 0;    // mean absolute error
  double ssim = 0;  // mean over the places of the window; NaN where it does not fit the image
};

// made, image: f32 [spatial..., C] of one shape, in host memory; cpu: a queue of the CPU; ssim: its
// window, sigma and data range count (kernels/ssim_loss.h); by_slices: a volume [D, H, W, C] is
// compared slice by slice, as a graph sees it that takes patches of slices. Throws Error (usage)
// for other shapes.
ImageFigures image_figures(Queue& cpu, const ConstView& made, const ConstView& image,
                           const LossTerm& ssim, bool by_slices = false);

}  // namespace ratnet::inline v1
