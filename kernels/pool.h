// Maximum and average pooling over 1 to 3 dimensions.
#pragma once

#include "../core/view.h"
#include "window.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// The shape of what pooling makes of `input`. Throws Error (usage), beginning with `who`, where the
// window does not fit it or lies wholly in the padding somewhere.
Shape pooled_shape(const char* who, const Shape& input, const Window& window);

// y = the largest value under the window; padding never wins.
//   x [N, spatial..., C] f32 or f64;  y [N, positions..., C]
//   argmax u8, shape of y, or absent: index of the first maximum among the window's taps
//   (at most 255 taps)
struct MaxPool {
  static constexpr const char* kName = "max_pool";
  ConstView x;
  View y;
  View argmax = {};
  Window window;
  void check() const;
};
void run(CpuQueue&, const MaxPool&);
void run(CudaQueue&, const MaxPool&);

// dx = dy added at each window's maximum. dx is overwritten.
struct MaxPoolBackward {
  static constexpr const char* kName = "max_pool_backward";
  ConstView dy;           // [N, positions..., C]
  ConstView argmax = {};  // u8, shape of dy
  View dx;                // [N, spatial..., C]
  Window window;
  void check() const;
};
void run(CpuQueue&, const MaxPoolBackward&);
void run(CudaQueue&, const MaxPoolBackward&);

// y = mean under the window; padding counts in the divisor only if count_padding (PyTorch's
// default is true, Keras' is false).
struct AvgPool {
  static constexpr const char* kName = "avg_pool";
  ConstView x;
  View y;
  Window window;
  bool count_padding = false;
  void check() const;
};
void run(CpuQueue&, const AvgPool&);
void run(CudaQueue&, const AvgPool&);

struct AvgPoolBackward {
  static constexpr const char* kName = "avg_pool_backward";
  ConstView dy;
  View dx;  // overwritten
  Window window;
  bool count_padding = false;
  void check() const;
};
void run(CpuQueue&, const AvgPoolBackward&);
void run(CudaQueue&, const AvgPoolBackward&);

}  // namespace ratnet::inline v1
