// The gradient of the weights by Winograd's method: the adjoint of the forward product in the
// filters.
#include <algorithm>

#include "conv_winograd.h"
#include "winograd_blocks.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;
using winograd::Blocks;
using winograd::Place;
using winograd::Points;

// Blocks are summed in groups, the groups then in order; both are fixed by the problem.
struct WeightGradient {
  Blocks blocks;
  std::int64_t rows;  // of the gradient at a point: depth taps * channels in
  std::int64_t groups;

  explicit WeightGradient(const ConvBackwardWeights& op)
      : blocks(Problem(op.x.shape, op.dy.shape.back(), op.window), Points::beside),
        rows(blocks.taps * blocks.problem.in) {
    // Every block adds to all sums, so that many sums are worth larger blocks: until the points of
    // a block are as many.
    const std::int64_t in = blocks.taps * blocks.in;
    blocks.resize(std::max(blocks.size, in * blocks.out / (in + blocks.out)));
    // The sums of all groups: 32 MiB.
    constexpr std::int64_t kFloats = std::int64_t{8} << 20;
    groups = std::clamp<std::int64_t>(std::min(blocks.count(), kFloats / sum_floats()), 1, 8);
  }
  std::int64_t point_floats() const { return winograd::point_stride(rows * blocks.out); }
  std::int64_t sum_floats() const { return kWinogradPoints * point_floats(); }

  // All tiles are one block: no sum has to wait for another one in memory, which would take more
  // time than the products where many channels have few tiles.
  bool one_block() const { return blocks.count() == 1; }
  // Then so many rows of one panel are finished at once, by each worker.
  static constexpr std::int64_t kPart = 24;
  std::int64_t part_point_floats() const { return winograd::point_stride(kPart * blocks.width); }
  std::int64_t part_floats() const {
    return kWinogradPoints * part_point_floats() + 9 * blocks.width;
  }
};

struct Memory {
  // [groups][36][rows][out], the points point_floats() apart; of one block: each worker's
  // [36][kPart][width], the points part_point_floats() apart, and 9 rows.
  float* sums;
  float* bias_sums;             // [groups][out]
  std::ptrdiff_t* row_offsets;  // [rows], in a block's points of the input
  float* workers;               // each: points of the input, of dy, a tile
  std::int64_t worker_floats;
};

Memory lay_out(const WeightGradient& g, int workers, Scratch& scratch) {
  const Blocks& b = g.blocks;
  const std::int64_t worker_floats = round_up(b.in_floats() + b.out_floats() + b.tile_floats(), 16);
  return {
      .sums = scratch.take(g.one_block() ? workers * g.part_floats() : g.groups * g.sum_floats()),
      .bias_sums = scratch.take(g.groups * b.out),
      .row_offsets = scratch.take<std::ptrdiff_t>(g.rows),
      .workers = scratch.take(workers * worker_floats),
      .worker_floats = worker_floats};
}

// At the point 1 in both dimensions lie the sums of whole tiles.
constexpr std::int64_t kPointOne = kWinogradInput + 1;

// Writes the points of a block of dy.
void transform_output_gradient(const Blocks& b, std::int64_t block, const float* dy, float* buffer,
                               float* points) {
  const Problem& p = b.problem;
  const std::int64_t plane_floats = p.output[1] * p.output[2] * p.out;
  Place at = b.first_of(block);
  for (std::int64_t t = 0, tiles = b.tiles_of(block); t < tiles; ++t, b.advance(at)) {
    const float* const plane = dy + (at.sample * p.output[0] + at.plane) * plane_floats;
    winograd_output_gradient(winograd::take_tile(plane, p.output[1], p.output[2], p.out, b.out,
                                                 at.y, at.x, kWinogradOutput, buffer),
                             b.out, points + t * b.out, b.out_stride);
  }
}

// One item of work: the blocks of one group.
void sum_group(const WeightGradient& g, const Memory& memory, float* worker_memory,
               const ConvBackwardWeights& op, std::int64_t group) {
  const Blocks& b = g.blocks;
  float* const in = worker_memory;
  float* const out = in + b.in_floats();
  float* const buffer = out + b.out_floats();
  float* const sum = memory.sums + group * g.sum_floats();
  float* const bias_sum = memory.bias_sums + group * b.out;
  std::fill_n(sum, g.sum_floats(), 0.0f);
  std::fill_n(bias_sum, b.out, 0.0f);
  for (std::int64_t block = b.count() * group / g.groups;
       block < b.count() * (group + 1) / g.groups; ++block) {
    const std::int64_t tiles = b.tiles_of(block);
    transform_input(b, block, op.x.as<float>(), buffer, in);
    transform_output_gradient(b, block, op.dy.as<float>(), buffer, out);
    for (std::int64_t point = 0; point < kWinogradPoints; ++point)
      for (std::int64_t panel = 0; panel < b.panels; ++panel)
        outer_tiles({.width = b.width,
                     .x = in + point * b.in_stride,
                     .x_stride = b.in,
                     .pixels = tiles,
                     .lines = 1,
                     .x_line_stride = 0,
                     .dy_line_stride = 0,
                     .row_offsets = memory.row_offsets,
                     .rows = g.rows,
                     .dy = out + point * b.out_stride + panel * b.width,
                     .dy_stride = b.out,
                     .out = sum + point * g.point_floats() + panel * b.width,
                     .out_stride = b.out});
    add_column_sums(out + kPointOne * b.out_stride, b.out, tiles, b.out, bias_sum);
  }
}

// Copies 9 taps of a row of the gradient, [9][width], from a channel on.
void copy_taps(const Problem& p, std::int64_t row, const float* taps, std::int64_t width,
               std::int64_t channel, float* dweight) {
  for (std::int64_t k = 0; k < 9; ++k)
    std::copy_n(taps + k * width, std::min(width, p.out - channel),
                dweight + ((row / p.in * 9 + k) * p.in + row % p.in) * p.out + channel);
}

// Adds the groups and turns the sum at 36 points to the gradient of 3x3 taps.
void write_gradient(CpuQueue& queue, const WeightGradient& g, const Memory& memory,
                    const ConvBackwardWeights& op) {
  const Blocks& b = g.blocks;
  const std::int64_t out = b.problem.out;
  parallel_for(*queue.executor, g.rows, [&](std::int64_t row, int worker) {
    float* const taps = memory.workers + worker * memory.worker_floats;  // [9][out]
    for (std::int64_t point = 0; point < kWinogradPoints; ++point) {
      float* const total = memory.sums + point * g.point_floats() + row * b.out;
      for (std::int64_t group = 1; group < g.groups; ++group)
        for (std::int64_t c = 0; c < b.out; ++c) total[c] += total[group * g.sum_floats() + c];
    }
    winograd_filter_gradient(memory.sums + row * b.out, g.point_floats(), b.out, taps);
    copy_taps(b.problem, row, taps, b.out, 0, op.dweight.as<float>());
  });
  if (!op.dbias) return;
  float* const dbias = op.dbias.as<float>();
  for (std::int64_t c = 0; c < out; ++c) {
    dbias[c] = 0;
    for (std::int64_t group = 0; group < g.groups; ++group)
      dbias[c] += memory.bias_sums[group * b.out + c];
  }
}

// The whole gradient, of one block.
void run_one_block(CpuQueue& queue, const WeightGradient& g, const Memory& memory,
                   const ConvBackwardWeights& op) {
  const Blocks& b = g.blocks;
  float* const in = memory.workers;
  float* const out = in + b.in_floats();
  float* const buffer = out + b.out_floats();
  transform_input(b, 0, op.x.as<float>(), buffer, in);
  transform_output_gradient(b, 0, op.dy.as<float>(), buffer, out);
  const std::int64_t parts = (g.rows + WeightGradient::kPart - 1) / WeightGradient::kPart;
  parallel_for(*queue.executor, parts * b.panels, [&](std::int64_t item, int worker) {
    const std::int64_t panel = item % b.panels, first = item / b.panels * WeightGradient::kPart;
    const std::int64_t rows = std::min(WeightGradient::kPart, g.rows - first);
    float* const sums = memory.sums + worker * g.part_floats();
    float* const taps = sums + kWinogradPoints * g.part_point_floats();
    for (std::int64_t point = 0; point < kWinogradPoints; ++point) {
      float* const sum = sums + point * g.part_point_floats();
      std::fill_n(sum, rows * b.width, 0.0f);
      outer_tiles({.width = b.width,
                   .x = in + point * b.in_stride,
                   .x_stride = b.in,
                   .pixels = b.tiles,
                   .lines = 1,
                   .x_line_stride = 0,
                   .dy_line_stride = 0,
                   .row_offsets = memory.row_offsets + first,
                   .rows = rows,
                   .dy = out + point * b.out_stride + panel * b.width,
                   .dy_stride = b.out,
                   .out = sum,
                   .out_stride = b.width});
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      winograd_filter_gradient(sums + row * b.width, g.part_point_floats(), b.width, taps);
      copy_taps(b.problem, first + row, taps, b.width, panel * b.width, op.dweight.as<float>());
    }
  });
  if (!op.dbias) return;
  std::fill_n(memory.bias_sums, b.out, 0.0f);
  add_column_sums(out + kPointOne * b.out_stride, b.out, b.tiles, b.out, memory.bias_sums);
  std::copy_n(memory.bias_sums, b.problem.out, op.dbias.as<float>());
}

const char* declines(const ConvBackwardWeights& op) {
  return winograd::declines(Problem(op.x.shape, op.dy.shape.back(), op.window), op.groups,
                            op.x.dtype);
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardWeights& op) {
  Scratch scratch;
  lay_out(WeightGradient(op), queue.executor->workers(), scratch);
  return scratch.bytes();
}

void run_backward_weights(CpuQueue& queue, const ConvBackwardWeights& op, const Lent& lent) {
  const WeightGradient g(op);
  const Blocks& b = g.blocks;
  Scratch scratch(lent.scratch);
  const Memory memory = lay_out(g, queue.executor->workers(), scratch);
  for (std::int64_t row = 0; row < g.rows; ++row)
    memory.row_offsets[row] = row / b.problem.in * b.size * b.in + row % b.problem.in;
  if (g.one_block()) return run_one_block(queue, g, memory, op);
  parallel_for(*queue.executor, g.groups, [&](std::int64_t group, int worker) {
    sum_group(g, memory, memory.workers + worker * memory.worker_floats, op, group);
  });
  write_gradient(queue, g, memory, op);
}

}  // namespace

const Algorithm<ConvBackwardWeights> kConvWinogradBackwardWeights = {
    "conv_winograd", declines, scratch_bytes, run_backward_weights};

}  // namespace ratnet::inline v1
