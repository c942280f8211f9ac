// Pointwise activations.
#pragma once

#include "../core/activation.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// Throws Error (usage) for an unknown activation or a slope that is negative or not finite.
void check_activation(const char* operation, Activation activation, double slope);

// y = activation(x), any shape, f32 or f64; y may be x. leaky_relu: x < 0 ? slope * x : x.
struct Activate {
  static constexpr const char* kName = "activate";
  ConstView x;
  View y;
  Activation activation = Activation::relu;
  double slope = 0.01;
  void check() const;
};
void run(CpuQueue&, const Activate&);
void run(CudaQueue&, const Activate&);

// dx = dy * activation'(x). Only the output y is needed: the activations keep the sign
// (slope >= 0). At 0 the derivative is that of the left side, as in PyTorch. dx may be dy.
struct ActivateBackward {
  static constexpr const char* kName = "activate_backward";
  ConstView y;
  ConstView dy;
  View dx;
  Activation activation = Activation::relu;
  double slope = 0.01;
  void check() const;
};
void run(CpuQueue&, const ActivateBackward&);
void run(CudaQueue&, const ActivateBackward&);

}  // namespace ratnet::inline v1
