#include "../resample.h"

#include <algorithm>

#include "../sampled_axis.h"
#include "cpu_queue.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/resample.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

// An input that an output reads, or a line of them: its first element, and its weight.
struct Part {
  std::int64_t at;
  double weight;
};

// The lines of the input that row (n, d, h) of y reads; their number.
int lines_of(const SampledGrid& g, std::int64_t row, Part (&lines)[4]) {
  const SampledAxis &depth = g.axes[0], &height = g.axes[1];
  const auto plane = row / height.out;
  const auto a = depth.taps(plane % depth.out), b = height.taps(row % height.out);
  const std::int64_t sample = plane / depth.out;
  int count = 0;
  for (int k = 0; k < 4; ++k) {
    const double weight = a.weight[k / 2] * b.weight[k % 2];
    if (weight == 0) continue;
    const std::int64_t line = (sample * depth.in + a.at[k / 2]) * height.in + b.at[k % 2];
    lines[count++] = {line * g.axes[2].in * g.channels, weight};
  }
  return count;
}

// One pixel of y.
template <class T>
HWY_INLINE void resample_pixel(const T* x, const Part (&parts)[8], int count, std::int64_t channels,
                               T* y) {
  if (count == 1 && parts[0].weight == 1) {
    for_vectors<T>(0, channels, [&](auto d, std::int64_t c) HWY_ATTR {
      hn::StoreU(hn::LoadU(d, x + parts[0].at + c), d, y + c);
    });
    return;
  }
  for_vectors<T>(0, channels, [&](auto d, std::int64_t c) HWY_ATTR {
    const auto term = [&](const Part& part) HWY_ATTR {
      return hn::Mul(hn::LoadU(d, x + part.at + c), hn::Set(d, static_cast<T>(part.weight)));
    };
    auto sum = term(parts[0]);
    for (int k = 1; k < count; ++k) sum = hn::Add(sum, term(parts[k]));
    hn::StoreU(sum, d, y + c);
  });
}

// Rows (n, d, h) of y.
template <class T>
void resample(const Resample& op, const SampledGrid& g, std::int64_t first, std::int64_t last) {
  const SampledAxis& width = g.axes[2];
  // The taps of so many columns are found once for all rows.
  constexpr std::int64_t kColumns = 64;
  SampledAxis::Taps columns[kColumns];
  for (std::int64_t from = 0; from < width.out; from += kColumns) {
    const std::int64_t n = std::min(kColumns, width.out - from);
    for (std::int64_t i = 0; i < n; ++i) columns[i] = width.taps(from + i);
    for (std::int64_t row = first; row < last; ++row) {
      Part lines[4];
      const int line_count = lines_of(g, row, lines);
      T* y = op.y.as<T>() + (row * width.out + from) * g.channels;
      for (std::int64_t i = 0; i < n; ++i, y += g.channels) {
        Part parts[8];
        int count = 0;
        for (int k = 0; k < 2 * line_count; ++k) {
          const double weight = lines[k / 2].weight * columns[i].weight[k % 2];
          if (weight == 0) continue;
          parts[count++] = {lines[k / 2].at + columns[i].at[k % 2] * g.channels, weight};
        }
        resample_pixel(op.x.as<T>(), parts, count, g.channels, y);
      }
    }
  }
}

void ResampleRows(const Resample& op, const SampledGrid& g, std::int64_t first, std::int64_t last) {
  op.x.dtype == DType::f64 ? resample<double>(op, g, first, last)
                           : resample<float>(op, g, first, last);
}

// Rows (n, d, h) of dx.
template <class T>
void resample_backward(const ResampleBackward& op, const SampledGrid& g, std::int64_t first,
                       std::int64_t last) {
  const SampledAxis &depth = g.axes[0], &height = g.axes[1], &width = g.axes[2];
  for (std::int64_t row = first; row < last; ++row) {
    const auto plane = row / height.in;
    const auto zs = depth.touched(plane % depth.in), hs = height.touched(row % height.in);
    const std::int64_t sample = plane / depth.in;
    T* dx = op.dx.as<T>() + row * width.in * g.channels;
    std::fill(dx, dx + width.in * g.channels, T{0});
    for (std::int64_t j = 0; j < width.in; ++j, dx += g.channels) {
      const auto ws = width.touched(j);
      for (std::int64_t k = 0; k < zs.count; ++k)
        for (std::int64_t l = 0; l < hs.count; ++l) {
          const auto z = depth.part(zs, k), h = height.part(hs, l);
          const std::int64_t line = (sample * depth.out + z.at) * height.out + h.at;
          for (std::int64_t m = 0; m < ws.count; ++m) {
            const auto w = width.part(ws, m);
            const T* dy = op.dy.as<T>() + (line * width.out + w.at) * g.channels;
            const T weight = static_cast<T>(z.weight * h.weight * w.weight);
            for_vectors<T>(0, g.channels, [&](auto d, std::int64_t c) HWY_ATTR {
              const auto term = hn::Mul(hn::LoadU(d, dy + c), hn::Set(d, weight));
              hn::StoreU(hn::Add(hn::LoadU(d, dx + c), term), d, dx + c);
            });
          }
        }
    }
  }
}

void ResampleBackwardRows(const ResampleBackward& op, const SampledGrid& g, std::int64_t first,
                          std::int64_t last) {
  op.dy.dtype == DType::f64 ? resample_backward<double>(op, g, first, last)
                            : resample_backward<float>(op, g, first, last);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(ResampleRows);
HWY_EXPORT(ResampleBackwardRows);
}  // namespace

void run(CpuQueue& queue, const Resample& op) {
  const SampledGrid g = grid_of(op.x.shape, op.y.shape, op.sampling);
  for_pieces_of(queue, g.batch * g.axes[0].out * g.axes[1].out, g.axes[2].out * g.channels,
                [&](std::int64_t first, std::int64_t last) {
                  HWY_DYNAMIC_DISPATCH(ResampleRows)(op, g, first, last);
                });
}

void run(CpuQueue& queue, const ResampleBackward& op) {
  const SampledGrid g = grid_of(op.dx.shape, op.dy.shape, op.sampling);
  const std::int64_t rows = g.batch * g.axes[0].in * g.axes[1].in;
  // Of a row, what is read or written, whichever is more.
  const std::int64_t work = rows ? std::max(g.axes[2].in * g.channels, op.dy.count() / rows) : 0;
  for_pieces_of(queue, rows, work, [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(ResampleBackwardRows)(op, g, first, last);
  });
}

}  // namespace ratnet::inline v1
#endif
