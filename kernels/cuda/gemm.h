// Matrix products whose factors are read through functions, so that one kernel serves dense layers,
// convolutions (implicit GEMM) and all their gradients.
//
// Blocking: a block of 128 threads makes a 64 x 32 tile of the result, 4 x 4 to a thread, from
// slices of 16 terms that pass through shared memory. The terms of a sum are added in order, so a
// result depends on neither the grid nor the rest of the batch.
#pragma once

#include "launch.h"

namespace ratnet::inline v1 {

constexpr int kTileRows = 64, kTileColumns = 32, kTileTerms = 16, kTileThreads = 128;

template <class T>
struct GemmTile {
  T a[kTileTerms][kTileRows + 1];  // one more: neighbours in a column lie in different banks
  T b[kTileTerms][kTileColumns];
};

namespace {

// Problem:
//   using Number;                                 float or double
//   static constexpr bool kTermsAreNeighbours;    a(row, k) and a(row, k + 1) mostly are, in
//   memory;
//                                                 otherwise a(row, k) and a(row + 1, k)
//   std::int64_t rows, columns;
//   first_term(group), end_term(group)            the terms that blockIdx.z sums
//   Row row(m)                                    what of a row is worth computing once
//   Number a(row, k), b(k, column)
//   void store(m, column, group, sum)
template <class Problem>
__global__ void __launch_bounds__(kTileThreads) gemm(Problem p) {
  using T = typename Problem::Number;
  constexpr int kSide = 4;                                           // of a thread's part
  constexpr int kColumnThreads = kTileColumns / kSide;               // 8
  constexpr int kLoads = kTileRows * kTileTerms / kTileThreads;      // of a, by each thread
  constexpr int kLoadsB = kTileColumns * kTileTerms / kTileThreads;  // of b
  auto& tile = dynamic_shared<GemmTile<T>>();
  const int me = static_cast<int>(threadIdx.x);
  const std::int64_t m0 = std::int64_t{blockIdx.x} * kTileRows;
  const std::int64_t n0 = std::int64_t{blockIdx.y} * kTileColumns;
  const std::int64_t group = blockIdx.z;
  const std::int64_t end = p.end_term(group);

  // Which elements of a slice this thread brings.
  const auto row_of = [&](int i) {
    return Problem::kTermsAreNeighbours ? me / kTileTerms + i * (kTileThreads / kTileTerms)
                                        : me % kTileRows;
  };
  const auto term_of = [&](int i) {
    return Problem::kTermsAreNeighbours ? me % kTileTerms
                                        : me / kTileRows + i * (kTileThreads / kTileRows);
  };
  constexpr int kRows = Problem::kTermsAreNeighbours ? kLoads : 1;
  typename Problem::Row rows[kRows];
  for (int i = 0; i < kRows; ++i) rows[i] = p.row(m0 + row_of(i));

  T sum[kSide][kSide] = {};
  const int my_row = me / kColumnThreads * kSide, my_column = me % kColumnThreads * kSide;
  for (std::int64_t k0 = p.first_term(group); k0 < end; k0 += kTileTerms) {
    for (int i = 0; i < kLoads; ++i) {
      const std::int64_t k = k0 + term_of(i);
      const bool inside = k < end && m0 + row_of(i) < p.rows;
      tile.a[term_of(i)][row_of(i)] =
          inside ? p.a(rows[Problem::kTermsAreNeighbours ? i : 0], k) : T{0};
    }
    for (int i = 0; i < kLoadsB; ++i) {
      const int term = me / kTileColumns + i * (kTileThreads / kTileColumns);
      const std::int64_t column = n0 + me % kTileColumns;
      const bool inside = k0 + term < end && column < p.columns;
      tile.b[term][me % kTileColumns] = inside ? p.b(k0 + term, column) : T{0};
    }
    __syncthreads();
    for (int k = 0; k < kTileTerms; ++k)
      for (int r = 0; r < kSide; ++r)
        for (int c = 0; c < kSide; ++c)
          sum[r][c] += tile.a[k][my_row + r] * tile.b[k][my_column + c];
    __syncthreads();
  }
  for (int r = 0; r < kSide; ++r)
    for (int c = 0; c < kSide; ++c)
      if (m0 + my_row + r < p.rows && n0 + my_column + c < p.columns)
        p.store(m0 + my_row + r, n0 + my_column + c, group, sum[r][c]);
}

}  // namespace

template <class Problem>
void run_gemm(CudaQueue& queue, const char* what, const Problem& problem, std::int64_t groups = 1) {
  if (problem.rows == 0 || problem.columns == 0 || groups == 0) return;
  const auto tiles = [](std::int64_t n, int size) { return (n + size - 1) / size; };
  const std::int64_t columns = tiles(problem.columns, kTileColumns);
  if (columns > 65535)
    fail(ErrorKind::device, what, ": ", problem.columns, " outputs are too many");
  launch(queue, what,
         dim3(static_cast<unsigned>(tiles(problem.rows, kTileRows)), static_cast<unsigned>(columns),
              static_cast<unsigned>(groups)),
         dim3(kTileThreads), sizeof(GemmTile<typename Problem::Number>), gemm<Problem>, problem);
}

}  // namespace ratnet::inline v1
