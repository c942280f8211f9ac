// The part of CUDA's runtime that ratnet uses, on the CPU: first on the include path, it makes C++
// of the library's .cu files. See ../block.h for how kernels run and ../runtime.cpp for the rest.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <tuple>

#include "../block.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

#define __syncthreads() ::ratnet_emulation::block_barrier(__FILE__, __LINE__)
#define __syncwarp(mask) \
  ((void)::ratnet_emulation::warp_exchange(mask, 0, 0, true, __FILE__, __LINE__))
#define __ballot_sync(mask, value) \
  ::ratnet_emulation::warp_ballot(mask, (value) != 0, __FILE__, __LINE__)
#define __shfl_xor_sync(mask, value, bits) \
  ::ratnet_emulation::shuffle(mask, value, ::ratnet_emulation::lane() ^ (bits), __FILE__, __LINE__)

namespace ratnet_emulation {

// threadIdx.x and its kind: read where the running thread is.
template <Dim3 Position::*Which, unsigned Dim3::*Axis>
struct Component {
  operator unsigned() const { return position().*Which.*Axis; }
};
template <Dim3 Position::*Which>
struct Components {
  Component<Which, &Dim3::x> x;
  Component<Which, &Dim3::y> y;
  Component<Which, &Dim3::z> z;
};

inline unsigned lane() {
  const Position& p = position();
  return (p.thread.x + p.block_size.x * (p.thread.y + p.block_size.y * p.thread.z)) % 32;
}

template <class T>
T shuffle(unsigned mask, T value, unsigned from, const char* file, int line) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = warp_exchange(mask, bits, from, false, file, line);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace ratnet_emulation

inline constexpr ratnet_emulation::Components<&ratnet_emulation::Position::thread> threadIdx{};
inline constexpr ratnet_emulation::Components<&ratnet_emulation::Position::block> blockIdx{};
inline constexpr ratnet_emulation::Components<&ratnet_emulation::Position::block_size> blockDim{};
inline constexpr ratnet_emulation::Components<&ratnet_emulation::Position::grid_size> gridDim{};

// --- the host's side ---

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidDevice = 101,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorLaunchFailure = 719,
};
enum cudaFuncAttribute {
  cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  cudaFuncAttributePreferredSharedMemoryCarveout = 9,
};
constexpr int cudaSharedmemCarveoutMaxShared = 100;  // percent
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
constexpr unsigned cudaStreamNonBlocking = 1;
constexpr unsigned cudaEventDisableTiming = 2;
enum cudaMemPoolAttr {
  cudaMemPoolAttrReleaseThreshold = 4,
  cudaMemPoolAttrReservedMemCurrent = 5,
  cudaMemPoolAttrUsedMemCurrent = 7,
};
using cudaMemPool_t = void*;
enum cudaMemAllocationType { cudaMemAllocationTypePinned = 1 };
enum cudaMemLocationType { cudaMemLocationTypeDevice = 1 };
struct cudaMemPoolProps {
  cudaMemAllocationType allocType = {};
  struct {
    cudaMemLocationType type = {};
    int id = 0;
  } location;
};
struct cudaFuncAttributes {};

struct dim3 : ratnet_emulation::Dim3 {
  constexpr dim3(unsigned width = 1, unsigned height = 1, unsigned depth = 1) {
    x = width;
    y = height;
    z = depth;
  }
};

namespace ratnet_emulation {
struct Stream;
struct Event;
struct Graph;
cudaError_t enqueue(Stream* stream, const void* kernel, const Dim3& grid, const Dim3& block,
                    std::size_t shared_bytes, void (*body)(void*), std::shared_ptr<void> argument);
}  // namespace ratnet_emulation

using cudaStream_t = ratnet_emulation::Stream*;
using cudaEvent_t = ratnet_emulation::Event*;
using cudaGraph_t = ratnet_emulation::Graph*;
using cudaGraphExec_t = ratnet_emulation::Graph*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
enum cudaStreamCaptureStatus {
  cudaStreamCaptureStatusNone = 0,
  cudaStreamCaptureStatusActive = 1,
};

struct cudaDeviceProp {
  char name[256] = "";
  std::size_t totalGlobalMem = 0, sharedMemPerBlockOptin = 0;
  int major = 0, minor = 0, multiProcessorCount = 0;
};

struct cudaLaunchAttribute {};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  std::size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};

const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes);
cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaMallocFromPoolAsync(void** memory, std::size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t stream);
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream);
cudaError_t cudaMallocHost(void** memory, std::size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties);
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool);
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value);
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* work, cudaGraph_t graph,
                                 unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t work, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t work);

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value);
template <class... Parameters>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, void (*)(Parameters...)) {
  return cudaSuccess;
}

template <class... Expected, class... Actual>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Expected...),
                               Actual&&... arguments) {
  struct Call {
    void (*kernel)(Expected...);
    std::tuple<Expected...> arguments;
  };
  const auto body = [](void* call) {
    auto* c = static_cast<Call*>(call);
    // Every thread has its own copy of the arguments.
    std::apply([&](Expected... own) { c->kernel(own...); }, c->arguments);
  };
  return ratnet_emulation::enqueue(
      config->stream, reinterpret_cast<const void*>(kernel), config->gridDim, config->blockDim,
      config->dynamicSmemBytes, body,
      std::make_shared<Call>(Call{kernel, {static_cast<Actual&&>(arguments)...}}));
}
