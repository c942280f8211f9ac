// What one warp computes of a 3 x 3 convolution of 32 channels, in tiles of 8 neighbours on two
// lines: 16 rows of an A fragment (row g the pixel g of the upper line, row g + 8 that below it)
// and 32 columns, the outputs. So the vertical maximum of a 2 x 2 pooling is in one lane, and the
// horizontal one in the lanes 4 g + t and 4 (g ^ 1) + t.
#pragma once

#include <ratnet_ptx.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "chain_images.h"
#include "unrolled.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kTaps = 3;            // along a side of the kernel
constexpr int kGroups = 4;          // of 8 outputs
using TileSum = float[kGroups][4];  // a lane's part of a tile
constexpr unsigned kWholeWarp = 0xFFFFFFFFu;

// Weights in the order of fragments: what a lane needs for two groups of outputs in 16 bytes.
struct alignas(16) FragmentWords {
  std::uint32_t of[4];  // groups 2 pair and 2 pair + 1, words 0 and 1 of each
};
struct Fragments {
  FragmentWords pair[kGroups / 2][32];
};

constexpr int kFragmentWords = sizeof(Fragments) / sizeof(std::uint32_t);

// What word i of an array of Fragments stands for: word `word` of lane 4 g + t in the B fragment
// `fragment` of that output.
struct FragmentPlace {
  int fragment, pair, lane, index;
  __device__ explicit FragmentPlace(int i)
      : fragment(i / kFragmentWords), pair(i / 128 % 2), lane(i / 4 % 32), index(i % 4) {}
  __device__ int output() const { return 8 * (2 * pair + index / 2) + lane / 4; }
  __device__ int t() const { return lane % 4; }
  __device__ int word() const { return index % 2; }
  __device__ std::uint32_t& in(Fragments* all) const {
    return all[fragment].pair[pair][lane].of[index];
  }
};

// B fragments of all outputs for two chunks of channels.
template <class Numbers>
struct WarpWeights {
  typename Numbers::Factor of[kGroups][2];
};
template <class Numbers>
__device__ WarpWeights<Numbers> warp_weights(const Fragments& from, int lane) {
  WarpWeights<Numbers> weights;
  for (int pair = 0; pair < kGroups / 2; ++pair) {
    const FragmentWords words = from.pair[pair][lane];
    for (int i = 0; i < 4; ++i) weights.of[2 * pair + i / 2][i % 2] = Numbers::factor(words.of[i]);
  }
  return weights;
}

// How the 288 terms of a sum are cut: steps of two chunks of channels, for each tap.
template <class Numbers>
constexpr int kSteps = (kChannels * Numbers::kBytes) / 32;
template <class Numbers>
constexpr int kWeightFragments = (kTaps * kTaps) * kSteps<Numbers>;

// sums[i] += the convolution at lines `line` + 2 i and the one below, columns `column` to + 7, of
// the output; in the image, which has a border, tap (0, 0) lies at the same place. Each line that
// is read serves the three taps above each other.
template <class Numbers, int kTiles, class Image>
__device__ void convolve(const Image& image, const Fragments* weights, int line, int column,
                         int lane, TileSum (&sums)[kTiles]) {
  // The row that this lane names to load_matrices: matrices 0 to 3 are two lines, then the same
  // lines' next chunk.
  const int lower = lane / 8 % 2, chunk = lane / 16;
  for (int kx = 0; kx < kTaps; ++kx)
    for (int step = 0; step < kSteps<Numbers>; ++step) {
      typename Numbers::Factor rows[2 * kTiles + 2][2];
      const unsigned char* from =
          image.bytes + Image::place(line + lower, column + kx + lane % 8, 2 * step + chunk);
      // Tensor cores cut a sum off where f32 rounds it; where that shows, they get short ones.
      TileSum parts[kTiles] = {};
      auto& into = Numbers::kAddsParts ? parts : sums;
      for (int pair = 0; pair <= kTiles; ++pair) {
        std::uint32_t words[4];
        load_matrices(words, from + 2 * pair * Image::kLineBytes);
        for (int i = 0; i < 4; ++i) rows[2 * pair + i % 2][i / 2] = Numbers::factor(words[i]);
      }
      unrolled<kTaps>([&](int ky) {
        const auto b =
            warp_weights<Numbers>(weights[(ky * kTaps + kx) * kSteps<Numbers> + step], lane);
        for (int tile = 0; tile < kTiles; ++tile) {
          const auto& upper = rows[2 * tile + ky];
          const auto& below = rows[2 * tile + ky + 1];
          const typename Numbers::Factor a[4] = {upper[0], below[0], upper[1], below[1]};
          for (int group = 0; group < kGroups; ++group)
            Numbers::multiply(into[tile][group], a, b.of[group]);
        }
      });
      if constexpr (Numbers::kAddsParts)
        for (int tile = 0; tile < kTiles; ++tile)
          for (int group = 0; group < kGroups; ++group)
            for (int i = 0; i < 4; ++i) sums[tile][group][i] += parts[tile][group][i];
    }
}

// Which outputs a lane has after pooling: of the two pixels whose maximum is one, that with an even
// x keeps groups 0 and 1, the other 2 and 3.
__device__ int pooled_output(int lane, int i) {
  return 8 * (2 * (lane / 4 % 2) + i) + 2 * (lane % 4);
}

struct LaneBias {
  float of[2][2];
  __device__ LaneBias(const float* bias, int lane) {
    for (int i = 0; i < 2; ++i)
      for (int k = 0; k < 2; ++k) of[i][k] = bias[pooled_output(lane, i) + k];
  }
};

// relu(scale * the 2 x 2 maxima of a tile + bias), scale >= 0: rounding keeps order, so the same
// bits as the maxima of what each pixel would be. out[i][k]: pixel lane / 8, output
// pooled_output(lane, i) + k. Keeps NaN.
__device__ void pool(const TileSum& sum, float scale, const LaneBias& bias, int lane,
                     float (&out)[2][2]) {
  float tall[kGroups][2];
  for (int group = 0; group < kGroups; ++group)
    for (int k = 0; k < 2; ++k) tall[group][k] = larger(sum[group][k], sum[group][k + 2]);
  const bool odd = lane / 4 % 2;
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 2; ++k) {
      const float kept = odd ? tall[2 + i][k] : tall[i][k];
      const float given = odd ? tall[i][k] : tall[2 + i][k];
      const float most = larger(kept, __shfl_xor_sync(kWholeWarp, given, 4));
      out[i][k] = larger(fmaf(most, scale, bias.of[i][k]), 0.0f);
    }
}

}  // namespace
}  // namespace ratnet::inline v1
