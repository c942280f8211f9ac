// A CUDA stream as a queue. Kernels, copies and memory are all ordered by the stream.
#pragma once

#include <cuda_runtime.h>

#include <cstring>
#include <memory>
#include <vector>

#include "../../core/queue.h"

namespace ratnet::inline v1 {

struct CudaQueue : Queue {
  cudaStream_t stream = nullptr;
  cudaMemPool_t pool = nullptr;
  int processors = 0;            // how many blocks run at once at least
  std::size_t shared_bytes = 0;  // the most shared memory that a block can ask for

  // Makes its device the calling thread's.
  void use_device();
  bool is_capturing();
  // Working memory of at least that size: the submitter's where it is large enough, else our own.
  // Valid until the next operation asks for some.
  void* working_memory(std::size_t bytes);

  std::vector<void*> own_scratch;  // in use is the last
  std::size_t own_scratch_bytes = 0;

  // What NVIDIA's libraries keep for this queue, made when they are first asked.
  std::shared_ptr<void> cudnn, cublaslt;
};

// Throws Error (device) where this module was not built for such a GPU.
void check_has_code(CudaQueue& queue);
// Throw Error (device) with the device's own words where there is not enough.
void* host_memory(CudaQueue& queue, std::size_t bytes);  // pinned
void* device_memory(CudaQueue& queue, std::size_t bytes);

// Bytes that the device has left, with those that the queue's pool keeps unused.
std::size_t free_memory(CudaQueue& queue);

inline OpNote note_of(const char* algorithm, std::size_t scratch_bytes) {
  OpNote note;
  note.scratch_bytes = scratch_bytes;
  std::strncpy(note.algorithm, algorithm, sizeof note.algorithm - 1);
  return note;
}

// Throws Error (device) unless the call succeeded: "what: the device's own words".
template <class... What>
void check_cuda(cudaError_t error, const What&... what) {
  if (error == cudaSuccess) return;
  // Otherwise the next call that succeeds would report it once more.
  cudaGetLastError();
  fail(ErrorKind::device, what..., ": ", cudaGetErrorString(error));
}

}  // namespace ratnet::inline v1
