#include "conv_direct.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tiles.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Hands out aligned stretches of the working memory; with no memory it only adds up sizes.
class Scratch {
 public:
  explicit Scratch(void* memory = nullptr) : memory_(static_cast<char*>(memory)) {}
  template <class T = float>
  T* take(std::int64_t n) {
    char* const here = memory_ ? memory_ + bytes_ : nullptr;
    // Stretches of different workers never share a cache line.
    bytes_ += static_cast<std::size_t>(round_up(n * static_cast<std::int64_t>(sizeof(T)), 64));
    return reinterpret_cast<T*>(here);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  std::size_t bytes_ = 0;
};

// Sizes of a convolution with three spatial dimensions (leading ones are 1), all of one sample.
struct Problem {
  std::int64_t batch, in, out;         // samples, channels
  std::array<std::int64_t, 3> input;   // D, H, W
  std::array<std::int64_t, 3> output;  // before pooling
  Window window;

  Problem(const Shape& x, std::int64_t out_channels, const Window& narrow)
      : batch(x[0]), in(x.back()), out(out_channels), window(widened(narrow)) {
    const Shape wide = widened(x);
    for (int d = 0; d < 3; ++d) {
      input[static_cast<std::size_t>(d)] = wide[d + 1];
      output[static_cast<std::size_t>(d)] = window.positions(d, wide[d + 1]);
    }
  }

  std::int64_t reach(std::size_t d) const {
    return window.dilation[d] * (window.kernel[d] - 1) + 1;
  }
  std::int64_t depth() const { return window.taps() * in; }  // terms of one output's sum
  bool padded() const {
    for (std::size_t d = 0; d < 3; ++d)
      if (window.pad_before[d] || window.pad_after[d]) return true;
    return false;
  }
};

// Where the input of a band of output rows lies: in x itself, or copied with its border. Sized for
// `planes` x `rows` outputs.
struct BandLayout {
  bool copied;
  std::int64_t depth, height;  // input planes and rows of a whole band
  std::int64_t plane_stride, row_stride;

  BandLayout(const Problem& p, std::int64_t planes, std::int64_t rows)
      : copied(p.padded()),
        depth((planes - 1) * p.window.stride[0] + p.reach(0)),
        height((rows - 1) * p.window.stride[1] + p.reach(1)),
        plane_stride((copied ? height : p.input[1]) * row_floats(p)),
        row_stride(row_floats(p)) {}

  std::int64_t floats() const { return copied ? depth * plane_stride : 0; }

 private:
  std::int64_t row_floats(const Problem& p) const {
    return (copied ? p.input[2] + p.window.pad_before[2] + p.window.pad_after[2] : p.input[2]) *
           p.in;
  }
};

// The input under output planes from `plane` and output rows from `first` of one sample.
const float* take_band(const Problem& p, const BandLayout& layout, const float* sample,
                       std::int64_t plane, std::int64_t first, float* buffer) {
  const Window& w = p.window;
  const std::int64_t in_row = p.input[2] * p.in;
  const std::int64_t z0 = plane * w.stride[0] - w.pad_before[0];
  const std::int64_t y0 = first * w.stride[1] - w.pad_before[1];
  if (!layout.copied) return sample + (z0 * p.input[1] + y0) * in_row;

  const std::int64_t left = w.pad_before[2] * p.in;
  const std::int64_t right = w.pad_after[2] * p.in;
  for (std::int64_t z = 0; z < layout.depth; ++z) {
    for (std::int64_t y = 0; y < layout.height; ++y) {
      float* to = buffer + z * layout.plane_stride + y * layout.row_stride;
      const bool inside = z0 + z >= 0 && z0 + z < p.input[0] && y0 + y >= 0 && y0 + y < p.input[1];
      if (!inside) {
        std::fill_n(to, layout.row_stride, 0.0f);
        continue;
      }
      std::fill_n(to, left, 0.0f);
      std::memcpy(to + left, sample + ((z0 + z) * p.input[1] + y0 + y) * in_row,
                  static_cast<std::size_t>(in_row) * sizeof(float));
      std::fill_n(to + left + in_row, right, 0.0f);
    }
  }
  return buffer;
}

// Taps as runs of consecutive floats: with unit dilation a kernel row's taps are neighbours.
struct Runs {
  bool joined;
  std::int64_t count, length;

  explicit Runs(const Problem& p)
      : joined(p.window.dilation[2] == 1),
        count(p.window.kernel[0] * p.window.kernel[1] * (joined ? 1 : p.window.kernel[2])),
        length((joined ? p.window.kernel[2] : 1) * p.in) {}

  void offsets(const Problem& p, const BandLayout& band, std::ptrdiff_t* to) const {
    const Window& w = p.window;
    for (std::int64_t z = 0; z < w.kernel[0]; ++z)
      for (std::int64_t y = 0; y < w.kernel[1]; ++y)
        for (std::int64_t x = 0; x < (joined ? 1 : w.kernel[2]); ++x)
          *to++ = z * w.dilation[0] * band.plane_stride + y * w.dilation[1] * band.row_stride +
                  x * w.dilation[2] * p.in;
  }
};

// How many output rows (a multiple of `step`) a band has: as many as keep its input in a share of
// the second-level cache.
std::int64_t band_rows(const Problem& p, std::int64_t planes, std::int64_t step) {
  constexpr std::int64_t kBandFloats = 24 * 1024;
  std::int64_t rows = std::max(step, p.output[1] / step * step);
  while (rows > step) {
    const BandLayout band(p, planes, rows);
    if (band.depth * band.height * band.row_stride <= kBandFloats) break;
    rows = rows / 2 / step * step;
    rows = std::max(rows, step);
  }
  return rows;
}

// Everything about a forward pass except where its tensors are.
struct Forward {
  Problem problem;
  Window pool;  // widened; all 1 where there is none
  std::int64_t panels, width;
  std::int64_t rows;  // of a band, before pooling
  BandLayout band;
  Runs runs;
  bool in_place;  // rows are computed where they stay

  Forward(const Problem& p, const Window& pooling)
      : problem(p),
        pool(pooling.rank ? widened(pooling) : Window{}),
        panels((p.out + panel_width() - 1) / panel_width()),
        width(panel_width()),
        rows(band_rows(p, pool.kernel[0], pool.kernel[1])),
        band(p, pool.kernel[0], rows),
        runs(p),
        in_place(pooling.rank == 0 && p.out == panels * width) {}
  std::int64_t padded_out() const { return panels * width; }
  std::int64_t pooled(std::size_t d) const { return problem.output[d] / pool.kernel[d]; }
  std::int64_t buffer_rows() const { return pool.kernel[0] * pool.kernel[1]; }
  std::int64_t buffer_floats() const {
    return in_place ? 0 : buffer_rows() * problem.output[2] * padded_out();
  }
};

struct ForwardMemory {
  float* weight;
  float* bias;
  std::ptrdiff_t* run_offsets;
  float* workers;  // each: a band, then the rows of one pooling window
  std::int64_t worker_floats;
};

ForwardMemory lay_out(const Forward& f, int workers, Scratch& scratch) {
  const std::int64_t worker_floats =
      round_up(f.band.floats(), 16) + round_up(f.buffer_floats(), 16);
  return {.weight = scratch.take(f.problem.depth() * f.padded_out()),
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

// The convolution proper. `memory.weight` is packed already.
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

float slope_of(Activation activation, double slope) {
  switch (activation) {
    case Activation::none: return 1;
    case Activation::relu: return 0;
    case Activation::leaky_relu: return static_cast<float>(slope);
  }
  return 1;
}

// --- forward ---

const char* declines(const Conv& op) {
  return op.x.dtype == DType::f32 ? nullptr : "works in f32 only";
}

Forward forward_of(const Conv& op) {
  return Forward(Problem(op.x.shape, op.weight.shape.back(), op.window), op.pool);
}

std::size_t scratch_bytes(const CpuQueue& queue, const Conv& op) {
  Scratch scratch;
  lay_out(forward_of(op), queue.executor->workers(), scratch);
  return scratch.bytes();
}

void run_forward(CpuQueue& queue, const Conv& op) {
  const Forward f = forward_of(op);
  Scratch scratch(queue.working_memory(scratch_bytes(queue, op)));
  const ForwardMemory memory = lay_out(f, queue.executor->workers(), scratch);
  const float* weight = op.weight.as<float>();
  pack(queue, f, memory.weight, [&](std::int64_t k, std::int64_t c, std::int64_t n, float* row) {
    std::copy_n(weight + k * f.problem.out + c, n, row);
  });
  forward(queue, f, memory, op.x.as<float>(),
          {.bias = op.bias ? op.bias.as<float>() : nullptr,
           .negative_slope = slope_of(op.activation, op.slope),
           .y = op.y.as<float>(),
           .argmax = op.argmax ? op.argmax.as<std::uint8_t>() : nullptr});
}

// --- backward data: a convolution of dy with the kernel turned round ---

const char* declines(const ConvBackwardData& op) {
  if (op.dy.dtype != DType::f32) return "works in f32 only";
  for (std::size_t d = 0; d < static_cast<std::size_t>(op.window.rank); ++d) {
    if (op.window.stride[d] != 1) return "works with stride 1 only";
    const std::int64_t most = op.window.dilation[d] * (op.window.kernel[d] - 1);
    if (op.window.pad_before[d] > most || op.window.pad_after[d] > most)
      return "padding is wider than the kernel";
  }
  return nullptr;
}

Forward forward_of(const ConvBackwardData& op) {
  Window turned = op.window;
  for (std::size_t d = 0; d < static_cast<std::size_t>(turned.rank); ++d) {
    const std::int64_t most = turned.dilation[d] * (turned.kernel[d] - 1);
    turned.pad_before[d] = most - op.window.pad_before[d];
    turned.pad_after[d] = most - op.window.pad_after[d];
  }
  return Forward(Problem(op.dy.shape, op.dx.shape.back(), turned), Window{});
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardData& op) {
  Scratch scratch;
  lay_out(forward_of(op), queue.executor->workers(), scratch);
  return scratch.bytes();
}

void run_backward_data(CpuQueue& queue, const ConvBackwardData& op) {
  const Forward f = forward_of(op);
  Scratch scratch(queue.working_memory(scratch_bytes(queue, op)));
  const ForwardMemory memory = lay_out(f, queue.executor->workers(), scratch);
  const float* weight = op.weight.as<float>();
  const std::int64_t from = f.problem.in;  // channels of dy
  const std::int64_t to = f.problem.out;   // channels of dx
  const std::int64_t taps = f.problem.window.taps();
  pack(queue, f, memory.weight, [&](std::int64_t k, std::int64_t c, std::int64_t n, float* row) {
    const float* const turned = weight + ((taps - 1 - k / from) * to + c) * from + k % from;
    for (std::int64_t i = 0; i < n; ++i) row[i] = turned[i * from];
  });
  forward(queue, f, memory, op.dy.as<float>(), {.y = op.dx.as<float>()});
}

// --- backward weights ---

const char* declines(const ConvBackwardWeights& op) {
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

void run_backward_weights(CpuQueue& queue, const ConvBackwardWeights& op) {
  const WeightGradient g(op);
  const Problem& p = g.problem;
  Scratch scratch(queue.working_memory(scratch_bytes(queue, op)));
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

const Algorithm<Conv> kConvDirect = {"conv_direct", declines, scratch_bytes, run_forward};
const Algorithm<ConvBackwardData> kConvDirectBackwardData = {"conv_direct", declines, scratch_bytes,
                                                             run_backward_data};
const Algorithm<ConvBackwardWeights> kConvDirectBackwardWeights = {
    "conv_direct", declines, scratch_bytes, run_backward_weights};

}  // namespace ratnet::inline v1
