// The sums of losses on the CPU: pieces of a fixed size, added in order.
#pragma once

#include <algorithm>

#include "../loss_terms.h"
#include "sum_in_order.h"

namespace ratnet::inline v1 {

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

}  // namespace ratnet::inline v1
