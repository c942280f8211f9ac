// The plainest double-precision versions of what the kernels compute, and numeric gradients.
#pragma once

#include <functional>
#include <vector>

#include "../../kernels/window.h"

namespace ratnet::testing {

using Doubles = std::vector<double>;

// d f / d x by central differences.
inline Doubles numeric_gradient(Doubles x, const std::function<double(const Doubles&)>& f,
                                double step = 1e-5) {
  Doubles gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double middle = x[i];
    x[i] = middle + step;
    const double above = f(x);
    x[i] = middle - step;
    const double below = f(x);
    x[i] = middle;
    gradient[i] = (above - below) / (2 * step);
  }
  return gradient;
}

inline double dot(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// visit(output element, input element or -1 in the padding, tap) for every output position, channel
// and tap of a window, taps in order; tensors are [N, spatial..., C].
template <class Visit>
void for_each_tap(const Shape& narrow, const Window& narrow_window, const Visit& visit) {
  const Shape in = widened(narrow);
  const Window w = widened(narrow_window);
  const Shape out = w.output(in, in[4], "oracle");
  std::int64_t to = 0;
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t d = 0; d < out[1]; ++d)
      for (std::int64_t h = 0; h < out[2]; ++h)
        for (std::int64_t x = 0; x < out[3]; ++x)
          for (std::int64_t c = 0; c < out[4]; ++c, ++to)
            for (std::int64_t tap = 0; tap < w.taps(); ++tap) {
              const std::int64_t k[3] = {tap / (w.kernel[1] * w.kernel[2]),
                                         tap / w.kernel[2] % w.kernel[1], tap % w.kernel[2]};
              const std::int64_t position[3] = {d, h, x};
              std::int64_t from = n;
              bool inside = true;
              for (int i = 0; i < 3; ++i) {
                const auto s = static_cast<std::size_t>(i);
                const std::int64_t at =
                    position[i] * w.stride[s] - w.pad_before[s] + k[i] * w.dilation[s];
                inside &= at >= 0 && at < in[i + 1];
                from = from * in[i + 1] + at;
              }
              visit(static_cast<std::size_t>(to), inside ? from * in[4] + c : std::int64_t{-1},
                    tap);
            }
}

}  // namespace ratnet::testing
