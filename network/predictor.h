// The short way from a model to its outputs.
#pragma once

#include <memory>
#include <span>

#include "../core/device.h"
#include "../core/thread_pool.h"
#include "model.h"
#include "plan.h"

namespace ratnet::inline v1 {

struct PredictorOptions {
  std::int64_t batch = 32;  // how many samples are computed at once
  int threads = 0;          // 0: every processor this process may use
  Device device{DeviceKind::any, 0};
  Precision precision = Precision::f32;
  std::shared_ptr<Executor> executor = nullptr;  // runs the loops in place of threads of our own
};

// A model ready to run. Not for use from two threads at once.
class Predictor {
 public:
  // Throws Error (device) where the device cannot be had.
  explicit Predictor(const Model& model, const PredictorOptions& options = {});

  std::int64_t input_size() const { return input_size_; }    // numbers of one sample
  std::int64_t output_size() const { return output_size_; }  // numbers of one result
  Device device() const;
  Plan& plan() { return *plan_; }

  // inputs: any number of samples, one after the other, as the network takes them; the result has
  // output_size() numbers for each. Throws Error (usage) unless the inputs are whole samples.
  std::vector<float> run(std::span<const float> inputs);
  void run(std::span<const float> inputs, std::span<float> outputs);

 private:
  std::unique_ptr<Plan> plan_;
  std::int64_t input_size_ = 0;
  std::int64_t output_size_ = 0;
};

}  // namespace ratnet::inline v1
