#include "dot_tiles.h"

#include <algorithm>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/dot_tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

// Longer vectors would find few runs that fill them, and loads, not products, are the limit.
using D = hn::CappedTag<float, 8>;
using V = hn::Vec<D>;

constexpr int kSums = kDotSums;

std::int64_t DotLanes() { return static_cast<std::int64_t>(hn::Lanes(D())); }

// Terms of the last vector of a run that the one before it has.
std::size_t Overlap(std::int64_t run_length) {
  const std::int64_t rest = run_length % DotLanes();
  return static_cast<std::size_t>(rest ? DotLanes() - rest : 0);
}

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void StoreSums(const V (&s)[kSums], float* to) {
  for (int i = 0; i < kSums; ++i) to[i] = hn::GetLane(s[i]);
}
#else
// In each block of four: a0 + a2, b0 + b2, a1 + a3, b1 + b3.
HWY_INLINE V Pairs(V a, V b) {
  const D d;
  return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
}

// In each block the sums of a, b, c and e in it.
HWY_INLINE V Quads(V a, V b, V c, V e) {
  const D d;
  const hn::Repartition<std::uint64_t, D> pairs;
  const auto ab = hn::BitCast(pairs, Pairs(a, b)), ce = hn::BitCast(pairs, Pairs(c, e));
  return hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, ab, ce)),
                 hn::BitCast(d, hn::InterleaveUpper(pairs, ab, ce)));
}

// The eight vectors' sums over their lanes.
HWY_INLINE void StoreSums(const V (&s)[kSums], float* to) {
  const D d;
  const V first = Quads(s[0], s[1], s[2], s[3]), last = Quads(s[4], s[5], s[6], s[7]);
  if (hn::Lanes(d) == kSums) {
    hn::StoreU(hn::Add(hn::ConcatLowerLower(d, last, first), hn::ConcatUpperUpper(d, last, first)),
               d, to);
  } else {
    hn::StoreU(first, d, to);
    hn::StoreU(last, d, to + kSums / 2);
  }
}
#endif

// Sum i of a tile is that of pixel i / kChannels and channel i % kChannels. Past the last pixel the
// last one is computed again.
template <int kChannels, int... i>
HWY_INLINE void DotTile(const DotTiles& t, std::int64_t pixel, float* to,
                        std::integer_sequence<int, i...>) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t whole = t.run_length / lanes * lanes;
  const std::size_t overlap = Overlap(t.run_length);
  const auto counted = hn::FirstN(d, overlap);
  const float* const x[] = {t.x + std::min<std::int64_t>(pixel + i / kChannels, t.pixels - 1) *
                                      t.x_stride...};
  V sum[] = {(static_cast<void>(i), hn::Zero(d))...};
  const float* weight = t.weight;
  for (std::int64_t r = 0; r < t.runs; ++r) {
    std::ptrdiff_t at = t.run_offsets[r];
    for (std::int64_t k = 0; k < whole; k += lanes, at += lanes, weight += kChannels * lanes)
      ((sum[i] = hn::MulAdd(hn::LoadU(d, x[i] + at), hn::LoadU(d, weight + i % kChannels * lanes),
                            sum[i])),
       ...);
    if (overlap == 0) continue;
    at -= static_cast<std::ptrdiff_t>(overlap);
    ((sum[i] = hn::MulAdd(hn::IfThenZeroElse(counted, hn::LoadU(d, x[i] + at)),
                          hn::LoadU(d, weight + i % kChannels * lanes), sum[i])),
     ...);
    weight += kChannels * lanes;
  }
  StoreSums(sum, to);
}

// Adds the bias and what else is to be added, [kSums], and applies the activation.
HWY_INLINE void Finish(const DotTiles& t, const float* added, float* sums) {
  const D d;
  for (std::size_t i = 0; i < kSums; i += hn::Lanes(d)) {
    V value = hn::Add(hn::LoadU(d, sums + i), hn::LoadU(d, t.bias + i));
    if (t.added) value = hn::Add(value, hn::LoadU(d, added + i));
    hn::StoreU(below_zero_times(d, value, t.negative_slope), d, sums + i);
  }
}

template <int kChannels>
void DotPixels(const DotTiles& t) {
  constexpr int kPixels = kSums / kChannels;
  for (std::int64_t p = 0; p < t.pixels; p += kPixels) {
    float sums[kSums], added[kSums] = {};
    const std::int64_t pixels = std::min<std::int64_t>(kPixels, t.pixels - p);
    float* const out = t.out + p * t.channels;
    if (t.added)
      for (std::int64_t q = 0; q < pixels; ++q)
        std::copy_n(t.added + (p + q) * t.channels, t.channels, added + q * kChannels);
    DotTile<kChannels>(t, p, sums, std::make_integer_sequence<int, kSums>());
    Finish(t, added, sums);
    if (t.channels == kChannels) {
      std::copy_n(sums, pixels * kChannels, out);
      continue;
    }
    for (std::int64_t q = 0; q < pixels; ++q)
      std::copy_n(sums + q * kChannels, t.channels, out + q * t.channels);
  }
}

void Dot(const DotTiles& t) {
  switch (dot_channels(t.channels)) {
    case 1: return DotPixels<1>(t);
    case 2: return DotPixels<2>(t);
    default: return DotPixels<4>(t);
  }
}

// Vectors `first` + i / channels of the run, for channel i % channels.
template <int kChannels, int... i>
HWY_INLINE void GradientTile(const DotGradient& t, std::int64_t first,
                             std::integer_sequence<int, i...>) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto begin = [&](std::int64_t vector) {
    return std::min(vector * lanes, t.run_length - lanes);
  };
  const std::ptrdiff_t at[] = {begin(first + i / kChannels)...};
  float* const out[] = {t.out + i % kChannels * t.out_stride + at[i]...};
  V sum[] = {hn::LoadU(d, out[i])...};
  const float* dy = t.dy;
  for (std::int64_t line = 0; line < t.lines; ++line) {
    const float* x = t.x + line * t.x_line_stride;
    for (std::int64_t p = 0; p < t.pixels; ++p, x += t.x_stride, dy += kChannels)
      ((sum[i] = hn::MulAdd(hn::LoadU(d, x + at[i]), hn::Set(d, dy[i % kChannels]), sum[i])), ...);
  }
  // What a vector shares with the one before it has been stored by that one.
  const auto store = [&](int k) HWY_ATTR {
    const std::int64_t before = (first + k / kChannels) * lanes - at[k];
    const auto stored = hn::FirstN(d, static_cast<std::size_t>(before));
    hn::StoreU(hn::IfThenElse(stored, hn::LoadU(d, out[k]), sum[k]), d, out[k]);
  };
  (store(i), ...);
}

template <int kChannels>
void GradientVectors(const DotGradient& t) {
  const std::int64_t vectors = (t.run_length + DotLanes() - 1) / DotLanes();
  std::int64_t v = 0;
  const auto take = [&]<int kVectors>(std::integral_constant<int, kVectors>) HWY_ATTR {
    for (; v + kVectors <= vectors; v += kVectors)
      GradientTile<kChannels>(t, v, std::make_integer_sequence<int, kVectors * kChannels>());
  };
  if constexpr (kChannels == 1) take(std::integral_constant<int, 8>());
  if constexpr (kChannels <= 2) take(std::integral_constant<int, 4>());
  take(std::integral_constant<int, 2>());
  take(std::integral_constant<int, 1>());
}

void Gradient(const DotGradient& t) {
  switch (t.channels) {
    case 1: return GradientVectors<1>(t);
    case 2: return GradientVectors<2>(t);
    case 3: return GradientVectors<3>(t);
    default: return GradientVectors<4>(t);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
HWY_EXPORT(DotLanes);
HWY_EXPORT(Dot);
HWY_EXPORT(Gradient);

std::int64_t dot_lanes() { return HWY_DYNAMIC_DISPATCH(DotLanes)(); }
void dot_tiles(const DotTiles& tiles) { HWY_DYNAMIC_DISPATCH(Dot)(tiles); }
void dot_gradient(const DotGradient& gradient) { HWY_DYNAMIC_DISPATCH(Gradient)(gradient); }

}  // namespace ratnet::inline v1
#endif
