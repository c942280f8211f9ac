// The key of operations that draw random numbers.
#pragma once

#include "../../core/tensor.h"

namespace ratnet::testing {

inline Tensor key_of(std::uint64_t seed, std::int64_t step) {
  const std::int64_t numbers[] = {static_cast<std::int64_t>(seed), step};
  return Tensor::of<std::int64_t>({2}, numbers);
}

}  // namespace ratnet::testing
