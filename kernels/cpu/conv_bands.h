// What the direct convolutions share: sizes, the bands of input that they read, and the tables of
// tap offsets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "../../core/shape.h"
#include "../window.h"

namespace ratnet::inline v1::conv_bands {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Hands out aligned stretches of the working memory; with no memory it only adds up sizes.
class Scratch {
 public:
  explicit Scratch(void* memory = nullptr) : memory_(static_cast<char*>(memory)) {}
  template <class T = float>
  T* take(std::int64_t n) {
    char* const here = memory_ ? memory_ + bytes_ : nullptr;
    // Stretches of different workers never share a cache line.
    bytes_ += static_cast<std::size_t>(round_up(n * static_cast<std::int64_t>(sizeof(T)), 64));
    return reinterpret_cast<T*>(here);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  std::size_t bytes_ = 0;
};

// Sizes of a convolution with three spatial dimensions (leading ones are 1), all of one sample.
struct Problem {
  std::int64_t batch, in, out;         // samples, channels
  std::array<std::int64_t, 3> input;   // D, H, W
  std::array<std::int64_t, 3> output;  // before pooling
  Window window;

  Problem(const Shape& x, std::int64_t out_channels, const Window& narrow)
      : batch(x[0]), in(x.back()), out(out_channels), window(widened(narrow)) {
    const Shape wide = widened(x);
    for (int d = 0; d < 3; ++d) {
      input[static_cast<std::size_t>(d)] = wide[d + 1];
      output[static_cast<std::size_t>(d)] = window.positions(d, wide[d + 1]);
    }
  }

  std::int64_t reach(std::size_t d) const {
    return window.dilation[d] * (window.kernel[d] - 1) + 1;
  }
  std::int64_t depth() const { return window.taps() * in; }  // terms of one output's sum
  bool padded() const {
    for (std::size_t d = 0; d < 3; ++d)
      if (window.pad_before[d] || window.pad_after[d]) return true;
    return false;
  }
};

// Whether sizes of this problem cannot be counted in 63 bits, or mean nothing: an input that with
// its border has more than 2^32 numbers.
inline bool is_absurd(const Problem& p) {
  double numbers = static_cast<double>(p.in);
  for (std::size_t d = 0; d < 3; ++d)
    numbers *= static_cast<double>(p.input[d]) + static_cast<double>(p.window.pad_before[d]) +
               static_cast<double>(p.window.pad_after[d]);
  return p.padded() && numbers > 0x1p32;
}

// Where the input of a band of output rows lies: in x itself, or copied with its border. Sized for
// `planes` x `rows` outputs.
struct BandLayout {
  bool copied;
  std::int64_t depth, height;  // input planes and rows of a whole band
  std::int64_t plane_stride, row_stride;

  BandLayout(const Problem& p, std::int64_t planes, std::int64_t rows)
      : copied(p.padded()),
        depth((planes - 1) * p.window.stride[0] + p.reach(0)),
        height((rows - 1) * p.window.stride[1] + p.reach(1)),
        plane_stride((copied ? height : p.input[1]) * row_floats(p)),
        row_stride(row_floats(p)) {}

  std::int64_t floats() const { return copied ? depth * plane_stride : 0; }

 private:
  std::int64_t row_floats(const Problem& p) const {
    return (copied ? p.input[2] + p.window.pad_before[2] + p.window.pad_after[2] : p.input[2]) *
           p.in;
  }
};

// How many output rows (a multiple of `step`) a band of so many planes has: as many as keep its
// input in a share of the second-level cache.
std::int64_t band_rows(const Problem& p, std::int64_t planes, std::int64_t step);

// How many output planes (a multiple of `step`) a band of so many rows has: neighbours share most
// of what is copied for them.
std::int64_t band_planes(const Problem& p, std::int64_t step, std::int64_t rows);

// The input under output planes from `plane` and output rows from `first` of one sample.
const float* take_band(const Problem& p, const BandLayout& layout, const float* sample,
                       std::int64_t plane, std::int64_t first, float* buffer);

// Taps as runs of consecutive floats: with unit dilation a kernel row's taps are neighbours.
struct Runs {
  bool joined;
  std::int64_t count, length;

  // apart: every tap is a run, though its neighbours lie beside it.
  explicit Runs(const Problem& p, bool apart = false)
      : joined(p.window.dilation[2] == 1 && !apart),
        count(p.window.kernel[0] * p.window.kernel[1] * (joined ? 1 : p.window.kernel[2])),
        length((joined ? p.window.kernel[2] : 1) * p.in) {}

  // The offset of each run from the first pixel of a band.
  void offsets(const Problem& p, const BandLayout& band, std::ptrdiff_t* to) const;
};

}  // namespace ratnet::inline v1::conv_bands
