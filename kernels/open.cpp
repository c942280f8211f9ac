#include "open.h"

#include "cpu/cpu_queue.h"
#include "open_module.h"

namespace ratnet::inline v1 {

QueueHandle open_queue(const OpenOptions& options) {
  switch (options.device.kind) {
    case DeviceKind::cuda:
    case DeviceKind::cuda_emulated:
      require(!options.tuner, "algorithms are measured on the CPU only: on ",
              to_string(options.device), " its libraries choose; leave tuning out");
      return open_module(options.device);
    // The CPU until the CUDA backend has passed its tests on a GPU.
    case DeviceKind::any:
    case DeviceKind::cpu: break;
  }
  return open_cpu(
      options.executor ? options.executor : std::make_shared<ThreadPool>(options.threads),
      options.tuner);
}

}  // namespace ratnet::inline v1
