// The three convolutions of RatNet on a whole slice in shared memory, in one kernel.
#pragma once

#include "../conv_chain.h"
#include "cuda_queue.h"

namespace ratnet::inline v1 {

// Of a chain with f32 or bf16 products; x is [N, 64, 64, 1] u8 or f32 and y [N, 8, 8, 32] f32, each
// beginning at a multiple of 16 bytes; three stages of 3 x 3 with stride 1 and padding 1 to 32
// channels, ReLU and 2 x 2 maxima.
void run_ratnet_convs(CudaQueue& queue, const ConvChain& op);
// What a block of it needs for such a chain.
std::size_t ratnet_convs_shared_bytes(const ConvChain& op);

}  // namespace ratnet::inline v1
