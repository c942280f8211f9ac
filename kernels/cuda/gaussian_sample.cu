#include "../gaussian_sample.h"

#include <cmath>

#include "../random_block.h"
#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

// Bodies for a block of four elements, which share random numbers.
template <class T>
struct Sample {
  const T* mean;
  const T* log_variance;
  T* y;
  std::int64_t n;
  const std::int64_t* key;
  std::uint32_t stream;
  __device__ void operator()(std::int64_t block) const {
    double e[4];
    normal_block(key, stream, block, e);
    for (std::int64_t k = 0; k < 4 && 4 * block + k < n; ++k) {
      const std::int64_t i = 4 * block + k;
      y[i] = mean[i] + static_cast<T>(exp(log_variance[i] / 2)) * static_cast<T>(e[k]);
    }
  }
};

template <class T>
struct Backward {
  const T* dy;
  const T* log_variance;
  T* dmean;          // or null
  T* dlog_variance;  // or null
  std::int64_t n;
  const std::int64_t* key;
  std::uint32_t stream;
  __device__ void operator()(std::int64_t block) const {
    double e[4];
    normal_block(key, stream, block, e);
    for (std::int64_t k = 0; k < 4 && 4 * block + k < n; ++k) {
      const std::int64_t i = 4 * block + k;
      const T gradient = dy[i], deviation = static_cast<T>(exp(log_variance[i] / 2));
      if (dmean) dmean[i] = gradient;
      if (dlog_variance) dlog_variance[i] = gradient * static_cast<T>(e[k]) * deviation / 2;
    }
  }
};

}  // namespace

void run(CudaQueue& queue, const GaussianSample& op) {
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    const std::int64_t n = op.y.count();
    for_each_element(queue, op.kName, (n + 3) / 4,
                     Sample<T>{op.mean.as<T>(), op.log_variance.as<T>(), op.y.as<T>(), n,
                               op.key.as<std::int64_t>(), op.stream});
  });
}

void run(CudaQueue& queue, const GaussianSampleBackward& op) {
  for_float_type(op.dy.dtype == DType::f64, [&]<class T>(T) {
    const std::int64_t n = op.dy.count();
    for_each_element(
        queue, op.kName, (n + 3) / 4,
        Backward<T>{op.dy.as<T>(), op.log_variance.as<T>(), data_or_null<T>(op.dmean),
                    data_or_null<T>(op.dlog_variance), n, op.key.as<std::int64_t>(), op.stream});
  });
}

}  // namespace ratnet::inline v1
