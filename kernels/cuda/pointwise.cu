#include "../pointwise.h"

#include <cmath>

#include "../random_block.h"
#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Sum {
  const T* a;
  const T* b;
  T* y;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const {
    y[i] = activated(a[i] + b[i], activation, slope);
  }
};

template <class T>
struct Product {
  const T* a;
  const T* b;
  T* y;
  __device__ void operator()(std::int64_t i) const { y[i] = a[i] * b[i]; }
};

template <class T>
struct Numbers {
  T* y;
  T value[SetNumbers::kMost];
  __device__ void operator()(std::int64_t i) const { y[i] = value[i]; }
};

template <class T, class Values>
void set_numbers(CudaQueue& queue, const View& y, const Values& values) {
  Numbers<T> numbers{y.as<T>(), {}};
  std::copy(values.begin(), values.end(), numbers.value);
  for_each_element(queue, SetNumbers::kName, y.count(), numbers);
}

// Four neighbours share one block of random numbers.
template <class T>
struct Drop {
  const T* x;
  T* y;
  std::int64_t n;
  T keep;
  std::uint32_t limit;  // keep, for the 24 bits that a number has
  const std::int64_t* key;
  std::uint32_t stream;
  __device__ void operator()(std::int64_t block) const {
    const auto numbers = random_block(key, stream, block);
    for (std::int64_t k = 0; k < 4 && 4 * block + k < n; ++k) {
      const bool kept = numbers[static_cast<std::size_t>(k)] >> 8 < limit;
      const std::int64_t i = 4 * block + k;
      y[i] = kept ? x[i] / keep : T{0};
    }
  }
};

template <class From, class T>
struct Converted {
  const From* x;
  T* y;
  double scale;
  T offset;
  const float* scales;
  std::int64_t sample_size;
  __device__ void operator()(std::int64_t i) const {
    const double factor = scales ? scale * static_cast<double>(scales[i / sample_size]) : scale;
    y[i] = static_cast<T>(x[i]) * static_cast<T>(factor) + offset;
  }
};

template <class From>
void convert(CudaQueue& queue, const Convert& op) {
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.x.count(),
                     Converted<From, T>{
                         op.x.as<From>(), op.y.as<T>(), op.scale, static_cast<T>(op.offset),
                         data_or_null<float>(op.scales),
                         op.x.count() / std::max<std::int64_t>(1, op.scales ? op.x.shape[0] : 1)});
  });
}

}  // namespace

void run(CudaQueue& queue, const Add& op) {
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.y.count(),
        Sum<T>{op.a.as<T>(), op.b.as<T>(), op.y.as<T>(), op.activation, static_cast<T>(op.slope)});
  });
}

void run(CudaQueue& queue, const Multiply& op) {
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.y.count(),
                     Product<T>{op.a.as<T>(), op.b.as<T>(), op.y.as<T>()});
  });
}

void run(CudaQueue& queue, const SetNumbers& op) {
  if (op.y.dtype == DType::f64)
    set_numbers<double>(queue, op.y, op.reals);
  else
    set_numbers<std::int64_t>(queue, op.y, op.integers);
}

void run(CudaQueue& queue, const Dropout& op) {
  for_float_type(op.y.dtype == DType::f64, [&]<class T>(T) {
    const std::int64_t n = op.y.count();
    for_each_element(queue, op.kName, (n + 3) / 4,
                     Drop<T>{op.x.as<T>(), op.y.as<T>(), n, static_cast<T>(op.keep),
                             static_cast<std::uint32_t>(std::ceil(op.keep * 0x1p24)),
                             op.key.as<std::int64_t>(), op.stream});
  });
}

void run(CudaQueue& queue, const Convert& op) {
  switch (op.x.dtype) {
    case DType::u8: return convert<std::uint8_t>(queue, op);
    case DType::u16: return convert<std::uint16_t>(queue, op);
    case DType::i16: return convert<std::int16_t>(queue, op);
    case DType::f32: return convert<float>(queue, op);
    case DType::f64: return convert<double>(queue, op);
    default: fail(ErrorKind::internal, "convert of ", name_of(op.x.dtype), " has no kernel");
  }
}

}  // namespace ratnet::inline v1
