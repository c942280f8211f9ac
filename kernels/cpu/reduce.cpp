#include "../reduce.h"

#include <algorithm>
#include <cmath>

#include "cpu_queue.h"
#include "reduce_lines.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

// Columns first .. first + lines.columns - 1 of the lines at x, to y [inner].
template <class T>
void sum_lines(const T* x, const ReduceLines& lines, std::int64_t first, double divisor, T* y) {
  alignas(64) double sums[ReduceLines::kMostColumns] = {};
  for (std::int64_t i = 0; i < lines.count; ++i) {
    const T* from = x + i * lines.line + first;
    for_vectors<double>(0, lines.width(i, first), [&](auto d, std::int64_t c) HWY_ATTR {
      hn::StoreU(hn::Add(hn::LoadU(d, sums + c), load_as(d, from + c)), d, sums + c);
    });
  }
  const std::int64_t results = std::min(lines.inner, lines.width(0, first));
  for (std::int64_t c = 0; c < results; ++c) {
    double sum = 0;
    for (std::int64_t k = 0; k < lines.side_by_side; ++k) sum += sums[k * lines.inner + c];
    y[first + c] = static_cast<T>(sum / divisor);
  }
}

// The same for the first maximum; argmax: its place in the middle dimension, or nullptr.
template <class T>
void largest_of_lines(const T* x, const ReduceLines& lines, std::int64_t first, T* y,
                      std::int32_t* argmax) {
  using Index = hwy::MakeSigned<T>;
  alignas(64) T best[ReduceLines::kMostColumns];
  alignas(64) Index where[ReduceLines::kMostColumns] = {};
  std::copy_n(x + first, lines.width(0, first), best);
  for (std::int64_t i = 1; i < lines.count; ++i) {
    const T* from = x + i * lines.line + first;
    for_vectors<T>(0, lines.width(i, first), [&](auto d, std::int64_t c) HWY_ATTR {
      const hn::RebindToSigned<decltype(d)> integers;
      const auto v = hn::LoadU(d, from + c), most = hn::LoadU(d, best + c);
      // A NaN wins, so that it is seen at the end.
      const auto taken = hn::Or(hn::Gt(v, most), hn::AndNot(hn::IsNaN(most), hn::IsNaN(v)));
      hn::StoreU(hn::IfThenElse(taken, v, most), d, best + c);
      const auto here = hn::Set(integers, static_cast<Index>(i));
      const auto before = hn::LoadU(integers, where + c);
      hn::StoreU(hn::IfThenElse(hn::RebindMask(integers, taken), here, before), integers,
                 where + c);
    });
  }
  const std::int64_t results = std::min(lines.inner, lines.width(0, first));
  for (std::int64_t c = 0; c < results; ++c) {
    T most = best[c];
    std::int64_t place = static_cast<std::int64_t>(where[c]) * lines.side_by_side;
    for (std::int64_t k = 1; k < lines.side_by_side; ++k) {
      const T v = best[k * lines.inner + c];
      const std::int64_t at =
          static_cast<std::int64_t>(where[k * lines.inner + c]) * lines.side_by_side + k;
      const bool same = v == most || (std::isnan(v) && std::isnan(most));
      if (v > most || (std::isnan(v) && !std::isnan(most)) || (same && at < place)) {
        most = v;
        place = at;
      }
    }
    y[first + c] = most;
    if (argmax) argmax[first + c] = static_cast<std::int32_t>(place);
  }
}

// Tasks: (outer, block of columns).
template <class T>
void reduce(const Reduce& op, const ReduceLines& lines, std::int64_t first, std::int64_t last) {
  const double divisor = op.by == Reduction::mean ? static_cast<double>(lines.middle) : 1;
  for (std::int64_t task = first; task < last; ++task) {
    const std::int64_t outer = task / lines.blocks, column = task % lines.blocks * lines.columns;
    const T* x = op.x.as<T>() + outer * lines.middle * lines.inner;
    T* y = op.y.as<T>() + outer * lines.inner;
    if (op.by == Reduction::max)
      largest_of_lines(x, lines, column, y,
                       op.argmax ? op.argmax.as<std::int32_t>() + outer * lines.inner : nullptr);
    else
      sum_lines(x, lines, column, divisor, y);
  }
}

void ReduceTasks(const Reduce& op, const ReduceLines& lines, std::int64_t first,
                 std::int64_t last) {
  op.x.dtype == DType::f64 ? reduce<double>(op, lines, first, last)
                           : reduce<float>(op, lines, first, last);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(ReduceTasks);

// Rows (outer, middle) of dx.
template <class T>
void reduce_backward(const ReduceBackward& op, std::int64_t first, std::int64_t last) {
  const std::int64_t middle = op.dx.shape[1], inner = op.dx.shape[2];
  const T divisor = op.by == Reduction::mean ? static_cast<T>(middle) : T{1};
  for (std::int64_t row = first; row < last;) {
    const std::int64_t outer = row / middle, end = std::min(last, (outer + 1) * middle);
    const T* dy = op.dy.as<T>() + outer * inner;
    T* dx = op.dx.as<T>() + row * inner;
    if (op.by == Reduction::max) {
      const std::int32_t* argmax = op.argmax.as<std::int32_t>() + outer * inner;
      std::fill_n(dx, (end - row) * inner, T{0});
      for (std::int64_t c = 0; c < inner; ++c) {
        const std::int64_t at = outer * middle + argmax[c] - row;
        if (at >= 0 && at < end - row) dx[at * inner + c] = dy[c];
      }
    } else if (inner == 1) {
      std::fill_n(dx, end - row, *dy / divisor);
    } else {
      for (std::int64_t i = row; i < end; ++i, dx += inner)
        for (std::int64_t c = 0; c < inner; ++c) dx[c] = dy[c] / divisor;
    }
    row = end;
  }
}

}  // namespace

void run(CpuQueue& queue, const Reduce& op) {
  if (op.y.count() == 0) return;
  const ReduceLines lines(op.x.shape[1], op.x.shape[2]);
  for_pieces_of(queue, op.x.shape[0] * lines.blocks, lines.count * lines.columns,
                [&](std::int64_t first, std::int64_t last) {
                  HWY_DYNAMIC_DISPATCH(ReduceTasks)(op, lines, first, last);
                });
}

void run(CpuQueue& queue, const ReduceBackward& op) {
  if (op.dy.count() == 0) return;
  for_pieces_of(queue, op.dx.shape[0] * op.dx.shape[1], op.dx.shape[2],
                [&](std::int64_t first, std::int64_t last) {
                  op.dx.dtype == DType::f64 ? reduce_backward<double>(op, first, last)
                                            : reduce_backward<float>(op, first, last);
                });
}

}  // namespace ratnet::inline v1
#endif
