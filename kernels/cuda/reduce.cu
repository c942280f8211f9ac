#include "../reduce.h"

#include "activated.h"
#include "block_sum.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

// How the threads of a block share [outer, middle, inner]: `across` columns of the inner dimension,
// in each of which `down` threads take every down-th value; what threads remain take the next
// outer. Fixed by middle and inner, and so is the order of a sum.
struct Sharing {
  std::int64_t outer, middle, inner;
  int across = 1, down = 1;

  explicit Sharing(const Shape& x) : outer(x[0]), middle(x[1]), inner(x[2]) {
    constexpr int kMostAcross = 32;
    constexpr std::int64_t kLeast = 4;  // values that are worth a thread
    while (across < kMostAcross && across < inner) across *= 2;
    while (across * down < kSumThreads && 2 * down * kLeast <= middle) down *= 2;
  }
  constexpr std::int64_t outers() const { return kSumThreads / (across * down); }
  constexpr std::int64_t groups_across() const { return (inner + across - 1) / across; }
  constexpr std::int64_t groups() const {
    return (outer + outers() - 1) / outers() * groups_across();
  }
};

// A thread's place in the work of its block on one group.
struct Lane {
  std::int64_t outer, column;
  int step;
  bool inside;
  __device__ Lane(const Sharing& s, std::int64_t group) {
    const int thread = static_cast<int>(threadIdx.x);
    step = thread / s.across % s.down;
    outer = group / s.groups_across() * s.outers() + thread / (s.across * s.down);
    column = group % s.groups_across() * s.across + thread % s.across;
    inside = outer < s.outer && column < s.inner;
  }
};

template <class T>
__global__ void __launch_bounds__(kSumThreads) sums(Sharing s, const T* x, double divisor, T* y) {
  auto& shared = dynamic_shared<BlockSums>();
  const auto me = static_cast<int>(threadIdx.x);
  for (std::int64_t group = blockIdx.x; group < s.groups(); group += gridDim.x) {
    const Lane lane(s, group);
    double sum = 0;
    if (lane.inside)
      for (std::int64_t m = lane.step; m < s.middle; m += s.down)
        sum += static_cast<double>(x[(lane.outer * s.middle + m) * s.inner + lane.column]);
    shared.of[me] = sum;
    __syncthreads();
    for (int half = s.down / 2; half > 0; half /= 2) {
      if (lane.step < half) shared.of[me] += shared.of[me + half * s.across];
      __syncthreads();
    }
    if (lane.inside && lane.step == 0)
      y[lane.outer * s.inner + lane.column] = static_cast<T>(shared.of[me] / divisor);
  }
}

template <class T>
struct Best {
  T value;
  std::int64_t at;
};

// The larger, at equal values the first; a NaN is the largest.
template <class T>
__device__ Best<T> better(const Best<T>& a, const Best<T>& b) {
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  if (a_nan || b_nan) return a_nan && (!b_nan || a.at < b.at) ? a : b;
  if (a.value == b.value) return a.at < b.at ? a : b;
  return a.value > b.value ? a : b;
}

template <class T>
struct BlockBest {
  Best<T> of[kSumThreads];
};

template <class T>
__global__ void __launch_bounds__(kSumThreads)
    maxima(Sharing s, const T* x, T* y, std::int32_t* argmax) {
  auto& shared = dynamic_shared<BlockBest<T>>();
  const auto me = static_cast<int>(threadIdx.x);
  for (std::int64_t group = blockIdx.x; group < s.groups(); group += gridDim.x) {
    const Lane lane(s, group);
    Best<T> best{0, 0};
    if (lane.inside) {
      const T* from = x + lane.outer * s.middle * s.inner + lane.column;
      best = {from[lane.step * s.inner], lane.step};
      for (std::int64_t m = lane.step + s.down; m < s.middle; m += s.down)
        best = better(best, Best<T>{from[m * s.inner], m});
    }
    shared.of[me] = best;
    __syncthreads();
    for (int half = s.down / 2; half > 0; half /= 2) {
      if (lane.step < half) shared.of[me] = better(shared.of[me], shared.of[me + half * s.across]);
      __syncthreads();
    }
    if (!lane.inside || lane.step != 0) continue;
    y[lane.outer * s.inner + lane.column] = shared.of[me].value;
    if (argmax)
      argmax[lane.outer * s.inner + lane.column] = static_cast<std::int32_t>(shared.of[me].at);
  }
}

template <class T>
struct Spread {
  const T* dy;
  const std::int32_t* argmax;
  T* dx;
  std::int64_t middle, inner;
  T divisor;
  __device__ void operator()(std::int64_t i) const {
    const std::int64_t row = i / inner, from = row / middle * inner + i % inner;
    dx[i] = argmax && argmax[from] != row % middle ? T{0} : dy[from] / divisor;
  }
};

}  // namespace

void run(CudaQueue& queue, const Reduce& op) {
  if (op.y.count() == 0) return;
  const Sharing sharing(op.x.shape);
  const dim3 grid(static_cast<unsigned>(std::min<std::int64_t>(sharing.groups(), 1 << 16)));
  for_float_type(op.x.dtype == DType::f64, [&]<class T>(T) {
    if (op.by == Reduction::max)
      launch(queue, op.kName, grid, dim3(kSumThreads), sizeof(BlockBest<T>), maxima<T>, sharing,
             op.x.as<T>(), op.y.as<T>(), data_or_null<std::int32_t>(op.argmax));
    else
      launch(queue, op.kName, grid, dim3(kSumThreads), sizeof(BlockSums), sums<T>, sharing,
             op.x.as<T>(), op.by == Reduction::mean ? static_cast<double>(op.x.shape[1]) : 1.0,
             op.y.as<T>());
  });
}

void run(CudaQueue& queue, const ReduceBackward& op) {
  const std::int64_t middle = op.dx.shape[1];
  for_float_type(op.dx.dtype == DType::f64, [&]<class T>(T) {
    for_each_element(
        queue, op.kName, op.dx.count(),
        Spread<T>{op.dy.as<T>(), op.by == Reduction::max ? op.argmax.as<std::int32_t>() : nullptr,
                  op.dx.as<T>(), middle, op.dx.shape[2],
                  op.by == Reduction::mean ? static_cast<T>(middle) : T{1}});
  });
}

}  // namespace ratnet::inline v1
