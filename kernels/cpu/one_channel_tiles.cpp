#include "one_channel_tiles.h"

#include <algorithm>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/one_channel_tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"
#include "largest-inl.h"
#include "winograd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::CappedTag<float, kWidestPanel / 2>;
using V = hn::Vec<D>;

// Vectors of a panel whose nine weights stay in registers beside their four sums.
constexpr int kHeld = HWY_TARGET <= HWY_AVX3 ? 2 : 1;

// What number (r, c) of the 4x4 under a pooled pixel gives to its four sums.
template <int i, int... o, int... v>
HWY_INLINE void HeldTap(V x, const V (&weight)[kHeld][9], V (&sums)[kHeld][4],
                        std::integer_sequence<int, o...>, std::integer_sequence<int, v...>) {
  constexpr auto tap = [](int sum) {
    const int row = i / 4 - sum / 2, column = i % 4 - sum % 2;
    return row >= 0 && row < 3 && column >= 0 && column < 3 ? 3 * row + column : -1;
  };
  const auto add = [&]<int sum>(std::integral_constant<int, sum>) HWY_ATTR {
    if constexpr (tap(sum) >= 0)
      ((sums[v][sum] = hn::MulAdd(x, weight[v][tap(sum)], sums[v][sum])), ...);
  };
  (add(std::integral_constant<int, o>()), ...);
}

// The four sums of pooled pixel p, from the four rows under it.
template <int... i>
HWY_INLINE void HeldSums(const float* const (&row)[4], std::int64_t p, const V (&weight)[kHeld][9],
                         const V (&bias)[kHeld], V (&sums)[kHeld][4]) {
  constexpr std::make_integer_sequence<int, 4> kSums;
  constexpr std::make_integer_sequence<int, kHeld> kVectors;
  for (int v = 0; v < kHeld; ++v)
    for (int o = 0; o < 4; ++o) sums[v][o] = bias[v];
  (HeldTap<i>(hn::Set(D(), row[i / 4][2 * p + i % 4]), weight, sums, kSums, kVectors), ...);
}

// Line i of the input, from above the first row of windows on.
HWY_INLINE const float* Line(const ForwardPoolTiles& t, std::int64_t i) {
  return t.x + t.run_offsets[0] + i * t.x_row_stride;
}

// True only where all numbers, weights and biases are finite and so small that neither sums nor
// points overflow.
HWY_INLINE bool SumsAreNumbers(const ForwardPoolTiles& t, const V (&weight)[kHeld][9],
                               const V (&bias)[kHeld]) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t numbers = 2 * t.pixels + 2;
  if (numbers < lanes) return false;
  // Two sums, which do not wait for each other.
  V x[2] = {hn::Zero(d), hn::Zero(d)};
  for (std::int64_t r = 0; r < 2 * t.rows + 2; r += 2)
    for (std::int64_t i = 0; i < numbers; i += lanes)
      for (std::int64_t k = 0; k < 2; ++k)
        x[k] = hn::Add(x[k], hn::Abs(hn::LoadU(d, Line(t, r + k) + std::min(i, numbers - lanes))));
  V w = hn::Zero(d);
  for (int v = 0; v < kHeld; ++v) {
    for (int k = 0; k < 9; ++k) w = hn::Add(w, hn::Abs(weight[v][k]));
    w = hn::Add(w, hn::Abs(bias[v]));
  }
  const V far = hn::Set(d, 1e16f);
  return hn::AllTrue(d, hn::And(hn::Lt(hn::Add(x[0], x[1]), far), hn::Lt(w, far)));
}

// Pooled pixels from the sums of their windows, of vectors first..first + kHeld - 1 of the panel.
// kPlain: ReLU of whole vectors, with no NaN to look out for. Each sum is in the order of
// ForwardTile (tiles.cpp).
template <bool kArgmax, bool kPlain, int... i>
HWY_INLINE void PoolSums(const ForwardPoolTiles& t, std::int64_t first, const V (&weight)[kHeld][9],
                         const V (&bias)[kHeld], std::integer_sequence<int, i...>) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < t.rows; ++r) {
    const float* const row[] = {Line(t, 2 * r), Line(t, 2 * r + 1), Line(t, 2 * r + 2),
                                Line(t, 2 * r + 3)};
    for (std::int64_t p = 0; p < t.pixels; ++p) {
      V sums[kHeld][4];
      HeldSums<i...>(row, p, weight, bias, sums);
      for (int v = 0; v < kHeld; ++v) {
        const std::int64_t c = (first + v) * lanes;
        const std::ptrdiff_t at = r * t.out_row_stride + p * t.out_stride + c;
        if constexpr (kPlain) {
          hn::StoreU(hn::Max(hn::Zero(d), max_of(sums[v])), d, t.out + at);
        } else if (c < t.channels) {
          store_activated<kArgmax>(d, largest_of<kArgmax>(d, sums[v]), t.negative_slope,
                                   t.channels - c, t.out + at, kArgmax ? t.argmax + at : nullptr);
        }
      }
    }
  }
}

// 18 points of filters and six sums of points take more than 16 registers.
#if HWY_TARGET <= HWY_AVX3
static_assert(kHeld == 2, "both vectors of a panel are made at once");
constexpr int kLines = 3, kPoints = 6;  // of a filter; of F(4, 3)
constexpr auto kMostLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));

// The points of the panel's filters.
struct FilterPoints {
  HWY_ALIGN float of[kHeld][kLines][kPoints][kMostLanes];  // by vectors

  HWY_INLINE explicit FilterPoints(const V (&weight)[kHeld][9]) {
    for (int v = 0; v < kHeld; ++v)
      for (int line = 0; line < kLines; ++line)
        FilterTransform::Apply([&](int i) HWY_ATTR { return weight[v][3 * line + i]; },
                               [&](int point, V value)
                                   HWY_ATTR { hn::Store(value, D(), of[v][line][point]); });
  }
};

// Every fourth of the numbers from line[skip] on, in four vectors; 0 in place of what lies behind
// the `there` numbers from line[0] on.
HWY_INLINE void EveryFourth(const float* line, std::int64_t there, std::int64_t skip, V (&x)[4]) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V all[4];
  for (std::int64_t i = 0; i < 4; ++i) {
    const std::int64_t from = skip + i * lanes;
    const auto left = static_cast<std::size_t>(std::clamp<std::int64_t>(there - from, 0, lanes));
    all[i] = hn::MaskedLoad(hn::FirstN(d, left), d, line + from);
  }
  const V even = hn::ConcatEven(d, all[1], all[0]), even2 = hn::ConcatEven(d, all[3], all[2]);
  const V odd = hn::ConcatOdd(d, all[1], all[0]), odd2 = hn::ConcatOdd(d, all[3], all[2]);
  x[0] = hn::ConcatEven(d, even2, even);
  x[1] = hn::ConcatEven(d, odd2, odd);
  x[2] = hn::ConcatOdd(d, even2, even);
  x[3] = hn::ConcatOdd(d, odd2, odd);
}

// The points of one line under so many tiles of four sums as there are lanes.
using LinePoints = float[kPoints][kMostLanes];

// line: from its first number on, of which there are so many.
HWY_INLINE void ReadLine(const float* line, std::int64_t numbers, LinePoints& points) {
  V x[4], behind[4];
  EveryFourth(line, numbers, 0, x);
  EveryFourth(line, numbers, 4, behind);
  InputTransform::Apply([&](int i) HWY_ATTR { return i < 4 ? x[i] : behind[i - 4]; },
                        [&](int point, V value) HWY_ATTR { hn::Store(value, D(), points[point]); });
}

// The four sums of a tile, without the bias, from the three lines under them.
template <int... point>
HWY_INLINE void TileSums(const LinePoints& above, const LinePoints& line, const LinePoints& below,
                         std::int64_t tile, const V (&filter)[kLines][kPoints], V (&sums)[4],
                         std::integer_sequence<int, point...>) {
  const D d;
  V m[] = {hn::Mul(hn::Set(d, above[point][tile]), filter[0][point])...};
  ((m[point] = hn::MulAdd(hn::Set(d, line[point][tile]), filter[1][point], m[point])), ...);
  ((m[point] = hn::MulAdd(hn::Set(d, below[point][tile]), filter[2][point], m[point])), ...);
  OutputTransform::Apply([&](int i) HWY_ATTR { return m[i]; },
                         [&](int i, V value) HWY_ATTR { sums[i] = value; });
}

// A row of at most 2 * lanes pooled pixels of the vector of channels from c on, which begins `at`
// behind t.out. lines: a ring, line i at i % 4; upper_line: the highest under these windows;
// points: of the filters.
template <bool kArgmax, bool kPlain>
HWY_INLINE void PoolTiles(const ForwardPoolTiles& t, const LinePoints (&lines)[4],
                          std::int64_t upper_line,
                          const float (&points)[kLines][kPoints][kMostLanes], V bias,
                          std::int64_t c, std::int64_t pixels, std::ptrdiff_t at) {
  const D d;
  constexpr std::make_integer_sequence<int, kPoints> kAll;
  V filter[kLines][kPoints];
  for (int line = 0; line < kLines; ++line)
    for (int point = 0; point < kPoints; ++point)
      filter[line][point] = hn::Load(d, points[line][point]);
  const LinePoints &line0 = lines[upper_line % 4], &line1 = lines[(upper_line + 1) % 4],
                   &line2 = lines[(upper_line + 2) % 4], &line3 = lines[(upper_line + 3) % 4];
  for (std::int64_t pixel = 0; pixel < pixels; pixel += 2) {
    V upper[4], lower[4];
    TileSums(line0, line1, line2, pixel / 2, filter, upper, kAll);
    TileSums(line1, line2, line3, pixel / 2, filter, lower, kAll);
    for (int i = 0; i < 4 && pixel + i / 2 < pixels; i += 2, at += t.out_stride) {
      V window[4] = {upper[i], upper[i + 1], lower[i], lower[i + 1]};
      if constexpr (kPlain) {
        // To add the bias to all four would give the same: rounding keeps the order.
        hn::StoreU(hn::Max(hn::Zero(d), hn::Add(max_of(window), bias)), d, t.out + at);
      } else {
        for (V& sum : window) sum = hn::Add(sum, bias);
        store_activated<kArgmax>(d, largest_of<kArgmax>(d, window, true), t.negative_slope,
                                 t.channels - c, t.out + at, kArgmax ? t.argmax + at : nullptr);
      }
    }
  }
}

template <bool kArgmax, bool kPlain>
HWY_INLINE void PoolByLines(const ForwardPoolTiles& t, const V (&weight)[kHeld][9],
                            const V (&bias)[kHeld]) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  const FilterPoints filters(weight);
  HWY_ALIGN LinePoints lines[4];
  for (std::int64_t pixel = 0; pixel < t.pixels; pixel += 2 * lanes) {
    const auto read = [&](std::int64_t i) HWY_ATTR {
      ReadLine(Line(t, i) + 2 * pixel, 2 * (t.pixels - pixel) + 2, lines[i % 4]);
    };
    read(0);
    read(1);
    for (std::int64_t r = 0; r < t.rows; ++r) {
      read(2 * r + 2);
      read(2 * r + 3);
      for (std::int64_t v = 0; v < kHeld && v * lanes < t.channels; ++v)
        PoolTiles<kArgmax, kPlain>(t, lines, 2 * r, filters.of[v], bias[v], v * lanes,
                                   std::min(t.pixels - pixel, 2 * lanes),
                                   r * t.out_row_stride + pixel * t.out_stride + v * lanes);
    }
  }
}

#endif

template <bool kArgmax>
HWY_INLINE void PoolVectors(const ForwardPoolTiles& t, std::int64_t first) {
  constexpr std::make_integer_sequence<int, 16> kNumbers;
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V weight[kHeld][9];
  V bias[kHeld];
  for (int v = 0; v < kHeld; ++v) {
    bias[v] = hn::LoadU(d, t.bias + (first + v) * lanes);
    for (std::int64_t k = 0; k < 9; ++k)
      weight[v][k] = hn::LoadU(d, t.weight + (2 * k + first + v) * lanes);
  }
  const bool plain = !kArgmax && t.negative_slope == 0 && t.channels >= (first + kHeld) * lanes;
#if HWY_TARGET <= HWY_AVX3
  if (SumsAreNumbers(t, weight, bias))
    return plain ? PoolByLines<false, true>(t, weight, bias)
                 : PoolByLines<kArgmax, false>(t, weight, bias);
#else
  if (plain && SumsAreNumbers(t, weight, bias))
    return PoolSums<false, true>(t, first, weight, bias, kNumbers);
#endif
  PoolSums<kArgmax, false>(t, first, weight, bias, kNumbers);
}

void Pool(const ForwardPoolTiles& t) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t v = 0; v < 2 && v * lanes < t.channels; v += kHeld)
    t.argmax ? PoolVectors<true>(t, v) : PoolVectors<false>(t, v);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
HWY_EXPORT(Pool);

bool is_one_channel(const ForwardPoolTiles& t) {
  return t.x_stride == 1 && t.runs == 3 && t.run_length == 3 &&
         t.run_offsets[1] - t.run_offsets[0] == t.x_row_stride &&
         t.run_offsets[2] - t.run_offsets[1] == t.x_row_stride;
}
void forward_one_channel(const ForwardPoolTiles& tiles) { HWY_DYNAMIC_DISPATCH(Pool)(tiles); }

}  // namespace ratnet::inline v1
#endif
