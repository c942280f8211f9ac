// Sums that several threads have a part in: pieces of a fixed size, added in order.
#pragma once

#include <algorithm>

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

}  // namespace ratnet::inline v1
