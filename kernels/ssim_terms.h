// Windows and values of SSIM, on every device.
#pragma once

#include <cmath>

#include "loss_terms.h"
#include "ssim_loss.h"
#include "window.h"

namespace ratnet::inline v1 {

// Images as [N, D, H, W, C]; the window has size 1 along dimensions that are not there.
struct SsimGeometry {
  std::int64_t samples, in[3], out[3], window[3], channels;
  double taps[SsimLoss::kMostTaps] = {};  // of the Gaussian, their sum is 1
  double c1, c2;

  explicit SsimGeometry(const SsimLoss& op) {
    const Shape shape = widened(op.prediction.shape);
    const int absent = 5 - op.prediction.shape.rank();
    samples = shape[0];
    channels = shape[4];
    for (int d = 0; d < 3; ++d) {
      in[d] = shape[d + 1];
      window[d] = d < absent ? 1 : op.window;
      out[d] = in[d] - window[d] + 1;
    }
    double sum = 0;
    const std::int64_t middle = op.window / 2;
    for (std::int64_t i = 0; i < op.window; ++i) {
      const double away = static_cast<double>(i - middle) / op.sigma;
      sum += taps[i] = std::exp(-away * away / 2);
    }
    for (std::int64_t i = 0; i < op.window; ++i) taps[i] /= sum;
    c1 = 1e-4 * op.data_range * op.data_range;
    c2 = 9e-4 * op.data_range * op.data_range;
  }

  RATNET_EVERYWHERE double tap(int d, std::int64_t i) const { return window[d] == 1 ? 1 : taps[i]; }
  // Of all samples and channels.
  RATNET_EVERYWHERE std::int64_t positions() const {
    return samples * out[0] * out[1] * out[2] * channels;
  }
};

// Weighted means over a window of the prediction x and the target y.
struct SsimMoments {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  RATNET_EVERYWHERE void add(double weight, double a, double b) {
    x += weight * a;
    y += weight * b;
    xx += weight * a * a;
    yy += weight * b * b;
    xy += weight * a * b;
  }
};

// 1 - SSIM at one position; its derivative in a pixel x under the tap g is
// g * (of_one + of_x * x + of_y * y).
struct SsimValue {
  double loss, of_one, of_x, of_y;
};
RATNET_EVERYWHERE inline SsimValue ssim_value(const SsimMoments& m, double c1, double c2) {
  const double a1 = 2 * m.x * m.y + c1, a2 = 2 * (m.xy - m.x * m.y) + c2;
  const double b1 = m.x * m.x + m.y * m.y + c1;
  const double b2 = (m.xx - m.x * m.x) + (m.yy - m.y * m.y) + c2;
  const double below = 1 / (b1 * b2), ssim = a1 * a2 * below;
  return {1 - ssim, 2 * (m.y * (a1 - a2) * below + m.x * ssim * (1 / b1 - 1 / b2)), 2 * ssim / b2,
          -2 * a1 * below};
}

}  // namespace ratnet::inline v1
