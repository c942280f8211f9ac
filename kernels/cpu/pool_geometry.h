// The geometry of pooling, shared by its four operations.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "../../core/view.h"
#include "../window.h"

namespace ratnet::inline v1 {

// A window over an input of three spatial sizes (1 in front where there are fewer). A row is one
// (n, d, h) of the tensor it is said of.
struct PoolGeometry {
  Window window;
  std::int64_t n = 0;
  std::int64_t channels = 0;
  std::array<std::int64_t, 3> input{};
  std::array<std::int64_t, 3> output{};

  PoolGeometry(const Shape& x, const Shape& y, const Window& narrow)
      : window(widened(narrow)), n(x[0]), channels(x.back()) {
    const Shape in = widened(x), out = widened(y);
    for (std::size_t d = 0; d < 3; ++d) {
      input[d] = in[static_cast<int>(d) + 1];
      output[d] = out[static_cast<int>(d) + 1];
    }
  }

  // The input coordinate of tap 0 at an output position; below 0 in the padding.
  std::int64_t start(std::size_t d, std::int64_t position) const {
    return position * window.stride[d] - window.pad_before[d];
  }

  // The taps [first, last) of one output position that lie inside the input.
  struct Range {
    std::int64_t first, last;
    std::int64_t size() const { return last - first; }
  };
  Range inside(std::size_t d, std::int64_t position) const {
    const std::int64_t from = start(d, position), step = window.dilation[d];
    const std::int64_t room = input[d] - 1 - from;
    return {from < 0 ? (-from + step - 1) / step : 0,
            step == 1 ? std::min(window.kernel[d], room + 1)
                      : std::min(window.kernel[d], room / step + 1)};
  }

  // The output positions [first, last) whose window reaches over an input coordinate (with
  // dilation it may have no tap there: see tap()).
  Range covering(std::size_t d, std::int64_t coordinate) const {
    const std::int64_t at = coordinate + window.pad_before[d], stride = window.stride[d];
    const std::int64_t reach = window.dilation[d] * (window.kernel[d] - 1) + 1;
    return {at < reach ? 0 : (at - reach) / stride + 1, std::min(output[d], at / stride + 1)};
  }

  // covering(d, coordinate) from covering(d, coordinate - 1), without dividing.
  void slide(std::size_t d, std::int64_t coordinate, Range& range) const {
    const std::int64_t at = coordinate + window.pad_before[d], stride = window.stride[d];
    const std::int64_t reach = window.dilation[d] * (window.kernel[d] - 1) + 1;
    while (range.first * stride + reach <= at) ++range.first;
    while (range.last < output[d] && range.last * stride <= at) ++range.last;
  }

  // Which tap of an output position lies at an input coordinate it covers; -1: none.
  std::int64_t tap(std::size_t d, std::int64_t position, std::int64_t coordinate) const {
    const std::int64_t offset = coordinate - start(d, position);
    if (window.dilation[d] == 1) return offset;
    return offset % window.dilation[d] == 0 ? offset / window.dilation[d] : -1;
  }

  // Whether every window is a solid block and no input element lies under two of them.
  bool disjoint() const {
    for (std::size_t d = 0; d < 3; ++d) {
      if (window.dilation[d] > 1 && window.kernel[d] > 1) return false;
      if (window.kernel[d] > window.stride[d] && output[d] > 1) return false;
    }
    return true;
  }

  // What an average is divided by, along one dimension.
  double divisor(std::size_t d, std::int64_t position, bool count_padding) const {
    return static_cast<double>(count_padding ? window.kernel[d] : inside(d, position).size());
  }
};

}  // namespace ratnet::inline v1
