// How a device is opened by name.
#pragma once

#include <memory>

#include "../core/queue.h"
#include "../core/thread_pool.h"
#include "../core/tuner.h"

namespace ratnet::inline v1 {

struct OpenOptions {
  Device device{DeviceKind::any, 0};
  int threads = 0;                         // of the CPU; 0: every processor this process may use
  std::shared_ptr<Executor> executor;      // runs the CPU's loops in place of threads of our own
  std::shared_ptr<Tuner> tuner = nullptr;  // of the CPU: chooses algorithms; absent: by rule
};

// A queue on that device; DeviceKind::any takes the CPU in this version. Throws Error (device) with
// the reason where the device that was asked for cannot be had: there is no silent fallback; and
// (usage) for a tuner of a GPU, whose libraries choose by rules of their own.
QueueHandle open_queue(const OpenOptions& options);

}  // namespace ratnet::inline v1
