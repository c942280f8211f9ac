#include "spatial_dropout.h"

#include "check.h"

namespace ratnet::inline v1 {

void SpatialDropout::check() const {
  require(keep > 0 && keep <= 1, kName, ": the kept share must be above 0 and at most 1, got ",
          keep);
  require(x.shape.rank() >= 2, kName, ": needs [N, spatial..., C], got ", x.shape);
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, x.shape);
  check_floats(kName, {x, y});
  check_random(kName, key, x.shape[0] * x.shape.back());
}

}  // namespace ratnet::inline v1
