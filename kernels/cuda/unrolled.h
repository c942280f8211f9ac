// Loops that are never loops.
#pragma once

#include <cuda_runtime.h>

#include <utility>

namespace ratnet::inline v1 {
namespace {

// body(0) to body(kCount - 1) in a row: arrays that they index stay in registers.
template <int kCount, class Body>
__device__ void unrolled(const Body& body) {
  [&]<int... i>(std::integer_sequence<int, i...>) { (body(i), ...); }
  (std::make_integer_sequence<int, kCount>{});
}

}  // namespace
}  // namespace ratnet::inline v1
