#include "activation.h"

#include <cmath>

#include "check.h"

namespace ratnet::inline v1 {

// The sign of the output must tell the sign of the input.
void check_activation(const char* operation, Activation activation, double slope) {
  require(activation <= Activation::leaky_relu, operation, ": unknown activation ",
          static_cast<int>(activation));
  require(activation != Activation::leaky_relu || (slope >= 0 && std::isfinite(slope)), operation,
          ": the slope of a leaky ReLU must be finite and at least 0, got ", slope);
}

void Activate::check() const {
  check_activation(kName, activation, slope);
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {x, y});
}

void ActivateBackward::check() const {
  check_activation(kName, activation, slope);
  check_shape(kName, "y", y, y.shape);
  check_shape(kName, "dy", dy, y.shape);
  check_shape(kName, "dx", dx, y.shape);
  check_floats(kName, {y, dy, dx});
}

}  // namespace ratnet::inline v1
