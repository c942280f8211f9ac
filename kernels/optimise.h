// Optimiser steps over one contiguous block of parameters, and gradient clipping.
#pragma once

#include <cstdint>

#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// Stochastic gradient descent as torch.optim.SGD has it (dampening 0):
//   g = gradient + weight_decay * weight;  velocity = momentum * velocity + g (velocity = g at
//   step 1);  weight -= rate * (nesterov ? g + momentum * velocity : velocity)
// With momentum 0 the velocity may be absent. All [n], f32 or f64 alike.
struct Sgd {
  static constexpr const char* kName = "sgd";
  View weight;
  ConstView gradient;
  View velocity = {};
  double rate = 0;
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
  std::int64_t step = 1;  // 1 at the first call
  void check() const;
};
void run(CpuQueue&, const Sgd&);
void run(CudaQueue&, const Sgd&);

// Adam (Kingma and Ba, 2015) as torch.optim.Adam has it; `decoupled` makes it AdamW (Loshchilov
// and Hutter, 2019): weight *= 1 - rate * weight_decay first, in place of adding
// weight_decay * weight to the gradient.
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   weight -= rate / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + epsilon)
struct Adam {
  static constexpr const char* kName = "adam";
  View weight;
  ConstView gradient;
  View first_moment;
  View second_moment;
  double rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;
  std::int64_t step = 1;
  void check() const;
};
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

}  // namespace ratnet::inline v1
