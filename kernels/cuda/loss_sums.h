// The sums of losses on a GPU: parts whose number only the problem fixes, a block each, added in
// order. What fits one block is one launch.
#pragma once

#include "../loss_terms.h"
#include "activated.h"
#include "block_sum.h"
#include "launch.h"

namespace ratnet::inline v1 {

// How many parts n terms are summed in.
inline std::int64_t loss_parts(std::int64_t n) {
  constexpr std::int64_t kTermsOfPart = 2048, kMostParts = 1024;
  return std::clamp<std::int64_t>(n / kTermsOfPart, 1, kMostParts);
}

namespace {

// The part of this block in n terms.
struct PartOfBlock {
  std::int64_t first, last;
  __device__ explicit PartOfBlock(std::int64_t n)
      : first(n * blockIdx.x / gridDim.x + threadIdx.x), last(n * (blockIdx.x + 1) / gridDim.x) {}
};

template <class Terms>
__device__ double sum_of_weights(const PartOfBlock& part, const Terms& terms, BlockSums& sums) {
  double sum = 0;
  for (std::int64_t i = part.first; i < part.last; i += kSumThreads) sum += terms.weight(i);
  return block_sum(sums, sum);
}

template <class Terms>
__device__ double sum_of_terms(const PartOfBlock& part, const Terms& terms, double scale,
                               BlockSums& sums) {
  double sum = 0;
  for (std::int64_t i = part.first; i < part.last; i += kSumThreads) sum += terms.term(i, scale);
  return block_sum(sums, sum);
}

__device__ inline double sum_of_parts(const double* parts, std::int64_t count, BlockSums& sums) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kSumThreads) sum += parts[i];
  return block_sum(sums, sum);
}

// One divided by the sum of weights, which is known where it is not negative.
__device__ inline double scale_of(double total) { return total != 0 ? 1 / total : 0.0; }

template <class T, class Terms>
__global__ void __launch_bounds__(kSumThreads)
    mean_at_once(std::int64_t n, Terms terms, double total, LossResult<T> result) {
  auto& sums = dynamic_shared<BlockSums>();
  const PartOfBlock part(n);
  const double scale = scale_of(total < 0 ? sum_of_weights(part, terms, sums) : total);
  const double loss = sum_of_terms(part, terms, scale * result.factor, sums);
  if (threadIdx.x == 0) result.put(loss * scale);
}

template <class Terms>
__global__ void __launch_bounds__(kSumThreads)
    weights_of_parts(std::int64_t n, Terms terms, double* weights) {
  const double sum = sum_of_weights(PartOfBlock(n), terms, dynamic_shared<BlockSums>());
  if (threadIdx.x == 0) weights[blockIdx.x] = sum;
}

template <class Terms>
__global__ void __launch_bounds__(kSumThreads)
    terms_of_parts(std::int64_t n, Terms terms, double total, double factor, const double* weights,
                   double* losses) {
  auto& sums = dynamic_shared<BlockSums>();
  const double scale = scale_of(total < 0 ? sum_of_parts(weights, gridDim.x, sums) : total);
  const double loss = sum_of_terms(PartOfBlock(n), terms, scale * factor, sums);
  if (threadIdx.x == 0) losses[blockIdx.x] = loss;
}

template <class T>
__global__ void __launch_bounds__(kSumThreads)
    mean_of_parts(std::int64_t parts, double total, const double* weights, const double* losses,
                  LossResult<T> result) {
  auto& sums = dynamic_shared<BlockSums>();
  const double scale = scale_of(total < 0 ? sum_of_parts(weights, parts, sums) : total);
  const double loss = sum_of_parts(losses, parts, sums);
  if (threadIdx.x == 0) result.put(loss * scale);
}

}  // namespace

// The working memory of weighted_mean() over n terms.
inline std::size_t weighted_mean_bytes(std::int64_t n) {
  const std::int64_t parts = loss_parts(n);
  return parts > 1 ? static_cast<std::size_t>(2 * parts) * sizeof(double) : 0;
}

// result = sum of terms / sum of weights, over n terms. total: the sum of weights where it is
// known, else negative. memory: weighted_mean_bytes(n).
template <class T, class Terms>
void weighted_mean(CudaQueue& queue, const char* what, std::int64_t n, double total,
                   const Terms& terms, const LossResult<T>& result, void* memory) {
  const std::int64_t parts = loss_parts(n);
  const dim3 threads(kSumThreads), blocks(static_cast<unsigned>(parts));
  constexpr std::size_t kShared = sizeof(BlockSums);
  if (parts == 1)
    return launch(queue, what, blocks, threads, kShared, mean_at_once<T, Terms>, n, terms, total,
                  result);
  auto* weights = static_cast<double*>(memory);
  double* losses = weights + parts;
  if (total < 0)
    launch(queue, what, blocks, threads, kShared, weights_of_parts<Terms>, n, terms, weights);
  launch(queue, what, blocks, threads, kShared, terms_of_parts<Terms>, n, terms, total,
         result.factor, weights, losses);
  launch(queue, what, dim3(1), threads, kShared, mean_of_parts<T>, parts, total, weights, losses,
         result);
}

// The same with the queue's own working memory, for operations that need no other.
template <class T, class Terms>
void weighted_mean(CudaQueue& queue, const char* what, std::int64_t n, double total,
                   const Terms& terms, const LossResult<T>& result) {
  const std::size_t bytes = weighted_mean_bytes(n);
  weighted_mean(queue, what, n, total, terms, result,
                bytes ? queue.working_memory(bytes) : nullptr);
}

}  // namespace ratnet::inline v1
