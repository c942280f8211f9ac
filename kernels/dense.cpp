#include "dense.h"

#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_matrices(const char* operation, const char* input, const ConstView& x,
                    const ConstView& weight, const char* output, const ConstView& y) {
  require(x.shape.rank() == 2, operation, ": ", input, " has shape ", x.shape,
          ", expected [N, features]");
  require(weight.shape.rank() == 2, operation, ": weight has shape ", weight.shape,
          ", expected [in, out]");
  check_shape(operation, "weight", weight, {x.shape[1], weight.shape[1]});
  check_shape(operation, output, y, {x.shape[0], weight.shape[1]});
}

}  // namespace

void Dense::check() const {
  check_fused_activation(kName, activation, slope);
  check_floats(kName, {x, weight, bias, y});
  check_matrices(kName, "x", x, weight, "y", y);
  if (bias) check_shape(kName, "bias", bias, {weight.shape[1]});
}

void DenseBackwardData::check() const {
  check_floats(kName, {dy, weight, dx});
  check_matrices(kName, "dx", dx, weight, "dy", dy);
}

void DenseBackwardWeights::check() const {
  check_floats(kName, {x, dy, dweight, dbias});
  check_matrices(kName, "x", x, dweight, "dy", dy);
  if (dbias) check_shape(kName, "dbias", dbias, {dweight.shape[1]});
}

}  // namespace ratnet::inline v1
