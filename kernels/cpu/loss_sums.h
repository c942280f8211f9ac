// The sums of losses on the CPU: pieces of a fixed size, added in order.
#pragma once

#include <algorithm>

#include "../loss_terms.h"
#include "cpu_queue.h"

namespace ratnet::inline v1 {

// The sum of part(first, last, worker) over pieces of 0..n-1.
template <class Part>
double sum_in_order(CpuQueue& queue, std::int64_t n, std::int64_t piece, const Part& part) {
  // Many pieces at a time, so that their sums fit the stack.
  constexpr std::int64_t kGroup = 256;
  double sum = 0;
  for (std::int64_t start = 0; start < n; start += kGroup * piece) {
    double sums[kGroup];
    const std::int64_t pieces = std::min(kGroup, (n - start + piece - 1) / piece);
    parallel_for(*queue.executor, pieces, [&](std::int64_t p, int worker) {
      const std::int64_t first = start + p * piece;
      sums[p] = part(first, std::min(n, first + piece), worker);
    });
    for (std::int64_t p = 0; p < pieces; ++p) sum += sums[p];
  }
  return sum;
}

// result = sum of terms / sum of weights, over n terms of `size` elements each. total: the sum of
// weights where it is known, else negative.
template <class T, class Terms>
void weighted_mean(CpuQueue& queue, std::int64_t n, std::int64_t size, double total,
                   const Terms& terms, const LossResult<T>& result) {
  const std::int64_t piece = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, size));
  if (total < 0)
    total = sum_in_order(queue, n, piece, [&](std::int64_t first, std::int64_t last, int) {
      double sum = 0;
      for (std::int64_t i = first; i < last; ++i) sum += terms.weight(i);
      return sum;
    });
  const double scale = total != 0 ? 1 / total : 0;
  const double sum = sum_in_order(queue, n, piece, [&](std::int64_t first, std::int64_t last, int) {
    double part = 0;
    for (std::int64_t i = first; i < last; ++i) part += terms.term(i, scale * result.factor);
    return part;
  });
  result.put(sum * scale);
}

// function(T{}) with T the type of a prediction, float or double.
template <class Function>
void for_loss_type(const ConstView& prediction, Function&& function) {
  prediction.dtype == DType::f64 ? function(double{}) : function(float{});
}

}  // namespace ratnet::inline v1
