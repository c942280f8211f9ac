#include "conv_mma.h"

#include "activated.h"
#include "conv_mma_factors.h"
#include "gemm_mma.h"
#include "group_sums.h"

namespace ratnet::inline v1 {
namespace {

struct Forward {
  using Left = PatchRows;
  using Right = RowsOfColumns;
  Left left;
  Right right;
  int terms;
  const float* bias;
  float* y;
  Activation activation;
  float slope;

  __device__ int first_term(int) const { return 0; }
  __device__ int end_term(int) const { return terms; }
  __device__ void store(int row, int column, int, float sum, float next) const {
    float* to = y + std::int64_t{row} * right.lines + column;
    to[0] = activated(bias ? sum + bias[column] : sum, activation, slope);
    if (column + 1 < right.lines)
      to[1] = activated(bias ? next + bias[column + 1] : next, activation, slope);
  }
};

struct Data {
  using Left = GradientPatches;
  using Right = TransposedWeights;
  Left left;
  Right right;
  int terms;
  float* dx;

  __device__ int first_term(int) const { return 0; }
  __device__ int end_term(int) const { return terms; }
  __device__ void store(int row, int column, int, float sum, float next) const {
    float* to = dx + std::int64_t{row} * right.lines + column;
    to[0] = sum;
    if (column + 1 < right.lines) to[1] = next;
  }
};

// Rows: taps x channels; columns: outputs; terms: the output pixels of a group of samples.
struct WeightParts {
  using Left = PatchColumns;
  using Right = RowsOfColumns;
  Left left;
  Right right;
  int batch, groups, sample_terms;
  float* parts;  // [groups][rows][columns]

  __device__ int first_term(int group) const {
    return static_cast<int>(std::int64_t{batch} * group / groups) * sample_terms;
  }
  __device__ int end_term(int group) const { return first_term(group + 1); }
  __device__ void store(int row, int column, int group, float sum, float next) const {
    float* to = parts + (std::int64_t{group} * left.lines + row) * right.lines + column;
    to[0] = sum;
    if (column + 1 < right.lines) to[1] = next;
  }
};

bool eights(const void* from, std::int64_t neighbours) {
  return neighbours % 8 == 0 && reinterpret_cast<std::uintptr_t>(from) % 16 == 0;
}

// Enough blocks to fill a device, and no more: each group has sums of its own. Fixed by the
// problem.
int groups_of(const WindowGeometry& g) {
  constexpr std::int64_t kBlocks = 512, kMostGroups = 128;
  const std::int64_t rows = product(g.kernel) * g.channels;
  const std::int64_t tiles =
      ((rows + kMmaRows - 1) / kMmaRows) * ((g.outputs + kMmaTerms - 1) / kMmaTerms);
  return static_cast<int>(std::clamp<std::int64_t>(
      kBlocks / tiles, 1, std::clamp<std::int64_t>(g.batch, 1, kMostGroups)));
}

template <class Problem>
void run_rounded(CudaQueue& queue, const char* what, Precision precision, const Problem& problem,
                 int groups = 1) {
  if (precision == Precision::tf32)
    run_mma_gemm<Tf32Factors>(queue, what, problem, groups);
  else
    run_mma_gemm<Bf16Factors>(queue, what, problem, groups);
}

}  // namespace

bool mma_serves(const WindowGeometry& g, DType dtype, Precision precision) {
  if (precision == Precision::f32 || dtype != DType::f32) return false;
  // Tiles reach a little beyond the last line.
  constexpr std::int64_t kMost = (std::int64_t{1} << 31) - 1024;
  for (const std::int64_t size :
       {g.batch * product(g.in), g.batch * product(g.out), product(g.kernel) * g.channels,
        product(g.kernel) * g.outputs, g.in[0] + g.pad[0], g.in[1] + g.pad[1], g.in[2] + g.pad[2]})
    if (size >= kMost) return false;
  return !is_empty(g);
}

void run_mma(CudaQueue& queue, const ConvForward& call) {
  const WindowGeometry& g = call.geometry;
  const auto* x = call.x.as<float>();
  const auto* weight = call.weight.as<float>();
  const PatchRows left{{g, x}, static_cast<int>(g.batch * product(g.out)), eights(x, g.channels)};
  const RowsOfColumns right{weight, static_cast<int>(g.outputs), eights(weight, g.outputs)};
  run_rounded(queue, call.what, call.precision,
              Forward{left, right, static_cast<int>(product(g.kernel) * g.channels),
                      data_or_null<float>(call.bias), call.y.as<float>(), call.activation,
                      static_cast<float>(call.slope)});
}

void run_mma(CudaQueue& queue, const ConvData& call) {
  const WindowGeometry& g = call.geometry;
  const auto* weight = call.weight.as<float>();
  GradientPatches left(g, call.dy.as<float>());
  left.lines = static_cast<int>(g.batch * product(g.in));
  left.eights = eights(left.dy, g.outputs);
  const TransposedWeights right{weight, static_cast<int>(g.channels), eights(weight, g.outputs),
                                static_cast<int>(g.outputs), FastDivide(g.outputs)};
  run_rounded(
      queue, call.what, call.precision,
      Data{left, right, static_cast<int>(product(g.kernel) * g.outputs), call.dx.as<float>()});
}

std::size_t mma_weights_scratch_bytes(const WindowGeometry& g) {
  return static_cast<std::size_t>(groups_of(g) * product(g.kernel) * g.channels * g.outputs) *
         sizeof(float);
}

void run_mma(CudaQueue& queue, const ConvWeights& call, void* scratch) {
  const WindowGeometry& g = call.geometry;
  const auto* x = call.x.as<float>();
  const auto* dy = call.dy.as<float>();
  const std::int64_t rows = product(g.kernel) * g.channels;
  const int groups = groups_of(g);
  const PatchColumns left{{g, x}, static_cast<int>(rows), eights(x, g.channels)};
  const RowsOfColumns right{dy, static_cast<int>(g.outputs), eights(dy, g.outputs)};
  auto* parts = static_cast<float*>(scratch);
  run_rounded(queue, call.what, call.precision,
              WeightParts{left, right, static_cast<int>(g.batch), groups,
                          static_cast<int>(product(g.out)), parts},
              groups);
  add_groups(queue, call.what, parts, groups, rows * g.outputs, call.dweight.as<float>());
}

}  // namespace ratnet::inline v1
