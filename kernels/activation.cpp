#include "activation.h"

#include <cmath>

#include "check.h"

namespace ratnet::inline v1 {

// The sign of the output must tell the sign of the input.
void check_activation(const char* operation, Activation activation, double slope) {
  require(activation <= Activation::softplus, operation, ": unknown activation ",
          static_cast<int>(activation));
  const bool usable = slope >= 0 && std::isfinite(slope);
  require(activation != Activation::leaky_relu || usable, operation,
          ": the slope of a leaky ReLU must be finite and at least 0, got ", slope);
  require(activation != Activation::elu || usable, operation,
          ": the alpha of an ELU must be finite and at least 0, got ", slope);
}

void check_fused_activation(const char* operation, Activation activation, double slope) {
  check_activation(operation, activation, slope);
  require(activation <= Activation::leaky_relu, operation,
          ": can end with none, relu or leaky_relu, not with ",
          kActivationNames[static_cast<int>(activation)], "; put a layer of its own after it");
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
