// The short way from a model to its outputs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "../core/buffer.h"
#include "../core/device.h"
#include "../core/thread_pool.h"
#include "../core/tuner.h"
#include "model.h"
#include "plan.h"

namespace ratnet::inline v1 {

struct PredictorOptions {
  std::int64_t batch = 32;  // how many samples are computed at once
  int threads = 0;          // 0: every processor this process may use
  Device device{DeviceKind::any, 0};
  Precision precision = Precision::f32;
  // What samples are stored as: f32, or u8, u16 or i16, each with a scale.
  DType input_type = DType::f32;
  std::shared_ptr<Executor> executor = nullptr;  // runs the loops in place of threads of our own
  std::shared_ptr<Tuner> tuner = nullptr;        // chooses algorithms (tuning.h); absent: by rule
};

// A model ready to run. Not for use from two threads at once.
class Predictor {
 public:
  // Throws Error (device) where the device cannot be had.
  explicit Predictor(const Model& model, const PredictorOptions& options = {});

  std::int64_t input_size() const { return input_size_; }    // numbers of one sample
  std::int64_t output_size() const { return output_size_; }  // numbers of one result
  Device device() const;
  Plan& plan() { return *plans_.front(); }

  // inputs: any number of samples, one after the other, as the network takes them; the result has
  // output_size() numbers for each. Throws Error (usage) unless the inputs are whole samples.
  std::vector<float> run(std::span<const float> inputs);
  void run(std::span<const float> inputs, std::span<float> outputs);

  // inputs: [n, ...] of the input type; scales: [n] f32, what the numbers of each sample are
  // multiplied by, absent where they are f32 or stay as they are; outputs: [n, ...] f32. All in
  // host memory. On a GPU a batch is uploaded and another one downloaded while a third is computed,
  // which takes memory from host_memory(); other memory serves, but has to be copied once more.
  void run(const ConstView& inputs, const ConstView& scales, const View& outputs);
  // Filled with zeros.
  HostBuffer host_memory(std::size_t bytes) const;

 private:
  void add_plan();
  bool add_another_plan();
  void submit(Plan& plan, const ConstView& inputs, const ConstView& scales, const View& outputs,
              std::int64_t first, std::int64_t n) const;

  Graph graph_;
  std::shared_ptr<Parameters> parameters_;
  PredictorOptions options_;
  std::vector<std::unique_ptr<Plan>> plans_;  // the others are made when they are first needed
  std::size_t most_plans_ = 3;                // one uploads, one computes, one downloads
  HostBuffer ones_;                           // scales of a batch that nobody scales
  std::int64_t input_size_ = 0;
  std::int64_t output_size_ = 0;
};

}  // namespace ratnet::inline v1
