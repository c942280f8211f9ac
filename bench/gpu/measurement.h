// What the GPU benchmarks consist of.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../../network/model.h"
#include "peaks.h"

namespace ratnet::inline v1 {

// What one round gave, by unit: {"slices_per_s", 1e6}.
using Values = std::vector<std::pair<std::string, double>>;

// A measurement that is ready to run, its first runs done.
struct Prepared {
  std::function<Values()> round;
  std::string algorithm = {};  // of a single operation: what the backend says of it
};

struct Measurement {
  std::string key;  // "inference/resident/bf16/u8/256"; the peers have the same keys
  std::function<Prepared()> prepare;
};
using Measurements = std::vector<Measurement>;

// What is measured, where and how much of it.
struct Subject {
  Model model;  // RatNet
  Device device;
  QueueHandle queue;  // of that device
  Peaks peaks;
  bool quick;  // the smallest of everything, once: shows that it runs, and nothing of speed

  std::vector<std::int64_t> batches(std::vector<std::int64_t> full) const {
    return quick ? std::vector<std::int64_t>{1} : std::move(full);
  }
  // Of one round.
  double least_seconds() const { return quick ? 0 : 0.02; }
};

inline constexpr Precision kPrecisions[] = {Precision::f32, Precision::tf32, Precision::bf16};
// What pixels are multiplied by before the network sees them.
inline constexpr float kPixelScale = 1.0f / 64;

// The measurements refer to the subject.
void add_bus(Measurements& all, const Subject& subject);
void add_memory_copy(Measurements& all, const Subject& subject);
void add_resident_inference(Measurements& all, const Subject& subject);
void add_host_inference(Measurements& all, const Subject& subject);
void add_latency(Measurements& all, const Subject& subject);
void add_training(Measurements& all, const Subject& subject);
void add_conv_kernels(Measurements& all, const Subject& subject);
void add_chain_kernel(Measurements& all, const Subject& subject);
void add_dense_kernels(Measurements& all, const Subject& subject);
void add_pool_kernels(Measurements& all, const Subject& subject);
void add_adam_kernel(Measurements& all, const Subject& subject);

}  // namespace ratnet::inline v1
