#include "pool_activated.h"

#include "../pool.h"
#include "activated.h"
#include "launch.h"
#include "window_geometry.h"

namespace ratnet::inline v1 {
namespace {

// Splits an index into [sample, position, channel].
struct Place {
  std::int64_t sample, at[3], channel;
  __device__ Place(std::int64_t i, std::int64_t channels, const std::int64_t* sizes) {
    channel = i % channels;
    i /= channels;
    for (int d = 2; d >= 0; --d) {
      at[d] = i % sizes[d];
      i /= sizes[d];
    }
    sample = i;
  }
};

// visit(input element, tap) for the taps of a window that lie inside the input, in order.
template <class Visit>
__device__ void for_taps(const WindowGeometry& g, const Place& p, const Visit& visit) {
  int tap = 0;
  for (std::int64_t a = 0; a < g.kernel[0]; ++a)
    for (std::int64_t b = 0; b < g.kernel[1]; ++b)
      for (std::int64_t c = 0; c < g.kernel[2]; ++c, ++tap) {
        const std::int64_t z = p.at[0] * g.stride[0] - g.pad[0] + a * g.dilation[0];
        const std::int64_t y = p.at[1] * g.stride[1] - g.pad[1] + b * g.dilation[1];
        const std::int64_t x = p.at[2] * g.stride[2] - g.pad[2] + c * g.dilation[2];
        if (z < 0 || z >= g.in[0] || y < 0 || y >= g.in[1] || x < 0 || x >= g.in[2]) continue;
        visit((((p.sample * g.in[0] + z) * g.in[1] + y) * g.in[2] + x) * g.channels + p.channel,
              tap);
      }
}

// The position along one dimension whose tap lies on an input, or -1.
__device__ std::int64_t covering(const WindowGeometry& g, int d, std::int64_t in,
                                 std::int64_t tap) {
  const std::int64_t start = in + g.pad[d] - tap * g.dilation[d];
  if (start < 0 || start % g.stride[d]) return -1;
  const std::int64_t position = start / g.stride[d];
  return position < g.out[d] ? position : -1;
}

// visit(output element, its place, tap) for the windows that cover an input element, taps in order.
template <class Visit>
__device__ void for_coverings(const WindowGeometry& g, const Place& p, const Visit& visit) {
  int tap = 0;
  for (std::int64_t a = 0; a < g.kernel[0]; ++a)
    for (std::int64_t b = 0; b < g.kernel[1]; ++b)
      for (std::int64_t c = 0; c < g.kernel[2]; ++c, ++tap) {
        const std::int64_t z = covering(g, 0, p.at[0], a);
        const std::int64_t y = covering(g, 1, p.at[1], b);
        const std::int64_t x = covering(g, 2, p.at[2], c);
        if (z < 0 || y < 0 || x < 0) continue;
        visit((((p.sample * g.out[0] + z) * g.out[1] + y) * g.out[2] + x) * g.channels + p.channel,
              tap);
      }
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
    for_taps(g, Place(i, g.channels, g.out), [&](std::int64_t from, int tap) {
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
    for_coverings(g, Place(i, g.channels, g.in), [&](std::int64_t from, int tap) {
      if (argmax[from] == tap) sum += dy[from];
    });
    dx[i] = sum;
  }
};

// How many taps the mean of an output element is of.
__device__ std::int64_t divisor(const WindowGeometry& g, const Place& p, bool count_padding) {
  if (count_padding) return g.kernel[0] * g.kernel[1] * g.kernel[2];
  std::int64_t count = 0;
  for_taps(g, p, [&](std::int64_t, int) { ++count; });
  return count;
}

template <class T>
struct Mean {
  WindowGeometry g;
  const T* x;
  T* y;
  bool count_padding;
  __device__ void operator()(std::int64_t i) const {
    const Place p(i, g.channels, g.out);
    T sum = 0;
    for_taps(g, p, [&](std::int64_t from, int) { sum += x[from]; });
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
    for_coverings(g, Place(i, g.channels, g.in), [&](std::int64_t from, int) {
      const Place p(from, g.channels, g.out);
      sum += dy[from] / static_cast<T>(divisor(g, p, count_padding));
    });
    dx[i] = sum;
  }
};

}  // namespace

void max_pool_activated(CudaQueue& queue, const MaxPool& op, Activation activation, double slope) {
  const WindowGeometry g = geometry_of(op.x.shape, op.y.shape, op.window);
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.y.count(),
                     Largest<T>{g, op.x.as<T>(), op.y.as<T>(),
                                op.argmax ? op.argmax.as<std::uint8_t>() : nullptr, activation,
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
