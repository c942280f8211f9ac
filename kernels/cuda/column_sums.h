// The gradient of a bias.
#pragma once

#include "../../core/view.h"
#include "cuda_queue.h"

namespace ratnet::inline v1 {

// sums[column] = sum of x[row][column] over all rows, in a fixed order; x [..., columns] and sums
// [columns] of one type, f32 or f64. scratch: column_sums_bytes(x).
void column_sums(CudaQueue& queue, const char* what, const ConstView& x, const View& sums,
                 void* scratch);
std::size_t column_sums_bytes(const ConstView& x);

// The scratch for the bias's gradient of a call, if it wants one.
template <class Call>
std::size_t bias_sums_bytes(const Call& call) {
  if constexpr (requires { call.dbias; }) return call.dbias ? column_sums_bytes(call.dy) : 0;
  return 0;
}

}  // namespace ratnet::inline v1
