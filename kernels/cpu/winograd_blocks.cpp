#include "winograd_blocks.h"

#include <algorithm>

namespace ratnet::inline v1::winograd {

const char* declines(const Problem& p, std::int64_t groups, DType dtype) {
  // Fewer spend more on the transforms than the products save.
  constexpr std::int64_t kFewestChannels = 8;
  const Window& w = p.window;
  if (groups != 1) return "works without groups only";
  if (dtype != DType::f32) return "works in f32 only";
  for (std::size_t d = 1; d < 3; ++d) {
    if (w.kernel[d] != 3 || w.dilation[d] != 1) return "works for 3x3 kernels only";
    if (w.stride[d] != 1) return "works with stride 1 only";
  }
  // The input's transforms are made for every tap along depth.
  if (std::min(p.in, p.out) < kFewestChannels ||
      (w.kernel[0] > 1 && std::max(p.in, p.out) < 2 * kFewestChannels))
    return "does not pay for so few channels";
  if (is_absurd(p)) return "the input with its border is too large";
  // Whole tiles are computed: at most 1.6 times the outputs.
  const Blocks blocks(p);
  if (5 * blocks.tiles_y * blocks.tiles_x * kWinogradOutput * kWinogradOutput >
      8 * p.output[1] * p.output[2])
    return "does not pay for so small an image";
  return nullptr;
}

Blocks::Blocks(const Problem& p, Points points, std::int64_t planes)
    : problem(p),
      taps(p.window.kernel[0]),
      in(winograd_channels(p.in)),
      width(panel_width(p.out)),
      panels((p.out + width - 1) / width),
      out(panels * width),
      tiles_y((p.output[1] + kWinogradOutput - 1) / kWinogradOutput),
      tiles_x((p.output[2] + kWinogradOutput - 1) / kWinogradOutput),
      pooled_planes(planes),
      tiles(p.batch * (p.output[0] / planes * planes) * tiles_y * tiles_x) {
  // Points of a block: half of a second-level cache of 512 KiB. A multiple of 12, the pixels that
  // the register tiles take at once.
  constexpr std::int64_t kFloats = std::int64_t{64} * 1024;
  const bool over = points == Points::over;
  resize(kFloats / (kWinogradPoints * (over ? std::max(taps * in, out) : taps * in + out)));
  if (over) in_stride = out_stride = std::max(in_stride, out_stride);
}

void Blocks::resize(std::int64_t most) {
  size = std::clamp<std::int64_t>(most, 12, 96) / 12 * 12;
  in_stride = point_stride(taps * size * in);
  out_stride = point_stride(size * out);
}

Place Blocks::first_of(std::int64_t block) const {
  const std::int64_t tile = first_tile(block) / pooled_planes;  // of a window's first plane
  const std::int64_t row = tile / tiles_x;
  const std::int64_t window = row / tiles_y;
  const std::int64_t windows = problem.output[0] / pooled_planes;
  return {.sample = window / windows,
          .plane = window % windows * pooled_planes,
          .y = row % tiles_y * kWinogradOutput,
          .x = tile % tiles_x * kWinogradOutput};
}

void Blocks::advance(Place& place) const {
  if (pooled_planes == 2) {
    if (++place.plane % 2 == 1) return;
    place.plane -= 2;
  }
  place.x += kWinogradOutput;
  if (place.x < tiles_x * kWinogradOutput) return;
  place.x = 0;
  place.y += kWinogradOutput;
  if (place.y < tiles_y * kWinogradOutput) return;
  place.y = 0;
  place.plane += pooled_planes;
  if (place.plane + pooled_planes <= problem.output[0]) return;
  place.plane = 0;
  ++place.sample;
}

PixelTile<const float> take_tile(const float* image, std::int64_t height, std::int64_t width,
                                 std::int64_t channels, std::int64_t whole, std::int64_t y,
                                 std::int64_t x, std::int64_t side, float* buffer) {
  const float* const first = image + (y * width + x) * channels;  // perhaps outside
  if (channels == whole && y >= 0 && x >= 0 && y + side <= height && x + side <= width)
    return {first, width * channels, channels};
  const std::int64_t from = std::clamp<std::int64_t>(-x, 0, side);
  const std::int64_t to = std::clamp(width - x, from, side);
  for (std::int64_t r = 0; r < side; ++r) {
    float* const row = buffer + r * side * whole;
    if (y + r < 0 || y + r >= height || channels != whole) std::fill_n(row, side * whole, 0.0f);
    if (y + r < 0 || y + r >= height) continue;
    const float* const pixels = first + r * width * channels;
    if (channels == whole) {
      std::fill_n(row, from * whole, 0.0f);
      std::copy_n(pixels + from * whole, (to - from) * whole, row + from * whole);
      std::fill_n(row + to * whole, (side - to) * whole, 0.0f);
    } else {
      for (std::int64_t c = from; c < to; ++c)
        std::copy_n(pixels + c * channels, channels, row + c * whole);
    }
  }
  return {buffer, side * whole, whole};
}

namespace {

// The input's points of one tile whose first pixel is (y, x). zeros: [channels].
void transform_tile(const Blocks& b, const float* plane, std::int64_t y, std::int64_t x,
                    const float* zeros, float* points) {
  const std::int64_t height = b.problem.input[1], width = b.problem.input[2];
  if (y >= 0 && x >= 0 && y + kWinogradInput <= height && x + kWinogradInput <= width)
    return winograd_input({plane + (y * width + x) * b.in, width * b.in, b.in}, b.in, points,
                          b.in_stride);
  // What lies outside is read from zeros through pointers: cheaper than a copy with a border.
  const float* pixels[kWinogradPoints];
  for (std::int64_t i = 0; i < kWinogradInput; ++i) {
    const float** const of_row = pixels + i * kWinogradInput;
    const float* const row = plane + ((y + i) * width + x) * b.in;
    const bool inside = y + i >= 0 && y + i < height;
    for (std::int64_t k = 0; k < kWinogradInput; ++k)
      of_row[k] = inside && x + k >= 0 && x + k < width ? row + k * b.in : zeros;
  }
  winograd_input(pixels, b.in, points, b.in_stride);
}

}  // namespace

void transform_input(const Blocks& b, std::int64_t block, const float* x, float* buffer,
                     float* points) {
  const Problem& p = b.problem;
  const Window& w = p.window;
  const std::int64_t plane_floats = p.input[1] * p.input[2] * p.in;
  const bool in_place = p.in == b.in;
  if (in_place) std::fill_n(buffer, b.in, 0.0f);
  Place at = b.first_of(block);
  for (std::int64_t t = 0, tiles = b.tiles_of(block); t < tiles; ++t, b.advance(at)) {
    for (std::int64_t tap = 0; tap < b.taps; ++tap) {
      float* const to = points + (tap * b.size + t) * b.in;
      const std::int64_t z = at.plane * w.stride[0] + tap * w.dilation[0] - w.pad_before[0];
      if (z < 0 || z >= p.input[0]) {
        for (std::int64_t point = 0; point < kWinogradPoints; ++point)
          std::fill_n(to + point * b.in_stride, b.in, 0.0f);
        continue;
      }
      const float* const plane = x + (at.sample * p.input[0] + z) * plane_floats;
      const std::int64_t row = at.y - w.pad_before[1], column = at.x - w.pad_before[2];
      if (in_place)
        transform_tile(b, plane, row, column, buffer, to);
      else
        winograd_input(take_tile(plane, p.input[1], p.input[2], p.in, b.in, row, column,
                                 kWinogradInput, buffer),
                       b.in, to, b.in_stride);
    }
  }
}

}  // namespace ratnet::inline v1::winograd
