// The two f32 micro-kernels that convolutions and dense layers are made of, for the processor's
// vectors. A panel is a group of neighbouring output channels: two vectors, or fewer for few
// channels, held in registers for several pixels at once (the register tile of Goto and van de
// Geijn, 2008, with pixels in place of matrix rows).
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../core/activation.h"

namespace ratnet::inline v1 {

// Output channels of a whole panel: twice the lanes of a vector.
std::int64_t panel_width();
// Of the narrowest panel that holds so many, where there is one: a vector of them, with AVX-512
// also half a vector; else that of a whole panel.
std::int64_t panel_width(std::int64_t channels);
constexpr std::int64_t kWidestPanel = 128;  // with vectors of 2048 bits

// For p in 0..pixels-1 and every channel c of one panel:
//   out[p * out_stride + c] = start + sum over r < runs, k < run_length of
//       x[p * x_stride + run_offsets[r] + k] * weight[(r * run_length + k) * width + c]
// start is bias[c], 0 where bias is absent, or what `out` holds where it is continued. Pixels are
// stored in order, so that they may overlap unless continued.
struct ForwardTiles {
  std::int64_t width = panel_width();  // of the panel, as panel_width() gives it
  const float* x;
  std::ptrdiff_t x_stride;
  std::int64_t pixels;
  const std::ptrdiff_t* run_offsets;
  std::int64_t runs;
  std::int64_t run_length;
  const float* weight;
  const float* bias = nullptr;
  bool continued = false;
  float* out;
  std::ptrdiff_t out_stride;
};
void forward_tiles(const ForwardTiles& tiles);

// One pixel of several panels, whose sums fill the registers that further pixels would: for every
// panel p < panels and every channel c of it
//   out[p * panel_width() + c] = bias[p * panel_width() + c] + sum over k < terms of
//       x[k] * weight[(p * terms + k) * panel_width() + c],
// with the same bits as forward_tiles.
struct ForwardRow {
  const float* x;
  std::int64_t terms;
  std::int64_t panels;
  const float* weight;
  const float* bias;
  float* out;
};
void forward_row(const ForwardRow& row);

// forward_tiles with windows of 2x2 pixels pooled: for r in 0..rows-1, p in 0..pixels-1 and the
// first `channels` of one panel, out[r * out_row_stride + p * out_stride + c] = activation(the
// largest of the sums of pixels 2p and 2p + 1 of rows 2r and 2r + 1); a NaN counts as the largest.
// Weights lie in one panel. 3x3 over one channel rounds otherwise (one_channel_tiles.h).
struct ForwardPoolTiles {
  const float* x;
  std::ptrdiff_t x_stride, x_row_stride;  // floats from one pixel, one row to the next
  std::int64_t rows, pixels;              // pooled
  const std::ptrdiff_t* run_offsets;
  std::int64_t runs;
  std::int64_t run_length;
  const float* weight;
  const float* bias;      // a whole panel
  float negative_slope;   // as in PoolRows
  std::int64_t channels;  // any number: of a panel that is not full, those from here on
  float* out;
  std::uint8_t* argmax;  // as out: which of the four was the first maximum; or nullptr
  std::ptrdiff_t out_stride, out_row_stride;
};
void forward_pool_tiles(const ForwardPoolTiles& tiles);

// For k in 0..rows-1 and every channel c of one panel:
//   out[k * out_stride + c] += sum over l < lines, p < pixels of
//       x[l * x_line_stride + p * x_stride + row_offsets[k]] *
//       dy[l * dy_line_stride + p * dy_stride + c]
struct OuterTiles {
  std::int64_t width = panel_width();  // of the panel, as panel_width() gives it
  const float* x;
  std::ptrdiff_t x_stride;
  std::int64_t pixels;  // of a line
  std::int64_t lines;
  std::ptrdiff_t x_line_stride;
  std::ptrdiff_t dy_line_stride;
  const std::ptrdiff_t* row_offsets;
  std::int64_t rows;
  const float* dy;
  std::ptrdiff_t dy_stride;
  float* out;
  std::ptrdiff_t out_stride;
};
void outer_tiles(const OuterTiles& tiles);

// Maxima over non-overlapping windows of rows that lie in a buffer, with the activation applied:
// out[p][c] = activation(max over r < rows, q < width of row r, pixel p * width + q, plus
// added[p][c]), channels 0..channels-1; a NaN counts as the largest. The buffer holds whole panels:
// reads of it, and nothing else, may pass `channels`.
struct PoolRows {
  const float* buffer;
  std::ptrdiff_t row_stride;    // floats from one row of the window to the next
  std::ptrdiff_t pixel_stride;  // floats from one pixel to the next
  std::int64_t rows;            // of one window
  std::int64_t width;           // of one window
  std::int64_t pixels;          // pooled
  std::int64_t channels;
  float negative_slope;          // of the activation: 1 none, 0 ReLU, else leaky
  const float* added = nullptr;  // [pixels][channels], or nullptr
  float* out;                    // [pixels][channels]
  std::uint8_t* argmax;          // the same, r * width + q of the first maximum; or nullptr
};
void pool_rows(const PoolRows& rows);

// What the activations that operations can end with multiply negative numbers by.
inline float negative_slope(Activation activation, double slope) {
  switch (activation) {
    case Activation::none: return 1;
    case Activation::relu: return 0;
    default: return static_cast<float>(slope);  // leaky_relu: check() lets no other pass
  }
}

// column_sums[c] += sum over rows of x[r * stride + c].
void add_column_sums(const float* x, std::ptrdiff_t stride, std::int64_t rows, std::int64_t columns,
                     float* column_sums);

}  // namespace ratnet::inline v1
