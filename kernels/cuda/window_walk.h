// Walks of a window over its input, inside kernels.
#pragma once

#include <cuda_runtime.h>

#include "grid_place.h"
#include "window_geometry.h"

namespace ratnet::inline v1 {

// visit(tap, its offsets) for the taps of a kernel in order.
template <class Visit>
__device__ void for_taps(const WindowGeometry& g, const Visit& visit) {
  int tap = 0;
  for (std::int64_t a = 0; a < g.kernel[0]; ++a)
    for (std::int64_t b = 0; b < g.kernel[1]; ++b)
      for (std::int64_t c = 0; c < g.kernel[2]; ++c, ++tap) {
        const std::int64_t offsets[3] = {a, b, c};
        visit(tap, offsets);
      }
}

// Where in the kernel a tap lies.
__device__ inline void split_tap(const WindowGeometry& g, std::int64_t tap, std::int64_t* at) {
  at[2] = tap % g.kernel[2];
  tap /= g.kernel[2];
  at[1] = tap % g.kernel[1];
  at[0] = tap / g.kernel[1];
}

// The pixel of the input that lies under a tap at a position of the output, or -1 in the padding.
__device__ inline std::int64_t input_under(const WindowGeometry& g, const GridPlace& p,
                                           const std::int64_t* tap) {
  std::int64_t pixel = p.sample;
  for (int d = 0; d < 3; ++d) {
    const std::int64_t i = p.at[d] * g.stride[d] - g.pad[d] + tap[d] * g.dilation[d];
    if (i < 0 || i >= g.in[d]) return -1;
    pixel = pixel * g.in[d] + i;
  }
  return pixel;
}

// The pixel of the output whose tap lies on a position of the input, or -1.
__device__ inline std::int64_t output_over(const WindowGeometry& g, const GridPlace& p,
                                           const std::int64_t* tap) {
  std::int64_t pixel = p.sample;
  for (int d = 0; d < 3; ++d) {
    const std::int64_t start = p.at[d] + g.pad[d] - tap[d] * g.dilation[d];
    if (start < 0 || start % g.stride[d] || start / g.stride[d] >= g.out[d]) return -1;
    pixel = pixel * g.out[d] + start / g.stride[d];
  }
  return pixel;
}

}  // namespace ratnet::inline v1
