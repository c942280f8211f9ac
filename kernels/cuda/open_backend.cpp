// The module's only entry, and what its queues do.
#include <cstdio>

#include "../all_ops.h"
#include "../backend_table.h"
#include "../module.h"
#include "cuda_queue.h"

namespace ratnet::inline v1 {
namespace {

CudaQueue& cuda(Queue& queue) { return static_cast<CudaQueue&>(queue); }

void* end_capture(CudaQueue& queue) {
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamEndCapture(queue.stream, &graph), "ending a capture");
  cudaGraphExec_t work = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&work, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda(error, "making a graph of captured work");
  return work;
}

void close(Queue* closed) {
  auto* queue = static_cast<CudaQueue*>(closed);
  cudaSetDevice(queue->device.index);
  for (void* memory : queue->own_scratch) cudaFreeAsync(memory, queue->stream);
  if (queue->stream) cudaStreamSynchronize(queue->stream);  // destroying it alone does not wait
  queue->cudnn.reset();
  queue->cublaslt.reset();
  if (queue->stream) cudaStreamDestroy(queue->stream);
  if (queue->pool) cudaMemPoolDestroy(queue->pool);
  delete queue;
}

// A pool of the queue's own keeps what is freed, where otherwise every wait would give it back to
// the driver, and leaves the process's pool as it is.
void open_pool(CudaQueue& queue) {
  cudaMemPoolProps properties = {};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = queue.device.index;
  std::uint64_t keep = ~std::uint64_t{0};
  check_cuda(cudaMemPoolCreate(&queue.pool, &properties), "making a pool of memory");
  check_cuda(cudaMemPoolSetAttribute(queue.pool, cudaMemPoolAttrReleaseThreshold, &keep),
             "setting up a pool of memory");
}

Queue* open(int index) {
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "looking for devices");
  if (index >= count)
    fail(ErrorKind::device, "there is no device ", index, ", only ", count, " in all");
  check_cuda(cudaSetDevice(index), "choosing device ", index);
  auto* queue = new CudaQueue;
  try {
    cudaDeviceProp properties;
    check_cuda(cudaGetDeviceProperties(&properties, index), "asking what device ", index, " is");
    std::snprintf(queue->description, sizeof queue->description,
                  "%.100s, compute capability %d.%d, %.0f GiB", properties.name, properties.major,
                  properties.minor, static_cast<double>(properties.totalGlobalMem) / (1 << 30));
    if (properties.major < 8)
      fail(ErrorKind::device, queue->description, ": 8.0 or newer is needed");
    queue->multiplies_rounded = true;
    queue->processors = properties.multiProcessorCount;
    queue->shared_bytes = properties.sharedMemPerBlockOptin;
    queue->device = {kEmulated ? DeviceKind::cuda_emulated : DeviceKind::cuda, index};
    open_pool(*queue);
    check_has_code(*queue);
    check_cuda(cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking),
               "opening a stream on device ", index);
  } catch (...) {
    close(queue);
    throw;
  }
  queue->entries = table<CudaQueue>(AllOps{});
  queue->entry_count = AllOps::size;
  queue->allocate = [](Queue& q, std::size_t bytes, void** memory, char* why, std::size_t room) {
    return guarded(why, room, [&] { *memory = device_memory(cuda(q), bytes); });
  };
  queue->release = [](Queue& q, void* memory) {
    cudaSetDevice(q.device.index);
    cudaFreeAsync(memory, cuda(q).stream);
  };
  queue->free_memory = [](Queue& q) { return free_memory(cuda(q)); };
  queue->upload = [](Queue& q, void* to, const void* from, std::size_t bytes, char* why,
                     std::size_t room) {
    return guarded(why, room, [&] {
      cuda(q).use_device();
      check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, cuda(q).stream),
                 "upload of ", bytes, " bytes");
    });
  };
  queue->download = [](Queue& q, void* to, const void* from, std::size_t bytes, char* why,
                       std::size_t room) {
    return guarded(why, room, [&] {
      cuda(q).use_device();
      check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, cuda(q).stream),
                 "download of ", bytes, " bytes");
    });
  };
  queue->clear = [](Queue& q, void* memory, std::size_t bytes, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      cuda(q).use_device();
      check_cuda(cudaMemsetAsync(memory, 0, bytes, cuda(q).stream), "clearing ", bytes, " bytes");
    });
  };
  queue->wait = [](Queue& q, char* why, std::size_t room) {
    return guarded(why, room,
                   [&] { check_cuda(cudaStreamSynchronize(cuda(q).stream), to_string(q.device)); });
  };
  queue->begin_capture = [](Queue& q, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      check_cuda(cudaStreamBeginCapture(cuda(q).stream, cudaStreamCaptureModeThreadLocal),
                 "beginning a capture");
    });
  };
  queue->end_capture = [](Queue& q, void** captured, char* why, std::size_t room) {
    return guarded(why, room, [&] { *captured = end_capture(cuda(q)); });
  };
  queue->replay = [](Queue& q, void* captured, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      cuda(q).use_device();
      check_cuda(cudaGraphLaunch(static_cast<cudaGraphExec_t>(captured), cuda(q).stream),
                 "launch of captured work");
    });
  };
  queue->drop = [](Queue&, void* captured) {
    cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(captured));
  };
  queue->allocate_host = [](Queue& q, std::size_t bytes, void** memory, char* why,
                            std::size_t room) {
    return guarded(why, room, [&] { *memory = host_memory(cuda(q), bytes); });
  };
  queue->release_host = [](Queue&, void* memory) { cudaFreeHost(memory); };
  queue->make_event = [](Queue& q, void** event, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      cuda(q).use_device();
      cudaEvent_t made = nullptr;
      check_cuda(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "making an event");
      *event = made;
    });
  };
  queue->record = [](Queue& q, void* event, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      check_cuda(cudaEventRecord(static_cast<cudaEvent_t>(event), cuda(q).stream),
                 "recording an event");
    });
  };
  queue->follow = [](Queue& q, void* event, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      check_cuda(cudaStreamWaitEvent(cuda(q).stream, static_cast<cudaEvent_t>(event), 0),
                 "following an event");
    });
  };
  queue->wait_event = [](Queue& q, void* event, char* why, std::size_t room) {
    return guarded(why, room, [&] {
      check_cuda(cudaEventSynchronize(static_cast<cudaEvent_t>(event)), to_string(q.device));
    });
  };
  queue->drop_event = [](Queue&, void* event) {
    cudaEventDestroy(static_cast<cudaEvent_t>(event));
  };
  queue->close = close;
  return queue;
}

}  // namespace

}  // namespace ratnet::inline v1

extern "C" __attribute__((visibility("default"))) ratnet::Queue* ratnet_open_backend(
    int device, std::uint64_t ops_hash, char* why, std::size_t room) {
  using namespace ratnet;
  Queue* queue = nullptr;
  const Status status = guarded(why, room, [&] {
    if (ops_hash != backend_hash())
      fail(ErrorKind::device, "it is of another version of ratnet: install both from one build");
    queue = open(device);
  });
  return status == 0 ? queue : nullptr;
}
