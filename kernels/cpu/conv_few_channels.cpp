#include "conv_few_channels.h"

#include <algorithm>

#include "conv_turned.h"
#include "dot_tiles.h"
#include "tiles.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;

// Everything about a forward pass except where its tensors are.
struct Forward {
  Problem problem;
  std::int64_t rows;  // of a band
  BandLayout band;
  Runs runs;

  explicit Forward(const Problem& p)
      : problem(p), rows(band_rows(p, 1, 1)), band(p, 1, rows), runs(p) {}
  std::int64_t packed_floats() const {
    return runs.count * dot_vectors(runs.length) * dot_channels(problem.out) * dot_lanes();
  }
};

struct Memory {
  std::ptrdiff_t* run_offsets;  // [runs]
  float* workers;               // each: a band
  std::int64_t worker_floats;
};

Memory lay_out(const Forward& f, int workers, Scratch& scratch) {
  const std::int64_t worker_floats = round_up(f.band.floats(), 16);
  return {.run_offsets = scratch.take<std::ptrdiff_t>(f.runs.count),
          .workers = scratch.take(workers * worker_floats),
          .worker_floats = worker_floats};
}

struct Tensors {
  const float* x;
  const float* bias = nullptr;  // [out] or nullptr
  const float* added = nullptr;
  float negative_slope = 1;
  float* y;
};

// weights: packed.
void forward(CpuQueue& queue, const Forward& f, const Lent& lent, const Tensors& tensors) {
  const Problem& p = f.problem;
  Scratch scratch(lent.scratch);
  const Memory memory = lay_out(f, queue.executor->workers(), scratch);
  f.runs.offsets(p, f.band, memory.run_offsets);
  float bias[kDotSums] = {};
  const std::int64_t channels = dot_channels(p.out);
  for (std::int64_t i = 0; i < kDotSums; ++i)
    if (tensors.bias && i % channels < p.out) bias[i] = tensors.bias[i % channels];

  const std::int64_t bands = (p.output[1] + f.rows - 1) / f.rows;
  const std::int64_t sample_floats = p.input[0] * p.input[1] * p.input[2] * p.in;
  parallel_for(*queue.executor, p.batch * p.output[0] * bands, [&](std::int64_t item, int worker) {
    const std::int64_t first = item % bands * f.rows;
    const std::int64_t plane = item / bands % p.output[0];
    const std::int64_t sample = item / bands / p.output[0];
    const float* const band = take_band(p, f.band, tensors.x + sample * sample_floats, plane, first,
                                        memory.workers + worker * memory.worker_floats);
    for (std::int64_t row = first; row < std::min(first + f.rows, p.output[1]); ++row) {
      const std::int64_t at =
          ((sample * p.output[0] + plane) * p.output[1] + row) * p.output[2] * p.out;
      dot_tiles({.x = band + (row - first) * p.window.stride[1] * f.band.row_stride,
                 .x_stride = p.window.stride[2] * p.in,
                 .pixels = p.output[2],
                 .run_offsets = memory.run_offsets,
                 .runs = f.runs.count,
                 .run_length = f.runs.length,
                 .weight = lent.weights,
                 .bias = bias,
                 .channels = p.out,
                 .negative_slope = tensors.negative_slope,
                 .added = tensors.added ? tensors.added + at : nullptr,
                 .out = tensors.y + at});
    }
  });
}

// value(k, c): weight k of a patch for channel c. They are few: one thread packs them.
template <class Value>
void pack(const Forward& f, float* to, const Value& value) {
  const std::int64_t lanes = dot_lanes(), length = f.runs.length;
  for (std::int64_t run = 0; run < f.runs.count; ++run)
    for (std::int64_t k = 0; k < length; k += lanes)
      for (std::int64_t c = 0; c < dot_channels(f.problem.out); ++c)
        for (std::int64_t i = 0; i < lanes; ++i) {
          const std::int64_t term = std::min(k, length - lanes) + i;
          *to++ = c < f.problem.out && term >= k ? value(run * length + term, c) : 0.0f;
        }
}

std::size_t scratch_bytes(const CpuQueue& queue, const Problem& p) {
  Scratch scratch;
  lay_out(Forward(p), queue.executor->workers(), scratch);
  return scratch.bytes();
}

std::size_t packed_bytes(const Problem& p) {
  return static_cast<std::size_t>(Forward(p).packed_floats()) * sizeof(float);
}

// --- forward ---

Problem problem_of(const Conv& op) { return {op.x.shape, op.weight.shape.back(), op.window}; }

const char* declines(const Conv& op) {
  if (op.pool.rank) return "does not pool";
  return few_channels::declines(problem_of(op), op.groups, op.x.dtype);
}

std::size_t scratch_bytes(const CpuQueue& queue, const Conv& op) {
  return scratch_bytes(queue, problem_of(op));
}

std::size_t packed_bytes(const Conv& op) { return packed_bytes(problem_of(op)); }

void prepare(CpuQueue&, const Conv& op, float* packed) {
  const Forward f(problem_of(op));
  const float* const weight = op.weight.as<float>();
  pack(f, packed, [&](std::int64_t k, std::int64_t c) { return weight[k * f.problem.out + c]; });
}

void run_forward(CpuQueue& queue, const Conv& op, const Lent& lent) {
  forward(queue, Forward(problem_of(op)), lent,
          {.x = op.x.as<float>(),
           .bias = op.bias ? op.bias.as<float>() : nullptr,
           .added = op.added ? op.added.as<float>() : nullptr,
           .negative_slope = negative_slope(op.activation, op.slope),
           .y = op.y.as<float>()});
}

// --- backward data: a convolution of dy with the kernel turned round ---

const char* declines(const ConvBackwardData& op) {
  if (const char* const reason = cannot_turn(op)) return reason;
  return few_channels::declines(turned(op), op.groups, op.dy.dtype);
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardData& op) {
  return scratch_bytes(queue, turned(op));
}

std::size_t packed_bytes(const ConvBackwardData& op) { return packed_bytes(turned(op)); }

void prepare(CpuQueue&, const ConvBackwardData& op, float* packed) {
  const TurnedWeights weights(op);
  pack(Forward(turned(op)), packed, [&](std::int64_t k, std::int64_t c) {
    float value = 0;
    weights(k, c, 1, &value);
    return value;
  });
}

void run_backward_data(CpuQueue& queue, const ConvBackwardData& op, const Lent& lent) {
  forward(queue, Forward(turned(op)), lent, {.x = op.dy.as<float>(), .y = op.dx.as<float>()});
}

}  // namespace

const char* few_channels::declines(const conv_bands::Problem& p, std::int64_t groups, DType dtype) {
  if (groups != 1) return "works without groups only";
  if (dtype != DType::f32) return "works in f32 only";
  if (p.out > kMostDotChannels) return "works for up to 4 channels out only";
  if (is_absurd(p)) return "the input with its border is too large";
  return Runs(p).length < dot_lanes() ? "a kernel row is shorter than a vector" : nullptr;
}

const Algorithm<Conv> kConvFewChannels = {"conv_few_channels", declines,     scratch_bytes,
                                          run_forward,         packed_bytes, prepare};
const Algorithm<ConvBackwardData> kConvFewChannelsBackwardData = {
    "conv_few_channels", declines, scratch_bytes, run_backward_data, packed_bytes, prepare};

}  // namespace ratnet::inline v1
