#include "../pool.h"

#include <algorithm>

#include "cpu_queue.h"
#include "pool_geometry.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pool.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"
#include "pool_sources-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

template <class D>
HWY_INLINE void store_bytes(D, hn::Vec<D> values, std::uint8_t* bytes) {
  const hn::Rebind<std::int32_t, D> integers;
  const hn::Rebind<std::uint8_t, D> narrow;
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    hn::StoreU(hn::DemoteTo(narrow, hn::DemoteTo(integers, values)), narrow, bytes);
  } else {
    hn::StoreU(hn::DemoteTo(narrow, hn::ConvertTo(integers, values)), narrow, bytes);
  }
}

// kCount: how many sources there are, 0 where only `sources` knows.
template <int kCount, bool kArgmax, class T>
HWY_INLINE void take_maximum(const T* x, const Sources<T>& sources, std::int64_t channels, T* y,
                             std::uint8_t* argmax) {
  const int count = kCount ? kCount : sources.count;
  const Source<T>* list = sources.list;
  const T* start = sources.first ? x + list[0].offset : y;
  for_vectors<T>(0, channels, [&](auto d, std::int64_t c) HWY_ATTR {
    auto best = hn::LoadU(d, start + c);
    auto index = hn::Set(d, list[0].value);
    for (int s = sources.first ? 1 : 0; s < count; ++s) {
      const auto v = hn::LoadU(d, x + list[s].offset + c);
      // A NaN wins, so that it is seen at the end.
      const auto taken = hn::Or(hn::Gt(v, best), hn::IsNaN(v));
      best = hn::IfThenElse(taken, v, best);
      if (kArgmax) index = hn::IfThenElse(taken, hn::Set(d, list[s].value), index);
    }
    hn::StoreU(best, d, y + c);
    if (kArgmax) store_bytes(d, index, argmax + c);
  });
}

template <class T, bool kArgmax>
void max_pool(const MaxPool& op, const PoolGeometry& g, std::int64_t first, std::int64_t last) {
  const T* x = op.x.as<T>();
  T* y = op.y.as<T>();
  std::uint8_t* argmax = kArgmax ? op.argmax.as<std::uint8_t>() : nullptr;
  for_windows<T>(
      g, first, last, [&](std::int64_t to, std::int64_t from, const Sources<T>& s) HWY_ATTR {
        std::uint8_t* index = kArgmax ? argmax + to : nullptr;
        s.count == 4 && s.first ? take_maximum<4, kArgmax>(x + from, s, g.channels, y + to, index)
                                : take_maximum<0, kArgmax>(x + from, s, g.channels, y + to, index);
      });
}

void MaxPoolRows(const MaxPool& op, const PoolGeometry& g, std::int64_t first, std::int64_t last) {
  if (op.x.dtype == DType::f64) {
    op.argmax ? max_pool<double, true>(op, g, first, last)
              : max_pool<double, false>(op, g, first, last);
  } else {
    op.argmax ? max_pool<float, true>(op, g, first, last)
              : max_pool<float, false>(op, g, first, last);
  }
}

// kTaps: how many results side by side, 0 where only `taps` knows.
template <int kTaps, class T>
HWY_INLINE void spread_maximum(const T* dy, const std::uint8_t* argmax, std::int64_t tap,
                               std::int64_t taps, std::int64_t channels, T* dx) {
  const std::int64_t count = kTaps ? kTaps : taps;
  for_vectors<T>(0, channels, [&](auto d, std::int64_t c) HWY_ATTR {
    const auto v = hn::LoadU(d, dy + c);
    const auto index = load_as(d, argmax + c);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto here = hn::Eq(index, hn::Set(d, static_cast<T>(tap + i)));
      hn::StoreU(hn::IfThenElseZero(here, v), d, dx + i * channels + c);
    }
  });
}

template <class T>
void max_pool_backward(const MaxPoolBackward& op, const PoolGeometry& g, std::int64_t first,
                       std::int64_t last) {
  const T* dy = op.dy.as<T>();
  const std::uint8_t* argmax = op.argmax.as<std::uint8_t>();
  T* dx = op.dx.as<T>();
  if (g.disjoint()) {
    for_disjoint(
        g, first, last, dx,
        [&](std::int64_t to, std::int64_t taps, std::int64_t from, std::int64_t tap, const auto&)
            HWY_ATTR {
              taps == 2
                  ? spread_maximum<2>(dy + from, argmax + from, tap, 2, g.channels, dx + to)
                  : spread_maximum<0>(dy + from, argmax + from, tap, taps, g.channels, dx + to);
            });
    return;
  }
  const auto tap_index = [&](const auto&, const auto& tap) {
    return (tap[0] * g.window.kernel[1] + tap[1]) * g.window.kernel[2] + tap[2];
  };
  for_coverings<T>(g, first, last, tap_index,
                   [&](std::int64_t to, std::int64_t from, const Sources<T>& s) HWY_ATTR {
                     for_vectors<T>(0, g.channels, [&](auto d, std::int64_t c) HWY_ATTR {
                       auto sum = s.first ? hn::Zero(d) : hn::LoadU(d, dx + to + c);
                       for (int i = 0; i < s.count; ++i) {
                         const std::int64_t at = from + s.list[i].offset + c;
                         const auto here =
                             hn::Eq(load_as(d, argmax + at), hn::Set(d, s.list[i].value));
                         sum = hn::Add(sum, hn::IfThenElseZero(here, hn::LoadU(d, dy + at)));
                       }
                       hn::StoreU(sum, d, dx + to + c);
                     });
                   });
}

void MaxPoolBackwardRows(const MaxPoolBackward& op, const PoolGeometry& g, std::int64_t first,
                         std::int64_t last) {
  op.dy.dtype == DType::f64 ? max_pool_backward<double>(op, g, first, last)
                            : max_pool_backward<float>(op, g, first, last);
}

template <class T>
void avg_pool(const AvgPool& op, const PoolGeometry& g, std::int64_t first, std::int64_t last) {
  const T* x = op.x.as<T>();
  T* y = op.y.as<T>();
  const T taps = static_cast<T>(static_cast<double>(g.window.kernel[0]) *
                                static_cast<double>(g.window.kernel[1]) *
                                static_cast<double>(g.window.kernel[2]));
  for_windows<T>(
      g, first, last, [&](std::int64_t to, std::int64_t from, const Sources<T>& s) HWY_ATTR {
        const T divisor = !s.last ? T{1} : op.count_padding ? taps : static_cast<T>(s.inside);
        for_vectors<T>(0, g.channels, [&](auto d, std::int64_t c) HWY_ATTR {
          auto sum = s.first ? hn::Zero(d) : hn::LoadU(d, y + to + c);
          for (int i = 0; i < s.count; ++i)
            sum = hn::Add(sum, hn::LoadU(d, x + from + s.list[i].offset + c));
          hn::StoreU(hn::Div(sum, hn::Set(d, divisor)), d, y + to + c);
        });
      });
}

void AvgPoolRows(const AvgPool& op, const PoolGeometry& g, std::int64_t first, std::int64_t last) {
  op.x.dtype == DType::f64 ? avg_pool<double>(op, g, first, last)
                           : avg_pool<float>(op, g, first, last);
}

template <class T>
void avg_pool_backward(const AvgPoolBackward& op, const PoolGeometry& g, std::int64_t first,
                       std::int64_t last) {
  const T* dy = op.dy.as<T>();
  T* dx = op.dx.as<T>();
  const auto share = [&](const auto& position, const auto&) {
    double divisor = 1;
    for (std::size_t d = 0; d < 3; ++d) divisor *= g.divisor(d, position[d], op.count_padding);
    return 1 / divisor;
  };
  if (g.disjoint()) {
    for_disjoint(g, first, last, dx,
                 [&](std::int64_t to, std::int64_t taps, std::int64_t from, std::int64_t,
                     const auto& position) HWY_ATTR {
                   const T factor = static_cast<T>(share(position, position));
                   for_vectors<T>(0, g.channels, [&](auto d, std::int64_t c) HWY_ATTR {
                     const auto v = hn::Mul(hn::LoadU(d, dy + from + c), hn::Set(d, factor));
                     for (std::int64_t i = 0; i < taps; ++i)
                       hn::StoreU(v, d, dx + to + i * g.channels + c);
                   });
                 });
    return;
  }
  for_coverings<T>(g, first, last, share,
                   [&](std::int64_t to, std::int64_t from, const Sources<T>& s) HWY_ATTR {
                     for_vectors<T>(0, g.channels, [&](auto d, std::int64_t c) HWY_ATTR {
                       auto sum = s.first ? hn::Zero(d) : hn::LoadU(d, dx + to + c);
                       for (int i = 0; i < s.count; ++i)
                         sum = hn::Add(sum, hn::Mul(hn::LoadU(d, dy + from + s.list[i].offset + c),
                                                    hn::Set(d, s.list[i].value)));
                       hn::StoreU(sum, d, dx + to + c);
                     });
                   });
}

void AvgPoolBackwardRows(const AvgPoolBackward& op, const PoolGeometry& g, std::int64_t first,
                         std::int64_t last) {
  op.dy.dtype == DType::f64 ? avg_pool_backward<double>(op, g, first, last)
                            : avg_pool_backward<float>(op, g, first, last);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(MaxPoolRows);
HWY_EXPORT(MaxPoolBackwardRows);
HWY_EXPORT(AvgPoolRows);
HWY_EXPORT(AvgPoolBackwardRows);

// function(first, last) over pieces of the rows (n, d, h) of a result [N, spatial..., C].
template <class Function>
void for_rows(CpuQueue& queue, const Shape& narrow, Function&& function) {
  const Shape result = widened(narrow);
  for_pieces_of(queue, result[0] * result[1] * result[2], result[3] * result[4], function);
}
}  // namespace

void run(CpuQueue& queue, const MaxPool& op) {
  const PoolGeometry geometry(op.x.shape, op.y.shape, op.window);
  for_rows(queue, op.y.shape, [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(MaxPoolRows)(op, geometry, first, last);
  });
}

void run(CpuQueue& queue, const MaxPoolBackward& op) {
  const PoolGeometry geometry(op.dx.shape, op.dy.shape, op.window);
  for_rows(queue, op.dx.shape, [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(MaxPoolBackwardRows)(op, geometry, first, last);
  });
}

void run(CpuQueue& queue, const AvgPool& op) {
  const PoolGeometry geometry(op.x.shape, op.y.shape, op.window);
  for_rows(queue, op.y.shape, [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(AvgPoolRows)(op, geometry, first, last);
  });
}

void run(CpuQueue& queue, const AvgPoolBackward& op) {
  const PoolGeometry geometry(op.dx.shape, op.dy.shape, op.window);
  for_rows(queue, op.dx.shape, [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(AvgPoolBackwardRows)(op, geometry, first, last);
  });
}

}  // namespace ratnet::inline v1
#endif
