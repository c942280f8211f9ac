#include "conv_bands.h"

#include <algorithm>
#include <cstring>

namespace ratnet::inline v1::conv_bands {

std::int64_t band_rows(const Problem& p, std::int64_t planes, std::int64_t step) {
  constexpr std::int64_t kBandFloats = std::int64_t{24} * 1024;
  std::int64_t rows = std::max(step, p.output[1] / step * step);
  while (rows > step) {
    const BandLayout band(p, planes, rows);
    if (band.depth * band.height * band.row_stride <= kBandFloats) break;
    rows = rows / 2 / step * step;
    rows = std::max(rows, step);
  }
  return rows;
}

std::int64_t band_planes(const Problem& p, std::int64_t step, std::int64_t rows) {
  constexpr std::int64_t kBandFloats = std::int64_t{64} * 1024, kMost = 4;
  std::int64_t planes = step;
  while (planes < kMost * step && 2 * planes <= p.output[0]) {
    const BandLayout band(p, 2 * planes, rows);
    if (band.depth * band.height * band.row_stride > kBandFloats) break;
    planes *= 2;
  }
  return planes;
}

const float* take_band(const Problem& p, const BandLayout& layout, const float* sample,
                       std::int64_t plane, std::int64_t first, float* buffer) {
  const Window& w = p.window;
  const std::int64_t in_row = p.input[2] * p.in;
  const std::int64_t z0 = plane * w.stride[0] - w.pad_before[0];
  const std::int64_t y0 = first * w.stride[1] - w.pad_before[1];
  if (!layout.copied) return sample + (z0 * p.input[1] + y0) * in_row;

  const std::int64_t left = w.pad_before[2] * p.in;
  const std::int64_t right = w.pad_after[2] * p.in;
  for (std::int64_t z = 0; z < layout.depth; ++z) {
    for (std::int64_t y = 0; y < layout.height; ++y) {
      float* to = buffer + z * layout.plane_stride + y * layout.row_stride;
      const bool inside = z0 + z >= 0 && z0 + z < p.input[0] && y0 + y >= 0 && y0 + y < p.input[1];
      if (!inside) {
        std::fill_n(to, layout.row_stride, 0.0f);
        continue;
      }
      std::fill_n(to, left, 0.0f);
      std::memcpy(to + left, sample + ((z0 + z) * p.input[1] + y0 + y) * in_row,
                  static_cast<std::size_t>(in_row) * sizeof(float));
      std::fill_n(to + left + in_row, right, 0.0f);
    }
  }
  return buffer;
}

void Runs::offsets(const Problem& p, const BandLayout& band, std::ptrdiff_t* to) const {
  const Window& w = p.window;
  for (std::int64_t z = 0; z < w.kernel[0]; ++z)
    for (std::int64_t y = 0; y < w.kernel[1]; ++y)
      for (std::int64_t x = 0; x < (joined ? 1 : w.kernel[2]); ++x)
        *to++ = z * w.dilation[0] * band.plane_stride + y * w.dilation[1] * band.row_stride +
                x * w.dilation[2] * p.in;
}

}  // namespace ratnet::inline v1::conv_bands
