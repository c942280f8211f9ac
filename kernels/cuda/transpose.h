// Matrices with rows and columns exchanged, for libraries whose weights lie in another order.
#pragma once

#include <cstdint>

#include "cuda_queue.h"

namespace ratnet::inline v1 {

// to [columns, rows] from [rows, columns], device memory.
void transpose(CudaQueue& queue, const char* what, const float* from, std::int64_t rows,
               std::int64_t columns, float* to);
// The same, rounded to the nearest bf16 (ties to even); to: the bits.
void transpose_rounded(CudaQueue& queue, const char* what, const float* from, std::int64_t rows,
                       std::int64_t columns, std::uint16_t* to);

}  // namespace ratnet::inline v1
