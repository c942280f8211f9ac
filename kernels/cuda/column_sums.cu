#include "column_sums.h"

#include "activated.h"
#include "group_sums.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kAcross = 32, kDown = 8;  // threads of a block along columns and rows
constexpr std::int64_t kMostGroups = 128;

template <class T>
struct Parts {
  T of[kDown][kAcross];
};

// The part of blockIdx.y in gridDim.y groups of rows.
template <class T>
__global__ void __launch_bounds__(kAcross* kDown)
    parts_of_columns(const T* x, std::int64_t rows, std::int64_t columns, T* parts) {
  auto& shared = dynamic_shared<Parts<T>>();
  const int across = static_cast<int>(threadIdx.x) % kAcross;
  const int down = static_cast<int>(threadIdx.x) / kAcross;
  const std::int64_t column = std::int64_t{blockIdx.x} * kAcross + across;
  const std::int64_t group = blockIdx.y, groups = gridDim.y;
  T sum = 0;
  if (column < columns)
    for (std::int64_t row = rows * group / groups + down; row < rows * (group + 1) / groups;
         row += kDown)
      sum += x[row * columns + column];
  shared.of[down][across] = sum;
  __syncthreads();
  if (down != 0 || column >= columns) return;
  for (int i = 1; i < kDown; ++i) sum += shared.of[i][across];
  parts[group * columns + column] = sum;
}

std::int64_t rows_of(const ConstView& x) { return x.count() / x.shape.back(); }

// Fixed by the problem.
std::int64_t groups_of(const ConstView& x) {
  constexpr std::int64_t kRowsOfGroup = 64;
  return std::clamp<std::int64_t>(rows_of(x) / kRowsOfGroup, 1, kMostGroups);
}

}  // namespace

std::size_t column_sums_bytes(const ConstView& x) {
  return static_cast<std::size_t>(groups_of(x) * x.shape.back()) * size_of(x.dtype);
}

void column_sums(CudaQueue& queue, const char* what, const ConstView& x, const View& sums,
                 void* scratch) {
  const std::int64_t columns = x.shape.back(), groups = groups_of(x);
  for_float_type(x.dtype == DType::f64, [&]<class T>(T) {
    auto* parts = static_cast<T*>(scratch);
    launch(queue, what,
           dim3(static_cast<unsigned>((columns + kAcross - 1) / kAcross),
                static_cast<unsigned>(groups)),
           dim3(kAcross * kDown), sizeof(Parts<T>), parts_of_columns<T>, x.as<T>(), rows_of(x),
           columns, parts);
    add_groups(queue, what, parts, groups, columns, sums.as<T>());
  });
}

}  // namespace ratnet::inline v1
