// The gradient of the weights of a convolution with few channels out.
#include <algorithm>

#include "conv_bands.h"
#include "conv_few_channels.h"
#include "dot_tiles.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;

const char* declines(const ConvBackwardWeights& op) {
  return few_channels::declines({op.x.shape, op.dy.shape.back(), op.window}, op.groups, op.x.dtype);
}

// Planes are summed in groups, the groups then in order; both are fixed by the problem.
struct WeightGradient {
  Problem problem;
  BandLayout band;
  Runs runs;
  std::int64_t planes, groups;

  explicit WeightGradient(const ConvBackwardWeights& op)
      : problem(op.x.shape, op.dy.shape.back(), op.window),
        band(problem, 1, problem.output[1]),
        runs(problem),
        planes(problem.batch * problem.output[0]),
        groups(std::min<std::int64_t>(planes, 8)) {}
  std::int64_t sum_floats() const { return problem.depth() * problem.out; }
};

struct Memory {
  float* sums;                  // [groups][out][depth]
  double* bias_sums;            // [groups][out]
  std::ptrdiff_t* run_offsets;  // [runs]
  float* workers;               // each: a band
  std::int64_t worker_floats;
};

Memory lay_out(const WeightGradient& g, int workers, Scratch& scratch) {
  const std::int64_t worker_floats = round_up(g.band.floats(), 16);
  return {.sums = scratch.take(g.groups * g.sum_floats()),
          .bias_sums = scratch.take<double>(g.groups * g.problem.out),
          .run_offsets = scratch.take<std::ptrdiff_t>(g.runs.count),
          .workers = scratch.take(workers * worker_floats),
          .worker_floats = worker_floats};
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardWeights& op) {
  Scratch scratch;
  lay_out(WeightGradient(op), queue.executor->workers(), scratch);
  return scratch.bytes();
}

// sums[c] += sum of dy[i * channels + c]; four sums at a time, or one would wait for the other.
void add_sums(const float* dy, std::int64_t pixels, std::int64_t channels, double* sums) {
  for (std::int64_t c = 0; c < channels; ++c) {
    double part[4] = {};
    for (std::int64_t i = 0; i < pixels; ++i)
      part[i % 4] += static_cast<double>(dy[i * channels + c]);
    sums[c] += part[0] + part[1] + part[2] + part[3];
  }
}

// One item of work: one group's sums of the weights of some runs, and with the first those of the
// bias.
void sum_group(const WeightGradient& g, const Memory& memory, float* band_buffer,
               const ConvBackwardWeights& op, std::int64_t group, std::int64_t first_run,
               std::int64_t last_run) {
  const Problem& p = g.problem;
  float* const sum = memory.sums + group * g.sum_floats();
  double* const bias_sum = memory.bias_sums + group * p.out;
  for (std::int64_t c = 0; c < p.out; ++c)
    std::fill_n(sum + c * p.depth() + first_run * g.runs.length,
                (last_run - first_run) * g.runs.length, 0.0f);
  const bool sums_bias = op.dbias && first_run == 0;
  if (sums_bias) std::fill_n(bias_sum, p.out, 0.0);
  const std::int64_t x_floats = p.input[0] * p.input[1] * p.input[2] * p.in;
  const std::int64_t pixels = p.output[1] * p.output[2];
  for (std::int64_t i = g.planes * group / g.groups; i < g.planes * (group + 1) / g.groups; ++i) {
    const float* const dy = op.dy.as<float>() + i * pixels * p.out;
    const float* const band = take_band(p, g.band, op.x.as<float>() + i / p.output[0] * x_floats,
                                        i % p.output[0], 0, band_buffer);
    for (std::int64_t run = first_run; run < last_run; ++run)
      dot_gradient({.x = band + memory.run_offsets[run],
                    .x_stride = p.window.stride[2] * p.in,
                    .pixels = p.output[2],
                    .lines = p.output[1],
                    .x_line_stride = p.window.stride[1] * g.band.row_stride,
                    .dy = dy,
                    .channels = p.out,
                    .run_length = g.runs.length,
                    .out = sum + run * g.runs.length,
                    .out_stride = p.depth()});
    if (sums_bias) add_sums(dy, pixels, p.out, bias_sum);
  }
}

void run_backward_weights(CpuQueue& queue, const ConvBackwardWeights& op, const Lent& lent) {
  const WeightGradient g(op);
  const Problem& p = g.problem;
  Scratch scratch(lent.scratch);
  const Memory memory = lay_out(g, queue.executor->workers(), scratch);
  g.runs.offsets(p, g.band, memory.run_offsets);
  // Runs apart where there are fewer groups than threads: no sum goes over two of them.
  const std::int64_t workers = queue.executor->workers();
  const std::int64_t parts = std::clamp<std::int64_t>(workers / g.groups, 1, g.runs.count);
  parallel_for(*queue.executor, g.groups * parts, [&](std::int64_t item, int worker) {
    const std::int64_t part = item % parts;
    sum_group(g, memory, memory.workers + worker * memory.worker_floats, op, item / parts,
              g.runs.count * part / parts, g.runs.count * (part + 1) / parts);
  });

  float* const dweight = op.dweight.as<float>();
  for (std::int64_t k = 0; k < p.depth(); ++k)
    for (std::int64_t c = 0; c < p.out; ++c) {
      double total = 0;
      for (std::int64_t group = 0; group < g.groups; ++group)
        total += static_cast<double>(memory.sums[group * g.sum_floats() + c * p.depth() + k]);
      dweight[k * p.out + c] = static_cast<float>(total);
    }
  if (!op.dbias) return;
  for (std::int64_t c = 0; c < p.out; ++c) {
    double total = 0;
    for (std::int64_t group = 0; group < g.groups; ++group)
      total += memory.bias_sums[group * p.out + c];
    op.dbias.as<float>()[c] = static_cast<float>(total);
  }
}

}  // namespace

const Algorithm<ConvBackwardWeights> kConvFewChannelsBackwardWeights = {
    "conv_few_channels", declines, scratch_bytes, run_backward_weights};

}  // namespace ratnet::inline v1
