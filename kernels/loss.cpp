#include "loss.h"

#include <cmath>

#include "check.h"

namespace ratnet::inline v1 {

void check_loss(const char* operation, const ConstView& prediction, const ConstView& gradient,
                const ConstView& loss, const ConstView& loss_sum, double factor) {
  check_shape(operation, "the prediction", prediction, prediction.shape);
  if (gradient) check_shape(operation, "the gradient", gradient, prediction.shape);
  check_shape(operation, "loss", loss, {1});
  check_floats(operation, {prediction, gradient, loss});
  if (loss_sum) {
    check_shape(operation, "loss_sum", loss_sum, {1});
    require(loss_sum.dtype == DType::f64, operation, ": loss_sum is f64, not ",
            name_of(loss_sum.dtype));
  }
  require(std::isfinite(factor), operation, ": the factor must be finite, got ", factor);
}

void check_labels(const char* operation, const char* name, const ConstView& scores,
                  const ConstView& labels) {
  const int rank = scores.shape.rank();
  require(rank >= 2, operation, ": ", name, " must be [N, spatial..., K], got ", scores.shape);
  check_shape(operation, "labels", labels,
              Shape(scores.shape.sizes().first(static_cast<std::size_t>(rank - 1))));
  require(labels.dtype == DType::i32 || labels.dtype == DType::u8, operation,
          ": labels must be i32 or u8, not ", name_of(labels.dtype));
}

}  // namespace ratnet::inline v1
