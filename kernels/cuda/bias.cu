#include "../bias.h"

#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Sum {
  const T *x, *bias;
  T* y;
  std::int64_t channels;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const {
    y[i] = activated(bias ? x[i] + bias[i % channels] : x[i], activation, slope);
  }
};

}  // namespace

void run(CudaQueue& queue, const AddBias& op) {
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.x.count(),
                     Sum<T>{op.x.as<T>(), data_or_null<T>(op.bias), op.y.as<T>(), op.x.shape.back(),
                            op.activation, static_cast<T>(op.slope)});
  });
}

}  // namespace ratnet::inline v1
