// The structural similarity of images as a loss.
#pragma once

#include <cstdint>

#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// loss = 1 - mean of SSIM (Wang, Bovik, Sheikh and Simoncelli, 2004) over every channel and every
// position at which a Gaussian window lies inside the image, in 1, 2 or 3 dimensions:
//   SSIM = (2 mx my + C1) (2 sxy + C2) / ((mx^2 + my^2 + C1) (sx^2 + sy^2 + C2))
// with the window's means, variances and covariance, C1 = (0.01 L)^2 and C2 = (0.03 L)^2. Numbers
// that the gradient is gathered from take 24 bytes of working memory per position. See loss.h for
// what all losses share.
struct SsimLoss {
  static constexpr const char* kName = "ssim_loss";
  static constexpr std::int64_t kMostTaps = 33;
  ConstView prediction;  // [N, spatial..., C] f32 or f64, every spatial size at least the window
  ConstView target;      // its shape and type
  View loss;
  View dprediction = {};
  View loss_sum = {};
  std::int64_t window = 11;  // taps along a dimension, odd, up to kMostTaps
  double sigma = 1.5;        // of the Gaussian, in pixels
  double data_range = 1;     // L: the largest value less the smallest that pixels can have
  double factor = 1;
  bool accumulate = false;
  void check() const;
};
void run(CpuQueue&, const SsimLoss&);
void run(CudaQueue&, const SsimLoss&);
OpNote plan(CpuQueue&, const SsimLoss&);
OpNote plan(CudaQueue&, const SsimLoss&);

}  // namespace ratnet::inline v1
