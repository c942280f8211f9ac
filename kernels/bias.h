// A number for every channel, added with the activation that follows.
#pragma once

#include "../core/activation.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = activation(x + bias); y may be x.
struct AddBias {
  static constexpr const char* kName = "add_bias";
  ConstView x;          // [..., C] f32 or f64
  ConstView bias = {};  // [C] of the same type, or absent: 0
  View y;
  Activation activation = Activation::none;
  double slope = 0.01;
  void check() const;
};
void run(CpuQueue&, const AddBias&);
void run(CudaQueue&, const AddBias&);

}  // namespace ratnet::inline v1
