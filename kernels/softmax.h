// Softmax and its logarithm.
#pragma once

#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = softmax(x / temperature) along the last dimension, or its logarithm, which is taken without
// the softmax, so that a small probability keeps its digits; f32 or f64; y may be x.
struct Softmax {
  static constexpr const char* kName = "softmax";
  ConstView x;  // [..., K]
  View y;
  double temperature = 1;
  bool log = false;
  void check() const;
};
void run(CpuQueue&, const Softmax&);
void run(CudaQueue&, const Softmax&);

// dx = y * (dy - sum(dy * y)) / temperature along the last dimension; of the logarithm
// dx = (dy - exp(y) * sum(dy)) / temperature. dx may be dy.
struct SoftmaxBackward {
  static constexpr const char* kName = "softmax_backward";
  ConstView y;
  ConstView dy;
  View dx;
  double temperature = 1;
  bool log = false;  // y is the logarithm
  void check() const;
};
void run(CpuQueue&, const SoftmaxBackward&);
void run(CudaQueue&, const SoftmaxBackward&);

}  // namespace ratnet::inline v1
