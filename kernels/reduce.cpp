#include "reduce.h"

#include <cstdint>
#include <limits>

#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_reduced(const char* operation, const Shape& whole, const ConstView& reduced,
                   const char* name, const ConstView& argmax, Reduction by) {
  require(whole.rank() == 3 && whole[1] >= 1, operation,
          ": needs [outer, middle, inner] with a middle of at least 1, got ", whole);
  check_shape(operation, name, reduced, {whole[0], whole[2]});
  if (!argmax) return;
  require(by == Reduction::max, operation, ": only a maximum has an argmax");
  check_shape(operation, "argmax", argmax, {whole[0], whole[2]});
  require(argmax.dtype == DType::i32, operation, ": argmax must be i32, not ",
          name_of(argmax.dtype));
  require(whole[1] <= std::numeric_limits<std::int32_t>::max(), operation,
          ": an argmax tells 2^31 - 1 places apart, not ", whole[1]);
}

}  // namespace

void Reduce::check() const {
  check_shape(kName, "x", x, x.shape);
  check_reduced(kName, x.shape, y, "y", argmax, by);
  check_floats(kName, {x, y});
}

void ReduceBackward::check() const {
  check_shape(kName, "dx", dx, dx.shape);
  check_reduced(kName, dx.shape, dy, "dy", argmax, by);
  check_floats(kName, {dy, dx});
  require(by != Reduction::max || argmax || dy.count() == 0, kName,
          ": the gradient of a maximum needs its argmax");
}

}  // namespace ratnet::inline v1
