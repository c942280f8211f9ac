#include "open.h"

#include "cpu/cpu_queue.h"

namespace ratnet::inline v1 {

QueueHandle open_queue(const OpenOptions& options) {
  switch (options.device.kind) {
    case DeviceKind::cpu:
    case DeviceKind::any:
      return options.executor ? open_cpu(options.executor) : open_cpu(options.threads);
    case DeviceKind::cuda:
    case DeviceKind::cuda_emulated: break;
  }
  fail(ErrorKind::device, "device ", to_string(options.device),
       " cannot be used: this version of ratnet has no CUDA backend; use --device cpu or auto");
}

}  // namespace ratnet::inline v1
