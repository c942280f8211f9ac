#include "normalise.h"

#include <cmath>

#include "activation.h"
#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_over(const char* who, const ConstView& x, const NormOver& over) {
  require(x.shape.rank() >= 2 && x.shape.back() >= 1, who, ": x must be [N, ..., C], got ",
          x.shape);
  require(!over.per_sample || (over.groups >= 1 && x.shape.back() % over.groups == 0), who, ": ",
          x.shape.back(), " channels do not divide into ", over.groups, " groups");
}

void check_channels(const char* who, const char* name, const ConstView& view, const Shape& x) {
  if (view) check_shape(who, name, view, {x.back()});
}

}  // namespace

void check_epsilon(const char* who, double epsilon) {
  require(epsilon > 0 && std::isfinite(epsilon), who, ": epsilon is ", epsilon,
          ", expected more than 0");
}

Shape NormOver::statistics(const Shape& x) const {
  return per_sample ? Shape{x[0], groups} : Shape{x.back()};
}

void Normalise::check() const {
  check_shape(kName, "x", x, x.shape);
  check_over(kName, x, over);
  check_shape(kName, "y", y, x.shape);
  check_channels(kName, "scale", scale, x.shape);
  check_channels(kName, "shift", shift, x.shape);
  require(bool(mean) == bool(inv_deviation), kName, ": mean and inv_deviation go together");
  if (mean) {
    check_shape(kName, "mean", mean, over.statistics(x.shape));
    check_shape(kName, "inv_deviation", inv_deviation, over.statistics(x.shape));
  }
  require(bool(running_mean) == bool(running_variance), kName,
          ": running mean and running variance go together");
  require(!running_mean || !over.per_sample, kName, ": samples have no running mean");
  check_channels(kName, "running_mean", running_mean, x.shape);
  check_channels(kName, "running_variance", running_variance, x.shape);
  check_floats(kName, {x, y, scale, shift, mean, inv_deviation, running_mean, running_variance});
  check_epsilon(kName, epsilon);
  require(momentum >= 0 && momentum <= 1, kName, ": momentum is ", momentum, ", expected 0 to 1");
  check_fused_activation(kName, activation, slope);
}

void NormaliseBackward::check() const {
  check_shape(kName, "x", x, x.shape);
  check_over(kName, x, over);
  check_shape(kName, "dy", dy, x.shape);
  check_shape(kName, "mean", mean, over.statistics(x.shape));
  check_shape(kName, "inv_deviation", inv_deviation, over.statistics(x.shape));
  check_channels(kName, "scale", scale, x.shape);
  check_channels(kName, "shift", shift, x.shape);
  if (dx) check_shape(kName, "dx", dx, x.shape);
  check_channels(kName, "dscale", dscale, x.shape);
  check_channels(kName, "dshift", dshift, x.shape);
  check_floats(kName, {x, dy, mean, inv_deviation, scale, shift, dx, dscale, dshift});
  check_fused_activation(kName, activation, slope);
}

void NormaliseBy::check() const {
  check_shape(kName, "x", x, x.shape);
  require(x.shape.rank() >= 1 && x.shape.back() >= 1, kName, ": x must be [..., C], got ", x.shape);
  check_shape(kName, "y", y, x.shape);
  check_shape(kName, "variance", variance, {x.shape.back()});
  check_channels(kName, "mean", mean, x.shape);
  check_channels(kName, "scale", scale, x.shape);
  check_channels(kName, "shift", shift, x.shape);
  check_floats(kName, {x, y, variance, mean, scale, shift});
  check_epsilon(kName, epsilon);
  check_fused_activation(kName, activation, slope);
}

void FoldNorm::check() const {
  check_shape(kName, "weight", weight, weight.shape);
  const int rank = weight.shape.rank(), behind = transposed ? 2 : 1;
  require(rank >= behind, kName, ": the weight has no channels");
  const Shape channels{weight.shape[rank - behind]};
  if (bias) check_shape(kName, "bias", bias, channels);
  check_shape(kName, "mean", mean, channels);
  check_shape(kName, "variance", variance, channels);
  check_shape(kName, "scale", scale, channels);
  check_shape(kName, "shift", shift, channels);
  check_shape(kName, "folded_weight", folded_weight, weight.shape);
  check_shape(kName, "folded_bias", folded_bias, channels);
  check_floats(kName, {weight, bias, mean, variance, scale, shift, folded_weight, folded_bias});
  check_epsilon(kName, epsilon);
}

}  // namespace ratnet::inline v1
