#include "conv_phases.h"

#include <algorithm>
#include <array>

#include "conv_bands.h"
#include "tiles.h"

namespace ratnet::inline v1 {
namespace {

using namespace conv_bands;

constexpr std::size_t kMostPhases = 32;  // along a dimension

// The phases along one dimension, before they are crossed with those of the others: pixels
// j * stride + remainder for j < pixels. Pixel j meets dy at j + shift and then every `step`.
struct AxisPhase {
  std::int64_t remainder = 0, remainders = 1;  // the first, and how many are taken as one
  std::int64_t pixels = 0;
  std::int64_t taps = 0, shift = 0, step = 1;
  std::int64_t taps_before = 0;  // of the phases before this one

  std::int64_t last_shift() const { return shift + (taps - 1) * step; }
};

// All of one dimension, in memory of their own because a run allocates nothing.
class AxisPhases {
 public:
  explicit AxisPhases(std::int64_t size) : size_(static_cast<std::size_t>(size)) {}
  std::size_t size() const { return size_; }
  AxisPhase& operator[](std::size_t i) { return phases_[i]; }
  const AxisPhase& operator[](std::size_t i) const { return phases_[i]; }
  AxisPhase* begin() { return phases_.data(); }
  AxisPhase* end() { return phases_.data() + size_; }
  const AxisPhase* begin() const { return phases_.data(); }
  const AxisPhase* end() const { return phases_.data() + size_; }

 private:
  std::array<AxisPhase, kMostPhases> phases_{};
  std::size_t size_;
};

std::int64_t phases_along(const Window& w, std::size_t d, std::int64_t size) {
  return std::min(w.stride[d], size);
}

AxisPhases axis_phases(const Window& w, std::size_t d, std::int64_t size) {
  const std::int64_t stride = w.stride[d], count = phases_along(w, d, size);
  AxisPhases phases(count);
  for (std::int64_t r = 0; r < count; ++r) {
    AxisPhase& phase = phases[static_cast<std::size_t>(r)];
    phase.remainder = r;
    phase.pixels = (size - r + stride - 1) / stride;
  }
  for (std::int64_t k = w.kernel[d] - 1; k >= 0; --k) {
    const std::int64_t from_origin = k * w.dilation[d] - w.pad_before[d];
    const std::int64_t remainder = (from_origin % stride + stride) % stride;
    if (remainder >= count) continue;
    AxisPhase& phase = phases[static_cast<std::size_t>(remainder)];
    const std::int64_t shift = (remainder - from_origin) / stride;
    if (phase.taps == 0) phase.shift = shift;
    if (phase.taps == 1) phase.step = shift - phase.shift;
    ++phase.taps;
  }
  return phases;
}

// All phases of a row as one.
AxisPhase as_one(const AxisPhases& phases) {
  AxisPhase all = phases[0];
  all.remainders = static_cast<std::int64_t>(phases.size());
  all.step = 1;
  bool any = false;
  std::int64_t last = 0;
  for (const AxisPhase& phase : phases) {
    if (phase.taps == 0) continue;
    all.shift = any ? std::min(all.shift, phase.shift) : phase.shift;
    last = any ? std::max(last, phase.last_shift()) : phase.last_shift();
    any = true;
  }
  all.taps = any ? last - all.shift + 1 : 0;
  return all;
}

// The phases of a row, as one where that takes fewer products.
AxisPhases row_phases(const Window& w, std::int64_t size, std::int64_t channels) {
  AxisPhases phases = axis_phases(w, 2, size);
  const AxisPhase one = as_one(phases);
  std::int64_t taps = 0;
  for (const AxisPhase& phase : phases) taps += phase.taps;
  const auto products = [](std::int64_t of_taps, std::int64_t of_channels) {
    return static_cast<double>(of_taps) *
           static_cast<double>(round_up(of_channels, panel_width(of_channels)));
  };
  if (products(one.taps, one.remainders * channels) < products(taps, channels)) {
    phases = AxisPhases(1);
    phases[0] = one;
  }
  return phases;
}

// dy under a convolution of stride 1 that reaches as far as all phases together.
Problem bordered(const ConvBackwardData& op, const std::array<AxisPhases, 3>& axes) {
  const Shape dy = widened(op.dy.shape);
  Window window{.rank = 3};
  for (std::size_t d = 0; d < 3; ++d) {
    std::int64_t low = 0, high = 0, end = 0;
    for (const AxisPhase& phase : axes[d]) {
      if (phase.taps == 0) continue;
      low = std::min(low, phase.shift);
      high = std::max(high, phase.last_shift());
      end = std::max(end, phase.pixels + phase.last_shift());
    }
    window.kernel[d] = high - low + 1;
    window.pad_before[d] = -low;
    window.pad_after[d] = std::max<std::int64_t>(0, end - dy[static_cast<int>(d) + 1]);
  }
  return {dy, op.dx.shape.back(), window};
}

// One of the phases of all three dimensions.
struct Phase {
  const AxisPhase &z, &y, &x;
  Problem problem;  // of stride 1
  Runs runs;
  std::int64_t first_tap;  // among those of all phases

  Phase(const AxisPhase& along_z, const AxisPhase& along_y, const AxisPhase& along_x,
        const Problem& all, std::int64_t tap)
      : z(along_z), y(along_y), x(along_x), problem(narrowed(all)), runs(problem), first_tap(tap) {}
  std::int64_t taps() const { return z.taps * y.taps * x.taps; }

 private:
  // Leaves the taps that this phase has.
  Problem narrowed(Problem p) const {
    p.window.kernel = {z.taps, y.taps, x.taps};
    p.window.dilation = {z.step, y.step, x.step};
    if (taps() == 0) p.window.kernel = {0, 0, 0};
    return p;
  }
};

// Everything about the operation except where its tensors are.
struct Phases {
  Window window;                   // widened
  std::array<std::int64_t, 3> dx;  // D, H, W
  std::int64_t channels;           // of dx
  std::array<AxisPhases, 3> axes;
  std::int64_t width;                // of a panel
  std::array<std::int64_t, 3> taps;  // of all phases along a dimension
  Problem problem;
  std::int64_t panels;
  std::int64_t rows;  // of dy, in a band
  BandLayout band;

  explicit Phases(const ConvBackwardData& op)
      : window(widened(op.window)),
        dx{widened(op.dx.shape)[1], widened(op.dx.shape)[2], widened(op.dx.shape)[3]},
        channels(op.dx.shape.back()),
        axes{axis_phases(window, 0, dx[0]), axis_phases(window, 1, dx[1]),
             row_phases(window, dx[2], channels)},
        width(panel_width(axes[2][0].remainders * channels)),
        taps{count_taps(axes[0]), count_taps(axes[1]), count_taps(axes[2])},
        problem(bordered(op, axes)),
        panels((axes[2][0].remainders * channels + width - 1) / width),
        rows(band_rows(problem, 1, 1)),
        band(problem, 1, rows) {}

  std::int64_t padded() const { return panels * width; }
  std::int64_t all_taps() const { return taps[0] * taps[1] * taps[2]; }
  std::int64_t buffer_floats() const { return axes[2][0].pixels * width; }
  std::int64_t row_floats() const { return dx[2] * channels; }
  std::int64_t weights_of(const Phase& phase) const {
    return phase.first_tap * problem.in * padded();
  }

  std::int64_t count() const {
    return static_cast<std::int64_t>(axes[0].size() * axes[1].size() * axes[2].size());
  }
  Phase operator[](std::int64_t index) const {
    const auto i = static_cast<std::size_t>(index);
    const AxisPhase& x = axes[2][i % axes[2].size()];
    const AxisPhase& y = axes[1][i / axes[2].size() % axes[1].size()];
    const AxisPhase& z = axes[0][i / axes[2].size() / axes[1].size()];
    const std::int64_t in_plane = y.taps_before * taps[2] + y.taps * x.taps_before;
    return {z, y, x, problem, z.taps_before * taps[1] * taps[2] + z.taps * in_plane};
  }

 private:
  static std::int64_t count_taps(AxisPhases& phases) {
    std::int64_t n = 0;
    for (AxisPhase& phase : phases) {
      phase.taps_before = n;
      n += phase.taps;
    }
    return n;
  }
};

struct Memory {
  const float* weight;          // for each phase [panel][tap, channel of dy][width]
  std::ptrdiff_t* run_offsets;  // for each phase from its first tap on
  float* workers;               // each: a band, then a row of a panel
  std::int64_t worker_floats;
};

Memory lay_out(const Phases& f, int workers, const float* weight, Scratch& scratch) {
  const std::int64_t worker_floats =
      round_up(f.band.floats(), 16) + round_up(f.buffer_floats(), 16);
  return {.weight = weight,
          .run_offsets = scratch.take<std::ptrdiff_t>(f.all_taps()),
          .workers = scratch.take(workers * worker_floats),
          .worker_floats = worker_floats};
}

// The tap along dimension d that joins pixel j * stride + remainder to dy at j + shift; -1 where
// there is none.
std::int64_t tap_between(const Window& w, std::size_t d, std::int64_t remainder,
                         std::int64_t shift) {
  const std::int64_t distance = remainder + w.pad_before[d] - shift * w.stride[d];
  const bool hits = distance >= 0 && distance % w.dilation[d] == 0;
  return hits && distance / w.dilation[d] < w.kernel[d] ? distance / w.dilation[d] : -1;
}

// Writes the weights of one panel of one phase.
void pack(const Phases& f, const Phase& phase, std::int64_t panel, const float* weight,
          float* packed) {
  const Window& w = f.window;
  const std::int64_t in = f.problem.in, channels = phase.x.remainders * f.channels;
  float* to = packed + f.weights_of(phase) + panel * phase.taps() * in * f.width;
  for (std::int64_t z = 0; z < phase.z.taps; ++z)
    for (std::int64_t y = 0; y < phase.y.taps; ++y)
      for (std::int64_t x = 0; x < phase.x.taps; ++x, to += in * f.width) {
        const std::int64_t plane_tap =
            tap_between(w, 0, phase.z.remainder, phase.z.shift + z * phase.z.step);
        const std::int64_t row_tap =
            tap_between(w, 1, phase.y.remainder, phase.y.shift + y * phase.y.step);
        for (std::int64_t column = 0; column < f.width; ++column) {
          const std::int64_t at = panel * f.width + column;
          const std::int64_t remainder = phase.x.remainder + at / f.channels;
          const std::int64_t tap =
              at < channels ? tap_between(w, 2, remainder, phase.x.shift + x * phase.x.step) : -1;
          if (tap < 0) {
            for (std::int64_t i = 0; i < in; ++i) to[i * f.width + column] = 0;
            continue;
          }
          const std::int64_t kernel_tap = (plane_tap * w.kernel[1] + row_tap) * w.kernel[2] + tap;
          const float* from = weight + (kernel_tap * f.channels + at % f.channels) * in;
          for (std::int64_t i = 0; i < in; ++i) to[i * f.width + column] = from[i];
        }
      }
}

// Computes one panel of one phase of a row. dy: where pixel 0 meets its first tap.
void write_row(const Phases& f, const Phase& phase, std::int64_t panel, const Memory& memory,
               const float* dy, float* buffer, float* row) {
  const std::int64_t pixel_floats = f.window.stride[2] * f.channels;
  const std::int64_t first = phase.x.remainder * f.channels + panel * f.width;
  const std::int64_t channels = phase.x.remainders * f.channels - panel * f.width;  // from here on
  const std::int64_t room = f.row_floats() - first;
  // What a lone panel stores past its channels is overwritten with the pixels that follow.
  const bool in_place = channels >= f.width || (f.panels == 1 && channels == pixel_floats);
  const std::int64_t fitting = room < f.width ? 0 : (room - f.width) / pixel_floats + 1;
  const std::int64_t whole = in_place ? std::min(fitting, phase.x.pixels) : 0;
  ForwardTiles tiles{
      .width = f.width,
      .x = dy,
      .x_stride = f.problem.in,
      .pixels = whole,
      .run_offsets = memory.run_offsets + phase.first_tap,
      .runs = phase.runs.count,
      .run_length = phase.runs.length,
      .weight = memory.weight + f.weights_of(phase) + panel * phase.taps() * f.problem.in * f.width,
      .out = row + first,
      .out_stride = pixel_floats};
  if (whole > 0) forward_tiles(tiles);
  if (whole == phase.x.pixels) return;
  tiles.pixels = phase.x.pixels - whole;
  tiles.x += whole * tiles.x_stride;
  tiles.out = buffer;
  tiles.out_stride = f.width;
  forward_tiles(tiles);
  for (std::int64_t pixel = whole; pixel < phase.x.pixels; ++pixel, buffer += f.width) {
    // The row may end before the last of phases taken as one.
    const std::int64_t n = std::min({f.width, channels, room - pixel * pixel_floats});
    if (n > 0) std::copy_n(buffer, n, row + first + pixel * pixel_floats);
  }
}

const char* declines(const ConvBackwardData& op) {
  if (op.groups != 1) return "works without groups only";
  if (op.dy.dtype != DType::f32) return "works in f32 only";
  const Window window = widened(op.window);
  const Shape dx = widened(op.dx.shape);
  for (std::size_t d = 0; d < 3; ++d)
    if (phases_along(window, d, dx[static_cast<int>(d) + 1]) >
        static_cast<std::int64_t>(kMostPhases))
      return "works for up to 32 phases in a dimension only";
  return is_absurd(Phases(op).problem) ? "dy with its border is too large" : nullptr;
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardData& op) {
  Scratch scratch;
  lay_out(Phases(op), queue.executor->workers(), nullptr, scratch);
  return scratch.bytes();
}

std::size_t packed_bytes(const ConvBackwardData& op) {
  const Phases f(op);
  return static_cast<std::size_t>(f.all_taps() * f.problem.in * f.padded()) * sizeof(float);
}

void prepare(CpuQueue& queue, const ConvBackwardData& op, float* packed) {
  const Phases f(op);
  parallel_for(*queue.executor, f.count() * f.panels, [&](std::int64_t item, int) {
    pack(f, f[item / f.panels], item % f.panels, op.weight.as<float>(), packed);
  });
}

void run_backward_data(CpuQueue& queue, const ConvBackwardData& op, const Lent& lent) {
  const Phases f(op);
  const Problem& p = f.problem;
  Scratch scratch(lent.scratch);
  const Memory memory = lay_out(f, queue.executor->workers(), lent.weights, scratch);
  for (std::int64_t i = 0; i < f.count(); ++i) {
    const Phase phase = f[i];
    phase.runs.offsets(phase.problem, f.band, memory.run_offsets + phase.first_tap);
  }

  // The first phase has as many pixels as any.
  const std::int64_t planes = f.axes[0][0].pixels, rows = f.axes[1][0].pixels;
  const std::int64_t bands = (rows + f.rows - 1) / f.rows;
  const std::int64_t dy_floats = p.input[0] * p.input[1] * p.input[2] * p.in;
  parallel_for(*queue.executor, p.batch * planes * bands, [&](std::int64_t item, int worker) {
    const std::int64_t first = item % bands * f.rows;
    const std::int64_t plane = item / bands % planes;
    const std::int64_t sample = item / bands / planes;
    float* const band_buffer = memory.workers + worker * memory.worker_floats;
    float* const buffer = band_buffer + round_up(f.band.floats(), 16);
    const float* const band =
        take_band(p, f.band, op.dy.as<float>() + sample * dy_floats, plane, first, band_buffer);
    for (std::int64_t i = 0; i < f.count(); ++i) {
      const Phase phase = f[i];
      if (plane >= phase.z.pixels) continue;
      const std::int64_t dx_plane =
          sample * f.dx[0] + plane * f.window.stride[0] + phase.z.remainder;
      const float* const dy = band +
                              (phase.z.shift + p.window.pad_before[0]) * f.band.plane_stride +
                              (phase.y.shift + p.window.pad_before[1]) * f.band.row_stride +
                              (phase.x.shift + p.window.pad_before[2]) * p.in;
      for (std::int64_t panel = 0; panel < f.panels; ++panel)
        for (std::int64_t y = first; y < std::min(first + f.rows, phase.y.pixels); ++y) {
          const std::int64_t dx_row =
              dx_plane * f.dx[1] + y * f.window.stride[1] + phase.y.remainder;
          write_row(f, phase, panel, memory, dy + (y - first) * f.band.row_stride, buffer,
                    op.dx.as<float>() + dx_row * f.row_floats());
        }
    }
  });
}

}  // namespace

const Algorithm<ConvBackwardData> kConvPhasesBackwardData = {
    "conv_phases", declines, scratch_bytes, run_backward_data, packed_bytes, prepare};

}  // namespace ratnet::inline v1
