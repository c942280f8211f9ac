#include "pool.h"

#include <algorithm>

#include "check.h"

namespace ratnet::inline v1 {
namespace {

// The argmax is a byte, and 255 stays free.
constexpr std::int64_t kMostTaps = 255;

void check_taps(const char* operation, const Window& window) {
  std::int64_t taps = 1;
  for (int d = 0; d < window.rank && taps <= kMostTaps; ++d)
    taps *= window.kernel[static_cast<std::size_t>(d)];
  require(taps <= kMostTaps, operation, ": a window with an argmax has at most ", kMostTaps,
          " taps");
}

void check_argmax(const char* operation, const ConstView& argmax, const Shape& expected,
                  const Window& window) {
  check_shape(operation, "argmax", argmax, expected);
  require(argmax.dtype == DType::u8, operation, ": argmax must be u8, not ", name_of(argmax.dtype));
  check_taps(operation, window);
}

}  // namespace

Shape pooled_shape(const char* who, const Shape& input, const Window& window) {
  require(input.rank() >= 3, who, ": needs [N, spatial..., C], got ", input);
  const Shape output = window.output(input, input.back(), who);
  for (int i = 0; i < window.rank; ++i) {
    const auto d = static_cast<std::size_t>(i);
    const std::int64_t stride = window.stride[d], dilation = window.dilation[d];
    const auto check = [&](std::int64_t position) {
      const std::int64_t start = position * stride - window.pad_before[d];
      const std::int64_t tap = start < 0 ? (-start + dilation - 1) / dilation : 0;
      require(tap < window.kernel[d] && start + tap * dilation < input[i + 1], who,
              ": with a kernel of ", window.kernel[d], " and padding ", window.pad_before[d], " + ",
              window.pad_after[d], " a window lies wholly in the padding; use less padding");
    };
    // Of the windows that begin inside the input or behind it, the last is the worst.
    const std::int64_t last = output[i + 1] - 1;
    const std::int64_t early = (window.pad_before[d] + stride - 1) / stride;
    for (std::int64_t position = 0; position < std::min(early, last); ++position) check(position);
    check(last);
  }
  return output;
}

void MaxPool::check() const {
  const Shape expected = pooled_shape(kName, x.shape, window);
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, expected);
  check_floats(kName, {x, y});
  if (argmax) check_argmax(kName, argmax, expected, window);
}

void MaxPoolBackward::check() const {
  const Shape expected = pooled_shape(kName, dx.shape, window);
  check_shape(kName, "dx", dx, dx.shape);
  check_shape(kName, "dy", dy, expected);
  check_floats(kName, {dy, dx});
  check_argmax(kName, argmax, expected, window);
}

void AvgPool::check() const {
  const Shape expected = pooled_shape(kName, x.shape, window);
  check_shape(kName, "x", x, x.shape);
  check_shape(kName, "y", y, expected);
  check_floats(kName, {x, y});
}

void AvgPoolBackward::check() const {
  const Shape expected = pooled_shape(kName, dx.shape, window);
  check_shape(kName, "dx", dx, dx.shape);
  check_shape(kName, "dy", dy, expected);
  check_floats(kName, {dy, dx});
}

}  // namespace ratnet::inline v1
