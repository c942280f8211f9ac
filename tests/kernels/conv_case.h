// Random convolutions, and their sums written out in double.
#pragma once

#include "../../kernels/conv.h"
#include "oracle.h"
#include "random_tensor.h"

namespace ratnet::testing {

struct Case {
  Shape x;
  Shape weight;
  Shape y;  // before pooling
  Window window;
  std::int64_t in, out;
  std::int64_t groups = 1;
};

// The sums are of up to a few thousand terms of size one.
inline double tolerance_of_sums(DType dtype) { return dtype == DType::f64 ? 1e-11 : 2e-4; }

// Of a slope of 0.1.
inline double activated(double value, Activation activation) {
  if (value >= 0 || activation == Activation::none) return value;
  return activation == Activation::relu ? 0 : value * 0.1;
}

// One group. Throws Error (usage) where the kernel does not fit.
inline Case case_of(const Shape& x, std::int64_t out, const Window& window) {
  Case c{.x = x, .y = window.output(x, out, "test"), .window = window, .in = x.back(), .out = out};
  for (int d = 0; d < window.rank; ++d)
    c.weight.push_back(window.kernel[static_cast<std::size_t>(d)]);
  c.weight.push_back(c.in);
  c.weight.push_back(c.out);
  return c;
}

// Any number of dimensions, kernel, stride, dilation, padding and, in a sixth of them, groups; a
// quarter are kernels of 3x3 that move by one pixel, over enough channels for Winograd's method.
// Small enough for the oracle.
inline Case random_case(Random& random) {
  for (;;) {
    Case c;
    c.window.rank = 1 + static_cast<int>(random.integer(3));
    c.in = 1 + random.integer(random.chance(0.2) ? 70 : 9);
    c.out = 1 + random.integer(random.chance(0.2) ? 70 : 20);
    if (random.chance(1.0 / 6)) {
      c.groups = 2 + random.integer(3);
      c.in = c.groups * (1 + random.integer(3));
      c.out = c.groups * (1 + random.integer(4));
    }
    const bool three_by_three = c.groups == 1 && random.chance(0.3);
    if (three_by_three) {
      c.window.rank = 2 + static_cast<int>(random.integer(2));
      c.in = 8 + random.integer(20);
      c.out = 8 + random.integer(random.chance(0.2) ? 63 : 20);
    }
    const std::int64_t most = c.window.rank == 1 ? 40 : c.window.rank == 2 ? 15 : 7;
    c.x = {1 + random.integer(3)};
    const bool unit_stride = random.chance(0.6);
    for (int i = 0; i < c.window.rank; ++i) {
      const auto d = static_cast<std::size_t>(i);
      c.x.push_back(1 + random.integer(most));
      c.window.kernel[d] = 1 + random.integer(4);
      if (three_by_three && i >= c.window.rank - 2) c.window.kernel[d] = 3;
      c.window.stride[d] = unit_stride ? 1 : 1 + random.integer(3);
      c.window.dilation[d] = random.chance(0.7) ? 1 : 1 + random.integer(2);
      c.window.pad_before[d] = random.integer(3);
      c.window.pad_after[d] = random.integer(3);
      c.weight.push_back(c.window.kernel[d]);
    }
    if (three_by_three) {
      for (int i = c.window.rank - 2; i < c.window.rank; ++i)
        c.window.dilation[static_cast<std::size_t>(i)] =
            c.window.stride[static_cast<std::size_t>(i)] = 1;
    }
    c.x.push_back(c.in);
    c.weight.push_back(c.in / c.groups);
    c.weight.push_back(c.out);
    try {
      c.y = c.window.output(c.x, c.out, "test");
      return c;
    } catch (const Error&) {
      continue;  // the kernel does not fit: draw again
    }
  }
}

// visit(output pixel, input pixel or -1 in the padding, tap): channels left out.
template <class Visit>
void for_pixels(const Case& c, const Visit& visit) {
  Shape pixels = c.x;
  pixels[pixels.rank() - 1] = 1;
  for_each_tap(pixels, c.window, visit);
}

struct Oracle {
  Doubles y, dx, dweight, dbias;
};

inline Oracle oracle(const Case& c, const Doubles& x, const Doubles& weight, const Doubles& bias,
                     const Doubles& dy) {
  Oracle o;
  const auto in = static_cast<std::size_t>(c.in / c.groups);  // of a group
  const auto out = static_cast<std::size_t>(c.out);
  const std::size_t group_out = out / static_cast<std::size_t>(c.groups);
  o.y.resize(static_cast<std::size_t>(c.y.count()));
  o.dx.resize(x.size());
  o.dweight.resize(weight.size());
  o.dbias.resize(out);
  for (std::size_t i = 0; i < o.y.size(); ++i) {
    o.y[i] = bias[i % out];
    o.dbias[i % out] += dy[i];
  }
  for_pixels(c, [&](std::size_t to, std::int64_t from, std::int64_t tap) {
    if (from < 0) return;
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t k = 0; k < out; ++k) {
        const std::size_t w = (static_cast<std::size_t>(tap) * in + i) * out + k;
        const std::size_t xi = static_cast<std::size_t>(from * c.in) + k / group_out * in + i;
        o.y[to * out + k] += x[xi] * weight[w];
        o.dx[xi] += dy[to * out + k] * weight[w];
        o.dweight[w] += dy[to * out + k] * x[xi];
      }
  });
  return o;
}

struct Tensors {
  Tensor x, weight, bias, dy;
};

inline Tensors random_tensors(const Case& c, DType dtype, Random& random) {
  return {random_tensor(c.x, dtype, random), random_tensor(c.weight, dtype, random),
          random_tensor({c.out}, dtype, random), random_tensor(c.y, dtype, random)};
}

inline Conv conv_of(const Case& c, const Tensors& t, Tensor& y) {
  return {
      .x = t.x, .weight = t.weight, .bias = t.bias, .y = y, .window = c.window, .groups = c.groups};
}

}  // namespace ratnet::testing
