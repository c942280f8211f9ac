#include "ssim_loss.h"

#include <cmath>

#include "check.h"
#include "loss.h"

namespace ratnet::inline v1 {

void SsimLoss::check() const {
  const Shape& shape = prediction.shape;
  require(shape.rank() >= 3 && shape.rank() <= 5, kName,
          ": images must be [N, spatial..., C] of 1 to 3 spatial dimensions, got ", shape);
  check_loss(*this, prediction, dprediction);
  check_shape(kName, "target", target, shape);
  check_floats(kName, {prediction, target});
  require(!dprediction || (dprediction.data != prediction.data && dprediction.data != target.data),
          kName, ": the gradient needs memory of its own, not an image's");
  require(window >= 1 && window <= kMostTaps && window % 2 == 1, kName,
          ": the window must be odd and in 1..", kMostTaps, ", got ", window);
  for (int i = 1; i < shape.rank() - 1; ++i)
    require(shape[i] >= window, kName, ": a window of ", window, " does not fit images of ", shape);
  const auto check_positive = [](const char* name, double value) {
    require(value > 0 && std::isfinite(value), kName, ": ", name,
            " must be finite and above 0, got ", value);
  };
  check_positive("sigma", sigma);
  check_positive("data_range", data_range);
}

}  // namespace ratnet::inline v1
