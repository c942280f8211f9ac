// Several pointwise operations in a row in one pass over memory.
#pragma once

#include "../core/pointwise_step.h"
#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = step_count(... step_1(x)), number by number: the same as Add, Multiply and Activate one after
// the other (the same bits on a CPU). f32 or f64; all of one shape. y may be x, or what the first
// step combines with; memory that a later step reads it may not be.
struct PointwiseChain {
  static constexpr const char* kName = "pointwise_chain";
  static constexpr int kMostSteps = 8;
  struct Step {
    PointwiseStep what;
    ConstView with = {};  // absent where the step combines with nothing
  };
  ConstView x;
  Step steps[kMostSteps];
  int count = 0;  // of steps, 1 to kMostSteps
  View y;
  // Throws Error (usage), naming the step.
  void check() const;
};
void run(CpuQueue&, const PointwiseChain&);
void run(CudaQueue&, const PointwiseChain&);
OpNote plan(CpuQueue&, const PointwiseChain&);
OpNote plan(CudaQueue&, const PointwiseChain&);

}  // namespace ratnet::inline v1
