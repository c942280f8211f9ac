#include "pointwise.h"

#include <cmath>

#include "activation.h"
#include "check.h"

namespace ratnet::inline v1 {
namespace {

void check_pair(const char* operation, const ConstView& a, const ConstView& b, const ConstView& y) {
  check_shape(operation, "a", a, a.shape);
  check_shape(operation, "b", b, a.shape);
  check_shape(operation, "y", y, a.shape);
  check_floats(operation, {a, b, y});
}

}  // namespace

void Add::check() const {
  check_fused_activation(kName, activation, slope);
  check_pair(kName, a, b, y);
}

void Multiply::check() const { check_pair(kName, a, b, y); }

void SetNumbers::check() const {
  require(y.shape.rank() == 1 && y.shape[0] <= kMost, kName, ": y must be [n] with n up to ", kMost,
          ", got ", y.shape);
  check_shape(kName, "y", y, y.shape);
  require(y.dtype == DType::f64 || y.dtype == DType::i64, kName, ": y is f64 or i64, not ",
          name_of(y.dtype));
}

void Dropout::check() const {
  require(keep > 0 && keep <= 1, kName, ": the kept share must be above 0 and at most 1, got ",
          keep);
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {x, y});
  check_random(kName, key, x.count());
}

void Convert::check() const {
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {y});
  switch (x.dtype) {
    case DType::u8:
    case DType::u16:
    case DType::i16:
    case DType::f32:
    case DType::f64: break;
    default: fail(ErrorKind::usage, kName, ": cannot convert from ", name_of(x.dtype));
  }
  require(std::isfinite(scale) && std::isfinite(offset), kName,
          ": scale and offset must be finite, got ", scale, " and ", offset);
  if (scales) {
    require(x.shape.rank() >= 1, kName, ": x has no samples to scale");
    check_shape(kName, "scales", scales, {x.shape[0]});
    require(scales.dtype == DType::f32, kName, ": scales are f32, not ", name_of(scales.dtype));
  }
}

}  // namespace ratnet::inline v1
