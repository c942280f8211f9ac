#include "winograd_tiles.h"

#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/winograd_tiles.cpp"
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

// A transform in both dimensions: load(row, column) and store(row, column, value), row after row.
// What lies between the dimensions goes through memory: more of it than there are registers.
template <class Transform, class Tag, class Load, class Store, int... x, int... y>
HWY_INLINE void Square(Tag d, const Load& load, const Store& store,
                       std::integer_sequence<int, x...>, std::integer_sequence<int, y...>) {
  using V = hn::Vec<Tag>;
  HWY_ALIGN float between[Transform::kOut][Transform::kIn][hn::MaxLanes(d)];
  (Transform::Apply([&](int i) HWY_ATTR { return load(i, x); },
                    [&](int i, V value) HWY_ATTR { hn::Store(value, d, between[i][x]); }),
   ...);
  (Transform::Apply([&](int i) HWY_ATTR { return hn::Load(d, between[y][i]); },
                    [&](int i, V value) HWY_ATTR { store(y, i, value); }),
   ...);
}
template <class Transform, class Tag, class Load, class Store>
HWY_INLINE void Square(Tag d, const Load& load, const Store& store) {
  Square<Transform>(d, load, store, std::make_integer_sequence<int, Transform::kIn>(),
                    std::make_integer_sequence<int, Transform::kOut>());
}

// Pixels to points, for every vector of channels. pixel(y, x): where its channels are. What is
// captured by value need not be read again after every store.
template <class Transform, class Pixel>
HWY_INLINE void ToPoints(const Pixel& pixel, std::int64_t channels, float* points,
                         std::ptrdiff_t stride) {
  ForVectors(channels, [=](auto d, std::int64_t c) HWY_ATTR {
    Square<Transform>(
        d, [&](int y, int x) HWY_ATTR { return hn::LoadU(d, pixel(y, x) + c); },
        [&](int y, int x, auto value)
            HWY_ATTR { hn::StoreU(value, d, points + (y * Transform::kOut + x) * stride + c); });
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
      d,
      [=](int y, int x)
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
    using V = hn::Vec<decltype(d)>;
    const V bias = hn::LoadU(d, t.bias + c);
    V windows[4][4];
    // Adding a finite bias keeps the order, but may round two to the same, of which the first
    // counts.
    ToPixels<OutputTransform>(d, t.m + c, t.stride, [&](int y, int x, V value) HWY_ATTR {
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
