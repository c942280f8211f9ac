#include "optimise.h"

#include <cmath>

#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_block(const char* operation, const ConstView& weight) {
  require(weight.shape.rank() == 1, operation, ": parameters must be one block [n], got ",
          weight.shape);
}

void check_amount(const char* operation, const char* name, double value) {
  require(value >= 0 && std::isfinite(value), operation, ": ", name,
          " must be finite and at least 0, got ", value);
}

void check_share(const char* operation, const char* name, double value) {
  require(value >= 0 && value < 1, operation, ": ", name, " must be in [0, 1), got ", value);
}

void check_numbers(const char* operation, const char* name, const ConstView& numbers,
                   std::int64_t count) {
  check_shape(operation, name, numbers, {count});
  require(numbers.dtype == DType::f64, operation, ": ", name, " is f64, not ",
          name_of(numbers.dtype));
}

}  // namespace

void Sgd::check() const {
  check_block(kName, weight);
  check_shape(kName, "weight", weight, weight.shape);
  check_shape(kName, "gradient", gradient, weight.shape);
  if (velocity || momentum != 0) check_shape(kName, "velocity", velocity, weight.shape);
  check_floats(kName, {weight, gradient, velocity});
  check_numbers(kName, "the rate", rate, 1);
  check_amount(kName, "momentum", momentum);
  check_amount(kName, "weight_decay", weight_decay);
  require(!nesterov || momentum > 0, kName, ": nesterov needs a momentum above 0");
}

void Adam::check() const {
  check_block(kName, weight);
  check_shape(kName, "weight", weight, weight.shape);
  check_shape(kName, "gradient", gradient, weight.shape);
  check_shape(kName, "first_moment", first_moment, weight.shape);
  check_shape(kName, "second_moment", second_moment, weight.shape);
  check_floats(kName, {weight, gradient, first_moment, second_moment});
  check_numbers(kName, "the rate", rates, 3);
  check_amount(kName, "epsilon", epsilon);
  check_amount(kName, "weight_decay", weight_decay);
  check_share(kName, "beta1", beta1);
  check_share(kName, "beta2", beta2);
}

std::array<double, 3> adam_rates(double rate, double beta1, double beta2, double decoupled_decay,
                                 std::int64_t step) {
  const auto t = static_cast<double>(step);
  return {rate / (1 - std::pow(beta1, t)), 1 / (1 - std::pow(beta2, t)),
          1 - rate * decoupled_decay};
}

void ClipNorm::check() const {
  check_block(kName, gradient);
  check_shape(kName, "gradient", gradient, gradient.shape);
  check_shape(kName, "norm", norm, {1});
  check_floats(kName, {gradient, norm});
  check_amount(kName, "limit", limit);
}

void Blend::check() const {
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {x, y});
  check_numbers(kName, "factor", factor, 1);
}

}  // namespace ratnet::inline v1
