// Which of cuDNN's engines computes a convolution.
#pragma once

#include <memory>
#include <string>

#include "graph.h"

namespace ratnet::inline v1 {

// The device that plans are made for: a handle of it, or a description alone, for which plans can
// be made but not run.
struct PlanDevice {
  cudnnHandle_t handle = nullptr;
  const Descriptor* description = nullptr;
};

struct EnginePlan {
  std::list<Descriptor> parts;  // what the plan is made of, which has to live as long
  Descriptor plan;
  std::int64_t engine = 0;  // cuDNN's number of it
  bool tensor_cores = false;
  bool compiled = false;  // by cuDNN while the program runs
  std::size_t workspace_bytes = 0;
};

struct PlanAnswer {
  std::unique_ptr<EnginePlan> plan;  // nullptr where cuDNN declines
  std::string declined;              // why
};

// Takes the first engine, in the order of cuDNN's heuristics, that
//   - gives the same bits every time,
//   - sums plain products in f32: no FFT, no Winograd, no sums in less,
//   - multiplies f32 in f32 under Precision::f32 (no tensor cores),
//   - needs at most 1 GiB of workspace,
//   - can be finalized.
// Forward and backward data ask the heuristics for 32 samples whatever the batch, and take the same
// engine with the same settings: a sample's result must not depend on how many it comes with. (It
// may where a batch is so large that the engine's workspace does not fit.)
PlanAnswer plan_convolution(const ConvProblem& problem, const PlanDevice& device);

}  // namespace ratnet::inline v1
