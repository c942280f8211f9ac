// Convolutions with implicit patches on tensor cores: see conv_gemm.h, whose calls these are.
#pragma once

#include "conv_gemm.h"

namespace ratnet::inline v1 {

// Whether tensor cores serve a call of that type and precision: f32 tensors at Precision::tf32 or
// bf16, of less than 2^31 pixels and not empty.
bool mma_serves(const WindowGeometry& geometry, DType dtype, Precision precision);

void run_mma(CudaQueue& queue, const ConvForward& call);
void run_mma(CudaQueue& queue, const ConvData& call);
// dweight alone; scratch: mma_weights_scratch_bytes(call.geometry).
void run_mma(CudaQueue& queue, const ConvWeights& call, void* scratch);
std::size_t mma_weights_scratch_bytes(const WindowGeometry& geometry);

}  // namespace ratnet::inline v1
