// How kernels are started: no <<<>>>, so that the same sources compile as C++ for the emulation.
#pragma once

#include <ratnet_ptx.h>

#include <algorithm>
#include <cstdint>

#include "cuda_queue.h"

namespace ratnet::inline v1 {

// what: the operation, for messages.
template <class... Parameters, class... Arguments>
void launch(CudaQueue& queue, const char* what, dim3 grid, dim3 block, std::size_t shared_bytes,
            void (*kernel)(Parameters...), const Arguments&... arguments) {
  queue.use_device();
  constexpr std::size_t kUnasked = std::size_t{48} << 10;
  if (shared_bytes > kUnasked)
    check_cuda(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                    cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(shared_bytes)),
               what, ": asking for ", shared_bytes, " bytes of shared memory");
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = queue.stream;
  check_cuda(cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...), what, ": launch of ",
             grid.x, " x ", grid.y, " x ", grid.z, " blocks of ", block.x * block.y * block.z,
             " threads");
}

namespace {

template <class Body>
__global__ void __launch_bounds__(256) each_element(std::int64_t n, Body body) {
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step)
    body(i);
}

}  // namespace

// body(i) for i in 0..n-1, each by a thread. Body: a small struct with a const operator().
template <class Body>
void for_each_element(CudaQueue& queue, const char* what, std::int64_t n, const Body& body) {
  if (n == 0) return;
  constexpr std::int64_t kThreads = 256, kMostBlocks = 1 << 16;
  const auto blocks = std::min((n + kThreads - 1) / kThreads, kMostBlocks);
  launch(queue, what, dim3(static_cast<unsigned>(blocks)), dim3(kThreads), 0, each_element<Body>, n,
         body);
}

}  // namespace ratnet::inline v1
