#include "../normalise.h"

#include <cmath>

#include "../norm_geometry.h"
#include "activated.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kThreads = 256;

struct PairSums {
  double of[2][kThreads];
};

// The two sums of terms(outer part, channel, element) over the rows of a chunk, for every channel:
// partial [outer, chunks, 2, channels]. `across` threads stand along the channels.
template <class Terms>
__global__ void __launch_bounds__(kThreads)
    sum_chunks(NormGeometry g, std::int64_t chunk_rows, int across, Terms terms, double* partial) {
  auto& shared = dynamic_shared<PairSums>();
  const int me = static_cast<int>(threadIdx.x);
  const int down = kThreads / across;
  const std::int64_t channel = std::int64_t{blockIdx.x} * across + me % across;
  const std::int64_t first = blockIdx.y * chunk_rows;
  const std::int64_t last = first + chunk_rows < g.rows ? first + chunk_rows : g.rows;
  for (std::int64_t outer = blockIdx.z; outer < g.outer; outer += gridDim.z) {
    double sums[2] = {0, 0};
    if (channel < g.channels)
      for (std::int64_t row = first + me / across; row < last; row += down)
        terms(outer, channel, (outer * g.rows + row) * g.channels + channel, sums);
    for (int k = 0; k < 2; ++k) shared.of[k][me] = sums[k];
    __syncthreads();
    for (int half = down / 2; half > 0; half /= 2) {
      if (me < half * across)
        for (int k = 0; k < 2; ++k) shared.of[k][me] += shared.of[k][me + half * across];
      __syncthreads();
    }
    if (me < across && channel < g.channels)
      for (int k = 0; k < 2; ++k)
        partial[((outer * gridDim.y + blockIdx.y) * 2 + k) * g.channels + channel] =
            shared.of[k][me];
    __syncthreads();
  }
}

template <class Terms>
void sum_chunks_of(CudaQueue& queue, const char* what, const NormGeometry& g, const Terms& terms,
                   double* partial) {
  if (g.outer == 0 || g.rows == 0) return;
  int across = 32;
  while (across > 1 && across / 2 >= g.channels) across /= 2;
  launch(queue, what,
         dim3(static_cast<unsigned>((g.channels + across - 1) / across),
              static_cast<unsigned>(g.chunks()),
              static_cast<unsigned>(std::min<std::int64_t>(g.outer, 65535))),
         dim3(kThreads), sizeof(PairSums), sum_chunks<Terms>, g, g.chunk_rows(), across, terms,
         partial);
}

template <class T>
struct PlainAndSquared {
  const T* x;
  __device__ void operator()(std::int64_t, std::int64_t, std::int64_t i, double* sums) const {
    const double v = x[i];
    sums[0] += v;
    sums[1] += v * v;
  }
};

// y = (x - centre) * factor + shift; the first two [outer, channels].
template <class T>
struct Constants {
  T *centre, *factor;
};

template <class T>
Constants<T> constants_after(double* partial, const NormGeometry& g) {
  T* start = reinterpret_cast<T*>(partial + g.outer * g.most_chunks() * 2 * g.channels);
  return {start, start + g.outer * g.channels};
}

template <class T>
struct Statistics {
  NormGeometry g;
  std::int64_t chunks;
  const double* partial;
  const T* scale;
  T *mean, *inv_deviation, *running_mean, *running_variance;
  double epsilon, momentum;
  Constants<T> constants;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t outer = i / g.groups, group = i % g.groups, width = g.channels / g.groups;
    double sum = 0, squares = 0;
    for (std::int64_t c = group * width; c < (group + 1) * width; ++c)
      for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
        const double* pair = partial + (outer * chunks + chunk) * 2 * g.channels + c;
        sum += pair[0];
        squares += pair[g.channels];
      }
    const double count = static_cast<double>(g.rows * width);
    const double average = sum / count;
    const double spread = squares / count - average * average;
    const double variance = spread < 0 ? 0 : spread;
    const double inv = 1 / sqrt(variance + epsilon);
    if (mean) {
      mean[i] = static_cast<T>(average);
      inv_deviation[i] = static_cast<T>(inv);
    }
    if (running_mean) {
      const double unbiased = count > 1 ? variance * count / (count - 1) : variance;
      running_mean[i] = static_cast<T>((1 - momentum) * running_mean[i] + momentum * average);
      running_variance[i] =
          static_cast<T>((1 - momentum) * running_variance[i] + momentum * unbiased);
    }
    for (std::int64_t c = group * width; c < (group + 1) * width; ++c) {
      constants.centre[outer * g.channels + c] = static_cast<T>(average);
      constants.factor[outer * g.channels + c] = static_cast<T>(inv) * (scale ? scale[c] : T{1});
    }
  }
};

template <class T>
struct Apply {
  NormGeometry g;
  const T* x;
  T* y;
  Constants<T> constants;
  const T* shift;
  Activation activation;
  T slope;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t c = i % g.channels, at = i / (g.rows * g.channels) * g.channels + c;
    const T z = (x[i] - constants.centre[at]) * constants.factor[at] + (shift ? shift[c] : T{0});
    y[i] = activated(z, activation, slope);
  }
};

template <class T>
struct Gradient {
  NormGeometry g;
  const T *x, *dy, *mean, *inv_deviation, *scale, *shift;
  Activation activation;
  T slope;

  __device__ std::int64_t statistic(std::int64_t outer, std::int64_t c) const {
    return outer * g.groups + c / (g.channels / g.groups);
  }
  __device__ T normalised(std::int64_t at, std::int64_t i) const {
    return (x[i] - mean[at]) * inv_deviation[at];
  }
  // Before the activation.
  __device__ T before(std::int64_t at, std::int64_t c, std::int64_t i) const {
    if (activation == Activation::none) return dy[i];
    const T factor = inv_deviation[at] * (scale ? scale[c] : T{1});
    const T z = (x[i] - mean[at]) * factor + (shift ? shift[c] : T{0});
    if (!(z <= T{0})) return dy[i];
    return activation == Activation::relu ? T{0} : dy[i] * slope;
  }
};

template <class T>
struct GradientTerms {
  Gradient<T> gradient;
  __device__ void operator()(std::int64_t outer, std::int64_t c, std::int64_t i,
                             double* sums) const {
    const std::int64_t at = gradient.statistic(outer, c);
    const double dz = gradient.before(at, c, i);
    sums[0] += dz;
    sums[1] += dz * static_cast<double>(gradient.normalised(at, i));
  }
};

// The chunks' sums into the first chunk's.
struct AddChunks {
  std::int64_t chunks, pair;  // how many, and how many numbers each has
  double* partial;
  __device__ void operator()(std::int64_t i) const {
    double* const sums = partial + i / pair * chunks * pair + i % pair;
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) sums[0] += sums[chunk * pair];
  }
};

// What every number of a group loses: its gradient's mean, and the part along the normalised x.
template <class T>
struct Lost {
  NormGeometry g;
  std::int64_t chunks;
  const double* partial;
  const T *scale, *inv_deviation;
  Constants<T> lost;  // [outer, groups]
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t outer = i / g.groups, width = g.channels / g.groups;
    const double* sums = partial + outer * chunks * 2 * g.channels;
    double first = 0, second = 0;
    for (std::int64_t c = i % g.groups * width; c < (i % g.groups + 1) * width; ++c) {
      const double s = scale ? static_cast<double>(scale[c]) : 1.0;
      first += s * sums[c];
      second += s * sums[g.channels + c];
    }
    const double share =
        static_cast<double>(inv_deviation[i]) / static_cast<double>(g.rows * width);
    lost.centre[i] = static_cast<T>(first * share);
    lost.factor[i] = static_cast<T>(second * share);
  }
};

template <class T>
struct OverParts {
  NormGeometry g;
  std::int64_t chunks;
  const double* partial;
  T *dscale, *dshift;
  __device__ void operator()(std::int64_t c) const {
    double plain = 0, times_x = 0;
    for (std::int64_t outer = 0; outer < g.outer; ++outer) {
      const double* sums = partial + outer * chunks * 2 * g.channels;
      plain += sums[c];
      times_x += sums[g.channels + c];
    }
    if (dshift) dshift[c] = static_cast<T>(plain);
    if (dscale) dscale[c] = static_cast<T>(times_x);
  }
};

template <class T>
struct ApplyBackward {
  Gradient<T> gradient;
  Constants<T> lost;
  T* dx;
  __device__ void operator()(std::int64_t i) const {
    const NormGeometry& g = gradient.g;
    const std::int64_t c = i % g.channels;
    const std::int64_t at = gradient.statistic(i / (g.rows * g.channels), c);
    const T factor = gradient.inv_deviation[at] * (gradient.scale ? gradient.scale[c] : T{1});
    dx[i] = gradient.before(at, c, i) * factor -
            (lost.centre[at] + gradient.normalised(at, i) * lost.factor[at]);
  }
};

template <class T>
struct Given {
  const T *mean, *variance, *scale;
  double epsilon;
  Constants<T> constants;
  __device__ void operator()(std::int64_t c) const {
    const double inv = 1 / sqrt(static_cast<double>(variance[c]) + epsilon);
    constants.centre[c] = mean ? mean[c] : T{0};
    constants.factor[c] = static_cast<T>(inv) * (scale ? scale[c] : T{1});
  }
};

template <class T>
struct Fold {
  const T *weight, *bias, *mean, *variance, *scale, *shift;
  T *folded_weight, *folded_bias;
  std::int64_t channels, run;
  double epsilon;
  __device__ double factor(std::int64_t c) const {
    return static_cast<double>(scale[c]) / sqrt(static_cast<double>(variance[c]) + epsilon);
  }
  __device__ void operator()(std::int64_t i) const {
    folded_weight[i] = static_cast<T>(static_cast<double>(weight[i]) * factor(i / run % channels));
    if (i >= channels) return;
    const double before = bias ? static_cast<double>(bias[i]) : 0.0;
    folded_bias[i] = static_cast<T>((before - static_cast<double>(mean[i])) * factor(i) +
                                    static_cast<double>(shift[i]));
  }
};

std::size_t work_bytes(const NormGeometry& g, DType dtype) {
  return static_cast<std::size_t>(g.outer * g.most_chunks() * 2 * g.channels) * sizeof(double) +
         static_cast<std::size_t>(g.outer * g.channels * 2) * size_of(dtype);
}

}  // namespace

void run(CudaQueue& queue, const Normalise& op) {
  const NormGeometry g(op.x.shape, op.over);
  auto* const partial = static_cast<double*>(queue.working_memory(work_bytes(g, op.x.dtype)));
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    const Constants<T> constants = constants_after<T>(partial, g);
    sum_chunks_of(queue, op.kName, g, PlainAndSquared<T>{op.x.as<T>()}, partial);
    for_each_element(
        queue, op.kName, g.outer * g.groups,
        Statistics<T>{g, g.chunks(), partial, data_or_null<T>(op.scale), data_or_null<T>(op.mean),
                      data_or_null<T>(op.inv_deviation), data_or_null<T>(op.running_mean),
                      data_or_null<T>(op.running_variance), op.epsilon, op.momentum, constants});
    for_each_element(queue, op.kName, op.x.count(),
                     Apply<T>{g, op.x.as<T>(), op.y.as<T>(), constants, data_or_null<T>(op.shift),
                              op.activation, static_cast<T>(op.slope)});
  });
}

void run(CudaQueue& queue, const NormaliseBackward& op) {
  const NormGeometry g(op.x.shape, op.over);
  auto* const partial = static_cast<double*>(queue.working_memory(work_bytes(g, op.x.dtype)));
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    const Gradient<T> gradient{g,
                               op.x.as<T>(),
                               op.dy.as<T>(),
                               op.mean.as<T>(),
                               op.inv_deviation.as<T>(),
                               data_or_null<T>(op.scale),
                               data_or_null<T>(op.shift),
                               op.activation,
                               static_cast<T>(op.slope)};
    const Constants<T> lost = constants_after<T>(partial, g);
    sum_chunks_of(queue, op.kName, g, GradientTerms<T>{gradient}, partial);
    for_each_element(queue, op.kName, g.outer * 2 * g.channels,
                     AddChunks{g.chunks(), 2 * g.channels, partial});
    if (op.dscale || op.dshift)
      for_each_element(queue, op.kName, g.channels,
                       OverParts<T>{g, g.chunks(), partial, data_or_null<T>(op.dscale),
                                    data_or_null<T>(op.dshift)});
    if (!op.dx) return;
    for_each_element(queue, op.kName, g.outer * g.groups,
                     Lost<T>{g, g.chunks(), partial, gradient.scale, gradient.inv_deviation, lost});
    for_each_element(queue, op.kName, op.x.count(),
                     ApplyBackward<T>{gradient, lost, op.dx.as<T>()});
  });
}

void run(CudaQueue& queue, const NormaliseBy& op) {
  const NormGeometry g(op.x.shape, {});
  auto* const partial = static_cast<double*>(queue.working_memory(work_bytes(g, op.x.dtype)));
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    const Constants<T> constants = constants_after<T>(partial, g);
    for_each_element(queue, op.kName, g.channels,
                     Given<T>{data_or_null<T>(op.mean), op.variance.as<T>(),
                              data_or_null<T>(op.scale), op.epsilon, constants});
    for_each_element(queue, op.kName, op.x.count(),
                     Apply<T>{g, op.x.as<T>(), op.y.as<T>(), constants, data_or_null<T>(op.shift),
                              op.activation, static_cast<T>(op.slope)});
  });
}

void run(CudaQueue& queue, const FoldNorm& op) {
  for_float_type(op.weight.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.weight.count(),
        Fold<T>{op.weight.as<T>(), data_or_null<T>(op.bias), op.mean.as<T>(), op.variance.as<T>(),
                op.scale.as<T>(), op.shift.as<T>(), op.folded_weight.as<T>(),
                op.folded_bias.as<T>(), op.mean.count(), op.run_length(), op.epsilon});
  });
}

OpNote plan(CudaQueue&, const Normalise& op) {
  return note_of("", work_bytes({op.x.shape, op.over}, op.x.dtype));
}
OpNote plan(CudaQueue&, const NormaliseBackward& op) {
  return note_of("", work_bytes({op.x.shape, op.over}, op.x.dtype));
}
OpNote plan(CudaQueue&, const NormaliseBy& op) {
  return note_of("", work_bytes({op.x.shape, {}}, op.x.dtype));
}

}  // namespace ratnet::inline v1
