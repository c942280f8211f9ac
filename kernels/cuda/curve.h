// All activations inside kernels.
#pragma once

#include <cmath>

#include "activated.h"

namespace ratnet::inline v1 {

// Every exponent is at most 0, so that nothing overflows; NaN stays NaN. slope: the alpha of elu.
template <class T>
__device__ T curve(T x, Activation activation, T slope) {
  switch (activation) {
    case Activation::elu: return x > T{0} ? x : slope * static_cast<T>(expm1(x));
    case Activation::sigmoid: {
      const T e = static_cast<T>(exp(x < T{0} ? x : -x));
      return (x < T{0} ? e : T{1}) / (T{1} + e);
    }
    case Activation::tanh: return static_cast<T>(tanh(x));
    case Activation::softplus:
      return (x < T{0} ? T{0} : x) + static_cast<T>(log1p(exp(x < T{0} ? x : -x)));
    default: return activated(x, activation, slope);
  }
}

}  // namespace ratnet::inline v1
