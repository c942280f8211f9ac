#include "resample.h"

#include "check.h"
#include "sampled_axis.h"

namespace ratnet::inline v1 {
namespace {
// Larger ones would overflow the index arithmetic.
constexpr std::int64_t kMostSize = std::int64_t{1} << 30;
constexpr std::int64_t kMostNumber = std::int64_t{1} << 31;
}  // namespace

void Sampling::check(const char* who, const Shape& x, const Shape& y) const {
  const int rank = x.rank() - 2;
  require(rank >= 1 && rank <= 3 && y.rank() == x.rank() && x[0] == y[0] && x.back() == y.back(),
          who, ": needs [N, 1 to 3 spatial sizes, C] with equal N and C, got ", x, " and ", y);
  for (int d = 0; d < rank; ++d) {
    const SampledLine& line = lines[static_cast<std::size_t>(d)];
    const std::int64_t in = x[d + 1], out = y[d + 1];
    require(in >= 1 && in <= kMostSize && out >= 1 && out <= kMostSize, who,
            ": sizes must be 1 to ", kMostSize, ", got ", x, " and ", y);
    require(line.divisor >= 1 && line.divisor <= kMostNumber && line.step <= kMostNumber &&
                line.start >= -kMostNumber && line.start <= kMostNumber &&
                (line.step >= 1 || (line.step == 0 && in == 1 && !reflect)),
            who, ": no places are (", line.step, " * i + ", line.start, ") / ", line.divisor);
    if (!reflect) continue;
    const std::int64_t first = floor_divide(line.start, line.divisor);
    const std::int64_t last = ceil_divide(line.step * (out - 1) + line.start, line.divisor);
    require(first > -in && last <= 2 * (in - 1), who, ": places ", first, " to ", last,
            " cannot be mirrored once into a size of ", in);
  }
}

void Resample::check() const {
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, y.shape);
  check_floats(kName, {x, y});
  sampling.check(kName, x.shape, y.shape);
}

void ResampleBackward::check() const {
  check_shape(kName, "dy", dy, dy.shape);
  check_shape(kName, "dx", dx, dx.shape);
  check_floats(kName, {dy, dx});
  sampling.check(kName, dx.shape, dy.shape);
}

}  // namespace ratnet::inline v1
