// The transforms of Winograd's minimal filtering F(4x4, 3x3) for the processor's vectors (Winograd
// 1980; Lavin and Gray 2016). With the points 0, 1, -1, 2, -2 and infinity, a 4x4 tile of outputs
// is
//   y = A^T [ (G g G^T) o (B^T d B) ] A
// of the 6x6 tile d of the input under it and the 3x3 filter g: 36 products in place of 144. Each
// function does one of the transforms, or the adjoint of one, for all channels of one tile. The 36
// numbers of a channel lie `stride` floats apart; channels are neighbours.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ratnet::inline v1 {

constexpr std::int64_t kWinogradOutput = 4;  // side of a tile of outputs
constexpr std::int64_t kWinogradInput = 6;   // side of the input under it
constexpr std::int64_t kWinogradPoints = kWinogradInput * kWinogradInput;

// A square tile of pixels, read or written.
template <class Float>
struct PixelTile {
  Float* first;
  std::ptrdiff_t row, pixel;  // floats from one row, one pixel to the next
};

// Below, `channels` is a number of whole vectors, or with AVX-512 half of one:
// winograd_channels(n).
std::int64_t winograd_channels(std::int64_t channels);

// v = B^T d B of an input tile of 6x6 pixels.
void winograd_input(const PixelTile<const float>& d, std::int64_t channels, float* v,
                    std::ptrdiff_t stride);
// The same of pixels that lie apart: pixels[6 * row + column].
void winograd_input(const float* const (&pixels)[kWinogradPoints], std::int64_t channels, float* v,
                    std::ptrdiff_t stride);
// u = G g G^T of a filter, g [3][3][channels].
void winograd_filter(const float* g, std::int64_t channels, float* u, std::ptrdiff_t stride);
// y = activation(A^T m A + bias + added).
struct WinogradOutput {
  const float* m;
  std::ptrdiff_t stride;
  const float* bias;             // winograd_channels(channels)
  float negative_slope;          // as in PoolRows
  std::int64_t channels;         // to write: any number
  const float* added = nullptr;  // pixels that lie as those of y do, or nullptr
};
// 4x4 pixels.
void winograd_output(const WinogradOutput& output, const PixelTile<float>& y);
// 2x2 pixels, each the largest of 2x2, with nothing added; a NaN counts as the largest. argmax:
// where y is, which of the four was the first maximum; or nullptr.
void winograd_output_pooled(const WinogradOutput& output, const PixelTile<float>& y,
                            std::uint8_t* argmax);
// The adjoint of the output's: z = A dy A^T of 4x4 pixels.
void winograd_output_gradient(const PixelTile<const float>& dy, std::int64_t channels, float* z,
                              std::ptrdiff_t stride);
// The adjoint of the filter's: dg [3][3][channels] = G^T du G.
void winograd_filter_gradient(const float* du, std::ptrdiff_t stride, std::int64_t channels,
                              float* dg);

}  // namespace ratnet::inline v1
