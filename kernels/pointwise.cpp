#include "pointwise.h"

#include <cmath>

#include "activation.h"
#include "check.h"

namespace ratnet::inline v1 {

void Add::check() const {
  check_activation(kName, activation, slope);
  check_shape(kName, "a", a, a.shape);
  check_shape(kName, "b", b, a.shape);
  check_shape(kName, "y", y, a.shape);
  check_floats(kName, {a, b, y});
}

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
  check_shape(kName, "key", key, {2});
  require(key.dtype == DType::i64, kName, ": the key is i64, not ", name_of(key.dtype));
  require(x.count() <= std::int64_t{4} << 32, kName, ": ", x.count(),
          " elements are more than one stream of random numbers has");
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
