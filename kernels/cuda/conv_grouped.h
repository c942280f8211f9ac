// Convolutions of grouped channels, down to one channel by itself (depthwise).
#pragma once

#include "algorithms.h"
#include "column_sums.h"

namespace ratnet::inline v1 {

void run_grouped(CudaQueue& queue, const ConvForward& call);
void run_grouped(CudaQueue& queue, const ConvData& call);
void run_grouped(CudaQueue& queue, const ConvWeights& call);

// Declines what has no groups.
template <class Call>
constexpr CudaAlgorithm<Call> kConvGrouped = {
    "conv_grouped",
    [](CudaQueue&, const Call& call) -> const char* {
      return call.geometry.groups == 1 ? "" : nullptr;
    },
    [](CudaQueue&, const Call& call) {
      return note_of("conv_grouped: a thread for every number", bias_sums_bytes(call));
    },
    [](CudaQueue& queue, const Call& call) { run_grouped(queue, call); }};

}  // namespace ratnet::inline v1
