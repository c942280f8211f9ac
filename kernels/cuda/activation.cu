#include "../activation.h"

#include "curve.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Forward {
  const T* x;
  T* y;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const { y[i] = curve(x[i], activation, slope); }
};

template <class T>
__device__ T derivative(T y, Activation activation, T slope) {
  switch (activation) {
    case Activation::leaky_relu: return y > T{0} ? T{1} : slope;
    case Activation::elu: return y > T{0} ? T{1} : y + slope;
    case Activation::sigmoid: return y * (T{1} - y);
    case Activation::tanh: return T{1} - y * y;
    case Activation::softplus: return -static_cast<T>(expm1(-y));
    default: return T{1};
  }
}

template <class T>
struct Backward {
  const T* y;
  const T* dy;
  T* dx;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const {
    // Not by multiplication: nothing comes through a closed ReLU, not even a NaN.
    const bool closed = activation == Activation::relu && y[i] <= T{0};
    dx[i] = closed ? T{0} : dy[i] * derivative(y[i], activation, slope);
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
