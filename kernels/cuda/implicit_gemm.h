// Our own kernels (conv_gemm.h) as the last entry of lists of algorithms: they take everything.
#pragma once

#include "algorithms.h"

namespace ratnet::inline v1 {

template <class Call>
constexpr CudaAlgorithm<Call> kImplicitGemm = {
    "implicit_gemm", [](CudaQueue&, const Call&) -> const char* { return nullptr; },
    [](CudaQueue&, const Call& call) {
      return note_of(algorithm_of(call.geometry, call.dtype(), call.precision),
                     scratch_bytes(call));
    },
    [](CudaQueue& queue, const Call& call) { run(queue, call); }};

}  // namespace ratnet::inline v1
