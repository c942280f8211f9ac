// What the Winograd convolutions share: which problems they take, and blocks of tiles.
#pragma once

#include "../../core/dtype.h"
#include "conv_bands.h"
#include "tiles.h"
#include "winograd_tiles.h"

namespace ratnet::inline v1::winograd {

using conv_bands::Problem;

// Why a convolution (of `groups`) is not for Winograd's method; nullptr where it is.
const char* declines(const Problem& problem, std::int64_t groups, DType dtype);

// Floats from one point to the next of so many each: a cache line more than a power of two, or the
// points of a tile would share a few sets of the cache.
constexpr std::int64_t point_stride(std::int64_t floats) {
  return conv_bands::round_up(floats, 16) + 16;
}

// The place of a tile.
struct Place {
  std::int64_t sample, plane, y, x;  // of the outputs
};

// Where a block's points of the output lie: beside those of the input; or over them, point p where
// point p - 1 of the input was, which is in the first-level cache still when it has been used up.
enum class Points { beside, over };

// How a problem is cut into blocks of tiles, and how a block's points lie in memory: those of the
// input as [36][depth taps][tiles][channels in], those of the output as [36][tiles][channels out],
// the points `*_stride` floats apart.
struct Blocks {
  Problem problem;
  std::int64_t taps;           // of the kernel along depth
  std::int64_t in;             // channels in, winograd_channels() of them
  std::int64_t width, panels;  // of channels out
  std::int64_t out;            // channels out, whole panels
  std::int64_t tiles_y, tiles_x;
  std::int64_t pooled_planes;  // whose tiles are neighbours, within a block
  std::int64_t tiles;          // of the batch; where planes are pooled, those of whole windows
  std::int64_t size;           // tiles of a block at most
  std::ptrdiff_t in_stride, out_stride;

  // pooled_planes: 1 or 2.
  explicit Blocks(const Problem& problem, Points points = Points::over,
                  std::int64_t pooled_planes = 1);
  // Blocks of at most so many tiles, 12 to 96; points beside each other.
  void resize(std::int64_t most);
  std::int64_t count() const { return (tiles + size - 1) / size; }
  // Blocks of nearly equal size.
  std::int64_t first_tile(std::int64_t block) const {
    return tiles / pooled_planes * block / count() * pooled_planes;
  }
  std::int64_t tiles_of(std::int64_t block) const {
    return first_tile(block + 1) - first_tile(block);
  }
  std::int64_t in_floats() const { return kWinogradPoints * in_stride; }
  std::int64_t out_floats() const { return kWinogradPoints * out_stride; }
  // Of a tile of pixels that is copied.
  std::int64_t tile_floats() const { return kWinogradPoints * std::max(in, out); }
  Place first_of(std::int64_t block) const;
  // To the place of the next tile.
  void advance(Place& place) const;
};

// The pixels of a side x side tile whose first pixel is (y, x) of an image [height, width,
// channels]: in place, or, where it passes the image or its channels are no whole vectors, copied
// to `buffer` [side][side][whole] with zeros.
PixelTile<const float> take_tile(const float* image, std::int64_t height, std::int64_t width,
                                 std::int64_t channels, std::int64_t whole, std::int64_t y,
                                 std::int64_t x, std::int64_t side, float* buffer);

// Writes the input's points of a block. x: the whole batch; buffer: tile_floats().
void transform_input(const Blocks& blocks, std::int64_t block, const float* x, float* buffer,
                     float* points);

}  // namespace ratnet::inline v1::winograd
