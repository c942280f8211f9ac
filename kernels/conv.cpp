#include "conv.h"

#include "check.h"

namespace ratnet::inline v1 {
namespace {

// [kernel..., Cin / groups, Cout] that fits the window.
void check_weight(const char* operation, const ConstView& weight, const Window& window,
                  std::int64_t in, std::int64_t out, std::int64_t groups) {
  require(groups >= 1 && in % groups == 0 && out % groups == 0, operation, ": ", in, " and ", out,
          " channels do not divide into ", groups, " groups");
  Shape expected;
  for (int d = 0; d < window.rank; ++d)
    expected.push_back(window.kernel[static_cast<std::size_t>(d)]);
  expected.push_back(in / groups);
  expected.push_back(out);
  check_shape(operation, "weight", weight, expected);
}

// The last size, asking for a rank first so that a bad view cannot be indexed.
std::int64_t channels(const char* operation, const char* name, const ConstView& tensor) {
  require(tensor.shape.rank() >= 2, operation, ": ", name, " of shape ", tensor.shape,
          " has no channels");
  return tensor.shape.back();
}

}  // namespace

void Conv::check() const {
  check_fused_activation(kName, activation, slope);
  check_floats(kName, {x, weight, bias, added, y});
  const std::int64_t in = channels(kName, "x", x);
  const std::int64_t out = channels(kName, "weight", weight);
  Shape expected = window.output(x.shape, out, kName);
  check_weight(kName, weight, window, in, out, groups);
  check_shape(kName, "x", x, x.shape);
  if (bias) check_shape(kName, "bias", bias, {out});
  if (pool.rank) {
    require(pool.rank == window.rank, kName, ": pooling over ", pool.rank,
            " dimensions after a convolution over ", window.rank);
    require(pool.taps() <= 255, kName, ": a fused pooling window has at most 255 taps");
    for (std::size_t d = 0; d < 3; ++d)
      require(pool.kernel[d] == pool.stride[d] && pool.dilation[d] == 1 &&
                  pool.pad_before[d] == 0 && pool.pad_after[d] == 0,
              kName, ": fused pooling needs windows that neither overlap nor reach outside");
    expected = pool.output(expected, out, kName);
  }
  check_shape(kName, "y", y, expected);
  if (added) {
    require(pool.rank == 0, kName, ": nothing is added before a fused pooling");
    check_shape(kName, "added", added, expected);
    require(added.data != y.data, kName, ": y cannot be what is added");
  }
  if (argmax) {
    require(pool.rank > 0, kName, ": argmax needs a fused pooling");
    require(argmax.dtype == DType::u8, kName, ": argmax is u8, not ", name_of(argmax.dtype));
    check_shape(kName, "argmax", argmax, expected);
  }
}

void ConvBackwardData::check() const {
  check_floats(kName, {dy, weight, dx});
  const std::int64_t in = channels(kName, "dx", dx);
  const std::int64_t out = channels(kName, "dy", dy);
  check_weight(kName, weight, window, in, out, groups);
  check_shape(kName, "dy", dy, window.output(dx.shape, out, kName));
  check_shape(kName, "dx", dx, dx.shape);
}

void ConvBackwardWeights::check() const {
  check_floats(kName, {x, dy, dweight, dbias});
  const std::int64_t in = channels(kName, "x", x);
  const std::int64_t out = channels(kName, "dy", dy);
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "dy", dy, window.output(x.shape, out, kName));
  check_weight(kName, dweight, window, in, out, groups);
  if (dbias) check_shape(kName, "dbias", dbias, {out});
}

}  // namespace ratnet::inline v1
