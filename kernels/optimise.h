// Optimiser steps over one contiguous block of parameters, gradient clipping, running means.
#pragma once

#include <array>
#include <cstdint>

#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// Stochastic gradient descent as torch.optim.SGD has it (dampening 0):
//   g = gradient + weight_decay * weight;  velocity = momentum * velocity + g;
//   weight -= rate * (nesterov ? g + momentum * velocity : velocity)
// The velocity is 0 before the first step; with momentum 0 it may be absent. All [n], f32 or f64
// alike. What changes from step to step is read from the queue's memory, so that a step can be
// captured.
struct Sgd {
  static constexpr const char* kName = "sgd";
  View weight;
  ConstView gradient;
  View velocity = {};
  ConstView rate;  // [1] f64
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
  void check() const;
};
void run(CpuQueue&, const Sgd&);
void run(CudaQueue&, const Sgd&);

// Adam (Kingma and Ba, 2015) as torch.optim.Adam has it, and AdamW (Loshchilov and Hutter, 2019),
// whose decay is in `rates` in place of weight_decay:
//   g = gradient + weight_decay * weight
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   weight = rates[2] * weight - rates[0] * m / (sqrt(v * rates[1]) + epsilon)
struct Adam {
  static constexpr const char* kName = "adam";
  View weight;
  ConstView gradient;
  View first_moment;
  View second_moment;
  ConstView rates;  // [3] f64: adam_rates()
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  void check() const;
};
// What of a step is the same for every weight: rate / (1 - beta1^step), 1 / (1 - beta2^step) and
// 1 - rate * decoupled_decay, which is AdamW's. step: 1 at the first.
std::array<double, 3> adam_rates(double rate, double beta1, double beta2, double decoupled_decay,
                                 std::int64_t step);
void run(CpuQueue&, const Adam&);
void run(CudaQueue&, const Adam&);

// norm[0] = Euclidean norm of the gradient (summed in double, in a fixed order that is the
// backend's); where it exceeds limit > 0 the gradient is multiplied by limit / (norm + 1e-6), as
// torch.nn.utils.clip_grad_norm_ does. limit 0 only measures.
struct ClipNorm {
  static constexpr const char* kName = "clip_norm";
  View gradient;  // [n] f32 or f64
  View norm;      // [1] of the same type
  double limit = 0;
  void check() const;
};
void run(CpuQueue&, const ClipNorm&);
void run(CudaQueue&, const ClipNorm&);
OpNote plan(CudaQueue&, const ClipNorm&);

// y += factor * (x - y): one more term of a running mean, with factor 1 / count, or of an
// exponential moving average, with factor 1 - decay. Equal shapes, f32 or f64 alike.
struct Blend {
  static constexpr const char* kName = "blend";
  ConstView x;
  View y;
  ConstView factor;  // [1] f64
  void check() const;
};
void run(CpuQueue&, const Blend&);
void run(CudaQueue&, const Blend&);

}  // namespace ratnet::inline v1
