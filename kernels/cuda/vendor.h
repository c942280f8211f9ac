// Algorithms of NVIDIA's libraries, which are opened when first asked. A module that was built
// without one of them has cudnn/absent.cpp or cublaslt/absent.cpp in its place.
#pragma once

#include "algorithms.h"

namespace ratnet::inline v1 {

// Convolutions of any size.
extern const CudaAlgorithm<ConvForward> cudnn_forward;
extern const CudaAlgorithm<ConvData> cudnn_data;
extern const CudaAlgorithm<ConvWeights> cudnn_weights;

// Dense layers: convolutions of one pixel.
extern const CudaAlgorithm<ConvForward> cublaslt_forward;
extern const CudaAlgorithm<ConvData> cublaslt_data;
extern const CudaAlgorithm<ConvWeights> cublaslt_weights;

// An algorithm that this module was built without.
template <class Call>
constexpr CudaAlgorithm<Call> absent(const char* name) {
  return {name, [](CudaQueue&, const Call&) { return "this module was built without it"; }, nullptr,
          nullptr};
}

}  // namespace ratnet::inline v1
