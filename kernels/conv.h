// Convolution (cross-correlation, as in every deep-learning library) over 1 to 3 dimensions.
#pragma once

#include "../core/precision.h"
#include "../core/queue.h"
#include "../core/view.h"
#include "activation.h"
#include "window.h"

namespace ratnet::inline v1 {

// y = pool(activation(conv(x, weight) + bias + added)). Input and output channels may be cut into
// `groups` of neighbours, each a convolution of its own; G below is their number.
//   x      [N, spatial..., Cin]       f32 or f64, all tensors alike
//   weight [kernel..., Cin / G, Cout]
//   bias   [Cout], or absent
//   added  shape of y, in other memory, or absent, as it must be where there is a pooling
//   y      [N, positions..., Cout]; pooled by non-overlapping maxima where `pool` has a rank:
//          [N, positions / pool.kernel..., Cout] (what does not fill a window is dropped)
//   argmax u8, shape of y, or absent: index of the first maximum among its pooling window's taps
struct Conv {
  static constexpr const char* kName = "conv";
  ConstView x;
  ConstView weight;
  ConstView bias = {};
  ConstView added = {};
  View y;
  View argmax = {};
  Window window;
  Activation activation = Activation::none;
  double slope = 0.01;
  Window pool = {};  // rank 0: none; else kernel == stride, no padding or dilation
  std::int64_t groups = 1;
  Precision precision = Precision::f32;
  void check() const;
};
void run(CpuQueue&, const Conv&);
void run(CudaQueue&, const Conv&);
OpNote plan(CpuQueue&, const Conv&);
OpNote plan(CudaQueue&, const Conv&);

// dx from dy: the adjoint of the convolution in x.
struct ConvBackwardData {
  static constexpr const char* kName = "conv_backward_data";
  ConstView dy;      // [N, positions..., Cout]
  ConstView weight;  // [kernel..., Cin / G, Cout]
  View dx;           // [N, spatial..., Cin]
  Window window;
  std::int64_t groups = 1;
  Precision precision = Precision::f32;
  void check() const;
};
void run(CpuQueue&, const ConvBackwardData&);
void run(CudaQueue&, const ConvBackwardData&);
OpNote plan(CpuQueue&, const ConvBackwardData&);
OpNote plan(CudaQueue&, const ConvBackwardData&);

// dweight and dbias from x and dy, summed over the batch in a fixed order; they are overwritten.
struct ConvBackwardWeights {
  static constexpr const char* kName = "conv_backward_weights";
  ConstView x;      // [N, spatial..., Cin]
  ConstView dy;     // [N, positions..., Cout]
  View dweight;     // [kernel..., Cin / G, Cout]
  View dbias = {};  // [Cout], or absent
  Window window;
  std::int64_t groups = 1;
  Precision precision = Precision::f32;  // of dweight; dbias is a sum in f32
  void check() const;
};
void run(CpuQueue&, const ConvBackwardWeights&);
void run(CudaQueue&, const ConvBackwardWeights&);
OpNote plan(CpuQueue&, const ConvBackwardWeights&);
OpNote plan(CudaQueue&, const ConvBackwardWeights&);

}  // namespace ratnet::inline v1
