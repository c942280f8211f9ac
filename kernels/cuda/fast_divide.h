// Division by a number that is known before the kernel starts.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace ratnet::inline v1 {

// Quotients of numbers below 2^31 by a product and a shift (Granlund and Montgomery, 1994): a GPU
// has no instruction for division.
struct FastDivide {
  std::uint32_t divisor = 1, factor = 1, shift = 0;

  FastDivide() = default;
  // divisor: 1 to 2^31 - 1.
  explicit FastDivide(std::int64_t by) : divisor(static_cast<std::uint32_t>(by)) {
    while ((std::uint64_t{1} << shift) < divisor) ++shift;
    const std::uint64_t above = (std::uint64_t{1} << shift) - divisor;
    factor = static_cast<std::uint32_t>((above << 32) / divisor + 1);
  }

  __device__ std::uint32_t quotient(std::uint32_t n) const {
    return (static_cast<std::uint32_t>((std::uint64_t{n} * factor) >> 32) + n) >> shift;
  }
  // n becomes the quotient.
  __device__ std::uint32_t remainder(std::uint32_t& n) const {
    const std::uint32_t whole = quotient(n);
    const std::uint32_t rest = n - whole * divisor;
    n = whole;
    return rest;
  }
};

}  // namespace ratnet::inline v1
