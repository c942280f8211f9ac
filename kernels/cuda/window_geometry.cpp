#include "window_geometry.h"

namespace ratnet::inline v1 {

WindowGeometry geometry_of(const Shape& x, const Shape& y, const Window& narrow,
                           std::int64_t groups) {
  const Window window = widened(narrow);
  const Shape in = widened(x), out = widened(y);
  WindowGeometry g;
  g.groups = groups;
  g.batch = in[0];
  g.channels = in[4];
  g.outputs = out[4];
  for (int d = 0; d < 3; ++d) {
    const auto i = static_cast<std::size_t>(d);
    g.in[d] = in[d + 1];
    g.out[d] = out[d + 1];
    g.kernel[d] = window.kernel[i];
    g.stride[d] = window.stride[i];
    g.dilation[d] = window.dilation[i];
    g.pad[d] = window.pad_before[i];
  }
  return g;
}

WindowGeometry dense_geometry(const Shape& x, const Shape& y) {
  WindowGeometry g;
  g.batch = x[0];
  g.channels = x[1];
  g.outputs = y[1];
  return g;
}

}  // namespace ratnet::inline v1
