// The factors of a convolution's three matrix products, for gemm_mma.h. Indices fit 31 bits.
#pragma once

#include "conv_gemm.h"
#include "fast_divide.h"

namespace ratnet::inline v1 {

// Splits the index of a pixel [sample, position] or of a tap.
struct SplitPixel {
  FastDivide by[3];
  SplitPixel() = default;
  explicit SplitPixel(const std::int64_t* sizes)
      : by{FastDivide(sizes[0]), FastDivide(sizes[1]), FastDivide(sizes[2])} {}
  // The position to `at`; returns the sample.
  __device__ int split(std::uint32_t pixel, int (&at)[3]) const {
    for (int d = 2; d >= 0; --d) at[d] = static_cast<int>(by[d].remainder(pixel));
    return static_cast<int>(pixel);
  }
};

// Numbers that lie in rows of one length: weights [terms, outputs] or dy [pixels, outputs].
struct RowsOfColumns {
  static constexpr bool kTermsAreNeighbours = false;
  const float* from;
  int lines;  // a row's length
  bool eights;
  using Line = int;
  using Term = int;
  __device__ Line line(int index) const { return index; }
  __device__ Term term(int index) const { return index; }
  __device__ const float* address(Line line, Term term) const {
    return from + std::int64_t{term} * lines + line;
  }
};

// The input under every tap of every output pixel.
struct Patches {
  const float* x;
  int channels, in[3], stride[3], dilation[3], pad[3];
  SplitPixel outputs, taps;
  FastDivide by_channels;

  Patches(const WindowGeometry& g, const float* input)
      : x(input),
        channels(static_cast<int>(g.channels)),
        outputs(g.out),
        taps(g.kernel),
        by_channels(g.channels) {
    for (int d = 0; d < 3; ++d) {
      in[d] = static_cast<int>(g.in[d]);
      stride[d] = static_cast<int>(g.stride[d]);
      dilation[d] = static_cast<int>(g.dilation[d]);
      pad[d] = static_cast<int>(g.pad[d]);
    }
  }

  struct Pixel {
    int at[3], sample;  // where the output pixel's first tap lies
  };
  struct Tap {
    int offset[3], channel;
  };
  __device__ Pixel pixel(int index) const {
    Pixel p;
    p.sample = outputs.split(static_cast<std::uint32_t>(index), p.at);
    for (int d = 0; d < 3; ++d) p.at[d] = p.at[d] * stride[d] - pad[d];
    return p;
  }
  __device__ Tap tap(int index) const {
    Tap t;
    auto rest = static_cast<std::uint32_t>(index);
    t.channel = static_cast<int>(by_channels.remainder(rest));
    taps.split(rest, t.offset);
    for (int d = 0; d < 3; ++d) t.offset[d] *= dilation[d];
    return t;
  }
  __device__ const float* find(const Pixel& p, const Tap& t) const {
    std::int64_t from = p.sample;
    for (int d = 0; d < 3; ++d) {
      const int at = p.at[d] + t.offset[d];
      if (at < 0 || at >= in[d]) return nullptr;
      from = from * in[d] + at;
    }
    return x + from * channels + t.channel;
  }
};

// Rows: output pixels; terms: taps x channels.
struct PatchRows : Patches {
  static constexpr bool kTermsAreNeighbours = true;
  int lines;
  bool eights;
  using Line = Pixel;
  using Term = Tap;
  __device__ Line line(int index) const { return pixel(index); }
  __device__ Term term(int index) const { return tap(index); }
  __device__ const float* address(const Line& line, const Term& term) const {
    return find(line, term);
  }
};

// The transposed of that.
struct PatchColumns : Patches {
  static constexpr bool kTermsAreNeighbours = false;
  int lines;
  bool eights;
  using Line = Tap;
  using Term = Pixel;
  __device__ Line line(int index) const { return tap(index); }
  __device__ Term term(int index) const { return pixel(index); }
  __device__ const float* address(const Line& line, const Term& term) const {
    return find(term, line);
  }
};

// The outputs' gradients that an input pixel has a part in. Rows: input pixels; terms: taps x
// outputs.
struct GradientPatches {
  static constexpr bool kTermsAreNeighbours = true;
  const float* dy;
  int lines;
  bool eights;
  int outputs, out[3], dilation[3], pad[3];
  SplitPixel inputs, taps;
  FastDivide by_outputs, by_stride[3];

  GradientPatches(const WindowGeometry& g, const float* gradient)
      : dy(gradient),
        outputs(static_cast<int>(g.outputs)),
        inputs(g.in),
        taps(g.kernel),
        by_outputs(g.outputs) {
    for (int d = 0; d < 3; ++d) {
      out[d] = static_cast<int>(g.out[d]);
      dilation[d] = static_cast<int>(g.dilation[d]);
      pad[d] = static_cast<int>(g.pad[d]);
      by_stride[d] = FastDivide(g.stride[d]);
    }
  }

  struct Line {
    int at[3], sample;
  };
  struct Term {
    int offset[3], output;
  };
  __device__ Line line(int index) const {
    Line l;
    l.sample = inputs.split(static_cast<std::uint32_t>(index), l.at);
    for (int d = 0; d < 3; ++d) l.at[d] += pad[d];
    return l;
  }
  __device__ Term term(int index) const {
    Term t;
    auto rest = static_cast<std::uint32_t>(index);
    t.output = static_cast<int>(by_outputs.remainder(rest));
    taps.split(rest, t.offset);
    for (int d = 0; d < 3; ++d) t.offset[d] *= dilation[d];
    return t;
  }
  __device__ const float* address(const Line& line, const Term& term) const {
    std::int64_t from = line.sample;
    for (int d = 0; d < 3; ++d) {
      const int start = line.at[d] - term.offset[d];
      if (start < 0) return nullptr;
      auto position = static_cast<std::uint32_t>(start);
      if (by_stride[d].remainder(position) != 0 || static_cast<int>(position) >= out[d])
        return nullptr;
      from = from * out[d] + static_cast<int>(position);
    }
    return dy + from * outputs + term.output;
  }
};

// Weights as the gradient's patches need them. Columns: channels; terms: taps x outputs.
struct TransposedWeights {
  static constexpr bool kTermsAreNeighbours = true;
  const float* weight;
  int lines;  // channels
  bool eights;
  int outputs;
  FastDivide by_outputs;
  using Line = int;
  struct Term {
    int tap, output;
  };
  __device__ Line line(int index) const { return index; }
  __device__ Term term(int index) const {
    auto rest = static_cast<std::uint32_t>(index);
    const auto output = static_cast<int>(by_outputs.remainder(rest));
    return {static_cast<int>(rest), output};
  }
  __device__ const float* address(Line line, const Term& term) const {
    return weight + (std::int64_t{term.tap} * lines + line) * outputs + term.output;
  }
};

}  // namespace ratnet::inline v1
