#include "cross_entropy.h"

#include "check.h"
#include "loss.h"

namespace ratnet::inline v1 {

void SoftmaxCrossEntropy::check() const {
  check_labels(kName, "logits", logits, labels);
  check_loss(*this, logits, dlogits);
  if (class_weights) check_shape(kName, "class_weights", class_weights, {logits.shape.back()});
  check_floats(kName, {logits, class_weights});
  require(label_smoothing >= 0 && label_smoothing <= 1, kName,
          ": label_smoothing must be in [0, 1], got ", label_smoothing);
  require(!accumulate || !dlogits || dlogits.data != logits.data, kName,
          ": a gradient that accumulates needs memory of its own, not the logits'");
}

}  // namespace ratnet::inline v1
