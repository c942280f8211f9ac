// Sums over the threads of a block.
#pragma once

#include <ratnet_ptx.h>

namespace ratnet::inline v1 {

constexpr int kSumThreads = 256;
struct BlockSums {
  double of[kSumThreads];
};

// The sum over a block of kSumThreads threads, by a tree of fixed order, to every thread. The
// memory may be used again afterwards.
__device__ inline double block_sum(BlockSums& sums, double value) {
  const unsigned me = threadIdx.x;
  sums.of[me] = value;
  __syncthreads();
  for (unsigned half = kSumThreads / 2; half > 0; half /= 2) {
    if (me < half) sums.of[me] += sums.of[me + half];
    __syncthreads();
  }
  const double total = sums.of[0];
  __syncthreads();
  return total;
}

}  // namespace ratnet::inline v1
