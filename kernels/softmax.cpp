#include "softmax.h"

#include <cmath>

#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_temperature(const char* operation, double temperature) {
  require(temperature >= 1e-30 && std::isfinite(temperature), operation,
          ": the temperature must be finite and at least 1e-30, got ", temperature);
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

}  // namespace ratnet::inline v1
