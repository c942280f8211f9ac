#include "../resample.h"

#include "../sampled_axis.h"
#include "activated.h"
#include "grid_place.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

template <class T>
struct Sampled {
  SampledGrid g;
  const T* x;
  T* y;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t out[3] = {g.axes[0].out, g.axes[1].out, g.axes[2].out};
    const GridPlace p(i, g.channels, out);
    const auto a = g.axes[0].taps(p.at[0]), b = g.axes[1].taps(p.at[1]),
               c = g.axes[2].taps(p.at[2]);
    T sum = 0;
    for (int k = 0; k < 8; ++k) {
      const int z = k / 4, h = k / 2 % 2, w = k % 2;
      const double weight = a.weight[z] * b.weight[h] * c.weight[w];
      if (weight == 0) continue;
      const std::int64_t line = (p.sample * g.axes[0].in + a.at[z]) * g.axes[1].in + b.at[h];
      sum += x[(line * g.axes[2].in + c.at[w]) * g.channels + p.channel] * static_cast<T>(weight);
    }
    y[i] = sum;
  }
};

template <class T>
struct SampledBackward {
  SampledGrid g;
  const T* dy;
  T* dx;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t in[3] = {g.axes[0].in, g.axes[1].in, g.axes[2].in};
    const GridPlace p(i, g.channels, in);
    const auto zs = g.axes[0].touched(p.at[0]), hs = g.axes[1].touched(p.at[1]),
               ws = g.axes[2].touched(p.at[2]);
    T sum = 0;
    for (std::int64_t k = 0; k < zs.count; ++k)
      for (std::int64_t l = 0; l < hs.count; ++l) {
        const auto z = g.axes[0].part(zs, k), h = g.axes[1].part(hs, l);
        const std::int64_t line = (p.sample * g.axes[0].out + z.at) * g.axes[1].out + h.at;
        for (std::int64_t m = 0; m < ws.count; ++m) {
          const auto w = g.axes[2].part(ws, m);
          sum += dy[(line * g.axes[2].out + w.at) * g.channels + p.channel] *
                 static_cast<T>(z.weight * h.weight * w.weight);
        }
      }
    dx[i] = sum;
  }
};

}  // namespace

void run(CudaQueue& queue, const Resample& op) {
  const SampledGrid g = grid_of(op.x.shape, op.y.shape, op.sampling);
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.y.count(), Sampled<T>{g, op.x.as<T>(), op.y.as<T>()});
  });
}

void run(CudaQueue& queue, const ResampleBackward& op) {
  const SampledGrid g = grid_of(op.dx.shape, op.dy.shape, op.sampling);
  for_float_type(op.dx.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(queue, op.kName, op.dx.count(),
                     SampledBackward<T>{g, op.dy.as<T>(), op.dx.as<T>()});
  });
}

}  // namespace ratnet::inline v1
