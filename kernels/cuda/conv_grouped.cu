#include "conv_grouped.h"

#include "activated.h"
#include "block_sum.h"
#include "column_sums.h"
#include "launch.h"
#include "window_walk.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Forward {
  WindowGeometry g;
  const T *x, *weight, *bias;
  T* y;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const {
    const GridPlace p(i, g.outputs, g.out);
    const std::int64_t in = g.channels / g.groups;
    const std::int64_t first = p.channel / (g.outputs / g.groups) * in;
    T sum = bias ? bias[p.channel] : T{0};
    for_taps(g, [&](int tap, const std::int64_t* taps) {
      const std::int64_t pixel = input_under(g, p, taps);
      if (pixel < 0) return;
      for (std::int64_t c = 0; c < in; ++c)
        sum += x[pixel * g.channels + first + c] * weight[(tap * in + c) * g.outputs + p.channel];
    });
    y[i] = activated(sum, activation, slope);
  }
};

template <class T>
struct Data {
  WindowGeometry g;
  const T *dy, *weight;
  T* dx;
  __device__ void operator()(std::int64_t i) const {
    const GridPlace p(i, g.channels, g.in);
    const std::int64_t in = g.channels / g.groups, out = g.outputs / g.groups;
    const std::int64_t first = p.channel / in * out, c = p.channel % in;
    T sum = 0;
    for_taps(g, [&](int tap, const std::int64_t* taps) {
      const std::int64_t pixel = output_over(g, p, taps);
      if (pixel < 0) return;
      for (std::int64_t k = first; k < first + out; ++k)
        sum += dy[pixel * g.outputs + k] * weight[(tap * in + c) * g.outputs + k];
    });
    dx[i] = sum;
  }
};

// A block for every weight, over all samples and positions.
template <class T>
__global__ void __launch_bounds__(kSumThreads)
    weights(WindowGeometry g, const T* x, const T* dy, T* dweight) {
  auto& sums = dynamic_shared<BlockSums>();
  const std::int64_t in = g.channels / g.groups;
  const std::int64_t pixels = g.batch * product(g.out);
  const std::int64_t count = product(g.kernel) * in * g.outputs;
  for (std::int64_t w = blockIdx.x; w < count; w += gridDim.x) {
    const std::int64_t k = w % g.outputs, c = w / g.outputs % in, tap = w / (g.outputs * in);
    std::int64_t taps[3];
    split_tap(g, tap, taps);
    const std::int64_t channel = k / (g.outputs / g.groups) * in + c;
    double sum = 0;
    for (std::int64_t i = threadIdx.x; i < pixels; i += kSumThreads) {
      const GridPlace p(i, 1, g.out);
      const std::int64_t pixel = input_under(g, p, taps);
      if (pixel >= 0)
        sum += static_cast<double>(x[pixel * g.channels + channel]) *
               static_cast<double>(dy[i * g.outputs + k]);
    }
    sum = block_sum(sums, sum);
    if (threadIdx.x == 0) dweight[w] = static_cast<T>(sum);
  }
}

}  // namespace

void run_grouped(CudaQueue& queue, const ConvForward& call) {
  for_float_type(call.dtype() == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, call.what, call.y.count(),
        Forward<T>{call.geometry, call.x.as<T>(), call.weight.as<T>(), data_or_null<T>(call.bias),
                   call.y.as<T>(), call.activation, static_cast<T>(call.slope)});
  });
}

void run_grouped(CudaQueue& queue, const ConvData& call) {
  for_float_type(call.dtype() == DType::f64, [&]<class T>(T) {
    for_each_element(queue, call.what, call.dx.count(),
                     Data<T>{call.geometry, call.dy.as<T>(), call.weight.as<T>(), call.dx.as<T>()});
  });
}

void run_grouped(CudaQueue& queue, const ConvWeights& call) {
  const auto blocks = std::min<std::int64_t>(call.dweight.count(), 1 << 16);
  for_float_type(call.dtype() == DType::f64, [&]<class T>(T) {
    if (blocks)
      launch(queue, call.what, dim3(static_cast<unsigned>(blocks)), dim3(kSumThreads),
             sizeof(BlockSums), weights<T>, call.geometry, call.x.as<T>(), call.dy.as<T>(),
             call.dweight.as<T>());
  });
  if (call.dbias)
    column_sums(queue, call.what, call.dy, call.dbias, queue.working_memory(bias_sums_bytes(call)));
}

}  // namespace ratnet::inline v1
