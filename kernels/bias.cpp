#include "bias.h"

#include "activation.h"
#include "check.h"

namespace ratnet::inline v1 {

void AddBias::check() const {
  check_fused_activation(kName, activation, slope);
  check_shape(kName, "x", x, x.shape);
  require(x.shape.rank() >= 1, kName, ": x has no channels");
  check_shape(kName, "y", y, x.shape);
  if (bias) check_shape(kName, "bias", bias, {x.shape.back()});
  check_floats(kName, {x, bias, y});
}

}  // namespace ratnet::inline v1
