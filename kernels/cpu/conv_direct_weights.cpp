// The gradient of a direct convolution's weights: sums of outer products of input and gradient.
#include <algorithm>

#include "conv_bands.h"
#include "conv_direct.h"
#include "tiles.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;

const char* declines(const ConvBackwardWeights& op) {
  if (op.groups != 1) return "works without groups only";
  if (is_absurd(Problem(op.x.shape, op.dy.shape.back(), op.window)))
    return "the input with its border is too large";
  return op.x.dtype == DType::f32 ? nullptr : "works in f32 only";
}

// Samples are summed in groups, the groups then in order; both are fixed by the problem.
struct WeightGradient {
  Problem problem;
  std::int64_t panels, width;
  BandLayout band;
  Runs runs;
  std::int64_t groups;
  std::int64_t block;  // rows of the gradient in one item of work

  explicit WeightGradient(const ConvBackwardWeights& op)
      : problem(op.x.shape, op.dy.shape.back(), op.window),
        panels((problem.out + panel_width() - 1) / panel_width()),
        width(panel_width()),
        band(problem, 1, problem.output[1]),
        runs(problem),
        groups(std::min<std::int64_t>(problem.batch, 8)),
        block(std::min<std::int64_t>(problem.depth(), 96)) {}
  std::int64_t blocks() const { return (problem.depth() + block - 1) / block; }
  std::int64_t padded_out() const { return panels * width; }
  std::int64_t sum_floats() const { return problem.depth() * padded_out(); }
  std::int64_t row_floats() const { return problem.output[2] * padded_out(); }
  // Output rows that are added before moving on to the next rows of the gradient: few enough for
  // what they take of x and dy to stay in the first-level cache, enough to amortise the sums'
  // way in and out of the registers.
  std::int64_t lines() const {
    return std::clamp<std::int64_t>(96 / problem.output[2], 1, problem.output[1]);
  }
  std::int64_t dy_floats() const {
    return padded_out() == problem.out ? 0 : lines() * row_floats();
  }
};

struct WeightGradientMemory {
  float* sums;                  // [groups][depth][padded out]
  float* bias_sums;             // [groups][out]
  std::ptrdiff_t* run_offsets;  // [runs]
  std::ptrdiff_t* row_offsets;  // [depth]
  float* workers;               // each: a band, then rows of dy in whole panels
  std::int64_t worker_floats;
};

WeightGradientMemory lay_out(const WeightGradient& g, int workers, Scratch& scratch) {
  const std::int64_t worker_floats = round_up(g.band.floats(), 16) + round_up(g.dy_floats(), 16);
  return {.sums = scratch.take(g.groups * g.sum_floats()),
          .bias_sums = scratch.take(g.groups * g.problem.out),
          .run_offsets = scratch.take<std::ptrdiff_t>(g.runs.count),
          .row_offsets = scratch.take<std::ptrdiff_t>(g.problem.depth()),
          .workers = scratch.take(workers * worker_floats),
          .worker_floats = worker_floats};
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardWeights& op) {
  Scratch scratch;
  lay_out(WeightGradient(op), queue.executor->workers(), scratch);
  return scratch.bytes();
}

// Adds one output plane to rows first..first+rows-1 of `sum` [depth][padded out].
void add_plane(const WeightGradient& g, const std::ptrdiff_t* row_offsets, const float* band,
               const float* dy, float* dy_rows, std::int64_t first, std::int64_t rows, float* sum) {
  const Problem& p = g.problem;
  for (std::int64_t y = 0; y < p.output[1]; y += g.lines()) {
    const std::int64_t lines = std::min(g.lines(), p.output[1] - y);
    const float* from = dy + y * p.output[2] * p.out;
    if (p.out != g.padded_out()) {
      for (std::int64_t x = 0; x < lines * p.output[2]; ++x) {
        std::copy_n(from + x * p.out, p.out, dy_rows + x * g.padded_out());
        std::fill_n(dy_rows + x * g.padded_out() + p.out, g.padded_out() - p.out, 0.0f);
      }
      from = dy_rows;
    }
    for (std::int64_t panel = 0; panel < g.panels; ++panel)
      outer_tiles({.x = band + y * p.window.stride[1] * g.band.row_stride,
                   .x_stride = p.window.stride[2] * p.in,
                   .pixels = p.output[2],
                   .lines = lines,
                   .x_line_stride = p.window.stride[1] * g.band.row_stride,
                   .dy_line_stride = g.row_floats(),
                   .row_offsets = row_offsets + first,
                   .rows = rows,
                   .dy = from + panel * g.width,
                   .dy_stride = g.padded_out(),
                   .out = sum + first * g.padded_out() + panel * g.width,
                   .out_stride = g.padded_out()});
  }
}

// One item of work: a block of the gradient's rows, summed over one group of samples.
void sum_group(const WeightGradient& g, const WeightGradientMemory& memory, float* worker_memory,
               const ConvBackwardWeights& op, std::int64_t group, std::int64_t first) {
  const Problem& p = g.problem;
  const std::int64_t rows = std::min(g.block, p.depth() - first);
  const std::int64_t x_floats = p.input[0] * p.input[1] * p.input[2] * p.in;
  const std::int64_t plane_pixels = p.output[1] * p.output[2];
  const bool with_bias = first == 0 && op.dbias;
  float* const sum = memory.sums + group * g.sum_floats();
  float* const bias_sum = memory.bias_sums + group * p.out;
  std::fill_n(sum + first * g.padded_out(), rows * g.padded_out(), 0.0f);
  if (with_bias) std::fill_n(bias_sum, p.out, 0.0f);

  const std::int64_t begin = p.batch * group / g.groups;
  const std::int64_t end = p.batch * (group + 1) / g.groups;
  for (std::int64_t sample = begin; sample < end; ++sample)
    for (std::int64_t plane = 0; plane < p.output[0]; ++plane) {
      const float* dy = op.dy.as<float>() + (sample * p.output[0] + plane) * plane_pixels * p.out;
      const float* band =
          take_band(p, g.band, op.x.as<float>() + sample * x_floats, plane, 0, worker_memory);
      add_plane(g, memory.row_offsets, band, dy, worker_memory + round_up(g.band.floats(), 16),
                first, rows, sum);
      if (with_bias) add_column_sums(dy, p.out, plane_pixels, p.out, bias_sum);
    }
}

void run_backward_weights(CpuQueue& queue, const ConvBackwardWeights& op, const Lent& lent) {
  const WeightGradient g(op);
  const Problem& p = g.problem;
  Scratch scratch(lent.scratch);
  const WeightGradientMemory memory = lay_out(g, queue.executor->workers(), scratch);
  g.runs.offsets(p, g.band, memory.run_offsets);
  for (std::int64_t k = 0; k < p.depth(); ++k)
    memory.row_offsets[k] = memory.run_offsets[k / g.runs.length] + k % g.runs.length;

  parallel_for(*queue.executor, g.groups * g.blocks(), [&](std::int64_t item, int worker) {
    sum_group(g, memory, memory.workers + worker * memory.worker_floats, op, item / g.blocks(),
              item % g.blocks() * g.block);
  });

  float* const dweight = op.dweight.as<float>();
  for (std::int64_t k = 0; k < p.depth(); ++k)
    for (std::int64_t c = 0; c < p.out; ++c) {
      float total = 0;
      for (std::int64_t group = 0; group < g.groups; ++group)
        total += memory.sums[group * g.sum_floats() + k * g.padded_out() + c];
      dweight[k * p.out + c] = total;
    }
  if (!op.dbias) return;
  float* const dbias = op.dbias.as<float>();
  for (std::int64_t c = 0; c < p.out; ++c) {
    dbias[c] = 0;
    for (std::int64_t group = 0; group < g.groups; ++group)
      dbias[c] += memory.bias_sums[group * p.out + c];
  }
}

}  // namespace

const Algorithm<ConvBackwardWeights> kConvDirectBackwardWeights = {
    "conv_direct", declines, scratch_bytes, run_backward_weights};

}  // namespace ratnet::inline v1
