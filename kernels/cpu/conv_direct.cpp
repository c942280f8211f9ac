#include "conv_direct.h"

#include <algorithm>

#include "conv_bands.h"
#include "conv_turned.h"
#include "tiles.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;

// Everything about a forward pass except where its tensors are.
struct Forward {
  Problem problem;
  Window pool;  // widened; all 1 where there is none
  std::int64_t panels, width;
  std::int64_t rows;  // of a band, before pooling
  BandLayout band;
  Runs runs;
  bool in_place;      // rows are computed where they stay
  bool pools_by_two;  // 2x2 in the plane, from the registers

  Forward(const Problem& p, const Window& pooling)
      : problem(p),
        pool(pooling.rank ? widened(pooling) : Window{}),
        panels((p.out + panel_width() - 1) / panel_width()),
        width(panel_width()),
        rows(band_rows(p, pool.kernel[0], pool.kernel[1])),
        band(p, pool.kernel[0], rows),
        runs(p),
        in_place(pooling.rank == 0 && p.out == panels * width),
        pools_by_two(pool.kernel == std::array<std::int64_t, 3>{1, 2, 2}) {}
  std::int64_t padded_out() const { return panels * width; }
  std::int64_t pooled(std::size_t d) const { return problem.output[d] / pool.kernel[d]; }
  std::int64_t buffer_rows() const { return pool.kernel[0] * pool.kernel[1]; }
  std::int64_t buffer_floats() const {
    return in_place || pools_by_two ? 0 : buffer_rows() * problem.output[2] * padded_out();
  }
};

struct ForwardMemory {
  const float* weight;  // packed
  float* bias;
  std::ptrdiff_t* run_offsets;
  float* workers;  // each: a band, then the rows of one pooling window
  std::int64_t worker_floats;
};

ForwardMemory lay_out(const Forward& f, int workers, const float* weight, Scratch& scratch) {
  const std::int64_t worker_floats =
      round_up(f.band.floats(), 16) + round_up(f.buffer_floats(), 16);
  return {.weight = weight,
          .bias = scratch.take(f.padded_out()),
          .run_offsets = scratch.take<std::ptrdiff_t>(f.runs.count),
          .workers = scratch.take(workers * worker_floats),
          .worker_floats = worker_floats};
}

struct Epilogue {
  const float* bias = nullptr;  // [out] or nullptr
  float negative_slope = 1;
  float* y = nullptr;
  std::uint8_t* argmax = nullptr;
};

// The convolution proper.
void forward(CpuQueue& queue, const Forward& f, const ForwardMemory& memory, const float* x,
             const Epilogue& epilogue) {
  const Problem& p = f.problem;
  std::fill_n(memory.bias, f.padded_out(), 0.0f);
  if (epilogue.bias) std::copy_n(epilogue.bias, p.out, memory.bias);
  f.runs.offsets(p, f.band, memory.run_offsets);

  const std::int64_t band_pooled = f.rows / f.pool.kernel[1];
  const std::int64_t bands = (f.pooled(1) + band_pooled - 1) / band_pooled;
  const std::int64_t sample_floats = p.input[0] * p.input[1] * p.input[2] * p.in;
  const std::int64_t out_row = f.pooled(2) * p.out;

  parallel_for(*queue.executor, p.batch * f.pooled(0) * bands, [&](std::int64_t item, int worker) {
    const std::int64_t band_index = item % bands;
    const std::int64_t plane = item / bands % f.pooled(0);
    const std::int64_t sample = item / bands / f.pooled(0);
    const std::int64_t first = band_index * band_pooled;
    const std::int64_t last = std::min(first + band_pooled, f.pooled(1));

    float* const band_buffer = memory.workers + worker * memory.worker_floats;
    float* const buffer = band_buffer + round_up(f.band.floats(), 16);
    const float* const band =
        take_band(p, f.band, x + sample * sample_floats, plane * f.pool.kernel[0],
                  first * f.pool.kernel[1], band_buffer);
    const std::int64_t buffer_row = p.output[2] * f.padded_out();

    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t at = ((sample * f.pooled(0) + plane) * f.pooled(1) + row) * out_row;
      if (f.pools_by_two) {
        for (std::int64_t panel = 0; panel < f.panels; ++panel)
          forward_pool_tiles(
              {.x = band + 2 * (row - first) * p.window.stride[1] * f.band.row_stride,
               .x_stride = p.window.stride[2] * p.in,
               .x_row_stride = p.window.stride[1] * f.band.row_stride,
               .pixels = f.pooled(2),
               .run_offsets = memory.run_offsets,
               .runs = f.runs.count,
               .run_length = f.runs.length,
               .weight = memory.weight + panel * p.depth() * f.width,
               .bias = memory.bias + panel * f.width,
               .negative_slope = epilogue.negative_slope,
               .channels = p.out - panel * f.width,
               .out = epilogue.y + at + panel * f.width,
               .argmax = epilogue.argmax ? epilogue.argmax + at + panel * f.width : nullptr,
               .out_stride = p.out});
        continue;
      }
      for (std::int64_t part = 0; part < f.buffer_rows(); ++part) {
        const std::int64_t z = part / f.pool.kernel[1];
        const std::int64_t y = (row - first) * f.pool.kernel[1] + part % f.pool.kernel[1];
        float* const out = f.in_place ? epilogue.y + at : buffer + part * buffer_row;
        for (std::int64_t panel = 0; panel < f.panels; ++panel)
          forward_tiles({.x = band + z * p.window.stride[0] * f.band.plane_stride +
                              y * p.window.stride[1] * f.band.row_stride,
                         .x_stride = p.window.stride[2] * p.in,
                         .pixels = p.output[2],
                         .run_offsets = memory.run_offsets,
                         .runs = f.runs.count,
                         .run_length = f.runs.length,
                         .weight = memory.weight + panel * p.depth() * f.width,
                         .weight_stride = f.width,
                         .bias = memory.bias + panel * f.width,
                         .out = out + panel * f.width,
                         .out_stride = f.padded_out()});
      }
      if (f.in_place && epilogue.negative_slope == 1) continue;
      // With no pooling the window is one pixel: this applies the activation and drops the
      // channels that only fill a panel.
      pool_rows({.buffer = f.in_place ? epilogue.y + at : buffer,
                 .row_stride = buffer_row,
                 .pixel_stride = f.padded_out(),
                 .rows = f.buffer_rows(),
                 .width = f.pool.kernel[2],
                 .pixels = f.pooled(2),
                 .channels = p.out,
                 .negative_slope = epilogue.negative_slope,
                 .out = epilogue.y + at,
                 .argmax = epilogue.argmax ? epilogue.argmax + at : nullptr});
    }
  });
}

// Calls copy(k, channel, n, to) for every row of the packed weights, [panel][k][width], to write
// the weights of n channels there; zeros follow where a panel passes the last channel.
template <class Copy>
void pack(CpuQueue& queue, const Forward& f, float* packed, const Copy& copy) {
  parallel_for(*queue.executor, f.panels, [&](std::int64_t panel, int) {
    float* to = packed + panel * f.problem.depth() * f.width;
    const std::int64_t channel = panel * f.width;
    const std::int64_t n = std::min(f.width, f.problem.out - channel);
    for (std::int64_t k = 0; k < f.problem.depth(); ++k, to += f.width) {
      copy(k, channel, n, to);
      std::fill(to + n, to + f.width, 0.0f);
    }
  });
}

std::size_t packed_bytes(const Forward& f) {
  return static_cast<std::size_t>(f.problem.depth() * f.padded_out()) * sizeof(float);
}

// --- forward ---

const char* declines(const Conv& op) {
  if (op.groups != 1) return "works without groups only";
  if (is_absurd(Problem(op.x.shape, op.weight.shape.back(), op.window)))
    return "the input with its border is too large";
  return op.x.dtype == DType::f32 ? nullptr : "works in f32 only";
}

Forward forward_of(const Conv& op) {
  return Forward(Problem(op.x.shape, op.weight.shape.back(), op.window), op.pool);
}

std::size_t scratch_bytes(const CpuQueue& queue, const Conv& op) {
  Scratch scratch;
  lay_out(forward_of(op), queue.executor->workers(), nullptr, scratch);
  return scratch.bytes();
}

std::size_t packed_bytes(const Conv& op) { return packed_bytes(forward_of(op)); }

void prepare(CpuQueue& queue, const Conv& op, float* packed) {
  const Forward f = forward_of(op);
  const float* weight = op.weight.as<float>();
  pack(queue, f, packed, [&](std::int64_t k, std::int64_t c, std::int64_t n, float* row) {
    std::copy_n(weight + k * f.problem.out + c, n, row);
  });
}

void run_forward(CpuQueue& queue, const Conv& op, const Lent& lent) {
  const Forward f = forward_of(op);
  Scratch scratch(lent.scratch);
  const ForwardMemory memory = lay_out(f, queue.executor->workers(), lent.weights, scratch);
  forward(queue, f, memory, op.x.as<float>(),
          {.bias = op.bias ? op.bias.as<float>() : nullptr,
           .negative_slope = negative_slope(op.activation, op.slope),
           .y = op.y.as<float>(),
           .argmax = op.argmax ? op.argmax.as<std::uint8_t>() : nullptr});
}

// --- backward data: a convolution of dy with the kernel turned round ---

const char* declines(const ConvBackwardData& op) {
  if (op.groups != 1) return "works without groups only";
  if (op.dy.dtype != DType::f32) return "works in f32 only";
  if (const char* const reason = cannot_turn(op)) return reason;
  return is_absurd(turned(op)) ? "dy with its border is too large" : nullptr;
}

Forward forward_of(const ConvBackwardData& op) { return Forward(turned(op), Window{}); }

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardData& op) {
  Scratch scratch;
  lay_out(forward_of(op), queue.executor->workers(), nullptr, scratch);
  return scratch.bytes();
}

std::size_t packed_bytes(const ConvBackwardData& op) { return packed_bytes(forward_of(op)); }

void prepare(CpuQueue& queue, const ConvBackwardData& op, float* packed) {
  pack(queue, forward_of(op), packed, TurnedWeights(op));
}

void run_backward_data(CpuQueue& queue, const ConvBackwardData& op, const Lent& lent) {
  const Forward f = forward_of(op);
  Scratch scratch(lent.scratch);
  const ForwardMemory memory = lay_out(f, queue.executor->workers(), lent.weights, scratch);
  forward(queue, f, memory, op.dy.as<float>(), {.y = op.dx.as<float>()});
}

}  // namespace

const Algorithm<Conv> kConvDirect = {"conv_direct", declines,     scratch_bytes,
                                     run_forward,   packed_bytes, prepare};
const Algorithm<ConvBackwardData> kConvDirectBackwardData = {
    "conv_direct", declines, scratch_bytes, run_backward_data, packed_bytes, prepare};

}  // namespace ratnet::inline v1
