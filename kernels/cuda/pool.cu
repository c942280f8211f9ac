#include "pool_activated.h"

#include "../pool.h"
#include "activated.h"
#include "launch.h"
#include "window_walk.h"

namespace ratnet::inline v1 {
namespace {

// visit(input element, tap) for the taps of a window that lie inside the input, in order.
template <class Visit>
__device__ void for_inputs(const WindowGeometry& g, const GridPlace& p, const Visit& visit) {
  for_taps(g, [&](int tap, const std::int64_t* offsets) {
    const std::int64_t pixel = input_under(g, p, offsets);
    if (pixel >= 0) visit(pixel * g.channels + p.channel, tap);
  });
}

// visit(output element, tap) for the windows that cover an input element, taps in order.
template <class Visit>
__device__ void for_coverings(const WindowGeometry& g, const GridPlace& p, const Visit& visit) {
  for_taps(g, [&](int tap, const std::int64_t* offsets) {
    const std::int64_t pixel = output_over(g, p, offsets);
    if (pixel >= 0) visit(pixel * g.channels + p.channel, tap);
  });
}

template <class T>
struct Largest {
  WindowGeometry g;
  const T* x;
  T* y;
  std::uint8_t* argmax;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const {
    T best = 0;
    int where = -1;
    for_inputs(g, GridPlace(i, g.channels, g.out), [&](std::int64_t from, int tap) {
      const T value = x[from];
      // A NaN wins, so that it is seen at the end.
      if (where >= 0 && !(value > best) && value == value) return;
      best = value;
      where = tap;
    });
    y[i] = activated(best, activation, slope);
    if (argmax) argmax[i] = static_cast<std::uint8_t>(where);
  }
};

template <class T>
struct LargestBackward {
  WindowGeometry g;
  const T* dy;
  const std::uint8_t* argmax;
  T* dx;
  __device__ void operator()(std::int64_t i) const {
    T sum = 0;
    for_coverings(g, GridPlace(i, g.channels, g.in), [&](std::int64_t from, int tap) {
      if (argmax[from] == tap) sum += dy[from];
    });
    dx[i] = sum;
  }
};

// How many taps the mean of an output element is of.
__device__ std::int64_t divisor(const WindowGeometry& g, const GridPlace& p, bool count_padding) {
  if (count_padding) return g.kernel[0] * g.kernel[1] * g.kernel[2];
  std::int64_t count = 0;
  for_inputs(g, p, [&](std::int64_t, int) { ++count; });
  return count;
}

template <class T>
struct Mean {
  WindowGeometry g;
  const T* x;
  T* y;
  bool count_padding;
  __device__ void operator()(std::int64_t i) const {
    const GridPlace p(i, g.channels, g.out);
    T sum = 0;
    for_inputs(g, p, [&](std::int64_t from, int) { sum += x[from]; });
    y[i] = sum / static_cast<T>(divisor(g, p, count_padding));
  }
};

template <class T>
struct MeanBackward {
  WindowGeometry g;
  const T* dy;
  T* dx;
  bool count_padding;
  __device__ void operator()(std::int64_t i) const {
    T sum = 0;
    for_coverings(g, GridPlace(i, g.channels, g.in), [&](std::int64_t from, int) {
      const GridPlace p(from, g.channels, g.out);
      sum += dy[from] / static_cast<T>(divisor(g, p, count_padding));
    });
    dx[i] = sum;
  }
};

}  // namespace

void max_pool_activated(CudaQueue& queue, const MaxPool& op, Activation activation, double slope) {
  const WindowGeometry g = geometry_of(op.x.shape, op.y.shape, op.window);
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.y.count(),
        Largest<T>{g, op.x.as<T>(), op.y.as<T>(), data_or_null<std::uint8_t>(op.argmax), activation,
                   static_cast<T>(slope)});
  });
}

void run(CudaQueue& queue, const MaxPool& op) {
  max_pool_activated(queue, op, Activation::none, 0);
}

void run(CudaQueue& queue, const MaxPoolBackward& op) {
  const WindowGeometry g = geometry_of(op.dx.shape, op.dy.shape, op.window);
  for_float_type(op.dx.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.dx.count(),
        LargestBackward<T>{g, op.dy.as<T>(), op.argmax.as<std::uint8_t>(), op.dx.as<T>()});
  });
}

void run(CudaQueue& queue, const AvgPool& op) {
  const WindowGeometry g = geometry_of(op.x.shape, op.y.shape, op.window);
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.y.count(),
                     Mean<T>{g, op.x.as<T>(), op.y.as<T>(), op.count_padding});
  });
}

void run(CudaQueue& queue, const AvgPoolBackward& op) {
  const WindowGeometry g = geometry_of(op.dx.shape, op.dy.shape, op.window);
  for_float_type(op.dx.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.dx.count(),
                     MeanBackward<T>{g, op.dy.as<T>(), op.dx.as<T>(), op.count_padding});
  });
}

}  // namespace ratnet::inline v1
