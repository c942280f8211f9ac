// Streams, memory and errors of the emulated device. A stream is a queue of work that runs only
// when somebody waits for it, so that a forgotten wait shows. Under two of three seeds every other
// stream runs its work at once, so that a stream that does not wait for another one's shows too.
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "include/cuda_runtime.h"
#include "sanitizers.h"

namespace ratnet_emulation {

using Work = std::function<cudaError_t()>;

struct Graph {
  std::vector<Work> work;
};

struct Stream {
  std::deque<Work> work;
  std::unique_ptr<Graph> capture;  // takes the work while there is one
  bool eager = false;
  cudaError_t first_error = cudaSuccess;  // since the last wait

  void add(Work item);
  void run_next();
};

struct Event {
  // Outlives the event where work still names it.
  struct State {
    Stream* stream = nullptr;  // where it was recorded last
    std::uint64_t recorded = 0, reached = 0;

    // Runs its stream as far as needed.
    void reach(std::uint64_t record) const {
      while (reached < record) stream->run_next();
    }
  };
  std::shared_ptr<State> state = std::make_shared<State>();
};

namespace {

constexpr std::size_t kDeviceMemory = std::size_t{1} << 30;
// Bytes after every allocation that nobody may write; with the address sanitizer there are none,
// because it has its own.
#ifdef RATNET_ASAN
constexpr std::size_t kFence = 0;
#else
constexpr std::size_t kFence = 64;
#endif
constexpr unsigned char kFenceByte = 0xFE;

constexpr std::size_t kSharedMemory = std::size_t{48} << 10;  // more has to be asked for
constexpr int kMostSharedMemory = 227 << 10;

// One device for the whole process; its streams take turns.
struct DeviceState {
  std::recursive_mutex mutex;
  std::map<char*, std::size_t> allocations;
  std::size_t used = 0;
  std::map<const void*, std::size_t> shared_limits;  // of kernels that asked for more
  std::uint64_t seed = 0, launches = 0, streams = 0;
  std::string last_error = "unspecified launch failure";

  DeviceState() {
    if (const char* text = std::getenv("RATNET_EMULATION_SEED"))
      seed = std::strtoull(text, nullptr, 10);
    launches = seed * 1000003;
  }
  // Whether all of that lies in one allocation.
  bool has(const void* memory, std::size_t bytes) const {
    const auto* begin = static_cast<const char*>(memory);
    auto found = allocations.upper_bound(const_cast<char*>(begin));
    if (found == allocations.begin()) return false;
    --found;
    return begin + bytes <= found->first + found->second;
  }
  bool fences_stand() const {
    for (const auto& [memory, bytes] : allocations)
      for (std::size_t i = 0; i < kFence; ++i)
        if (static_cast<unsigned char>(memory[bytes + i]) != kFenceByte) return false;
    return true;
  }
  // Device memory is for work on a stream alone: the address sanitizer reports a host that looks.
  template <class Change>
  void for_allocations(Change&& change) {
    for (const auto& [memory, bytes] : allocations) change(memory, bytes);
  }
};

DeviceState& device() {
  static DeviceState state;
  return state;
}

using Lock = std::lock_guard<std::recursive_mutex>;

}  // namespace

void Stream::add(Work item) {
  const Lock lock(device().mutex);
  if (capture) {
    capture->work.push_back(std::move(item));
    return;
  }
  work.push_back(std::move(item));
  while (eager && !work.empty()) run_next();
}

void Stream::run_next() {
  const Work item = std::move(work.front());
  work.pop_front();
  device().for_allocations(allow);
  const cudaError_t error = item();
  device().for_allocations(forbid);
  if (first_error == cudaSuccess) first_error = error;
}

cudaError_t enqueue(Stream* stream, const void* kernel, const Dim3& grid, const Dim3& block,
                    std::size_t shared_bytes, void (*body)(void*), std::shared_ptr<void> argument) {
  const Lock lock(device().mutex);
  const auto asked = device().shared_limits.find(kernel);
  const std::size_t limit = asked == device().shared_limits.end() ? kSharedMemory : asked->second;
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || grid.x == 0 || grid.y == 0 || grid.z == 0 ||
      grid.x > 0x7FFFFFFF || grid.y > 65535 || grid.z > 65535 || shared_bytes > limit)
    return cudaErrorInvalidConfiguration;
  stream->add([=] {
    const Launch launch{grid, block, shared_bytes, body, argument.get()};
    std::string error = run_grid(launch, ++device().launches);
    if (error.empty() && !device().fences_stand()) error = "a kernel wrote beyond its memory";
    if (error.empty()) return cudaSuccess;
    device().last_error = std::move(error);
    return cudaErrorLaunchFailure;
  });
  return cudaSuccess;
}

}  // namespace ratnet_emulation

using ratnet_emulation::device;
using ratnet_emulation::kFence;
using ratnet_emulation::kFenceByte;
using ratnet_emulation::Lock;

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorLaunchFailure: return device().last_error.c_str();
  }
  return "unknown error";
}

cudaError_t cudaGetLastError() { return cudaSuccess; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) { return index == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index != 0) return cudaErrorInvalidDevice;
  *properties = {};
  std::strcpy(properties->name, "emulated on the CPU");
  properties->totalGlobalMem = ratnet_emulation::kDeviceMemory;
  // Another device may be asked for, to see what is done with less.
  const char* shared = std::getenv("RATNET_EMULATION_SHARED_MEMORY");
  properties->sharedMemPerBlockOptin =
      shared ? std::strtoull(shared, nullptr, 10) : ratnet_emulation::kMostSharedMemory;
  properties->major = 9;
  properties->multiProcessorCount = 2;
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)  // a wish, which changes nothing
    return value < -1 || value > 100 ? cudaErrorInvalidValue : cudaSuccess;
  if (value < 0 || value > ratnet_emulation::kMostSharedMemory) return cudaErrorInvalidValue;
  const Lock lock(device().mutex);
  device().shared_limits[kernel] = static_cast<std::size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  const Lock lock(device().mutex);
  *total_bytes = ratnet_emulation::kDeviceMemory;
  *free_bytes = *total_bytes - device().used;
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t) {
  const Lock lock(device().mutex);
  *memory = nullptr;
  if (bytes > ratnet_emulation::kDeviceMemory - device().used) return cudaErrorMemoryAllocation;
  void* block = nullptr;
  if (posix_memalign(&block, 256, bytes + kFence ? bytes + kFence : 1) != 0)
    return cudaErrorMemoryAllocation;
  std::memset(block, 0xFF, bytes);
  std::memset(static_cast<char*>(block) + bytes, kFenceByte, kFence);
  device().used += bytes;
  device().allocations[static_cast<char*>(block)] = bytes;
  ratnet_emulation::forbid(block, bytes);
  *memory = block;
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  stream->add([memory] {
    const auto found = device().allocations.find(static_cast<char*>(memory));
    if (found == device().allocations.end()) return cudaErrorInvalidValue;
    device().used -= found->second;
    device().allocations.erase(found);
    std::free(memory);
    return cudaSuccess;
  });
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  *memory = std::malloc(bytes);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void** memory, std::size_t bytes, cudaMemPool_t,
                                    cudaStream_t stream) {
  return cudaMallocAsync(memory, bytes, stream);
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) {
  *pool = nullptr;  // all memory is alike here
  return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t) { return cudaSuccess; }

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }

// It keeps nothing that is free.
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr, void* value) {
  std::memset(value, 0, sizeof(std::uint64_t));
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Lock lock(device().mutex);
  const bool up = kind == cudaMemcpyHostToDevice;
  if (bytes > 0 && (!device().has(up ? to : from, bytes) || device().has(up ? from : to, 1)))
    return cudaErrorInvalidValue;
  stream->add([=] {
    std::memcpy(to, from, bytes);
    return cudaSuccess;
  });
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (bytes > 0 && !device().has(memory, bytes)) return cudaErrorInvalidValue;
  stream->add([=] {
    std::memset(memory, value, bytes);
    return cudaSuccess;
  });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock lock(device().mutex);
  *stream = new ratnet_emulation::Stream;
  const std::uint64_t number = device().streams++;
  (*stream)->eager = device().seed % 3 != 0 && number % 2 == device().seed % 3 - 1;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t error = cudaStreamSynchronize(stream);
  delete stream;
  return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (stream->capture) return cudaErrorStreamCaptureUnsupported;
  while (!stream->work.empty()) stream->run_next();
  return std::exchange(stream->first_error, cudaSuccess);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new ratnet_emulation::Event;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (stream->capture) return cudaErrorStreamCaptureUnsupported;
  event->state->stream = stream;
  const std::uint64_t record = ++event->state->recorded;
  stream->add([state = event->state, record] {
    state->reached = record;
    return cudaSuccess;
  });
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Lock lock(device().mutex);
  if (stream->capture) return cudaErrorStreamCaptureUnsupported;
  stream->add([state = event->state, record = event->state->recorded] {
    state->reach(record);
    return cudaSuccess;
  });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Lock lock(device().mutex);
  event->state->reach(event->state->recorded);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream->capture) return cudaErrorStreamCaptureUnsupported;
  stream->capture = std::make_unique<ratnet_emulation::Graph>();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!stream->capture) return cudaErrorInvalidValue;
  *graph = stream->capture.release();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* work, cudaGraph_t graph, unsigned long long) {
  *work = new ratnet_emulation::Graph(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t work, cudaStream_t stream) {
  for (const auto& item : work->work) stream->add(item);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t work) {
  delete work;
  return cudaSuccess;
}
