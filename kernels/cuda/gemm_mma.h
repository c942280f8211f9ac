// Matrix products on tensor cores, with factors that are read through functions as in gemm.h.
//
// Blocking: a block of 4 warps makes a tile of 128 rows and 32 or 64 columns, 32 rows to a warp,
// from slices of 32 terms. The next slice is read from device memory while the present one is
// multiplied from shared memory, of which there are two. The terms of a sum are added in an order
// that depends on neither the grid nor the rest of the batch.
#pragma once

#include "launch.h"
#include "mma_factors.h"
#include "unrolled.h"

namespace ratnet::inline v1 {

constexpr int kMmaRows = 128, kMmaThreads = 128;

namespace {

struct alignas(16) FourFloats {
  float of[4];
};

// Eight neighbours of a factor from device memory, zeros beyond its ends.
template <class Factor>
__device__ void load8(const Factor& factor, const typename Factor::Line& line, int line_index,
                      const typename Factor::Term& term, int term_index, int end, float (&v)[8]) {
  if (factor.eights) {
    const float* from =
        term_index < end && line_index < factor.lines ? factor.address(line, term) : nullptr;
    const auto* fours = reinterpret_cast<const FourFloats*>(from);
    unrolled<2>([&](int half) {
      const FourFloats four = from ? fours[half] : FourFloats{};
      unrolled<4>([&](int i) { v[4 * half + i] = four.of[i]; });
    });
    return;
  }
  // A loop, since this is long; what it finds moves up, so that no index is computed.
  for (int i = 0; i < 8; ++i) {
    const int own_line = line_index + (Factor::kTermsAreNeighbours ? 0 : i);
    const int own_term = term_index + (Factor::kTermsAreNeighbours ? i : 0);
    const float* from = nullptr;
    if (own_line < factor.lines && own_term < end)
      from = Factor::kTermsAreNeighbours ? factor.address(line, factor.term(own_term))
                                         : factor.address(factor.line(own_line), term);
    unrolled<7>([&](int k) { v[k] = v[k + 1]; });
    v[7] = from ? *from : 0;
  }
}

// What a thread brings of each slice of one factor, from device memory through its registers.
template <class Factor, int kLines>
class Bringer {
  static constexpr bool kTermsAreNeighbours = Factor::kTermsAreNeighbours;
  // Groups of eight side by side, and how many a thread has.
  static constexpr int kAcross = (kTermsAreNeighbours ? kMmaTerms : kLines) / 8;
  static constexpr int kDown = kMmaThreads / kAcross;
  static constexpr int kGroups = kLines * kMmaTerms / 8 / kMmaThreads;

 public:
  __device__ Bringer(const Factor& factor, int first_line)
      : factor_(factor), first_line_(first_line) {
    unrolled<kOwnLines>([&](int i) { lines_[i] = factor.line(first_line + line_of(i)); });
  }
  __device__ void load(int first_term, int end) {
    typename Factor::Term term = factor_.term(first_term + term_of(0));
    unrolled<kGroups>([&](int i) {
      if (!kTermsAreNeighbours && i > 0) term = factor_.term(first_term + term_of(i));
      load8(factor_, lines_[kTermsAreNeighbours ? i : 0], first_line_ + line_of(i), term,
            first_term + term_of(i), end, values_[i]);
    });
  }
  template <class Tile>
  __device__ void store(Tile& tile) const {
    unrolled<kGroups>([&](int i) { tile.store8(line_of(i), term_of(i), values_[i]); });
  }

 private:
  static constexpr int kOwnLines = kTermsAreNeighbours ? kGroups : 1;
  __device__ static int line_of(int i) {
    const int me = static_cast<int>(threadIdx.x);
    return kTermsAreNeighbours ? me / kAcross + i * kDown : me % kAcross * 8;
  }
  __device__ static int term_of(int i) {
    const int me = static_cast<int>(threadIdx.x);
    return kTermsAreNeighbours ? me % kAcross * 8 : me / kAcross + i * kDown;
  }

  const Factor& factor_;
  int first_line_;
  typename Factor::Line lines_[kOwnLines];
  float values_[kGroups][8];
};

template <class Factors, int kColumns, class Problem>
struct MmaShared {
  typename Factors::template Tile<kMmaRows, Problem::Left::kTermsAreNeighbours> left[2];
  typename Factors::template Tile<kColumns, Problem::Right::kTermsAreNeighbours> right[2];
};

// Problem:
//   Left left; Right right;       each with
//     static constexpr bool kTermsAreNeighbours    in device memory; otherwise lines are
//     int lines                                    rows of the left, columns of the right factor
//     bool eights                                  eight neighbours are always 32 aligned bytes
//     Line line(int), Term term(int)               what is worth computing once; any index
//     const float* address(line, term)             nullptr where there is a zero
//   int first_term(group), end_term(group)         the terms that blockIdx.z sums
//   void store(row, column, group, sum, next)      of (row, column) and (row, column + 1), which
//                                                  may be one too many
template <class Factors, int kColumns, class Problem>
__global__ void __launch_bounds__(kMmaThreads) mma_gemm(Problem p) {
  constexpr int kRowTiles = 2, kColumnTiles = kColumns / 8;
  auto& shared = dynamic_shared<MmaShared<Factors, kColumns, Problem>>();
  const int row0 = static_cast<int>(blockIdx.x) * kMmaRows;
  const int column0 = static_cast<int>(blockIdx.y) * kColumns;
  const int group = static_cast<int>(blockIdx.z);
  const int begin = p.first_term(group), end = p.end_term(group);
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * 16 * kRowTiles;

  Bringer<typename Problem::Left, kMmaRows> left(p.left, row0);
  Bringer<typename Problem::Right, kColumns> right(p.right, column0);
  float sums[kRowTiles][kColumnTiles][4] = {};
  if (begin < end) {
    left.load(begin, end);
    right.load(begin, end);
    left.store(shared.left[0]);
    right.store(shared.right[0]);
  }
  __syncthreads();
  int present = 0;
  for (int first = begin; first < end; first += kMmaTerms) {
    const bool more = first + kMmaTerms < end;
    if (more) {
      left.load(first + kMmaTerms, end);
      right.load(first + kMmaTerms, end);
    }
    for (int term = 0; term < kMmaTerms; term += Factors::kTerms) {
      std::uint32_t a[kRowTiles][4], b[kColumnTiles / 2][2][2];
      unrolled<kRowTiles>([&](int i) { shared.left[present].left(a[i], warp_row + 16 * i, term); });
      unrolled<kColumnTiles / 2>(
          [&](int pair) { shared.right[present].right(b[pair], 16 * pair, term); });
      unrolled<kRowTiles>([&](int i) {
        unrolled<kColumnTiles>(
            [&](int j) { Factors::multiply(sums[i][j], a[i], b[j / 2][j % 2]); });
      });
    }
    if (more) {
      // Read last before the barrier that let this slice begin.
      left.store(shared.left[1 - present]);
      right.store(shared.right[1 - present]);
    }
    present = 1 - present;
    __syncthreads();
  }
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
  unrolled<kRowTiles>([&](int i) {
    unrolled<kColumnTiles>([&](int j) {
      unrolled<2>([&](int half) {
        const int row = row0 + warp_row + 16 * i + g + 8 * half;
        const int column = column0 + 8 * j + 2 * t;
        if (row < p.left.lines && column < p.right.lines)
          p.store(row, column, group, sums[i][j][2 * half], sums[i][j][2 * half + 1]);
      });
    });
  });
}

template <class Factors, int kColumns, class Problem>
void launch_mma(CudaQueue& queue, const char* what, const Problem& problem, int groups) {
  const auto tiles = [](int n, int size) { return static_cast<unsigned>((n - 1) / size + 1); };
  launch(queue, what,
         dim3(tiles(problem.left.lines, kMmaRows), tiles(problem.right.lines, kColumns),
              static_cast<unsigned>(groups)),
         dim3(kMmaThreads), sizeof(MmaShared<Factors, kColumns, Problem>),
         mma_gemm<Factors, kColumns, Problem>, problem);
}

}  // namespace

// groups: the launches along blockIdx.z.
template <class Factors, class Problem>
void run_mma_gemm(CudaQueue& queue, const char* what, const Problem& problem, int groups = 1) {
  if (problem.left.lines == 0 || problem.right.lines == 0 || groups == 0) return;
  if (problem.right.lines <= 32)
    launch_mma<Factors, 32>(queue, what, problem, groups);
  else
    launch_mma<Factors, 64>(queue, what, problem, groups);
}

}  // namespace ratnet::inline v1
