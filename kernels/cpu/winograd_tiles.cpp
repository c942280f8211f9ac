#include "winograd_tiles.h"

#include <iterator>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/winograd_tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"
#include "largest-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::ScalableTag<float>;

std::int64_t WholeVectors(std::int64_t channels) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
#if HWY_TARGET <= HWY_AVX3
  if (2 * channels <= lanes) return lanes / 2;
#endif
  return (channels + lanes - 1) / lanes * lanes;
}

// Calls run(d, c) for every vector of channels, c the first of them. `channels` is as WholeVectors
// gives it.
template <class Run>
HWY_INLINE void ForVectors(std::int64_t channels, const Run& run) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
#if HWY_TARGET <= HWY_AVX3
  if (channels < lanes) return run(hn::Half<D>(), 0);
#endif
  for (std::int64_t c = 0; c < channels; c += lanes) run(D(), c);
}

template <class V>
HWY_INLINE V Times(float a, V b) {
  return hn::Mul(hn::Set(hn::DFromV<V>(), a), b);
}
// a * b + c
template <class V>
HWY_INLINE V MulAdd(float a, V b, V c) {
  return hn::MulAdd(hn::Set(hn::DFromV<V>(), a), b, c);
}

// One dimension of each transform: Apply(in, put) with in(i) the i-th number and put(i, value) for
// the i-th result. kPasses: results that share their sums, from one to before the next.

// B^T: 6 to 6.
struct InputTransform {
  static constexpr int kIn = 6, kOut = 6;
  static constexpr int kPasses[] = {0, 1, 3, 5, 6};
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto d0 = in(0), d1 = in(1), d2 = in(2), d3 = in(3), d4 = in(4), d5 = in(5);
    const auto even = MulAdd(-4, d2, d4), odd = MulAdd(-4, d1, d3);
    const auto even2 = hn::Sub(d4, d2), odd2 = hn::Sub(d3, d1);
    put(0, MulAdd(4, hn::Sub(d0, d2), even2));
    put(1, hn::Add(even, odd));
    put(2, hn::Sub(even, odd));
    put(3, MulAdd(2, odd2, even2));
    put(4, MulAdd(-2, odd2, even2));
    put(5, MulAdd(-4, odd2, hn::Sub(d5, d3)));
  }
};

// G: 3 to 6.
struct FilterTransform {
  static constexpr int kIn = 3, kOut = 6;
  static constexpr int kPasses[] = {0, 1, 3, 5, 6};
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto g0 = in(0), g1 = in(1), g2 = in(2);
    const auto sum = hn::Add(g0, g2), sum2 = MulAdd(4, g2, g0);
    put(0, Times(1.0f / 4, g0));
    put(1, Times(-1.0f / 6, hn::Add(sum, g1)));
    put(2, Times(-1.0f / 6, hn::Sub(sum, g1)));
    put(3, Times(1.0f / 24, MulAdd(2, g1, sum2)));
    put(4, Times(1.0f / 24, MulAdd(-2, g1, sum2)));
    put(5, g2);
  }
};

// A^T: 6 to 4.
struct OutputTransform {
  static constexpr int kIn = 6;
  static constexpr int kPasses[] = {0, 4};
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto m1 = in(1), m2 = in(2), m3 = in(3), m4 = in(4);
    const auto sum = hn::Add(m1, m2), difference = hn::Sub(m1, m2);
    const auto sum2 = hn::Add(m3, m4), difference2 = hn::Sub(m3, m4);
    put(0, hn::Add(hn::Add(in(0), sum), sum2));
    put(1, MulAdd(2, difference2, difference));
    put(2, MulAdd(4, sum2, sum));
    put(3, hn::Add(MulAdd(8, difference2, difference), in(5)));
  }
};

// A: 4 to 6.
struct OutputAdjoint {
  static constexpr int kIn = 4, kOut = 6;
  static constexpr int kPasses[] = {0, 1, 3, 5, 6};
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto y0 = in(0), y1 = in(1), y2 = in(2), y3 = in(3);
    const auto even = hn::Add(y0, y2), odd = hn::Add(y1, y3);
    const auto even2 = MulAdd(4, y2, y0), odd2 = MulAdd(4, y3, y1);
    put(0, y0);
    put(1, hn::Add(even, odd));
    put(2, hn::Sub(even, odd));
    put(3, MulAdd(2, odd2, even2));
    put(4, MulAdd(-2, odd2, even2));
    put(5, y3);
  }
};

// G^T: 6 to 3.
struct FilterAdjoint {
  static constexpr int kIn = 6;
  static constexpr int kPasses[] = {0, 1, 2, 3};
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto u1 = in(1), u2 = in(2), u3 = in(3), u4 = in(4);
    const auto sum = Times(-1.0f / 6, hn::Add(u1, u2)), sum2 = Times(1.0f / 24, hn::Add(u3, u4));
    const auto difference = Times(1.0f / 6, hn::Sub(u2, u1));
    put(0, MulAdd(1.0f / 4, in(0), hn::Add(sum, sum2)));
    put(1, MulAdd(1.0f / 12, hn::Sub(u3, u4), difference));
    put(2, hn::Add(MulAdd(4, sum2, sum), in(5)));
  }
};

// Rows first..first + count - 1 of the results in both dimensions: load(row, column) and
// store(row, column, value). What lies between the dimensions stays in registers.
template <class Transform, int first, int count, class Load, class Store, int... x, int... r>
HWY_INLINE void SomeRows(const Load& load, const Store& store, std::integer_sequence<int, x...>,
                         std::integer_sequence<int, r...>) {
  using V = decltype(load(0, 0));
  V rows[count][Transform::kIn];
  (Transform::Apply([&](int y) HWY_ATTR { return load(y, x); },
                    [&](int y, V value) HWY_ATTR {
                      if (y >= first && y < first + count) rows[y - first][x] = value;
                    }),
   ...);
  (Transform::Apply([&](int i) HWY_ATTR { return rows[r][i]; },
                    [&](int i, V value) HWY_ATTR { store(first + r, i, value); }),
   ...);
}

// All rows, pass after pass.
template <class Transform, class Load, class Store, int... pass>
HWY_INLINE void Square(const Load& load, const Store& store, std::integer_sequence<int, pass...>) {
  (SomeRows<Transform, Transform::kPasses[pass],
            Transform::kPasses[pass + 1] - Transform::kPasses[pass]>(
       load, store, std::make_integer_sequence<int, Transform::kIn>(),
       std::make_integer_sequence<int, Transform::kPasses[pass + 1] - Transform::kPasses[pass]>()),
   ...);
}
template <class Transform, class Load, class Store>
HWY_INLINE void Square(const Load& load, const Store& store) {
  constexpr int kCount = static_cast<int>(std::size(Transform::kPasses)) - 1;
  Square<Transform>(load, store, std::make_integer_sequence<int, kCount>());
}

// Pixels to points, for every vector of channels. pixel(y, x): where its channels are.
template <class Transform, class Pixel>
HWY_INLINE void ToPoints(const Pixel& pixel, std::int64_t channels, float* points,
                         std::ptrdiff_t stride) {
  ForVectors(channels, [&](auto d, std::int64_t c) HWY_ATTR {
    Square<Transform>([&](int y, int x) HWY_ATTR { return hn::LoadU(d, pixel(y, x) + c); },
                      [&](int y, int x, auto value) HWY_ATTR {
                        hn::StoreU(value, d, points + (y * Transform::kOut + x) * stride + c);
                      });
  });
}
template <class Transform>
HWY_INLINE void ToPoints(const PixelTile<const float>& tile, std::int64_t channels, float* points,
                         std::ptrdiff_t stride) {
  ToPoints<Transform>([&](int y, int x)
                          HWY_ATTR { return tile.first + y * tile.row + x * tile.pixel; },
                      channels, points, stride);
}

// Points to pixels, for the vector of channels at `points`: put(row, column, value).
template <class Transform, class Tag, class Put>
HWY_INLINE void ToPixels(Tag d, const float* points, std::ptrdiff_t stride, const Put& put) {
  Square<Transform>(
      [&](int y, int x)
          HWY_ATTR { return hn::LoadU(d, points + (y * Transform::kIn + x) * stride); },
      put);
}

void Input(const PixelTile<const float>& tile, std::int64_t channels, float* v,
           std::ptrdiff_t stride) {
  ToPoints<InputTransform>(tile, channels, v, stride);
}
void InputApart(const float* const* pixels, std::int64_t channels, float* v,
                std::ptrdiff_t stride) {
  ToPoints<InputTransform>([&](int y, int x) HWY_ATTR { return pixels[y * kWinogradInput + x]; },
                           channels, v, stride);
}
void Filter(const PixelTile<const float>& tile, std::int64_t channels, float* u,
            std::ptrdiff_t stride) {
  ToPoints<FilterTransform>(tile, channels, u, stride);
}
void OutputGradient(const PixelTile<const float>& tile, std::int64_t channels, float* z,
                    std::ptrdiff_t stride) {
  ToPoints<OutputAdjoint>(tile, channels, z, stride);
}
template <bool kAdds>
HWY_INLINE void OutputOf(const WinogradOutput& t, const PixelTile<float>& tile) {
  ForVectors(WholeVectors(t.channels), [&](auto d, std::int64_t c) HWY_ATTR {
    const auto bias = hn::LoadU(d, t.bias + c);
    ToPixels<OutputTransform>(d, t.m + c, t.stride, [&](int y, int x, auto value) HWY_ATTR {
      const std::ptrdiff_t at = y * tile.row + x * tile.pixel + c;
      auto sum = hn::Add(value, bias);
      if constexpr (kAdds) sum = hn::Add(sum, load_some(d, t.channels - c, t.added + at));
      store_some(d, below_zero_times(d, sum, t.negative_slope), t.channels - c, tile.first + at);
    });
  });
}
void Output(const WinogradOutput& t, const PixelTile<float>& tile) {
  t.added ? OutputOf<true>(t, tile) : OutputOf<false>(t, tile);
}
template <bool kArgmax>
HWY_INLINE void OutputPooled(const WinogradOutput& t, const PixelTile<float>& tile,
                             std::uint8_t* argmax) {
  ForVectors(WholeVectors(t.channels), [&](auto d, std::int64_t c) HWY_ATTR {
    const auto bias = hn::LoadU(d, t.bias + c);
    hn::Vec<decltype(d)> windows[4][4];
    // Adding a finite bias keeps the order, but may round two to the same, of which the first
    // counts.
    ToPixels<OutputTransform>(d, t.m + c, t.stride, [&](int y, int x, auto value) HWY_ATTR {
      windows[y / 2 * 2 + x / 2][y % 2 * 2 + x % 2] = kArgmax ? hn::Add(value, bias) : value;
    });
    for (int i = 0; i < 4; ++i) {
      const std::ptrdiff_t at = i / 2 * tile.row + i % 2 * tile.pixel + c;
      auto largest = largest_of<kArgmax>(d, windows[i]);
      if constexpr (!kArgmax) largest.value = hn::Add(largest.value, bias);
      store_activated<kArgmax>(d, largest, t.negative_slope, t.channels - c, tile.first + at,
                               kArgmax ? argmax + at : nullptr);
    }
  });
}
void OutputPooledAny(const WinogradOutput& t, const PixelTile<float>& tile, std::uint8_t* argmax) {
  argmax ? OutputPooled<true>(t, tile, argmax) : OutputPooled<false>(t, tile, argmax);
}
void FilterGradient(const float* du, std::ptrdiff_t stride, std::int64_t channels,
                    const PixelTile<float>& tile) {
  ForVectors(channels, [&](auto d, std::int64_t c) HWY_ATTR {
    ToPixels<FilterAdjoint>(d, du + c, stride, [&](int y, int x, auto value) HWY_ATTR {
      hn::StoreU(value, d, tile.first + y * tile.row + x * tile.pixel + c);
    });
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
HWY_EXPORT(WholeVectors);
HWY_EXPORT(Input);
HWY_EXPORT(InputApart);
HWY_EXPORT(Filter);
HWY_EXPORT(Output);
HWY_EXPORT(OutputPooledAny);
HWY_EXPORT(OutputGradient);
HWY_EXPORT(FilterGradient);

std::int64_t winograd_channels(std::int64_t channels) {
  return HWY_DYNAMIC_DISPATCH(WholeVectors)(channels);
}
void winograd_input(const PixelTile<const float>& d, std::int64_t channels, float* v,
                    std::ptrdiff_t stride) {
  HWY_DYNAMIC_DISPATCH(Input)(d, channels, v, stride);
}
void winograd_input(const float* const (&pixels)[kWinogradPoints], std::int64_t channels, float* v,
                    std::ptrdiff_t stride) {
  HWY_DYNAMIC_DISPATCH(InputApart)(pixels, channels, v, stride);
}
void winograd_filter(const float* g, std::int64_t channels, float* u, std::ptrdiff_t stride) {
  HWY_DYNAMIC_DISPATCH(Filter)({g, 3 * channels, channels}, channels, u, stride);
}
void winograd_output(const WinogradOutput& output, const PixelTile<float>& y) {
  HWY_DYNAMIC_DISPATCH(Output)(output, y);
}
void winograd_output_pooled(const WinogradOutput& output, const PixelTile<float>& y,
                            std::uint8_t* argmax) {
  HWY_DYNAMIC_DISPATCH(OutputPooledAny)(output, y, argmax);
}
void winograd_output_gradient(const PixelTile<const float>& dy, std::int64_t channels, float* z,
                              std::ptrdiff_t stride) {
  HWY_DYNAMIC_DISPATCH(OutputGradient)(dy, channels, z, stride);
}
void winograd_filter_gradient(const float* du, std::ptrdiff_t stride, std::int64_t channels,
                              float* dg) {
  HWY_DYNAMIC_DISPATCH(FilterGradient)(du, stride, channels, {dg, 3 * channels, channels});
}

}  // namespace ratnet::inline v1
#endif
