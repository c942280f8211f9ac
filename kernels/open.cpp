#include "open.h"

#include "cpu/cpu_queue.h"
#include "open_module.h"

namespace ratnet::inline v1 {

QueueHandle open_queue(const OpenOptions& options) {
  switch (options.device.kind) {
    case DeviceKind::cuda:
    case DeviceKind::cuda_emulated: return open_module(options.device);
    // The CPU until the CUDA backend has passed its tests on a GPU.
    case DeviceKind::any:
    case DeviceKind::cpu: break;
  }
  return options.executor ? open_cpu(options.executor) : open_cpu(options.threads);
}

}  // namespace ratnet::inline v1
