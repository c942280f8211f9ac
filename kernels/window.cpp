#include "window.h"

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {
// Larger values would overflow the index arithmetic and mean nothing.
constexpr std::int64_t kMost = std::int64_t{1} << 22;
}  // namespace

std::int64_t Window::taps() const {
  std::int64_t product = 1;
  for (int d = 0; d < rank; ++d) product *= kernel[static_cast<std::size_t>(d)];
  return product;
}

std::int64_t Window::positions(int dimension, std::int64_t input) const {
  const auto d = static_cast<std::size_t>(dimension);
  const std::int64_t reach = dilation[d] * (kernel[d] - 1) + 1;
  const std::int64_t room = input + pad_before[d] + pad_after[d] - reach;
  return room < 0 ? 0 : room / stride[d] + 1;
}

void Window::check(const char* who) const {
  require(rank >= 1 && rank <= 3, who, ": a window has 1 to 3 spatial dimensions, not ", rank);
  for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d)
    require(kernel[d] >= 1 && stride[d] >= 1 && dilation[d] >= 1 && pad_before[d] >= 0 &&
                pad_after[d] >= 0 && kernel[d] <= kMost && stride[d] <= kMost &&
                dilation[d] <= kMost && pad_before[d] <= kMost && pad_after[d] <= kMost,
            who, ": kernel, stride and dilation are 1 to ", kMost, " and padding 0 to ", kMost,
            ", got ", kernel[d], ", ", stride[d], ", ", dilation[d], " and ", pad_before[d], " + ",
            pad_after[d]);
  std::int64_t product = 1;
  for (int d = 0; d < rank; ++d) {
    product *= kernel[static_cast<std::size_t>(d)];
    require(product <= kMost, who, ": a kernel has at most ", kMost, " taps");
  }
}

Shape Window::output(const Shape& input, std::int64_t channels, const char* who) const {
  check(who);
  require(input.rank() == rank + 2, who, ": a window of ", rank,
          " spatial dimensions needs an input of rank ", rank + 2, ", got ", input);
  Shape out{input[0]};
  for (int i = 0; i < rank; ++i) {
    const auto d = static_cast<std::size_t>(i);
    require(positions(i, input[i + 1]) >= 1, who, ": a kernel of ", kernel[d], " with dilation ",
            dilation[d], " does not fit an input of ", input[i + 1], " with padding ",
            pad_before[d], " + ", pad_after[d]);
    out.push_back(positions(i, input[i + 1]));
  }
  out.push_back(channels);
  return out;
}

Window widened(const Window& window) {
  Window wide;
  wide.rank = 3;
  const auto shift = static_cast<std::size_t>(3 - window.rank);
  for (std::size_t d = 0; d + shift < 3; ++d) {
    wide.kernel[d + shift] = window.kernel[d];
    wide.stride[d + shift] = window.stride[d];
    wide.dilation[d + shift] = window.dilation[d];
    wide.pad_before[d + shift] = window.pad_before[d];
    wide.pad_after[d + shift] = window.pad_after[d];
  }
  return wide;
}

Shape widened(const Shape& shape) {
  Shape wide{shape[0]};
  for (int d = shape.rank(); d < 5; ++d) wide.push_back(1);
  for (int d = 1; d < shape.rank(); ++d) wide.push_back(shape[d]);
  return wide;
}

}  // namespace ratnet::inline v1
