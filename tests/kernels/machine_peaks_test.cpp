#include "../../kernels/cpu/machine_peaks.h"

#include <cmath>

#include "../../kernels/cpu/cpu_queue.h"
#include "../catch.h"
#include "random_tensor.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("peaks are measured on every instruction set") {
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    const QueueHandle queue = open_cpu(2);
    const MachinePeaks peaks = measure_peaks(*queue);
    CHECK(peaks.threads == 2);
    for (const double rate :
         {peaks.flops_per_s, peaks.memory_bytes_per_s, peaks.cache_bytes_per_s}) {
      // What was optimised away would be beyond any processor.
      CHECK(rate > 1e6);
      CHECK(rate < 1e15);
    }
  });
}

TEST_CASE("peaks of other devices are not known") {
  Queue queue;
  queue.device = {DeviceKind::cuda, 0};
  CHECK_THROWS_AS(measure_peaks(queue), Error);
}
