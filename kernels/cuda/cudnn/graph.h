// A convolution as a graph of cuDNN operations.
#pragma once

#include <list>

#include "descriptor.h"
#include "problem.h"

namespace ratnet::inline v1 {

// The tensors in memory. Spatial sizes as in the problem, a depth of 1 left out. All are f32 but
// for kWeight in forward and backward data under Precision::bf16, which is bf16.
//   kX       [N, spatial..., Cin]      or its gradient
//   kWeight  [Cout, kernel..., Cin]    or its gradient: cuDNN's order, not ours
//   kY       [N, positions..., Cout]   or its gradient
//   kBias    [Cout], at any address; the others are aligned to kTensorAlignment bytes
enum TensorId : std::int64_t { kX = 1, kWeight, kY, kBias, kFirstVirtual };
constexpr std::int64_t kTensorAlignment = 16;

struct OperationGraph {
  std::list<Descriptor> parts;  // what it is made of, which has to live as long
  Descriptor graph;
};

// handle: of the device it is for; nullptr for a device that is described elsewhere. Throws Error
// (device) where cuDNN does not know such a graph.
OperationGraph make_graph(const ConvProblem& problem, cudnnHandle_t handle);

}  // namespace ratnet::inline v1
