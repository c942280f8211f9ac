#include "../pointwise_chain_note.h"

#include "curve.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Chained {
  struct Step {
    const T* with;
    T slope;
    Combine combine;
    Activation activation;
  };
  const T* x;
  T* y;
  int count;
  Step steps[PointwiseChain::kMostSteps];
  __device__ void operator()(std::int64_t i) const {
    T value = x[i];
    for (int k = 0; k < count; ++k) {
      const Step& step = steps[k];
      if (step.combine == Combine::add) value += step.with[i];
      if (step.combine == Combine::multiply) value *= step.with[i];
      value = curve(value, step.activation, step.slope);
    }
    y[i] = value;
  }
};

}  // namespace

void run(CudaQueue& queue, const PointwiseChain& op) {
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    Chained<T> chained{op.x.as<T>(), op.y.as<T>(), op.count, {}};
    for (int k = 0; k < op.count; ++k) {
      const PointwiseStep& what = op.steps[k].what;
      chained.steps[k] = {data_or_null<T>(op.steps[k].with), static_cast<T>(what.slope),
                          what.combine, what.activation};
    }
    for_each_element(queue, op.kName, op.x.count(), chained);
  });
}

OpNote plan(CudaQueue&, const PointwiseChain& op) { return note_of(op); }

}  // namespace ratnet::inline v1
