#include "copy_box.h"

#include "check.h"

namespace ratnet::inline v1 {

void CopyBox::check() const {
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, y.shape);
  check_floats(kName, {x, y});
  const int rank = x.shape.rank();
  require(rank >= 1 && y.shape.rank() == rank && from.rank() == rank && to.rank() == rank &&
              size.rank() == rank,
          kName, ": x, y, from, to and size must have one rank of at least 1, got ", x.shape, ", ",
          y.shape, ", ", from, ", ", to, " and ", size);
  for (int d = 0; d < rank; ++d)
    require(size[d] >= 0 && from[d] >= 0 && to[d] >= 0 && from[d] <= x.shape[d] &&
                to[d] <= y.shape[d] && size[d] <= x.shape[d] - from[d] &&
                size[d] <= y.shape[d] - to[d],
            kName, ": a box of ", size, " at ", from, " in ", x.shape, " and at ", to, " in ",
            y.shape, " does not lie inside both");
}

}  // namespace ratnet::inline v1
