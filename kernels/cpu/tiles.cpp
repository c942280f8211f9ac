#include "tiles.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Pixels of a register tile: with two vectors a pixel this fills 12 of 16 registers, or 24 of the
// 32 that AVX-512 has.
#if HWY_TARGET <= HWY_AVX3
constexpr int kTile = 12;
#else
constexpr int kTile = 6;
#endif

std::int64_t PanelWidth() { return static_cast<std::int64_t>(2 * hn::Lanes(D())); }

template <int kPixels>
HWY_INLINE void ForwardTile(const ForwardTiles& t, std::int64_t pixel) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  float* out = t.out + pixel * t.out_stride;
  V low[kPixels];
  V high[kPixels];
  for (int i = 0; i < kPixels; ++i) {
    const float* start = t.bias ? t.bias : out + i * t.out_stride;
    low[i] = hn::LoadU(d, start);
    high[i] = hn::LoadU(d, start + lanes);
  }
  const float* weight = t.weight;
  for (std::int64_t r = 0; r < t.runs; ++r) {
    const float* x = t.x + pixel * t.x_stride + t.run_offsets[r];
    for (std::int64_t k = 0; k < t.run_length; ++k) {
      const V w0 = hn::LoadU(d, weight);
      const V w1 = hn::LoadU(d, weight + lanes);
      weight += t.weight_stride;
      for (int i = 0; i < kPixels; ++i) {
        const V value = hn::Set(d, x[k + i * t.x_stride]);
        low[i] = hn::MulAdd(value, w0, low[i]);
        high[i] = hn::MulAdd(value, w1, high[i]);
      }
    }
  }
  for (int i = 0; i < kPixels; ++i) {
    hn::StoreU(low[i], d, out + i * t.out_stride);
    hn::StoreU(high[i], d, out + i * t.out_stride + lanes);
  }
}

template <int kRows>
HWY_INLINE void OuterTile(const OuterTiles& t, std::int64_t row) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  float* out = t.out + row * t.out_stride;
  V low[kRows];
  V high[kRows];
  const float* x[kRows];
  for (int i = 0; i < kRows; ++i) {
    low[i] = hn::LoadU(d, out + i * t.out_stride);
    high[i] = hn::LoadU(d, out + i * t.out_stride + lanes);
    x[i] = t.x + t.row_offsets[row + i];
  }
  const float* dy = t.dy;
  std::ptrdiff_t at = 0;
  for (std::int64_t p = 0; p < t.pixels; ++p) {
    const V d0 = hn::LoadU(d, dy);
    const V d1 = hn::LoadU(d, dy + lanes);
    dy += t.dy_stride;
    for (int i = 0; i < kRows; ++i) {
      const V value = hn::Set(d, x[i][at]);
      low[i] = hn::MulAdd(value, d0, low[i]);
      high[i] = hn::MulAdd(value, d1, high[i]);
    }
    at += t.x_stride;
  }
  for (int i = 0; i < kRows; ++i) {
    hn::StoreU(low[i], d, out + i * t.out_stride);
    hn::StoreU(high[i], d, out + i * t.out_stride + lanes);
  }
}

// Runs body<size>(first) over 0..n-1 in tiles of nearly equal size, so that none is left with a
// pixel or two, which would waste the registers.
template <template <int> class Body, class Tiles>
HWY_INLINE void EvenTiles(const Tiles& t, std::int64_t n) {
  const std::int64_t count = (n + kTile - 1) / kTile;
  std::int64_t first = 0;
  for (std::int64_t tile = 0; tile < count; ++tile) {
    const std::int64_t size = n / count + (tile < n % count ? 1 : 0);
    switch (size) {
      case 1: Body<1>::Run(t, first); break;
      case 2: Body<2>::Run(t, first); break;
      case 3: Body<3>::Run(t, first); break;
      case 4: Body<4>::Run(t, first); break;
      case 5: Body<5>::Run(t, first); break;
      case 6: Body<6>::Run(t, first); break;
#if HWY_TARGET <= HWY_AVX3
      case 7: Body<7>::Run(t, first); break;
      case 8: Body<8>::Run(t, first); break;
      case 9: Body<9>::Run(t, first); break;
      case 10: Body<10>::Run(t, first); break;
      case 11: Body<11>::Run(t, first); break;
      case 12: Body<12>::Run(t, first); break;
#endif
      default: break;
    }
    first += size;
  }
}

template <int kPixels>
struct ForwardBody {
  static void Run(const ForwardTiles& t, std::int64_t first) { ForwardTile<kPixels>(t, first); }
};
template <int kRows>
struct OuterBody {
  static void Run(const OuterTiles& t, std::int64_t first) { OuterTile<kRows>(t, first); }
};

void Forward(const ForwardTiles& t) { EvenTiles<ForwardBody>(t, t.pixels); }
void Outer(const OuterTiles& t) { EvenTiles<OuterBody>(t, t.rows); }

template <bool kArgmax>
void PoolPixel(const PoolRows& t, std::int64_t pixel) {
  const D d;
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint8_t, D> db;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V slope = hn::Set(d, t.negative_slope);
  const float* first = t.buffer + pixel * t.width * t.pixel_stride;
  float* out = t.out + pixel * t.channels;
  std::uint8_t* argmax = kArgmax ? t.argmax + pixel * t.channels : nullptr;
  for (std::int64_t c = 0; c < t.channels; c += lanes) {
    V best = hn::LoadU(d, first + c);
    auto where = hn::Zero(di);
    std::int32_t tap = 0;
    for (std::int64_t r = 0; r < t.rows; ++r) {
      for (std::int64_t q = 0; q < t.width; ++q, ++tap) {
        const V value = hn::LoadU(d, first + r * t.row_stride + q * t.pixel_stride + c);
        if constexpr (kArgmax)
          where = hn::IfThenElse(hn::RebindMask(di, hn::Gt(value, best)), hn::Set(di, tap), where);
        best = hn::Max(best, value);
      }
    }
    best = hn::IfThenElse(hn::Lt(best, hn::Zero(d)), hn::Mul(best, slope), best);
    if (c + lanes <= t.channels) {
      hn::StoreU(best, d, out + c);
      if constexpr (kArgmax) hn::StoreU(hn::DemoteTo(db, where), db, argmax + c);
    } else {
      float values[hn::MaxLanes(d)];
      hn::StoreU(best, d, values);
      std::copy_n(values, t.channels - c, out + c);
      if constexpr (kArgmax) {
        std::uint8_t indices[hn::MaxLanes(d)];
        hn::StoreU(hn::DemoteTo(db, where), db, indices);
        std::copy_n(indices, t.channels - c, argmax + c);
      }
    }
  }
}

void Pool(const PoolRows& t) {
  for (std::int64_t p = 0; p < t.pixels; ++p) {
    if (t.argmax)
      PoolPixel<true>(t, p);
    else
      PoolPixel<false>(t, p);
  }
}

void ColumnSums(const float* x, std::ptrdiff_t stride, std::int64_t rows, std::int64_t columns,
                float* sums) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    V sum = hn::LoadU(d, sums + c);
    for (std::int64_t r = 0; r < rows; ++r) sum = hn::Add(sum, hn::LoadU(d, x + r * stride + c));
    hn::StoreU(sum, d, sums + c);
  }
  for (; c < columns; ++c)
    for (std::int64_t r = 0; r < rows; ++r) sums[c] += x[r * stride + c];
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
HWY_EXPORT(PanelWidth);
HWY_EXPORT(Forward);
HWY_EXPORT(Outer);
HWY_EXPORT(Pool);
HWY_EXPORT(ColumnSums);

std::int64_t panel_width() { return HWY_DYNAMIC_DISPATCH(PanelWidth)(); }
void forward_tiles(const ForwardTiles& tiles) { HWY_DYNAMIC_DISPATCH(Forward)(tiles); }
void outer_tiles(const OuterTiles& tiles) { HWY_DYNAMIC_DISPATCH(Outer)(tiles); }
void pool_rows(const PoolRows& rows) { HWY_DYNAMIC_DISPATCH(Pool)(rows); }
void add_column_sums(const float* x, std::ptrdiff_t stride, std::int64_t rows, std::int64_t columns,
                     float* column_sums) {
  HWY_DYNAMIC_DISPATCH(ColumnSums)(x, stride, rows, columns, column_sums);
}

}  // namespace ratnet::inline v1
#endif
