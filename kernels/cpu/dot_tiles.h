// Micro-kernels for few channels out, f32: the lanes of a vector hold neighbouring terms of a sum,
// where those of tiles.h hold channels and would mostly hold none.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ratnet::inline v1 {

constexpr std::int64_t kMostDotChannels = 4;
constexpr int kDotSums = 8;  // of a tile: pixels x channels

// Terms in a vector: 1, 4 or 8. Runs are at least so long.
std::int64_t dot_lanes();

// Channels as they are packed: 1, 2 or 4.
constexpr std::int64_t dot_channels(std::int64_t channels) { return channels == 3 ? 4 : channels; }

// A run of terms is cut into vectors; the last one begins dot_lanes() before the run's end, and
// those of its terms that the vector before it has count as 0.
inline std::int64_t dot_vectors(std::int64_t run_length) {
  return (run_length + dot_lanes() - 1) / dot_lanes();
}

// For p in 0..pixels-1 and c in 0..channels-1:
//   out[p * channels + c] = activation(bias[c] + sum over r < runs, k < run_length of
//       x[p * x_stride + run_offsets[r] + k] * weight of (r, k, c) + added[p * channels + c])
// Order of the sum: by lanes, each over runs and then vectors; then the lanes in pairs; then bias;
// then what is added.
struct DotTiles {
  const float* x;
  std::ptrdiff_t x_stride;
  std::int64_t pixels;
  const std::ptrdiff_t* run_offsets;
  std::int64_t runs;
  std::int64_t run_length;
  const float* weight;  // [runs][dot_vectors][dot_channels][dot_lanes]
  const float* bias;    // [kDotSums]: those of a tile's pixels, one after the other
  std::int64_t channels;
  float negative_slope;          // as in tiles.h
  const float* added = nullptr;  // as out, or absent
  float* out;
};
void dot_tiles(const DotTiles& tiles);

// For c in 0..channels-1 and k in 0..run_length-1:
//   out[c * out_stride + k] += sum over l < lines, p < pixels of
//       x[l * x_line_stride + p * x_stride + k] * dy[(l * pixels + p) * channels + c]
struct DotGradient {
  const float* x;
  std::ptrdiff_t x_stride;
  std::int64_t pixels;  // of a line
  std::int64_t lines;
  std::ptrdiff_t x_line_stride;
  const float* dy;
  std::int64_t channels;
  std::int64_t run_length;
  float* out;
  std::ptrdiff_t out_stride;
};
void dot_gradient(const DotGradient& gradient);

}  // namespace ratnet::inline v1
