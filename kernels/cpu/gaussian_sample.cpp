#include "../gaussian_sample.h"

#include <algorithm>
#include <cmath>

#include "../random_block.h"
#include "cpu_queue.h"

namespace ratnet::inline v1 {
namespace {

// function(i, e) for all i in 0..n-1; four neighbours share a block of random numbers.
template <class Function>
void for_normals(CpuQueue& queue, const ConstView& key, std::uint32_t stream, std::int64_t n,
                 Function&& function) {
  for_pieces(queue, n, [&](std::int64_t first, std::int64_t last) {  // a piece begins at 4 i
    for (std::int64_t i = first; i < last; i += 4) {
      double e[4];
      normal_block(key.as<std::int64_t>(), stream, i / 4, e);
      for (std::int64_t k = 0; k < std::min<std::int64_t>(4, last - i); ++k) function(i + k, e[k]);
    }
  });
}

template <class T>
void sample(CpuQueue& queue, const GaussianSample& op) {
  const T* mean = op.mean.as<T>();
  const T* log_variance = op.log_variance.as<T>();
  T* y = op.y.as<T>();
  for_normals(queue, op.key, op.stream, op.y.count(), [&](std::int64_t i, double e) {
    y[i] = mean[i] + std::exp(log_variance[i] / 2) * static_cast<T>(e);
  });
}

template <class T>
void backward(CpuQueue& queue, const GaussianSampleBackward& op) {
  const T* dy = op.dy.as<T>();
  if (op.dmean) std::copy_n(dy, op.dy.count(), op.dmean.as<T>());
  if (!op.dlog_variance) return;
  const T* log_variance = op.log_variance.as<T>();
  T* dlog_variance = op.dlog_variance.as<T>();
  for_normals(queue, op.key, op.stream, op.dy.count(), [&](std::int64_t i, double e) {
    dlog_variance[i] = dy[i] * static_cast<T>(e) * std::exp(log_variance[i] / 2) / 2;
  });
}

}  // namespace

void run(CpuQueue& queue, const GaussianSample& op) {
  op.y.dtype == DType::f64 ? sample<double>(queue, op) : sample<float>(queue, op);
}

void run(CpuQueue& queue, const GaussianSampleBackward& op) {
  op.dy.dtype == DType::f64 ? backward<double>(queue, op) : backward<float>(queue, op);
}

}  // namespace ratnet::inline v1
