#include "tiles.h"

#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tiles.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"
#include "largest-inl.h"
#include "one_channel_tiles.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::CappedTag<float, kWidestPanel / 2>;
using V = hn::Vec<D>;

constexpr bool kHas32Registers = HWY_TARGET <= HWY_AVX3;

std::int64_t PanelWidth() { return static_cast<std::int64_t>(2 * hn::Lanes(D())); }

std::int64_t NarrowestPanel(std::int64_t channels) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  if (kHas32Registers && 2 * channels <= lanes) return lanes / 2;
  return channels <= lanes ? lanes : 2 * lanes;
}

// Kinds of panels: of two vectors, of one, of half a vector. kTile: pixels of a register tile; with
// two vectors a pixel this fills 12 of 16 registers, or 24 of the 32 that AVX-512 has.
template <class Lanes, int vectors>
struct Panel {
  using Tag = Lanes;
  static constexpr int kVectors = vectors;
  static constexpr int kTile = kHas32Registers || vectors == 1 ? 12 : 6;
};
using WholePanel = Panel<D, 2>;
using OneVector = Panel<D, 1>;

// The sums of one pixel, or its factors: the vectors of a panel.
template <class P>
struct PanelRow {
  using Tag = typename P::Tag;
  hn::Vec<Tag> low, high;  // of one vector, `high` is not used

  static HWY_INLINE PanelRow Load(const float* from) {
    const Tag d;
    const auto low = hn::LoadU(d, from);
    if constexpr (P::kVectors == 1) return {low, low};
    return {low, hn::LoadU(d, from + hn::Lanes(d))};
  }
  static HWY_INLINE PanelRow Zero() { return {hn::Zero(Tag()), hn::Zero(Tag())}; }
  HWY_INLINE void Store(float* to) const {
    const Tag d;
    hn::StoreU(low, d, to);
    if constexpr (P::kVectors == 2) hn::StoreU(high, d, to + hn::Lanes(d));
  }
  HWY_INLINE void MulAdd(float value, const PanelRow& factors) {
    const auto v = hn::Set(Tag(), value);
    low = hn::MulAdd(v, factors.low, low);
    if constexpr (P::kVectors == 2) high = hn::MulAdd(v, factors.high, high);
  }
};

// How the numbers of a pixel lie: in runs; so that it pays to ask for those of the next tile while
// these are multiplied, as a convolution's input may lie as far away as in memory; each by itself.
enum class Terms { runs, runs_ahead, apart };

// The indices of a tile are template arguments and its loops fold expressions, because compilers
// keep an array in registers only where every index is a constant from the start.
// step: how much further it asks with every term.
template <class P, Terms kTerms, int... i>
HWY_INLINE void ForwardTile(const ForwardTiles& t, std::int64_t pixel, std::ptrdiff_t step,
                            std::integer_sequence<int, i...>) {
  using Row = PanelRow<P>;
  float* out = t.out + pixel * t.out_stride;
  Row sum[sizeof...(i)];
  if (t.continued)
    ((sum[i] = Row::Load(out + i * t.out_stride)), ...);
  else if (t.bias)
    ((sum[i] = Row::Load(t.bias)), ...);
  else
    ((sum[i] = Row::Zero()), ...);
  const float* weight = t.weight;
  const std::ptrdiff_t stride = t.x_stride;
  // Every third pixel: twelve pointers would not fit in registers, and an address may add one or
  // two strides at no cost.
  const float* const first = t.x + pixel * stride;
  if constexpr (kTerms == Terms::apart) {
    const float* const third[] = {first, first + 3 * stride, first + 6 * stride,
                                  first + 9 * stride};
    for (std::int64_t r = 0; r < t.runs; ++r) {
      const Row factors = Row::Load(weight);
      weight += t.width;
      const std::ptrdiff_t at = t.run_offsets[r], offset[] = {at, at + stride, at + 2 * stride};
      (sum[i].MulAdd(third[i / 3][offset[i % 3]], factors), ...);
    }
  } else {
    for (std::int64_t r = 0; r < t.runs; ++r) {
      const float* const x = first + t.run_offsets[r];
      const float* const third[] = {x, x + 3 * stride, x + 6 * stride, x + 9 * stride};
      const float* next = x + static_cast<std::ptrdiff_t>(sizeof...(i)) * stride;
      for (std::int64_t k = 0; k < t.run_length; ++k) {
        const Row factors = Row::Load(weight);
        weight += t.width;
        if constexpr (kTerms == Terms::runs_ahead) {
          hwy::Prefetch(next);
          next += step;
        }
        (sum[i].MulAdd(third[i / 3][k + i % 3 * stride], factors), ...);
      }
    }
  }
  (sum[i].Store(out + i * t.out_stride), ...);
}

template <int... i>
HWY_INLINE void RowTile(const ForwardRow& t, std::int64_t panel, std::integer_sequence<int, i...>) {
  using Row = PanelRow<WholePanel>;
  const std::int64_t width = PanelWidth();
  const float* const bias = t.bias + panel * width;
  Row sum[] = {Row::Load(bias + i * width)...};
  const float* const panels = t.weight + panel * t.terms * width;
  const float* const weight[] = {panels + i * t.terms * width...};
  std::ptrdiff_t at = 0;
  for (std::int64_t k = 0; k < t.terms; ++k) {
    (sum[i].MulAdd(t.x[k], Row::Load(weight[i] + at)), ...);
    at += width;
  }
  float* const out = t.out + panel * width;
  (sum[i].Store(out + i * width), ...);
}

// kNeighbours: the rows' numbers lie one after the other in x, so that one pointer finds them.
template <class P, bool kNeighbours, int... i>
HWY_INLINE void OuterTile(const OuterTiles& t, std::int64_t row, std::integer_sequence<int, i...>) {
  using Row = PanelRow<P>;
  float* out = t.out + row * t.out_stride;
  Row sum[] = {Row::Load(out + i * t.out_stride)...};
  const std::ptrdiff_t* offsets = t.row_offsets + row;
  for (std::int64_t line = 0; line < t.lines; ++line) {
    const float* line_x = t.x + line * t.x_line_stride;
    const float* const first = line_x + offsets[0];
    const float* const x[] = {kNeighbours ? nullptr : line_x + offsets[i]...};
    const float* dy = t.dy + line * t.dy_line_stride;
    std::ptrdiff_t at = 0;
    for (std::int64_t p = 0; p < t.pixels; ++p) {
      const Row factors = Row::Load(dy);
      dy += t.dy_stride;
      (sum[i].MulAdd(kNeighbours ? first[at + i] : x[i][at], factors), ...);
      at += t.x_stride;
    }
  }
  (sum[i].Store(out + i * t.out_stride), ...);
}

template <int kMost, template <int> class Body, class Tiles>
HWY_INLINE void OneTile(const Tiles& t, std::int64_t first, std::int64_t size) {
  switch (size) {
    case 1: return Body<1>::Run(t, first);
    case 2: return Body<2>::Run(t, first);
    case 3: return Body<3>::Run(t, first);
    case 4: return Body<4>::Run(t, first);
    case 5: return Body<5>::Run(t, first);
    case 6: return Body<6>::Run(t, first);
    default: break;
  }
  if constexpr (kMost == 12) {
    switch (size) {
      case 7: return Body<7>::Run(t, first);
      case 8: return Body<8>::Run(t, first);
      case 9: return Body<9>::Run(t, first);
      case 10: return Body<10>::Run(t, first);
      case 11: return Body<11>::Run(t, first);
      case 12: return Body<12>::Run(t, first);
      default: break;
    }
  }
}

// Runs body<size>(first) over 0..n-1 in tiles of kMost, the last two of nearly equal size, so that
// none is left with a pixel or two, which would waste the registers.
template <int kMost, template <int> class Body, class Tiles>
HWY_INLINE void EvenTiles(const Tiles& t, std::int64_t n) {
  std::int64_t first = 0;
  for (; n - first > std::int64_t{2} * kMost; first += kMost) Body<kMost>::Run(t, first);
  const std::int64_t left = n - first;
  const std::int64_t one = left > kMost ? (left + 1) / 2 : left;
  OneTile<kMost, Body>(t, first, one);
  OneTile<kMost, Body>(t, first + one, left - one);
}

template <class P>
struct OfPanel {
  template <int kPixels>
  struct ForwardBody {
    static void Run(const ForwardTiles& t, std::int64_t first) {
      ForwardTile<P, Terms::runs>(t, first, 0, std::make_integer_sequence<int, kPixels>());
    }
  };
  template <int kPixels>
  struct ApartBody {
    static void Run(const ForwardTiles& t, std::int64_t first) {
      ForwardTile<P, Terms::apart>(t, first, 0, std::make_integer_sequence<int, kPixels>());
    }
  };
  struct Ahead {
    const ForwardTiles& tiles;
    std::ptrdiff_t step;
  };
  template <int kPixels>
  struct AheadBody {
    static void Run(const Ahead& t, std::int64_t first) {
      ForwardTile<P, Terms::runs_ahead>(t.tiles, first, t.step,
                                        std::make_integer_sequence<int, kPixels>());
    }
  };
  template <int kRows>
  struct OuterBody {
    static void Run(const OuterTiles& t, std::int64_t first) {
      constexpr std::make_integer_sequence<int, kRows> rows;
      bool neighbours = true;
      for (int i = 1; i < kRows; ++i)
        neighbours &= t.row_offsets[first + i] == t.row_offsets[first] + i;
      neighbours ? OuterTile<P, true>(t, first, rows) : OuterTile<P, false>(t, first, rows);
    }
  };
  static void Forward(const ForwardTiles& t) {
    if (t.run_length == 1) return EvenTiles<P::kTile, ApartBody>(t, t.pixels);
    // Short runs have no time to ask, where much lies between pixels most of it is not needed, and
    // with 16 registers one more instruction for every 12 products costs more than it brings.
    constexpr std::int64_t kLine = 16;  // numbers in a line of the cache
    if constexpr (kHas32Registers && P::kVectors == 2)
      if (t.run_length >= 2 * kLine) {
        const std::ptrdiff_t step = (P::kTile * t.x_stride + t.run_length - 1) / t.run_length;
        if (step <= kLine) return EvenTiles<P::kTile, AheadBody>(Ahead{t, step}, t.pixels);
      }
    EvenTiles<P::kTile, ForwardBody>(t, t.pixels);
  }
  static void Outer(const OuterTiles& t) { EvenTiles<P::kTile, OuterBody>(t, t.rows); }
};
template <int kPanels>
struct RowBody {
  static void Run(const ForwardRow& t, std::int64_t first) {
    RowTile(t, first, std::make_integer_sequence<int, kPanels>());
  }
};

// Calls run with the kind of panel that is so wide.
template <class Run>
HWY_INLINE void ForPanel(std::int64_t width, const Run& run) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  if (width == 2 * lanes) return run(OfPanel<WholePanel>());
#if HWY_TARGET <= HWY_AVX3
  if (width < lanes) return run(OfPanel<Panel<hn::Half<D>, 1>>());
#endif
  run(OfPanel<OneVector>());
}

void Forward(const ForwardTiles& t) {
  ForPanel(t.width, [&](auto panel) { panel.Forward(t); });
}
void Row(const ForwardRow& t) { EvenTiles<WholePanel::kTile, RowBody>(t, t.panels); }
void Outer(const OuterTiles& t) {
  ForPanel(t.width, [&](auto panel) { panel.Outer(t); });
}

// kRows, kWidth: of the window, 0 where only `t` knows.
template <class Tag, bool kArgmax, int kRows, int kWidth>
HWY_INLINE void PoolPixel(const PoolRows& t, std::int64_t pixel) {
  const Tag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t rows = kRows ? kRows : t.rows;
  const std::int64_t width = kWidth ? kWidth : t.width;
  const float* first = t.buffer + pixel * width * t.pixel_stride;
  for (std::int64_t c = 0; c < t.channels; c += lanes) {
    Largest<Tag> largest(hn::LoadU(d, first + c));
    std::int32_t tap = 0;
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t q = 0; q < width; ++q, ++tap)
        take<kArgmax>(d, hn::LoadU(d, first + r * t.row_stride + q * t.pixel_stride + c), tap,
                      largest);
    const std::int64_t at = pixel * t.channels + c;
    if (t.added) largest.value = hn::Add(largest.value, load_some(d, t.channels - c, t.added + at));
    store_activated<kArgmax>(d, largest, t.negative_slope, t.channels - c, t.out + at,
                             kArgmax ? t.argmax + at : nullptr);
  }
}

template <class Tag, int kRows, int kWidth>
void PoolPixels(const PoolRows& t) {
  for (std::int64_t p = 0; p < t.pixels; ++p)
    t.argmax ? PoolPixel<Tag, true, kRows, kWidth>(t, p)
             : PoolPixel<Tag, false, kRows, kWidth>(t, p);
}

template <class Tag>
void PoolWindows(const PoolRows& t) {
  if (t.width == 2 && t.rows == 2) return PoolPixels<Tag, 2, 2>(t);
  if (t.width == 2 && t.rows == 4) return PoolPixels<Tag, 4, 2>(t);
  PoolPixels<Tag, 0, 0>(t);
}

void Pool(const PoolRows& t) {
#if HWY_TARGET <= HWY_AVX3
  if (2 * t.channels <= static_cast<std::int64_t>(hn::Lanes(D())))
    return PoolWindows<hn::Half<D>>(t);
#endif
  PoolWindows<D>(t);
}

// One pooled pixel of one panel: its four sums stay in registers, each in the order of ForwardTile.
template <bool kArgmax>
HWY_INLINE void ForwardPoolPixel(const ForwardPoolTiles& t, std::int64_t row, std::int64_t pixel) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V bias_low = hn::LoadU(d, t.bias), bias_high = hn::LoadU(d, t.bias + lanes);
  V low[4] = {bias_low, bias_low, bias_low, bias_low};
  V high[4] = {bias_high, bias_high, bias_high, bias_high};
  const float* weight = t.weight;
  for (std::int64_t r = 0; r < t.runs; ++r) {
    const float* x = t.x + 2 * row * t.x_row_stride + 2 * pixel * t.x_stride + t.run_offsets[r];
    const float* below = x + t.x_row_stride;
    for (std::int64_t k = 0; k < t.run_length; ++k) {
      const V w0 = hn::LoadU(d, weight);
      const V w1 = hn::LoadU(d, weight + lanes);
      weight += 2 * lanes;
      const float values[4] = {x[k], x[k + t.x_stride], below[k], below[k + t.x_stride]};
      for (int i = 0; i < 4; ++i) {
        const V v = hn::Set(d, values[i]);
        low[i] = hn::MulAdd(v, w0, low[i]);
        high[i] = hn::MulAdd(v, w1, high[i]);
      }
    }
  }
  const std::ptrdiff_t at = row * t.out_row_stride + pixel * t.out_stride;
  float* const out = t.out + at;
  std::uint8_t* const argmax = kArgmax ? t.argmax + at : nullptr;
  store_activated<kArgmax>(d, largest_of<kArgmax>(d, low), t.negative_slope, t.channels, out,
                           argmax);
  if (t.channels > lanes)
    store_activated<kArgmax>(d, largest_of<kArgmax>(d, high), t.negative_slope, t.channels - lanes,
                             out + lanes, kArgmax ? argmax + lanes : nullptr);
}

template <bool kArgmax>
void ForwardPoolPixels(const ForwardPoolTiles& t) {
  for (std::int64_t r = 0; r < t.rows; ++r)
    for (std::int64_t p = 0; p < t.pixels; ++p) ForwardPoolPixel<kArgmax>(t, r, p);
}

void ForwardPool(const ForwardPoolTiles& t) {
  t.argmax ? ForwardPoolPixels<true>(t) : ForwardPoolPixels<false>(t);
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
HWY_EXPORT(NarrowestPanel);
HWY_EXPORT(Forward);
HWY_EXPORT(Row);
HWY_EXPORT(Outer);
HWY_EXPORT(ForwardPool);
HWY_EXPORT(Pool);
HWY_EXPORT(ColumnSums);

std::int64_t panel_width() { return HWY_DYNAMIC_DISPATCH(PanelWidth)(); }
std::int64_t panel_width(std::int64_t channels) {
  return HWY_DYNAMIC_DISPATCH(NarrowestPanel)(channels);
}
void forward_tiles(const ForwardTiles& tiles) { HWY_DYNAMIC_DISPATCH(Forward)(tiles); }
void forward_pool_tiles(const ForwardPoolTiles& tiles) {
  if (is_one_channel(tiles)) return forward_one_channel(tiles);
  HWY_DYNAMIC_DISPATCH(ForwardPool)(tiles);
}
void forward_row(const ForwardRow& row) { HWY_DYNAMIC_DISPATCH(Row)(row); }
void outer_tiles(const OuterTiles& tiles) { HWY_DYNAMIC_DISPATCH(Outer)(tiles); }
void pool_rows(const PoolRows& rows) { HWY_DYNAMIC_DISPATCH(Pool)(rows); }
void add_column_sums(const float* x, std::ptrdiff_t stride, std::int64_t rows, std::int64_t columns,
                     float* column_sums) {
  HWY_DYNAMIC_DISPATCH(ColumnSums)(x, stride, rows, columns, column_sums);
}

}  // namespace ratnet::inline v1
#endif
