#include "../conv_chain.h"

#include "../conv_chain_stages.h"
#include "cpu_queue.h"

namespace ratnet::inline v1 {
OpNote plan(CpuQueue& queue, const ConvChain& op) {
  return plan_stages(queue, op, "a CPU has no kernel for whole chains");
}

void run(CpuQueue& queue, const ConvChain& op) { run_stages(queue, op); }

}  // namespace ratnet::inline v1
