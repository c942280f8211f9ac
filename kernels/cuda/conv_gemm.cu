#include "conv_gemm.h"

#include "activated.h"
#include "column_sums.h"
#include "conv_mma.h"
#include "gemm.h"
#include "group_sums.h"
#include "window_walk.h"

namespace ratnet::inline v1 {
namespace {

// Rows: output pixels. Columns: outputs. Terms: taps x channels.
template <class T>
struct Forward {
  using Number = T;
  using Row = GridPlace;
  static constexpr bool kTermsAreNeighbours = true;
  WindowGeometry g;
  const T* x;
  const T* weight;
  const T* bias;
  T* y;
  Activation activation;
  T slope;
  std::int64_t rows, columns, terms;

  __device__ std::int64_t first_term(std::int64_t) const { return 0; }
  __device__ std::int64_t end_term(std::int64_t) const { return terms; }
  __device__ Row row(std::int64_t m) const { return GridPlace(m, 1, g.out); }
  __device__ T a(const Row& pixel, std::int64_t k) const {
    std::int64_t tap[3];
    split_tap(g, k / g.channels, tap);
    const std::int64_t from = input_under(g, pixel, tap);
    return from < 0 ? T{0} : x[from * g.channels + k % g.channels];
  }
  __device__ T b(std::int64_t k, std::int64_t column) const {
    return weight[k * g.outputs + column];
  }
  __device__ void store(std::int64_t m, std::int64_t column, std::int64_t, T sum) const {
    if (bias) sum += bias[column];
    y[m * g.outputs + column] = activated(sum, activation, slope);
  }
};

// Rows: input pixels. Columns: channels. Terms: taps x outputs.
template <class T>
struct Data {
  using Number = T;
  using Row = GridPlace;
  static constexpr bool kTermsAreNeighbours = true;
  WindowGeometry g;
  const T* dy;
  const T* weight;
  T* dx;
  std::int64_t rows, columns, terms;

  __device__ std::int64_t first_term(std::int64_t) const { return 0; }
  __device__ std::int64_t end_term(std::int64_t) const { return terms; }
  __device__ Row row(std::int64_t m) const { return GridPlace(m, 1, g.in); }
  __device__ T a(const Row& pixel, std::int64_t k) const {
    std::int64_t tap[3];
    split_tap(g, k / g.outputs, tap);
    const std::int64_t from = output_over(g, pixel, tap);
    return from < 0 ? T{0} : dy[from * g.outputs + k % g.outputs];
  }
  __device__ T b(std::int64_t k, std::int64_t column) const {
    return weight[(k / g.outputs * g.channels + column) * g.outputs + k % g.outputs];
  }
  __device__ void store(std::int64_t m, std::int64_t column, std::int64_t, T sum) const {
    dx[m * g.channels + column] = sum;
  }
};

// Rows: taps x channels. Columns: outputs. Terms: the output pixels of a group of samples.
template <class T>
struct WeightSums {
  using Number = T;
  struct Row {
    std::int64_t tap[3], channel;
  };
  static constexpr bool kTermsAreNeighbours = false;
  WindowGeometry g;
  const T* x;
  const T* dy;
  T* sums;  // [groups][rows][columns]
  std::int64_t rows, columns, groups, sample_terms;

  __device__ std::int64_t first_term(std::int64_t group) const {
    return g.batch * group / groups * sample_terms;
  }
  __device__ std::int64_t end_term(std::int64_t group) const { return first_term(group + 1); }
  __device__ Row row(std::int64_t m) const {
    Row r;
    split_tap(g, m / g.channels, r.tap);
    r.channel = m % g.channels;
    return r;
  }
  __device__ T a(const Row& r, std::int64_t k) const {
    const std::int64_t from = input_under(g, GridPlace(k, 1, g.out), r.tap);
    return from < 0 ? T{0} : x[from * g.channels + r.channel];
  }
  __device__ T b(std::int64_t k, std::int64_t column) const { return dy[k * g.outputs + column]; }
  __device__ void store(std::int64_t m, std::int64_t column, std::int64_t group, T sum) const {
    sums[(group * rows + m) * columns + column] = sum;
  }
};

std::int64_t weight_rows(const WindowGeometry& g) { return product(g.kernel) * g.channels; }

// Enough blocks to fill a device, and no more: each group has sums of its own. Fixed by the
// problem.
std::int64_t groups_of(const WindowGeometry& g) {
  constexpr std::int64_t kBlocks = 256;
  const std::int64_t tiles = ((weight_rows(g) + kTileRows - 1) / kTileRows) *
                             ((g.outputs + kTileColumns - 1) / kTileColumns);
  return std::clamp<std::int64_t>(kBlocks / std::max<std::int64_t>(tiles, 1), 1,
                                  std::clamp<std::int64_t>(g.batch, 1, 64));
}

}  // namespace

const char* algorithm_of(const WindowGeometry& geometry, DType dtype, Precision precision) {
  if (precision == Precision::f32 || dtype == DType::f64) return "implicit_gemm";
  if (!mma_serves(geometry, dtype, precision))
    return "implicit_gemm in f32; implicit_gemm_mma declined: 2^31 pixels or more, or none";
  return precision == Precision::tf32 ? "implicit_gemm_mma in tf32" : "implicit_gemm_mma in bf16";
}

void run(CudaQueue& queue, const ConvForward& call) {
  const WindowGeometry& g = call.geometry;
  if (mma_serves(g, call.x.dtype, call.precision)) return run_mma(queue, call);
  for_float_type(call.x.dtype == DType::f64, [&]<class T>(T) {
    run_gemm(queue, call.what,
             Forward<T>{g, call.x.as<T>(), call.weight.as<T>(), data_or_null<T>(call.bias),
                        call.y.as<T>(), call.activation, static_cast<T>(call.slope),
                        g.batch * product(g.out), g.outputs, product(g.kernel) * g.channels});
  });
}

void run(CudaQueue& queue, const ConvData& call) {
  const WindowGeometry& g = call.geometry;
  if (mma_serves(g, call.dy.dtype, call.precision)) return run_mma(queue, call);
  for_float_type(call.dy.dtype == DType::f64, [&]<class T>(T) {
    run_gemm(queue, call.what,
             Data<T>{g, call.dy.as<T>(), call.weight.as<T>(), call.dx.as<T>(),
                     g.batch * product(g.in), g.channels, product(g.kernel) * g.outputs});
  });
}

std::size_t scratch_bytes(const ConvWeights& call) {
  const WindowGeometry& g = call.geometry;
  const std::size_t of_weights =
      mma_serves(g, call.x.dtype, call.precision)
          ? mma_weights_scratch_bytes(g)
          : static_cast<std::size_t>(groups_of(g) * weight_rows(g) * g.outputs) *
                size_of(call.x.dtype);
  return std::max(of_weights, bias_sums_bytes(call));
}

void run(CudaQueue& queue, const ConvWeights& call) {
  const WindowGeometry& g = call.geometry;
  void* scratch = queue.working_memory(scratch_bytes(call));
  if (mma_serves(g, call.x.dtype, call.precision)) {
    run_mma(queue, call, scratch);
  } else {
    for_float_type(call.x.dtype == DType::f64, [&]<class T>(T) {
      auto* parts = static_cast<T*>(scratch);
      const std::int64_t rows = weight_rows(g), groups = groups_of(g);
      run_gemm(queue, call.what,
               WeightSums<T>{g, call.x.as<T>(), call.dy.as<T>(), parts, rows, g.outputs, groups,
                             product(g.out)},
               groups);
      add_groups(queue, call.what, parts, groups, rows * g.outputs, call.dweight.as<T>());
    });
  }
  if (call.dbias) column_sums(queue, call.what, call.dy, call.dbias, scratch);
}

}  // namespace ratnet::inline v1
