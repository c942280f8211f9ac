#include "../spatial_dropout.h"

#include <cmath>

#include "../random_block.h"
#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Drop {
  const T* x;
  T* y;
  std::int64_t sample_size, channels;
  T keep;
  std::uint32_t limit;  // keep, for the 24 bits that a number has
  const std::int64_t* key;
  std::uint32_t stream;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t channel = i / sample_size * channels + i % channels;
    const auto numbers = random_block(key, stream, channel / 4);
    const bool kept = numbers[static_cast<std::size_t>(channel % 4)] >> 8 < limit;
    y[i] = kept ? x[i] / keep : T{0};
  }
};

}  // namespace

void run(CudaQueue& queue, const SpatialDropout& op) {
  const std::int64_t n = op.x.count();
  if (n == 0) return;
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, n,
        Drop<T>{op.x.as<T>(), op.y.as<T>(), n / op.x.shape[0], op.x.shape.back(),
                static_cast<T>(op.keep), static_cast<std::uint32_t>(std::ceil(op.keep * 0x1p24)),
                op.key.as<std::int64_t>(), op.stream});
  });
}

}  // namespace ratnet::inline v1
