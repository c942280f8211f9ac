#include "conv_direct.h"

#include <algorithm>

#include "conv_bands.h"
#include "conv_turned.h"
#include "tiles.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;

// Of `merged` neighbouring pixels of a row one, whose channels are those of all.
Problem merge_pixels(Problem p, std::int64_t merged) {
  Window& w = p.window;
  const std::int64_t pixels = (p.output[2] + merged - 1) / merged;
  w.pad_after[2] += (pixels * merged - p.output[2]) * w.stride[2];
  w.kernel[2] += (merged - 1) * w.stride[2];
  w.stride[2] *= merged;
  p.output[2] = pixels;
  p.out *= merged;
  return p;
}

// How many pixels to merge: 1 unless several take less time, as pixels of few channels do that
// together fill a panel.
std::int64_t merged_pixels(const Problem& p) {
  const auto time = [](const Problem& of) {
    const std::int64_t width = panel_width(of.out);
    // A tile of one vector waits for its loads, one for every product.
    const double of_panel = width == panel_width() ? 2 : 1.1;
    const std::int64_t panels = (of.out + width - 1) / width;
    return of_panel * static_cast<double>(panels) * static_cast<double>(of.output[2]) *
           static_cast<double>(of.window.kernel[2]);
  };
  std::int64_t best = 1;
  if (p.window.dilation[2] != 1) return best;
  for (std::int64_t n = 2; n * p.out <= panel_width(); n *= 2) {
    const Problem merged = merge_pixels(p, n);
    if (merged.out == panel_width(merged.out) && time(merged) < time(merge_pixels(p, best)))
      best = n;
  }
  return best;
}

// Everything about a forward pass except where its tensors are.
struct Forward {
  Problem whole;        // before pixels are merged
  Window pool;          // widened; all 1 where there is none
  bool pools_by_two;    // 2x2 in the plane, from the registers
  std::int64_t merged;  // pixels
  Problem problem;
  std::int64_t width, panels;
  std::int64_t rows, planes;  // of a band, before pooling
  BandLayout band;
  Runs runs;
  bool in_place;  // rows are computed where they stay

  Forward(const Problem& p, const Window& pooling)
      : whole(p),
        pool(pooling.rank ? widened(pooling) : Window{}),
        pools_by_two(pool.kernel == std::array<std::int64_t, 3>{1, 2, 2}),
        merged(pools_by_two ? 1 : merged_pixels(p)),
        problem(merge_pixels(p, merged)),
        width(pools_by_two ? panel_width() : panel_width(problem.out)),
        panels((problem.out + width - 1) / width),
        rows(band_rows(problem, pool.kernel[0], pool.kernel[1])),
        planes(band_planes(problem, pool.kernel[0], rows)),
        band(problem, planes, rows),
        // A tap of one channel is one number: all of them are one loop then.
        runs(problem, problem.in == 1 && !pools_by_two),
        in_place(pooling.rank == 0 && problem.out == panels * width && p.output[2] % merged == 0) {}
  std::int64_t padded_out() const { return panels * width; }
  // From one pixel to the next of rows in whole panels.
  std::int64_t pixel_floats() const { return padded_out() / merged; }
  std::int64_t pooled(std::size_t d) const { return whole.output[d] / pool.kernel[d]; }
  std::int64_t buffer_rows() const { return pool.kernel[0] * pool.kernel[1]; }
  std::int64_t buffer_floats() const {
    // Reads of the last pixel may go on for less than a whole panel.
    return in_place || pools_by_two
               ? 0
               : buffer_rows() * problem.output[2] * padded_out() + panel_width();
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
  const float* bias = nullptr;   // [out] or nullptr
  const float* added = nullptr;  // as y, or nullptr
  float negative_slope = 1;
  float* y = nullptr;
  std::uint8_t* argmax = nullptr;
};

// Computes rows after pooling by 2x2, the first of which begins at `at` in y. x: as compute_row().
void pool_by_two(const Forward& f, const ForwardMemory& memory, const Epilogue& epilogue,
                 const float* x, std::int64_t rows, std::int64_t at) {
  const Problem& p = f.problem;
  for (std::int64_t panel = 0; panel < f.panels; ++panel)
    forward_pool_tiles(
        {.x = x,
         .x_stride = p.window.stride[2] * p.in,
         .x_row_stride = p.window.stride[1] * f.band.row_stride,
         .rows = rows,
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
         .out_stride = p.out,
         .out_row_stride = f.pooled(2) * p.out});
}

// Computes one row after pooling, which begins at `at` in y. x: the input under the first row that
// is pooled; buffer: buffer_floats().
void compute_row(const Forward& f, const ForwardMemory& memory, const Epilogue& epilogue,
                 const float* x, std::int64_t at, float* buffer) {
  const Problem& p = f.problem;
  float* const rows = f.in_place ? epilogue.y + at : buffer;
  const std::int64_t buffer_row = p.output[2] * f.padded_out();
  for (std::int64_t part = 0; part < f.buffer_rows(); ++part) {
    const std::int64_t z = part / f.pool.kernel[1] * p.window.stride[0];
    const std::int64_t y = part % f.pool.kernel[1] * p.window.stride[1];
    for (std::int64_t panel = 0; panel < f.panels; ++panel)
      forward_tiles({.width = f.width,
                     .x = x + z * f.band.plane_stride + y * f.band.row_stride,
                     .x_stride = p.window.stride[2] * p.in,
                     .pixels = p.output[2],
                     .run_offsets = memory.run_offsets,
                     .runs = f.runs.count,
                     .run_length = f.runs.length,
                     .weight = memory.weight + panel * p.depth() * f.width,
                     .bias = memory.bias + panel * f.width,
                     .out = rows + part * buffer_row + panel * f.width,
                     .out_stride = f.padded_out()});
  }
  if (f.in_place && !epilogue.added && epilogue.negative_slope == 1) return;
  // With no pooling the window is one pixel: this adds, applies the activation and drops the
  // channels that only fill a panel.
  pool_rows({.buffer = rows,
             .row_stride = buffer_row,
             .pixel_stride = f.in_place ? p.out : f.pixel_floats(),
             .rows = f.buffer_rows(),
             .width = f.pool.kernel[2],
             // In place nothing lies behind the last pixel: merged ones stay so.
             .pixels = f.in_place ? p.output[2] : f.pooled(2),
             .channels = f.in_place ? p.out : f.whole.out,
             .negative_slope = epilogue.negative_slope,
             .added = epilogue.added ? epilogue.added + at : nullptr,
             .out = epilogue.y + at,
             .argmax = epilogue.argmax ? epilogue.argmax + at : nullptr});
}

// The convolution proper.
void forward(CpuQueue& queue, const Forward& f, const ForwardMemory& memory, const float* x,
             const Epilogue& epilogue) {
  const Problem& p = f.problem;
  std::fill_n(memory.bias, f.padded_out(), 0.0f);
  if (epilogue.bias)
    for (std::int64_t i = 0; i < f.merged; ++i)
      std::copy_n(epilogue.bias, f.whole.out, memory.bias + i * f.whole.out);
  f.runs.offsets(p, f.band, memory.run_offsets);

  // Counted after pooling.
  const std::int64_t band_rows = f.rows / f.pool.kernel[1];
  const std::int64_t band_planes = f.planes / f.pool.kernel[0];
  const std::int64_t bands = (f.pooled(1) + band_rows - 1) / band_rows;
  const std::int64_t layers = (f.pooled(0) + band_planes - 1) / band_planes;
  const std::int64_t sample_floats = p.input[0] * p.input[1] * p.input[2] * p.in;
  // In the band.
  const std::int64_t row_floats = f.pool.kernel[1] * p.window.stride[1] * f.band.row_stride;
  const std::int64_t plane_floats = f.pool.kernel[0] * p.window.stride[0] * f.band.plane_stride;

  parallel_for(*queue.executor, p.batch * layers * bands, [&](std::int64_t item, int worker) {
    const std::int64_t first_row = item % bands * band_rows;
    const std::int64_t first_plane = item / bands % layers * band_planes;
    const std::int64_t sample = item / bands / layers;
    const std::int64_t rows = std::min(band_rows, f.pooled(1) - first_row);
    const std::int64_t planes = std::min(band_planes, f.pooled(0) - first_plane);

    float* const band_buffer = memory.workers + worker * memory.worker_floats;
    float* const buffer = band_buffer + round_up(f.band.floats(), 16);
    const float* const band =
        take_band(p, f.band, x + sample * sample_floats, first_plane * f.pool.kernel[0],
                  first_row * f.pool.kernel[1], band_buffer);
    const std::int64_t one_row = f.pooled(2) * f.whole.out;
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      const std::int64_t place =
          ((sample * f.pooled(0) + first_plane + plane) * f.pooled(1) + first_row) * one_row;
      const float* const in = band + plane * plane_floats;
      if (f.pools_by_two)
        pool_by_two(f, memory, epilogue, in, rows, place);
      else
        for (std::int64_t row = 0; row < rows; ++row)
          compute_row(f, memory, epilogue, in + row * row_floats, place + row * one_row, buffer);
    }
  });
}

// Writes the packed weights, [panel][k][width]. Calls copy(k, channel, n, to) to write row k of the
// weights from a channel on; zeros are where a panel passes the last channel, and where a tap of
// merged pixels is not one of a pixel's.
template <class Copy>
void pack(CpuQueue& queue, const Forward& f, float* packed, const Copy& copy) {
  const Window& w = f.whole.window;
  const std::int64_t in = f.whole.in, taps = w.kernel[2], all_taps = f.problem.window.kernel[2];
  parallel_for(*queue.executor, f.panels, [&](std::int64_t panel, int) {
    float* to = packed + panel * f.problem.depth() * f.width;
    const std::int64_t channel = panel * f.width;
    const std::int64_t n = std::min(f.width, f.whole.out - channel);
    for (std::int64_t row = 0; row < w.kernel[0] * w.kernel[1]; ++row)
      for (std::int64_t k = 0; k < all_taps * in; ++k, to += f.width) {
        std::fill_n(to, f.width, 0.0f);
        for (std::int64_t pixel = 0; pixel < f.merged; ++pixel) {
          const std::int64_t tap = k / in - pixel * w.stride[2];
          if (tap >= 0 && tap < taps)
            copy((row * taps + tap) * in + k % in, channel, n, to + pixel * f.whole.out);
        }
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
    std::copy_n(weight + k * f.whole.out + c, n, row);
  });
}

void run_forward(CpuQueue& queue, const Conv& op, const Lent& lent) {
  const Forward f = forward_of(op);
  Scratch scratch(lent.scratch);
  const ForwardMemory memory = lay_out(f, queue.executor->workers(), lent.weights, scratch);
  forward(queue, f, memory, op.x.as<float>(),
          {.bias = op.bias ? op.bias.as<float>() : nullptr,
           .added = op.added ? op.added.as<float>() : nullptr,
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
