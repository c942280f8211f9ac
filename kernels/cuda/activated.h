// Activations inside kernels.
#pragma once

#include <cuda_runtime.h>

#include "../../core/activation.h"

namespace ratnet::inline v1 {

// Keeps NaN.
template <class T>
__device__ T activated(T value, Activation activation, T slope) {
  if (value < T{0}) {
    if (activation == Activation::relu) return T{0};
    if (activation == Activation::leaky_relu) return value * slope;
  }
  return value;
}

// function(T{}) with T float or double.
template <class Function>
void for_float_type(bool is_double, Function&& function) {
  is_double ? function(double{}) : function(float{});
}

}  // namespace ratnet::inline v1
