#include "element_loss.h"

#include <cmath>

#include "check.h"
#include "loss.h"

namespace ratnet::inline v1 {

void ElementLoss::check() const {
  const bool binary = kind == ElementLossKind::binary_cross_entropy;
  require(prediction.shape.rank() >= 1, kName, ": the prediction needs at least one dimension");
  check_loss(*this, prediction, dprediction);
  check_shape(kName, "target", target, prediction.shape);
  const bool labels = target.dtype == DType::u8 || target.dtype == DType::i32;
  require(binary || !labels, kName, ": a target of ", name_of(target.dtype),
          " is for binary_cross_entropy, use ", name_of(prediction.dtype));
  if (!labels) check_floats(kName, {prediction, target});
  Shape pixels = prediction.shape;
  pixels[pixels.rank() - 1] = 1;
  if (mask) {
    check_shape(kName, "mask", mask, pixels);
    require(mask.dtype == DType::u8, kName, ": a mask of ", name_of(mask.dtype), ", expected ",
            name_of(DType::u8));
  }
  if (weights) {
    require(weights.shape == prediction.shape || weights.shape == pixels ||
                weights.shape == Shape{prediction.shape[0]},
            kName, ": weights have shape ", weights.shape, ", expected ", prediction.shape, ", ",
            pixels, " or ", Shape{prediction.shape[0]});
    check_floats(kName, {prediction, weights});
  }
  require(positive_weight >= 0 && std::isfinite(positive_weight), kName,
          ": positive_weight must be finite and at least 0, got ", positive_weight);
  require(binary || positive_weight == 1, kName,
          ": positive_weight is for binary_cross_entropy only");
}

}  // namespace ratnet::inline v1
