#include "../softmax.h"

#include <cmath>

#include "activated.h"
#include "block_sum.h"
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

template <class T>
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
      to[i] = e;
      sum += e;
    }
    sum = warp_sum(sum);
    for (std::int64_t i = lane; i < k; i += kWarp) to[i] = static_cast<T>(to[i] / sum);
  }
};

template <class T>
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
      sum += static_cast<double>(dy[at + i]) * y[at + i];
    sum = warp_sum(sum);
    for (std::int64_t i = lane; i < k; i += kWarp)
      dx[at + i] = static_cast<T>(y[at + i] * (dy[at + i] - sum) / temperature);
  }
};

template <class T>
struct LossProblem {
  const T* logits;
  const std::int32_t* labels;
  const T* class_weights;
  T* loss;
  T* dlogits;
  double* loss_sum;
  std::int64_t n, k;

  __device__ double weight(std::int64_t i) const {
    const std::int32_t label = labels[i];
    if (label < 0 || label >= k) return 0;
    return class_weights ? static_cast<double>(class_weights[label]) : 1.0;
  }

  // The weighted loss of sample i; writes its gradient where that is wanted.
  __device__ double sample(std::int64_t i, double scale) const {
    const T* x = logits + i * k;
    T* dx = dlogits ? dlogits + i * k : nullptr;
    const double w = weight(i);
    if (w == 0) {
      for (std::int64_t j = 0; dx && j < k; ++j) dx[j] = T{0};
      return 0;
    }
    const std::int32_t label = labels[i];
    T top = x[0];
    for (std::int64_t j = 1; j < k; ++j)
      if (x[j] > top || x[j] != x[j]) top = x[j];
    // Before the gradient, which may go where the logits are.
    const double margin = static_cast<double>(x[label]) - static_cast<double>(top);
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      const T e = exp(x[j] - top);
      sum += e;
      if (dx) dx[j] = e;
    }
    for (std::int64_t j = 0; dx && j < k; ++j)
      dx[j] = static_cast<T>((dx[j] / sum - (j == label)) * (w * scale));
    return w * (log(sum) - margin);
  }
};

// One block: the weights of the whole batch have to be summed before the first gradient.
template <class T>
__global__ void __launch_bounds__(kSumThreads) cross_entropy(LossProblem<T> p) {
  auto& sums = dynamic_shared<BlockSums>();
  double weights = 0;
  for (std::int64_t i = threadIdx.x; i < p.n; i += kSumThreads) weights += p.weight(i);
  weights = block_sum(sums, weights);
  const double scale = weights != 0 ? 1 / weights : 0;
  double loss = 0;
  for (std::int64_t i = threadIdx.x; i < p.n; i += kSumThreads) loss += p.sample(i, scale);
  loss = block_sum(sums, loss);
  if (threadIdx.x != 0) return;
  *p.loss = static_cast<T>(loss * scale);
  if (p.loss_sum) *p.loss_sum += static_cast<double>(*p.loss);
}

}  // namespace

void run(CudaQueue& queue, const Softmax& op) {
  const std::int64_t k = op.x.shape.back();
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_row(queue, op.kName, k ? op.x.count() / k : 0,
                 Forward<T>{op.x.as<T>(), op.y.as<T>(), k, static_cast<T>(1 / op.temperature)});
  });
}

void run(CudaQueue& queue, const SoftmaxBackward& op) {
  const std::int64_t k = op.y.shape.back();
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    for_each_row(queue, op.kName, k ? op.y.count() / k : 0,
                 Backward<T>{op.y.as<T>(), op.dy.as<T>(), op.dx.as<T>(), k, op.temperature});
  });
}

void run(CudaQueue& queue, const SoftmaxCrossEntropy& op) {
  for_float_type(op.logits.dtype == DType::f64, [&]<class T>(T) {
    const LossProblem<T> problem{op.logits.as<T>(),
                                 op.labels.as<std::int32_t>(),
                                 op.class_weights ? op.class_weights.as<T>() : nullptr,
                                 op.loss.as<T>(),
                                 op.dlogits ? op.dlogits.as<T>() : nullptr,
                                 op.loss_sum ? op.loss_sum.as<double>() : nullptr,
                                 op.logits.shape[0],
                                 op.logits.shape[1]};
    launch(queue, op.kName, dim3(1), dim3(kSumThreads), sizeof(BlockSums), cross_entropy<T>,
           problem);
  });
}

}  // namespace ratnet::inline v1
