// Which input lies under which tap of which output, as kernels take it.
#pragma once

#include "../../core/shape.h"
#include "../window.h"

namespace ratnet::inline v1 {

// Of a convolution, x [N, in[0], in[1], in[2], channels] against y [N, out..., outputs] with weight
// [taps, channels, outputs], or of a pooling, where outputs are channels. Fewer dimensions are
// widened to three.
struct WindowGeometry {
  std::int64_t batch = 0, channels = 0, outputs = 0;
  std::int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  std::int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
  std::int64_t pad[3] = {0, 0, 0};
  std::int64_t groups = 1;  // of channels and outputs; weight is [taps, channels / groups, outputs]
  bool operator==(const WindowGeometry&) const = default;
};

WindowGeometry geometry_of(const Shape& x, const Shape& y, const Window& window,
                           std::int64_t groups = 1);
// How many positions, or taps, sizes in three dimensions make.
constexpr std::int64_t product(const std::int64_t* sizes) { return sizes[0] * sizes[1] * sizes[2]; }
inline bool is_empty(const WindowGeometry& g) {
  return g.batch == 0 || g.channels == 0 || g.outputs == 0 || product(g.in) == 0 ||
         product(g.out) == 0;
}
// x [N, channels], y [N, outputs].
WindowGeometry dense_geometry(const Shape& x, const Shape& y);

}  // namespace ratnet::inline v1
