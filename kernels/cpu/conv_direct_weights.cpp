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
  std::int64_t width, panels;
  std::int64_t rows, planes;  // of dy, in a band
  BandLayout band;
  Runs runs;
  std::int64_t groups;
  std::int64_t block;  // rows of the gradient in one item of work: no sum goes over two

  WeightGradient(const ConvBackwardWeights& op, std::int64_t workers)
      : problem(op.x.shape, op.dy.shape.back(), op.window),
        width(panel_width(problem.out)),
        panels((problem.out + width - 1) / width),
        rows(band_rows(problem, 1, 1)),
        planes(band_planes(problem, 1, rows)),
        band(problem, planes, rows),
        runs(problem),
        groups(std::min<std::int64_t>(problem.batch, 8)),
        block(problem.depth()) {
    // Every block copies the bands anew, so there are no more than keep the threads busy.
    constexpr std::int64_t kFewestRows = 12;
    const std::int64_t blocks = (workers + groups - 1) / groups;
    block = std::max(round_up((block + blocks - 1) / blocks, kFewestRows), kFewestRows);
  }
  std::int64_t blocks() const { return (problem.depth() + block - 1) / block; }
  std::int64_t padded_out() const { return panels * width; }
  std::int64_t sum_floats() const { return problem.depth() * padded_out(); }
  // Output rows that are added before moving on to the next rows of the gradient: few enough for
  // what they take of x and dy to stay in the first-level cache, enough to amortise the sums'
  // way in and out of the registers.
  std::int64_t lines() const {
    const std::int64_t most = std::clamp<std::int64_t>(96 / problem.output[2], 1, rows);
    const std::int64_t parts = (rows + most - 1) / most;
    return (rows + parts - 1) / parts;
  }
  // Lines of several panels are copied by panels where many rows read them.
  bool dy_in_place() const {
    constexpr std::int64_t kManyRows = 128;
    return problem.out == padded_out() && (panels == 1 || problem.depth() < kManyRows);
  }
  std::int64_t dy_stride() const { return dy_in_place() ? problem.out : width; }
  std::int64_t dy_floats() const {
    return dy_in_place() ? 0 : lines() * problem.output[2] * padded_out();
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
  const int workers = queue.executor->workers();
  lay_out(WeightGradient(op, workers), workers, scratch);
  return scratch.bytes();
}

// Rows of dy [pixels, out] by panels: [panel][pixels][width].
void take_panels(const WeightGradient& g, const float* dy, std::int64_t pixels, float* to) {
  for (std::int64_t panel = 0; panel < g.panels; ++panel) {
    const std::int64_t channel = panel * g.width;
    const std::int64_t n = std::min(g.width, g.problem.out - channel);
    for (std::int64_t i = 0; i < pixels; ++i, to += g.width) {
      std::copy_n(dy + i * g.problem.out + channel, n, to);
      std::fill(to + n, to + g.width, 0.0f);
    }
  }
}

// Adds `lines` lines of dy, the input under the first of which is at `band`, to rows
// first..first+rows-1 of `sum` [depth][padded out].
void add_lines(const WeightGradient& g, const std::ptrdiff_t* row_offsets, const float* band,
               const float* dy, std::int64_t lines, float* dy_panels, std::int64_t first,
               std::int64_t rows, float* sum) {
  const Problem& p = g.problem;
  const std::int64_t pixels = lines * p.output[2];
  if (!g.dy_in_place()) take_panels(g, dy, pixels, dy_panels);
  for (std::int64_t panel = 0; panel < g.panels; ++panel)
    outer_tiles(
        {.width = g.width,
         .x = band,
         .x_stride = p.window.stride[2] * p.in,
         .pixels = p.output[2],
         .lines = lines,
         .x_line_stride = p.window.stride[1] * g.band.row_stride,
         .dy_line_stride = p.output[2] * g.dy_stride(),
         .row_offsets = row_offsets + first,
         .rows = rows,
         .dy = g.dy_in_place() ? dy + panel * g.width : dy_panels + panel * pixels * g.width,
         .dy_stride = g.dy_stride(),
         .out = sum + first * g.padded_out() + panel * g.width,
         .out_stride = g.padded_out()});
}

// One item of work: a block of the gradient's rows, summed over one group of samples.
void sum_group(const WeightGradient& g, const WeightGradientMemory& memory, float* worker_memory,
               const ConvBackwardWeights& op, std::int64_t group, std::int64_t first) {
  const Problem& p = g.problem;
  const std::int64_t rows = std::min(g.block, p.depth() - first);
  const std::int64_t x_floats = p.input[0] * p.input[1] * p.input[2] * p.in;
  const std::int64_t line_floats = p.output[2] * p.out;
  float* const dy_panels = worker_memory + round_up(g.band.floats(), 16);
  const bool with_bias = first == 0 && op.dbias;
  float* const sum = memory.sums + group * g.sum_floats();
  float* const bias_sum = memory.bias_sums + group * p.out;
  std::fill_n(sum + first * g.padded_out(), rows * g.padded_out(), 0.0f);
  if (with_bias) std::fill_n(bias_sum, p.out, 0.0f);

  const auto add_band = [&](std::int64_t sample, std::int64_t plane, std::int64_t row) {
    const float* const band =
        take_band(p, g.band, op.x.as<float>() + sample * x_floats, plane, row, worker_memory);
    const std::int64_t row_end = std::min(row + g.rows, p.output[1]);
    for (std::int64_t z = plane; z < std::min(plane + g.planes, p.output[0]); ++z) {
      const float* const x = band + (z - plane) * p.window.stride[0] * g.band.plane_stride;
      const float* const dy =
          op.dy.as<float>() + (sample * p.output[0] + z) * p.output[1] * line_floats;
      for (std::int64_t y = row; y < row_end; y += g.lines())
        add_lines(g, memory.row_offsets, x + (y - row) * p.window.stride[1] * g.band.row_stride,
                  dy + y * line_floats, std::min(g.lines(), row_end - y), dy_panels, first, rows,
                  sum);
      if (with_bias)
        add_column_sums(dy + row * line_floats, p.out, (row_end - row) * p.output[2], p.out,
                        bias_sum);
    }
  };
  const std::int64_t begin = p.batch * group / g.groups;
  const std::int64_t end = p.batch * (group + 1) / g.groups;
  for (std::int64_t sample = begin; sample < end; ++sample)
    for (std::int64_t plane = 0; plane < p.output[0]; plane += g.planes)
      for (std::int64_t row = 0; row < p.output[1]; row += g.rows) add_band(sample, plane, row);
}

void run_backward_weights(CpuQueue& queue, const ConvBackwardWeights& op, const Lent& lent) {
  const int workers = queue.executor->workers();
  const WeightGradient g(op, workers);
  const Problem& p = g.problem;
  Scratch scratch(lent.scratch);
  const WeightGradientMemory memory = lay_out(g, workers, scratch);
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
