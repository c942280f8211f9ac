// Convolutions of grouped channels, down to one channel by itself (depthwise).
#pragma once

#include "algorithms.h"

namespace ratnet::inline v1 {

void run_grouped(CudaQueue& queue, const ConvForward& call);
void run_grouped(CudaQueue& queue, const ConvData& call);
void run_grouped(CudaQueue& queue, const ConvWeights& call);
std::size_t grouped_scratch_bytes(const ConvWeights& call);

// Declines what has no groups.
template <class Call>
constexpr CudaAlgorithm<Call> kConvGrouped = {
    "conv_grouped",
    [](CudaQueue&, const Call& call) -> const char* {
      return call.geometry.groups == 1 ? "" : nullptr;
    },
    [](CudaQueue&, const Call& call) {
      std::size_t bytes = 0;
      if constexpr (requires { grouped_scratch_bytes(call); }) bytes = grouped_scratch_bytes(call);
      return note_of("conv_grouped: a thread for every number", bytes);
    },
    [](CudaQueue& queue, const Call& call) { run_grouped(queue, call); }};

}  // namespace ratnet::inline v1
