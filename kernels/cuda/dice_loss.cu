#include "../dice_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {
namespace {

__device__ DiceSums block_sum(BlockSums& shared, const DiceSums& sums) {
  return {block_sum(shared, sums.both), block_sum(shared, sums.predicted),
          block_sum(shared, sums.labelled)};
}

// The sums of a part of a sample: block sample * parts + part.
template <class T>
__global__ void __launch_bounds__(kSumThreads)
    sums_of_parts(DiceTerms<T> terms, std::int64_t parts, DiceSums* of_parts) {
  auto& shared = dynamic_shared<BlockSums>();
  const std::int64_t sample = blockIdx.x / parts, part = blockIdx.x % parts;
  const std::int64_t first = terms.rows * part / parts, last = terms.rows * (part + 1) / parts;
  for (std::int64_t k = 0; k < terms.classes; ++k) {
    DiceSums sums;
    for (std::int64_t i = first + threadIdx.x; i < last; i += kSumThreads)
      terms.add_pixel(sample * terms.rows + i, k, sums);
    sums = block_sum(shared, sums);
    if (threadIdx.x == 0) of_parts[blockIdx.x * terms.classes + k] = sums;
  }
}

// The sums of a class in a group of parts: block group * classes + class.
__global__ void __launch_bounds__(kSumThreads)
    sums_of_groups(const DiceSums* of_parts, std::int64_t parts, std::int64_t classes,
                   DiceSums* of_groups) {
  auto& shared = dynamic_shared<BlockSums>();
  const std::int64_t group = blockIdx.x / classes, k = blockIdx.x % classes;
  DiceSums sums;
  for (std::int64_t i = threadIdx.x; i < parts; i += kSumThreads)
    sums.add(of_parts[(group * parts + i) * classes + k]);
  sums = block_sum(shared, sums);
  if (threadIdx.x == 0) of_groups[blockIdx.x] = sums;
}

template <class T>
__global__ void __launch_bounds__(kSumThreads)
    mean_of_scores(DiceTerms<T> terms, const DiceSums* of_groups, LossResult<T> result) {
  auto& shared = dynamic_shared<BlockSums>();
  double loss = 0;
  for (std::int64_t i = threadIdx.x; i < terms.groups() * terms.classes; i += kSumThreads)
    if (i % terms.classes >= terms.first_class) loss += terms.loss(of_groups[i]);
  loss = block_sum(shared, loss);
  if (threadIdx.x == 0)
    result.put(terms.scores() ? loss / static_cast<double>(terms.scores()) : 0.0);
}

template <class T>
struct Gradient {
  DiceTerms<T> terms;
  const DiceSums* of_groups;
  __device__ void operator()(std::int64_t i) const {
    terms.put_gradient(i / terms.classes, i % terms.classes, of_groups);
  }
};

std::int64_t parts_of_sample(const DiceLoss& op) {
  const std::int64_t samples = op.labels.shape[0];
  return samples ? loss_parts(op.labels.count() / samples) : 0;
}

template <class T>
void dice(CudaQueue& queue, const DiceLoss& op, DiceSums* of_parts) {
  const DiceTerms<T> terms = terms_of<T>(op);
  const std::int64_t parts = parts_of_sample(op), all = terms.samples * parts;
  DiceSums* of_groups = of_parts + all * terms.classes;
  const auto blocks = [](std::int64_t count) { return dim3(static_cast<unsigned>(count)); };
  const dim3 threads(kSumThreads);
  constexpr std::size_t kShared = sizeof(BlockSums);
  if (all > 0)
    launch(queue, op.kName, blocks(all), threads, kShared, sums_of_parts<T>, terms, parts,
           of_parts);
  if (terms.groups() > 0)
    launch(queue, op.kName, blocks(terms.groups() * terms.classes), threads, kShared,
           sums_of_groups, of_parts, terms.per_sample ? parts : all, terms.classes, of_groups);
  launch(queue, op.kName, blocks(1), threads, kShared, mean_of_scores<T>, terms, of_groups,
         result_of<T>(op));
  if (op.dprobabilities)
    for_each_element(queue, op.kName, op.probabilities.count(), Gradient<T>{terms, of_groups});
}

}  // namespace

OpNote plan(CudaQueue&, const DiceLoss& op) {
  const std::int64_t samples = op.labels.shape[0];
  const std::int64_t sums = samples * parts_of_sample(op) + std::max<std::int64_t>(1, samples);
  return note_of("",
                 static_cast<std::size_t>(sums * op.probabilities.shape.back()) * sizeof(DiceSums));
}

void run(CudaQueue& queue, const DiceLoss& op) {
  auto* sums = static_cast<DiceSums*>(queue.working_memory(plan(queue, op).scratch_bytes));
  for_float_type(op.probabilities.dtype == DType::f64,
                 [&]<class T>(T) { dice<T>(queue, op, sums); });
}

}  // namespace ratnet::inline v1
