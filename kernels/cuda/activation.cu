#include "../activation.h"

#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Forward {
  const T* x;
  T* y;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const { y[i] = activated(x[i], activation, slope); }
};

template <class T>
struct Backward {
  const T* y;
  const T* dy;
  T* dx;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const {
    T factor = 1;
    if (!(y[i] > T{0})) {
      if (activation == Activation::relu && y[i] <= T{0}) factor = 0;
      if (activation == Activation::leaky_relu) factor = slope;
    }
    // Not by multiplication alone: nothing comes through a closed ReLU, not even a NaN.
    dx[i] = factor == T{0} ? T{0} : dy[i] * factor;
  }
};

}  // namespace

void run(CudaQueue& queue, const Activate& op) {
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.x.count(),
        Forward<T>{op.x.as<T>(), op.y.as<T>(), op.activation, static_cast<T>(op.slope)});
  });
}

void run(CudaQueue& queue, const ActivateBackward& op) {
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.y.count(),
                     Backward<T>{op.y.as<T>(), op.dy.as<T>(), op.dx.as<T>(), op.activation,
                                 static_cast<T>(op.slope)});
  });
}

}  // namespace ratnet::inline v1
