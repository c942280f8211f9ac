// Pointwise activations.
#pragma once

#include "../core/activation.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// Throws Error (usage) for an unknown activation, or where the activation has a slope (leaky_relu)
// or an alpha (elu) and it is negative or not finite.
void check_activation(const char* operation, Activation activation, double slope);

// The same, and for an activation that other operations cannot end with: they know none, relu and
// leaky_relu.
void check_fused_activation(const char* operation, Activation activation, double slope);

// y = activation(x), any shape, f32 or f64; y may be x. Nothing overflows on the way: sigmoid and
// tanh end at their limits, softplus at 0 and x. NaN stays NaN.
struct Activate {
  static constexpr const char* kName = "activate";
  ConstView x;
  View y;
  Activation activation = Activation::relu;
  double slope = 0.01;  // of leaky_relu; the alpha of elu; else without a meaning
  void check() const;
};
void run(CpuQueue&, const Activate&);
void run(CudaQueue&, const Activate&);

// dx = dy * activation'(x). Only the output y is needed: relu, leaky_relu and elu keep the sign
// (slope >= 0), and the derivatives are
//   elu: y > 0 ? 1 : y + alpha; sigmoid: y * (1 - y); tanh: 1 - y^2; softplus: 1 - exp(-y).
// At 0 the derivative of those with a corner is that of the left side, as in PyTorch. dx may be dy.
struct ActivateBackward {
  static constexpr const char* kName = "activate_backward";
  ConstView y;
  ConstView dy;
  View dx;
  Activation activation = Activation::relu;
  double slope = 0.01;  // as in Activate
  void check() const;
};
void run(CpuQueue&, const ActivateBackward&);
void run(CudaQueue&, const ActivateBackward&);

}  // namespace ratnet::inline v1
