#include "dice_loss.h"

#include <cmath>

#include "check.h"
#include "loss.h"

namespace ratnet::inline v1 {

void DiceLoss::check() const {
  check_labels(kName, "probabilities", probabilities, labels);
  check_loss(*this, probabilities, dprobabilities);
  require(smoothing >= 0 && std::isfinite(smoothing), kName,
          ": smoothing must be finite and at least 0, got ", smoothing);
  const std::int64_t classes = probabilities.shape.back();
  require(classes >= 1, kName, ": needs at least one class");
  require(include_background || classes >= 2, kName,
          ": without the background no class is left of 1");
}

}  // namespace ratnet::inline v1
