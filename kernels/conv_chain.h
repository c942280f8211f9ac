// Several convolutions in a row as one operation, for devices that keep what lies between them out
// of memory.
#pragma once

#include "../core/precision.h"
#include "../core/queue.h"
#include "../core/view.h"
#include "activation.h"
#include "window.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = stage_count(... stage_1(scale * x)), each stage as Conv has it:
// pool(activation(conv(its input, weight) + bias)). With a scale, a backend may multiply the first
// stage's sums in place of the numbers. OpNote::pays says whether this is better than the stages as
// operations of their own.
struct ConvChain {
  static constexpr const char* kName = "conv_chain";
  static constexpr int kMostStages = 4;
  struct Stage {
    ConstView weight;     // [kernel..., Cin, Cout] f32
    ConstView bias = {};  // [Cout] f32, or absent
    Window window;
    Activation activation = Activation::none;
    double slope = 0.01;
    Window pool = {};  // rank 0: none; else kernel == stride, no padding or dilation
  };
  ConstView x;           // [N, spatial..., C] f32, or u8: pixels as they are stored
  ConstView scale = {};  // [N] f32: by what the numbers of each sample are multiplied; absent: 1
  Stage stages[kMostStages];
  int count = 0;  // of stages, 1 to kMostStages
  View y;         // [N, positions of the last stage..., its Cout] f32
  Precision precision = Precision::f32;
  // Throws Error (usage), naming the stage.
  void check() const;
};
void run(CpuQueue&, const ConvChain&);
void run(CudaQueue&, const ConvChain&);
OpNote plan(CpuQueue&, const ConvChain&);
OpNote plan(CudaQueue&, const ConvChain&);

}  // namespace ratnet::inline v1
