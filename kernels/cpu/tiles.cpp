#include "tiles.h"

#include <algorithm>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::CappedTag<float, kWidestPanel / 2>;
using V = hn::Vec<D>;

// Pixels of a register tile: with two vectors a pixel this fills 12 of 16 registers, or 24 of the
// 32 that AVX-512 has.
#if HWY_TARGET <= HWY_AVX3
constexpr int kTile = 12;
#else
constexpr int kTile = 6;
#endif

std::int64_t PanelWidth() { return static_cast<std::int64_t>(2 * hn::Lanes(D())); }

HWY_INLINE void MulAddBoth(V value, V a, V b, V& low, V& high) {
  low = hn::MulAdd(value, a, low);
  high = hn::MulAdd(value, b, high);
}

HWY_INLINE void StoreBoth(V low, V high, float* out) {
  const D d;
  hn::StoreU(low, d, out);
  hn::StoreU(high, d, out + hn::Lanes(d));
}

// The indices of a tile are template arguments and its loops fold expressions, because compilers
// keep an array in registers only where every index is a constant from the start.
template <int... i>
HWY_INLINE void ForwardTile(const ForwardTiles& t, std::int64_t pixel,
                            std::integer_sequence<int, i...>) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  float* out = t.out + pixel * t.out_stride;
  const float* start = t.bias ? t.bias : out;
  const std::ptrdiff_t start_stride = t.bias ? 0 : t.out_stride;
  V low[] = {hn::LoadU(d, start + i * start_stride)...};
  V high[] = {hn::LoadU(d, start + i * start_stride + lanes)...};
  const float* weight = t.weight;
  for (std::int64_t r = 0; r < t.runs; ++r) {
    const float* x = t.x + pixel * t.x_stride + t.run_offsets[r];
    for (std::int64_t k = 0; k < t.run_length; ++k) {
      const V w0 = hn::LoadU(d, weight);
      const V w1 = hn::LoadU(d, weight + lanes);
      weight += t.weight_stride;
      (MulAddBoth(hn::Set(d, x[k + i * t.x_stride]), w0, w1, low[i], high[i]), ...);
    }
  }
  (StoreBoth(low[i], high[i], out + i * t.out_stride), ...);
}

template <int... i>
HWY_INLINE void RowTile(const ForwardRow& t, std::int64_t panel, std::integer_sequence<int, i...>) {
  const D d;
  const auto lanes = static_cast<std::ptrdiff_t>(hn::Lanes(d));
  const float* const bias = t.bias + panel * 2 * lanes;
  V low[] = {hn::LoadU(d, bias + 2 * i * lanes)...};
  V high[] = {hn::LoadU(d, bias + (2 * i + 1) * lanes)...};
  const float* const panels = t.weight + panel * t.panel_stride;
  const float* const weight[] = {panels + i * t.panel_stride...};
  std::ptrdiff_t at = 0;
  for (std::int64_t k = 0; k < t.terms; ++k) {
    const V x = hn::Set(d, t.x[k]);
    (MulAddBoth(x, hn::LoadU(d, weight[i] + at), hn::LoadU(d, weight[i] + at + lanes), low[i],
                high[i]),
     ...);
    at += t.weight_stride;
  }
  float* const out = t.out + panel * 2 * lanes;
  (StoreBoth(low[i], high[i], out + 2 * i * lanes), ...);
}

template <int... i>
HWY_INLINE void OuterTile(const OuterTiles& t, std::int64_t row, std::integer_sequence<int, i...>) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  float* out = t.out + row * t.out_stride;
  V low[] = {hn::LoadU(d, out + i * t.out_stride)...};
  V high[] = {hn::LoadU(d, out + i * t.out_stride + lanes)...};
  const std::ptrdiff_t* offsets = t.row_offsets + row;
  for (std::int64_t line = 0; line < t.lines; ++line) {
    const float* line_x = t.x + line * t.x_line_stride;
    const float* const x[] = {line_x + offsets[i]...};
    const float* dy = t.dy + line * t.dy_line_stride;
    std::ptrdiff_t at = 0;
    for (std::int64_t p = 0; p < t.pixels; ++p) {
      const V d0 = hn::LoadU(d, dy);
      const V d1 = hn::LoadU(d, dy + lanes);
      dy += t.dy_stride;
      (MulAddBoth(hn::Set(d, x[i][at]), d0, d1, low[i], high[i]), ...);
      at += t.x_stride;
    }
  }
  (StoreBoth(low[i], high[i], out + i * t.out_stride), ...);
}

// Runs body<size>(first) over 0..n-1 in tiles of nearly equal size, so that none is left with a
// pixel or two, which would waste the registers.
template <template <int> class Body, class Tiles>
HWY_INLINE void EvenTiles(const Tiles& t, std::int64_t n) {
  const std::int64_t count = (n + kTile - 1) / kTile;
  const std::int64_t small = n / count;
  const std::int64_t larger = n % count;
  std::int64_t first = 0;
  for (std::int64_t tile = 0; tile < count; ++tile) {
    const std::int64_t size = small + (tile < larger ? 1 : 0);
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
  static void Run(const ForwardTiles& t, std::int64_t first) {
    ForwardTile(t, first, std::make_integer_sequence<int, kPixels>());
  }
};
template <int kPanels>
struct RowBody {
  static void Run(const ForwardRow& t, std::int64_t first) {
    RowTile(t, first, std::make_integer_sequence<int, kPanels>());
  }
};
template <int kRows>
struct OuterBody {
  static void Run(const OuterTiles& t, std::int64_t first) {
    OuterTile(t, first, std::make_integer_sequence<int, kRows>());
  }
};

void Forward(const ForwardTiles& t) { EvenTiles<ForwardBody>(t, t.pixels); }
void Row(const ForwardRow& t) { EvenTiles<RowBody>(t, t.panels); }
void Outer(const OuterTiles& t) { EvenTiles<OuterBody>(t, t.rows); }

using DI = hn::Rebind<std::int32_t, D>;

// The largest of a window's values, and the tap that it was first found at.
struct Largest {
  V value;
  hn::Vec<DI> tap;
};

template <bool kArgmax>
HWY_INLINE void Take(V value, std::int32_t tap, Largest& largest) {
  // A NaN wins, so that it is seen at the end.
  const auto taken = hn::Or(hn::Gt(value, largest.value), hn::IsNaN(value));
  if constexpr (kArgmax)
    largest.tap = hn::IfThenElse(hn::RebindMask(DI(), taken), hn::Set(DI(), tap), largest.tap);
  largest.value = hn::IfThenElse(taken, value, largest.value);
}

// Stores the first `channels` of a vector, with the activation applied.
template <bool kArgmax>
HWY_INLINE void StoreActivated(const Largest& largest, float negative_slope, std::int64_t channels,
                               float* out, std::uint8_t* argmax) {
  const D d;
  const hn::Rebind<std::uint8_t, D> db;
  const V value = below_zero_times(d, largest.value, negative_slope);
  if (channels >= static_cast<std::int64_t>(hn::Lanes(d))) {
    hn::StoreU(value, d, out);
    if constexpr (kArgmax) hn::StoreU(hn::DemoteTo(db, largest.tap), db, argmax);
    return;
  }
  float values[hn::MaxLanes(d)];
  hn::StoreU(value, d, values);
  std::copy_n(values, channels, out);
  if constexpr (kArgmax) {
    std::uint8_t taps[hn::MaxLanes(d)];
    hn::StoreU(hn::DemoteTo(db, largest.tap), db, taps);
    std::copy_n(taps, channels, argmax);
  }
}

// kSize: rows and width of the window where both are that, 0 where only `t` knows.
template <bool kArgmax, int kSize>
HWY_INLINE void PoolPixel(const PoolRows& t, std::int64_t pixel) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t rows = kSize ? kSize : t.rows;
  const std::int64_t width = kSize ? kSize : t.width;
  const float* first = t.buffer + pixel * width * t.pixel_stride;
  for (std::int64_t c = 0; c < t.channels; c += lanes) {
    Largest largest{hn::LoadU(d, first + c), hn::Zero(DI())};
    std::int32_t tap = 0;
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t q = 0; q < width; ++q, ++tap)
        Take<kArgmax>(hn::LoadU(d, first + r * t.row_stride + q * t.pixel_stride + c), tap,
                      largest);
    const std::int64_t at = pixel * t.channels + c;
    StoreActivated<kArgmax>(largest, t.negative_slope, t.channels - c, t.out + at,
                            kArgmax ? t.argmax + at : nullptr);
  }
}

template <int kSize>
void PoolPixels(const PoolRows& t) {
  for (std::int64_t p = 0; p < t.pixels; ++p)
    t.argmax ? PoolPixel<true, kSize>(t, p) : PoolPixel<false, kSize>(t, p);
}

void Pool(const PoolRows& t) { t.rows == 2 && t.width == 2 ? PoolPixels<2>(t) : PoolPixels<0>(t); }

// One pooled pixel of one panel: its four sums stay in registers, each in the order of ForwardTile.
template <bool kArgmax>
HWY_INLINE void ForwardPoolPixel(const ForwardPoolTiles& t, std::int64_t pixel) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V bias_low = hn::LoadU(d, t.bias), bias_high = hn::LoadU(d, t.bias + lanes);
  V low[4] = {bias_low, bias_low, bias_low, bias_low};
  V high[4] = {bias_high, bias_high, bias_high, bias_high};
  const float* weight = t.weight;
  for (std::int64_t r = 0; r < t.runs; ++r) {
    const float* x = t.x + 2 * pixel * t.x_stride + t.run_offsets[r];
    const float* below = x + t.x_row_stride;
    for (std::int64_t k = 0; k < t.run_length; ++k) {
      const V w0 = hn::LoadU(d, weight);
      const V w1 = hn::LoadU(d, weight + lanes);
      weight += 2 * lanes;
      MulAddBoth(hn::Set(d, x[k]), w0, w1, low[0], high[0]);
      MulAddBoth(hn::Set(d, x[k + t.x_stride]), w0, w1, low[1], high[1]);
      MulAddBoth(hn::Set(d, below[k]), w0, w1, low[2], high[2]);
      MulAddBoth(hn::Set(d, below[k + t.x_stride]), w0, w1, low[3], high[3]);
    }
  }
  Largest largest_low{low[0], hn::Zero(DI())}, largest_high{high[0], hn::Zero(DI())};
  for (int tap = 1; tap < 4; ++tap) {
    Take<kArgmax>(low[tap], tap, largest_low);
    Take<kArgmax>(high[tap], tap, largest_high);
  }
  float* const out = t.out + pixel * t.out_stride;
  std::uint8_t* const argmax = kArgmax ? t.argmax + pixel * t.out_stride : nullptr;
  StoreActivated<kArgmax>(largest_low, t.negative_slope, t.channels, out, argmax);
  if (t.channels > lanes)
    StoreActivated<kArgmax>(largest_high, t.negative_slope, t.channels - lanes, out + lanes,
                            kArgmax ? argmax + lanes : nullptr);
}

void ForwardPool(const ForwardPoolTiles& t) {
  for (std::int64_t p = 0; p < t.pixels; ++p)
    t.argmax ? ForwardPoolPixel<true>(t, p) : ForwardPoolPixel<false>(t, p);
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
HWY_EXPORT(Row);
HWY_EXPORT(Outer);
HWY_EXPORT(ForwardPool);
HWY_EXPORT(Pool);
HWY_EXPORT(ColumnSums);

std::int64_t panel_width() { return HWY_DYNAMIC_DISPATCH(PanelWidth)(); }
void forward_tiles(const ForwardTiles& tiles) { HWY_DYNAMIC_DISPATCH(Forward)(tiles); }
void forward_pool_tiles(const ForwardPoolTiles& tiles) { HWY_DYNAMIC_DISPATCH(ForwardPool)(tiles); }
void forward_row(const ForwardRow& row) { HWY_DYNAMIC_DISPATCH(Row)(row); }
void outer_tiles(const OuterTiles& tiles) { HWY_DYNAMIC_DISPATCH(Outer)(tiles); }
void pool_rows(const PoolRows& rows) { HWY_DYNAMIC_DISPATCH(Pool)(rows); }
void add_column_sums(const float* x, std::ptrdiff_t stride, std::int64_t rows, std::int64_t columns,
                     float* column_sums) {
  HWY_DYNAMIC_DISPATCH(ColumnSums)(x, stride, rows, columns, column_sums);
}

}  // namespace ratnet::inline v1
#endif
