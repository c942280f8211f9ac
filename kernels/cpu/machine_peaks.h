// What this processor can do at most, measured: the roofs that the speed of a layer is held to.
#pragma once

#include "../../core/queue.h"

namespace ratnet::inline v1 {

struct MachinePeaks {
  double flops_per_s = 0;         // fused multiply-adds in f32, each 2
  double memory_bytes_per_s = 0;  // read from a buffer that no cache holds
  double cache_bytes_per_s = 0;   // read again and again, 128 KiB a thread: the second-level cache
  int threads = 0;                // that did it together
};

// With the vector instructions that the kernels use and the threads of a CPU's queue. The best of
// many short tries, a third of a second in all, because what else the machine does only takes away.
// Throws Error (device) for a queue of another device.
MachinePeaks measure_peaks(Queue& queue);

}  // namespace ratnet::inline v1
