#include "../optimise.h"

#include <cmath>

#include "activated.h"
#include "block_sum.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct SgdStep {
  T* weight;
  const T* gradient;
  T* velocity;
  const double* rate;
  T momentum, decay;
  bool nesterov;
  __device__ void operator()(std::int64_t i) const {
    const T w = weight[i];
    const T g = gradient[i] + decay * w;
    T change = g;
    if (velocity) {
      const T v = momentum * velocity[i] + g;
      velocity[i] = v;
      change = nesterov ? g + momentum * v : v;
    }
    weight[i] = w - static_cast<T>(*rate) * change;
  }
};

template <class T>
struct AdamStep {
  T* weight;
  const T* gradient;
  T* first_moment;
  T* second_moment;
  const double* rates;
  T decay, keep1, take1, keep2, take2, epsilon;
  __device__ void operator()(std::int64_t i) const {
    const T w = weight[i];
    const T g = gradient[i] + decay * w;
    const T m = keep1 * first_moment[i] + take1 * g;
    const T v = keep2 * second_moment[i] + take2 * g * g;
    first_moment[i] = m;
    second_moment[i] = v;
    const T rate = static_cast<T>(rates[0]), unbias = static_cast<T>(rates[1]);
    weight[i] = w * static_cast<T>(rates[2]) - rate * m / (sqrt(v * unbias) + epsilon);
  }
};

template <class T>
struct BlendStep {
  const T* x;
  T* y;
  const double* factor;
  __device__ void operator()(std::int64_t i) const {
    y[i] += static_cast<T>(*factor) * (x[i] - y[i]);
  }
};

// --- the norm: sums of blocks of a fixed size, then of those in order, in double ---

constexpr std::int64_t kNormBlock = std::int64_t{1} << 14;

std::int64_t norm_blocks(std::int64_t n) { return (n + kNormBlock - 1) / kNormBlock; }

template <class T>
__global__ void __launch_bounds__(kSumThreads)
    squares(const T* x, std::int64_t n, double* block_sums) {
  auto& sums = dynamic_shared<BlockSums>();
  const std::int64_t first = blockIdx.x * kNormBlock;
  const std::int64_t last = first + kNormBlock < n ? first + kNormBlock : n;
  double sum = 0;
  for (std::int64_t i = first + threadIdx.x; i < last; i += kSumThreads)
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  sum = block_sum(sums, sum);
  if (threadIdx.x == 0) block_sums[blockIdx.x] = sum;
}

// Also leaves the factor that the gradient is multiplied by in front of the sums.
template <class T>
__global__ void __launch_bounds__(kSumThreads)
    norm_of(double* factor_and_sums, std::int64_t blocks, double limit, T* norm) {
  auto& sums = dynamic_shared<BlockSums>();
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < blocks; i += kSumThreads) sum += factor_and_sums[1 + i];
  const double value = sqrt(block_sum(sums, sum));
  if (threadIdx.x != 0) return;
  *norm = static_cast<T>(value);
  factor_and_sums[0] = limit > 0 && value > limit ? limit / (value + 1e-6) : 1.0;
}

template <class T>
struct Scaled {
  T* x;
  const double* factor;
  __device__ void operator()(std::int64_t i) const {
    if (*factor != 1.0) x[i] *= static_cast<T>(*factor);
  }
};

}  // namespace

void run(CudaQueue& queue, const Sgd& op) {
  for_float_type(op.weight.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.weight.count(),
        SgdStep<T>{op.weight.as<T>(), op.gradient.as<T>(),
                   op.momentum != 0 ? op.velocity.as<T>() : nullptr, op.rate.as<double>(),
                   static_cast<T>(op.momentum), static_cast<T>(op.weight_decay), op.nesterov});
  });
}

void run(CudaQueue& queue, const Adam& op) {
  for_float_type(op.weight.dtype == DType::f64, [&]<class T>(T) {
    const auto number = [](double value) { return static_cast<T>(value); };
    for_each_element(queue, op.kName, op.weight.count(),
                     AdamStep<T>{.weight = op.weight.as<T>(),
                                 .gradient = op.gradient.as<T>(),
                                 .first_moment = op.first_moment.as<T>(),
                                 .second_moment = op.second_moment.as<T>(),
                                 .rates = op.rates.as<double>(),
                                 .decay = number(op.weight_decay),
                                 .keep1 = number(op.beta1),
                                 .take1 = number(1 - op.beta1),
                                 .keep2 = number(op.beta2),
                                 .take2 = number(1 - op.beta2),
                                 .epsilon = number(op.epsilon)});
  });
}

void run(CudaQueue& queue, const Blend& op) {
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.y.count(),
                     BlendStep<T>{op.x.as<T>(), op.y.as<T>(), op.factor.as<double>()});
  });
}

OpNote plan(CudaQueue&, const ClipNorm& op) {
  OpNote note;
  note.scratch_bytes =
      static_cast<std::size_t>(1 + norm_blocks(op.gradient.count())) * sizeof(double);
  return note;
}

void run(CudaQueue& queue, const ClipNorm& op) {
  const std::int64_t n = op.gradient.count();
  const std::int64_t blocks = norm_blocks(n);
  auto* factor_and_sums = static_cast<double*>(queue.working_memory(plan(queue, op).scratch_bytes));
  for_float_type(op.gradient.dtype == DType::f64, [&]<class T>(T) {
    if (blocks > 0)
      launch(queue, op.kName, dim3(static_cast<unsigned>(blocks)), dim3(kSumThreads),
             sizeof(BlockSums), squares<T>, op.gradient.as<T>(), n, factor_and_sums + 1);
    launch(queue, op.kName, dim3(1), dim3(kSumThreads), sizeof(BlockSums), norm_of<T>,
           factor_and_sums, blocks, op.limit, op.norm.as<T>());
    if (op.limit > 0)
      for_each_element(queue, op.kName, n, Scaled<T>{op.gradient.as<T>(), factor_and_sums});
  });
}

}  // namespace ratnet::inline v1
