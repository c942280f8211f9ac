#include "cuda_queue.h"

#include <algorithm>
#include <limits>

namespace ratnet::inline v1 {

void CudaQueue::use_device() { check_cuda(cudaSetDevice(device.index), to_string(device)); }

bool CudaQueue::is_capturing() {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(stream, &status), "asking whether work is captured");
  return status != cudaStreamCaptureStatusNone;
}

void* device_memory(CudaQueue& queue, std::size_t bytes) {
  queue.use_device();
  void* memory = nullptr;
  const cudaError_t error =
      cudaMallocFromPoolAsync(&memory, bytes ? bytes : 1, queue.pool, queue.stream);
  if (error == cudaSuccess) return memory;
  cudaGetLastError();
  std::size_t free_bytes = 0, total_bytes = 0;
  cudaMemGetInfo(&free_bytes, &total_bytes);
  fail(ErrorKind::device, to_string(queue.device), ": ", bytes, " bytes were wanted, ", free_bytes,
       " of ", total_bytes, " are free: ", cudaGetErrorString(error));
}

std::size_t free_memory(CudaQueue& queue) {
  std::size_t free_bytes = 0, total_bytes = 0;
  std::uint64_t reserved = 0, used = 0;
  const bool known =
      cudaSetDevice(queue.device.index) == cudaSuccess &&
      cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess &&
      cudaMemPoolGetAttribute(queue.pool, cudaMemPoolAttrReservedMemCurrent, &reserved) ==
          cudaSuccess &&
      cudaMemPoolGetAttribute(queue.pool, cudaMemPoolAttrUsedMemCurrent, &used) == cudaSuccess;
  // Whatever is wrong, the next call that matters says it.
  if (!known) return std::numeric_limits<std::size_t>::max();
  return free_bytes + static_cast<std::size_t>(reserved - used);
}

void* host_memory(CudaQueue& queue, std::size_t bytes) {
  queue.use_device();
  void* memory = nullptr;
  check_cuda(cudaMallocHost(&memory, bytes ? bytes : 1), "pinning ", bytes,
             " bytes of host memory");
  return memory;
}

void* CudaQueue::working_memory(std::size_t bytes) {
  if (bytes <= scratch_bytes) return scratch;
  if (bytes > own_scratch_bytes) {
    // The memory would be the captured work's alone.
    if (is_capturing())
      fail(ErrorKind::internal, to_string(device), ": ", bytes,
           " bytes of working memory were not asked for before work was captured");
    // At least doubled, and the smaller ones are kept: captured work may use them.
    const std::size_t size = std::max(bytes, 2 * own_scratch_bytes);
    own_scratch.reserve(own_scratch.size() + 1);
    own_scratch.push_back(device_memory(*this, size));
    own_scratch_bytes = size;
  }
  return own_scratch.back();
}

}  // namespace ratnet::inline v1
