#include "softmax.h"

#include <cmath>

#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_temperature(const char* operation, double temperature) {
  require(temperature > 0 && std::isfinite(temperature), operation,
          ": the temperature must be finite and above 0, got ", temperature);
}

}  // namespace

void Softmax::check() const {
  require(x.shape.rank() >= 1, kName, ": x needs at least one dimension");
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {x, y});
  check_temperature(kName, temperature);
}

void SoftmaxBackward::check() const {
  require(y.shape.rank() >= 1, kName, ": y needs at least one dimension");
  check_shape(kName, "y", y, y.shape);
  check_shape(kName, "dy", dy, y.shape);
  check_shape(kName, "dx", dx, y.shape);
  check_floats(kName, {y, dy, dx});
  check_temperature(kName, temperature);
}

void SoftmaxCrossEntropy::check() const {
  require(logits.shape.rank() == 2, kName, ": logits must be [N, K], got ", logits.shape);
  check_shape(kName, "logits", logits, logits.shape);
  check_shape(kName, "labels", labels, {logits.shape[0]});
  require(labels.dtype == DType::i32, kName, ": labels must be i32, not ", name_of(labels.dtype));
  if (class_weights) check_shape(kName, "class_weights", class_weights, {logits.shape[1]});
  check_shape(kName, "loss", loss, {1});
  if (dlogits) check_shape(kName, "dlogits", dlogits, logits.shape);
  check_floats(kName, {logits, class_weights, loss, dlogits});
  if (loss_sum) {
    check_shape(kName, "loss_sum", loss_sum, {1});
    require(loss_sum.dtype == DType::f64, kName, ": loss_sum is f64, not ",
            name_of(loss_sum.dtype));
  }
}

}  // namespace ratnet::inline v1
