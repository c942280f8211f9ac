#include <ratnet_ptx.h>

#include "cuda_queue.h"

namespace ratnet::inline v1 {
namespace {

// Any kernel tells for all: they are compiled for the same GPUs.
__global__ void nothing() {}

}  // namespace

void check_has_code(CudaQueue& queue) {
  queue.use_device();
  cudaFuncAttributes attributes;
  check_cuda(cudaFuncGetAttributes(&attributes, nothing), queue.description,
             ": the module has no code for it (CMAKE_CUDA_ARCHITECTURES)");
}

}  // namespace ratnet::inline v1
