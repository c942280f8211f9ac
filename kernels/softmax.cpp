#include "softmax.h"

#include "check.h"

namespace ratnet::inline v1 {

void Softmax::check() const {
  require(x.shape.rank() >= 1, kName, ": x needs at least one dimension");
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {x, y});
}

void SoftmaxBackward::check() const {
  require(y.shape.rank() >= 1, kName, ": y needs at least one dimension");
  check_shape(kName, "y", y, y.shape);
  check_shape(kName, "dy", dy, y.shape);
  check_shape(kName, "dx", dx, y.shape);
  check_floats(kName, {y, dy, dx});
}

void SoftmaxCrossEntropy::check() const {
  require(logits.shape.rank() == 2, kName, ": logits must be [N, K], got ",
          to_string(logits.shape));
  check_shape(kName, "logits", logits, logits.shape);
  check_shape(kName, "labels", labels, {logits.shape[0]});
  require(labels.dtype == DType::i32, kName, ": labels must be i32, not ", name_of(labels.dtype));
  if (class_weights) check_shape(kName, "class_weights", class_weights, {logits.shape[1]});
  check_shape(kName, "loss", loss, {1});
  if (dlogits) check_shape(kName, "dlogits", dlogits, logits.shape);
  check_floats(kName, {logits, class_weights, loss, dlogits});
}

}  // namespace ratnet::inline v1
