#include "conv_winograd.h"

#include <algorithm>

#include "conv_turned.h"
#include "winograd_blocks.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;
using winograd::Blocks;
using winograd::Place;
using winograd::Points;

// Floats from one point of the filters to the next.
std::int64_t filter_stride(const Blocks& b) {
  return winograd::point_stride(b.taps * b.problem.in * b.out);
}

// For the pooled outputs of a tile of each of two planes, and their taps.
std::int64_t two_planes_floats(const Blocks& b) {
  return b.pooled_planes == 1 ? 0 : round_up(10 * b.out, 16);
}

struct Memory {
  const float* filters;         // [36][panels][taps * in][width], the points filter_stride() apart
  float* bias;                  // [out]
  std::ptrdiff_t* tap_offsets;  // [taps]
  float* workers;               // each: 37 points, a tile, two_planes_floats()
  std::int64_t worker_floats;
};

Memory lay_out(const Blocks& b, int workers, const float* filters, Scratch& scratch) {
  const std::int64_t worker_floats =
      round_up(b.in_floats() + b.out_stride + b.tile_floats() + two_planes_floats(b), 16);
  return {.filters = filters,
          .bias = scratch.take(b.out),
          .tap_offsets = scratch.take<std::ptrdiff_t>(b.taps),
          .workers = scratch.take(workers * worker_floats),
          .worker_floats = worker_floats};
}

// Transforms the filters. read(tap, k, channel, n, to): tap k of 3x3 of the weights at a tap along
// depth, for n channels out, as a row of the packed weights.
template <class Read>
void transform_filters(CpuQueue& queue, const Blocks& b, float* filters, const Read& read) {
  const std::int64_t rows = b.taps * b.problem.in;
  parallel_for(*queue.executor, b.panels * rows, [&](std::int64_t item, int) {
    float taps[9 * kWidestPanel];
    const std::int64_t panel = item / rows, row = item % rows;
    const std::int64_t n = std::min(b.width, b.problem.out - panel * b.width);
    for (std::int64_t k = 0; k < 9; ++k) {
      read((row / b.problem.in * 9 + k) * b.problem.in + row % b.problem.in, panel * b.width, n,
           taps + k * b.width);
      std::fill(taps + k * b.width + n, taps + (k + 1) * b.width, 0.0f);
    }
    winograd_filter(taps, b.width, filters + (panel * rows + row) * b.width, filter_stride(b));
  });
}

struct Epilogue {
  Window pool = {.rank = 3};  // widened
  const float* bias = nullptr;
  const float* added = nullptr;
  float negative_slope = 1;
  float* y = nullptr;
  std::uint8_t* argmax = nullptr;
};

// What pooling makes of the image and of one tile.
struct Pooled {
  std::int64_t rows, columns;
  std::int64_t tile_rows, tile_columns;
  bool keeps_pixels;  // there is none
  bool by_two;        // windows of 2x2

  Pooled(const Problem& p, const Window& pool)
      : rows(p.output[1] / pool.kernel[1]),
        columns(p.output[2] / pool.kernel[2]),
        tile_rows(kWinogradOutput / pool.kernel[1]),
        tile_columns(kWinogradOutput / pool.kernel[2]),
        keeps_pixels(pool.taps() == 1),
        by_two(pool.kernel == std::array<std::int64_t, 3>{1, 2, 2}) {}
};

// Writes what lies inside the image of one tile of outputs, from the points of a block.
void write_tile(const Blocks& b, const Memory& memory, const Epilogue& epilogue,
                const Pooled& pooled, const Place& at, const float* points, float* buffer) {
  const Problem& p = b.problem;
  const auto [rows, columns, tile_rows, tile_columns, keeps_pixels, by_two] = pooled;
  const std::int64_t y = at.y / kWinogradOutput * tile_rows;
  const std::int64_t x = at.x / kWinogradOutput * tile_columns;
  const std::int64_t row_floats = columns * p.out;
  const std::int64_t first =
      (at.sample * p.output[0] + at.plane) * rows * row_floats + y * row_floats + x * p.out;
  WinogradOutput output{.m = points,
                        .stride = b.out_stride,
                        .bias = memory.bias,
                        .negative_slope = epilogue.negative_slope,
                        .channels = p.out};
  if (y + tile_rows <= rows && x + tile_columns <= columns) {
    const PixelTile<float> tile{epilogue.y + first, row_floats, p.out};
    if (keeps_pixels && !epilogue.argmax) {
      if (epilogue.added) output.added = epilogue.added + first;
      return winograd_output(output, tile);
    }
    if (by_two)
      return winograd_output_pooled(output, tile,
                                    epilogue.argmax ? epilogue.argmax + first : nullptr);
  }
  const std::int64_t buffer_row = kWinogradOutput * b.out;
  output.negative_slope = 1;
  output.channels = b.out;
  winograd_output(output, {buffer, buffer_row, b.out});
  for (std::int64_t r = 0; r < std::min(tile_rows, rows - y); ++r)
    pool_rows({.buffer = buffer + r * epilogue.pool.kernel[1] * buffer_row,
               .row_stride = buffer_row,
               .pixel_stride = b.out,
               .rows = epilogue.pool.kernel[1],
               .width = epilogue.pool.kernel[2],
               .pixels = std::min(tile_columns, columns - x),
               .channels = p.out,
               .negative_slope = epilogue.negative_slope,
               .added = epilogue.added ? epilogue.added + first + r * row_floats : nullptr,
               .out = epilogue.y + first + r * row_floats,
               .argmax = epilogue.argmax ? epilogue.argmax + first + r * row_floats : nullptr});
}

// Of windows of 2x2x2: the same of the tiles of two planes. buffer: two_planes_floats().
void write_two_planes(const Blocks& b, const Memory& memory, const Epilogue& epilogue,
                      const Pooled& pooled, const Place& at, const float* points, float* buffer) {
  constexpr std::int64_t kSide = kWinogradOutput / 2;
  const std::int64_t channels = b.problem.out, plane_floats = kSide * kSide * b.out;
  // Which of four was taken in each plane.
  auto* const taps = reinterpret_cast<std::uint8_t*>(buffer + 2 * plane_floats);
  for (std::int64_t plane = 0; plane < 2; ++plane)
    winograd_output_pooled({.m = points + plane * b.out,
                            .stride = b.out_stride,
                            .bias = memory.bias,
                            .negative_slope = 1,
                            .channels = b.out},
                           {buffer + plane * plane_floats, kSide * b.out, b.out},
                           epilogue.argmax ? taps + plane * plane_floats : nullptr);
  const std::int64_t y = at.y / kWinogradOutput * kSide, x = at.x / kWinogradOutput * kSide;
  const std::int64_t plane = at.sample * (b.problem.output[0] / 2) + at.plane / 2;
  const std::int64_t pixels = std::min(kSide, pooled.columns - x);
  for (std::int64_t r = 0; r < std::min(kSide, pooled.rows - y); ++r) {
    const std::int64_t to = ((plane * pooled.rows + y + r) * pooled.columns + x) * channels;
    std::uint8_t* const argmax = epilogue.argmax ? epilogue.argmax + to : nullptr;
    pool_rows({.buffer = buffer + r * kSide * b.out,
               .row_stride = plane_floats,
               .pixel_stride = b.out,
               .rows = 2,
               .width = 1,
               .pixels = pixels,
               .channels = channels,
               .negative_slope = epilogue.negative_slope,
               .out = epilogue.y + to,
               .argmax = argmax});
    if (!argmax) continue;
    for (std::int64_t i = 0; i < pixels; ++i)
      for (std::int64_t c = 0; c < channels; ++c) {
        std::uint8_t& taken = argmax[i * channels + c];  // so far the plane
        const std::int64_t in_plane = (r * kSide + i) * b.out + c;
        taken = static_cast<std::uint8_t>(4 * taken + taps[taken * plane_floats + in_plane]);
      }
  }
}

// The convolution proper.
void forward(CpuQueue& queue, const Blocks& b, const Memory& memory, const float* x,
             const Epilogue& epilogue) {
  std::fill_n(memory.bias, b.out, 0.0f);
  if (epilogue.bias) std::copy_n(epilogue.bias, b.problem.out, memory.bias);
  for (std::int64_t tap = 0; tap < b.taps; ++tap) memory.tap_offsets[tap] = tap * b.size * b.in;
  const std::int64_t depth = b.taps * b.problem.in;
  const Pooled pooled(b.problem, epilogue.pool);

  parallel_for(*queue.executor, b.count(), [&](std::int64_t block, int worker) {
    float* const out = memory.workers + worker * memory.worker_floats;
    float* const in = out + b.out_stride;
    float* const buffer = in + b.in_floats();
    const std::int64_t tiles = b.tiles_of(block);
    transform_input(b, block, x, buffer, in);
    for (std::int64_t point = 0; point < kWinogradPoints; ++point)
      for (std::int64_t panel = 0; panel < b.panels; ++panel)
        forward_tiles(
            {.width = b.width,
             .x = in + point * b.in_stride,
             .x_stride = b.in,
             .pixels = tiles,
             .run_offsets = memory.tap_offsets,
             .runs = b.taps,
             .run_length = b.problem.in,
             .weight = memory.filters + point * filter_stride(b) + panel * depth * b.width,
             .out = out + point * b.out_stride + panel * b.width,
             .out_stride = b.out});
    Place at = b.first_of(block);
    for (std::int64_t t = 0; t < tiles; ++t, b.advance(at))
      if (b.pooled_planes == 1)
        write_tile(b, memory, epilogue, pooled, at, out + t * b.out, buffer);
      else if (at.plane % 2 == 0)
        write_two_planes(b, memory, epilogue, pooled, at, out + t * b.out,
                         buffer + b.tile_floats());
  });
}

std::size_t filter_bytes(const Problem& p) {
  return static_cast<std::size_t>(kWinogradPoints * filter_stride(Blocks(p))) * sizeof(float);
}

// Two tiles save what the transform of their filters costs. Counted within a plane, so that the
// choice, and with it every bit, is the same alone and in a batch.
const char* declines_few_tiles(const Problem& p) {
  const Blocks b(p);
  return b.tiles_y * b.tiles_x < 4 ? "does not pay for so small an image" : nullptr;
}

// --- forward ---

Problem problem_of(const Conv& op) { return {op.x.shape, op.weight.shape.back(), op.window}; }

Blocks blocks_of(const Conv& op) {
  return Blocks(problem_of(op), Points::over, op.pool.rank ? widened(op.pool).kernel[0] : 1);
}

const char* declines(const Conv& op) {
  if (op.pool.rank) {
    const Window pool = widened(op.pool);
    const bool by_two = pool.kernel == std::array<std::int64_t, 3>{2, 2, 2};
    for (std::size_t d = 0; d < 3; ++d)
      if (!by_two && (d == 0 ? 1 : kWinogradOutput) % pool.kernel[d] != 0)
        return "pools windows of 2 and 4 in the plane and of 2x2x2 only";
  }
  const char* const reason = winograd::declines(problem_of(op), op.groups, op.x.dtype);
  return reason ? reason : declines_few_tiles(problem_of(op));
}

std::size_t scratch_bytes(const CpuQueue& queue, const Conv& op) {
  Scratch scratch;
  lay_out(blocks_of(op), queue.executor->workers(), nullptr, scratch);
  return scratch.bytes();
}

std::size_t filter_bytes(const Conv& op) { return filter_bytes(problem_of(op)); }

void prepare(CpuQueue& queue, const Conv& op, float* filters) {
  const Blocks b(problem_of(op));
  const float* const weight = op.weight.as<float>();
  transform_filters(queue, b, filters,
                    [&](std::int64_t k, std::int64_t channel, std::int64_t n, float* to) {
                      std::copy_n(weight + k * b.problem.out + channel, n, to);
                    });
}

void run_forward(CpuQueue& queue, const Conv& op, const Lent& lent) {
  const Blocks b = blocks_of(op);
  Scratch scratch(lent.scratch);
  const Memory memory = lay_out(b, queue.executor->workers(), lent.weights, scratch);
  forward(queue, b, memory, op.x.as<float>(),
          {.pool = widened(op.pool.rank ? op.pool : Window{.rank = 3}),
           .bias = op.bias ? op.bias.as<float>() : nullptr,
           .added = op.added ? op.added.as<float>() : nullptr,
           .negative_slope = negative_slope(op.activation, op.slope),
           .y = op.y.as<float>(),
           .argmax = op.argmax ? op.argmax.as<std::uint8_t>() : nullptr});
}

// --- backward data: a convolution of dy with the kernel turned round ---

const char* declines(const ConvBackwardData& op) {
  if (const char* const reason = cannot_turn(op)) return reason;
  const char* const reason = winograd::declines(turned(op), op.groups, op.dy.dtype);
  return reason ? reason : declines_few_tiles(turned(op));
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardData& op) {
  Scratch scratch;
  lay_out(Blocks(turned(op)), queue.executor->workers(), nullptr, scratch);
  return scratch.bytes();
}

std::size_t filter_bytes(const ConvBackwardData& op) { return filter_bytes(turned(op)); }

void prepare(CpuQueue& queue, const ConvBackwardData& op, float* filters) {
  transform_filters(queue, Blocks(turned(op)), filters, TurnedWeights(op));
}

void run_backward_data(CpuQueue& queue, const ConvBackwardData& op, const Lent& lent) {
  const Blocks b(turned(op));
  Scratch scratch(lent.scratch);
  const Memory memory = lay_out(b, queue.executor->workers(), lent.weights, scratch);
  forward(queue, b, memory, op.dy.as<float>(), {.y = op.dx.as<float>()});
}

}  // namespace

const Algorithm<Conv> kConvWinograd = {"conv_winograd", declines,     scratch_bytes,
                                       run_forward,     filter_bytes, prepare};
const Algorithm<ConvBackwardData> kConvWinogradBackwardData = {
    "conv_winograd", declines, scratch_bytes, run_backward_data, filter_bytes, prepare};

}  // namespace ratnet::inline v1
