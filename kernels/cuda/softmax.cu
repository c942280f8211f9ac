#include "../softmax.h"

#include <cmath>

#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kWarp = 32;
constexpr unsigned kAll = 0xFFFFFFFFu;

// The sum over a warp, the same bits in every lane.
__device__ double warp_sum(double value) {
  for (int bits = kWarp / 2; bits > 0; bits /= 2) value += __shfl_xor_sync(kAll, value, bits);
  return value;
}

template <class T>
__device__ T warp_largest(T value) {
  for (int bits = kWarp / 2; bits > 0; bits /= 2) {
    const T other = __shfl_xor_sync(kAll, value, bits);
    // A NaN stays.
    value = value != value || value > other ? value : other;
  }
  return value;
}

// The largest of a row, by a whole warp. Every lane reads only elements that it may write later.
template <class T>
__device__ T largest_of_row(const T* x, std::int64_t k, int lane) {
  T top = -static_cast<T>(INFINITY);
  for (std::int64_t i = lane; i < k; i += kWarp)
    if (x[i] > top || x[i] != x[i]) top = x[i];
  return warp_largest(top);
}

// A warp per row.
template <class Body>
__global__ void __launch_bounds__(128) each_row(std::int64_t rows, Body body) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const std::int64_t warps = std::int64_t{gridDim.x} * (blockDim.x / kWarp);
  for (std::int64_t row = (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / kWarp; row < rows;
       row += warps)
    body(row, lane);
}

template <class Body>
void for_each_row(CudaQueue& queue, const char* what, std::int64_t rows, const Body& body) {
  if (rows == 0) return;
  constexpr int kThreads = 128;
  const auto blocks = std::min<std::int64_t>((rows + 3) / 4, 1 << 16);
  launch(queue, what, dim3(static_cast<unsigned>(blocks)), dim3(kThreads), 0, each_row<Body>, rows,
         body);
}

// kLog: the logarithm of the softmax.
template <class T, bool kLog>
struct Forward {
  const T* x;
  T* y;
  std::int64_t k;
  T scale;
  __device__ void operator()(std::int64_t row, int lane) const {
    const T* from = x + row * k;
    T* to = y + row * k;
    const T top = largest_of_row(from, k, lane);
    double sum = 0;
    for (std::int64_t i = lane; i < k; i += kWarp) {
      const T e = exp((from[i] - top) * scale);
      if constexpr (!kLog) to[i] = e;
      sum += e;
    }
    sum = warp_sum(sum);
    if constexpr (kLog) sum = log(sum);
    for (std::int64_t i = lane; i < k; i += kWarp)
      to[i] = static_cast<T>(kLog ? (from[i] - top) * scale - sum : to[i] / sum);
  }
};

template <class T, bool kLog>
struct Backward {
  const T* y;
  const T* dy;
  T* dx;
  std::int64_t k;
  double temperature;
  __device__ void operator()(std::int64_t row, int lane) const {
    const std::int64_t at = row * k;
    double sum = 0;
    for (std::int64_t i = lane; i < k; i += kWarp)
      sum += kLog ? static_cast<double>(dy[at + i]) : static_cast<double>(dy[at + i]) * y[at + i];
    sum = warp_sum(sum);
    for (std::int64_t i = lane; i < k; i += kWarp) {
      const double v = y[at + i], dv = dy[at + i];
      dx[at + i] = static_cast<T>((kLog ? dv - exp(v) * sum : v * (dv - sum)) / temperature);
    }
  }
};

}  // namespace

void run(CudaQueue& queue, const Softmax& op) {
  const std::int64_t k = op.x.shape.back(), rows = k ? op.x.count() / k : 0;
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    const T scale = static_cast<T>(1 / op.temperature);
    const auto each = [&]<bool kLog>(std::bool_constant<kLog>) {
      for_each_row(queue, op.kName, rows, Forward<T, kLog>{op.x.as<T>(), op.y.as<T>(), k, scale});
    };
    op.log ? each(std::true_type{}) : each(std::false_type{});
  });
}

void run(CudaQueue& queue, const SoftmaxBackward& op) {
  const std::int64_t k = op.y.shape.back(), rows = k ? op.y.count() / k : 0;
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    const auto each = [&]<bool kLog>(std::bool_constant<kLog>) {
      for_each_row(
          queue, op.kName, rows,
          Backward<T, kLog>{op.y.as<T>(), op.dy.as<T>(), op.dx.as<T>(), k, op.temperature});
    };
    op.log ? each(std::true_type{}) : each(std::false_type{});
  });
}

}  // namespace ratnet::inline v1
