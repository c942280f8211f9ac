// The exponential moving average of weights in training.
#pragma once

#include <cstdint>
#include <memory>

#include "../network/parameters.h"

namespace ratnet::inline v1 {

struct AveragingOptions {
  double decay = 0;  // the average's share that stays in every step; 0: no average
  // In early steps only min(decay, (1 + step) / (10 + step)) of it stays, as
  // tf.train.ExponentialMovingAverage has it, so that the first weights are soon forgotten.
  bool warm_up = false;

  // Throws Error (usage) for values that make no sense.
  void check() const;
};

// Follows the trainable weights on their device: average = decay * average + (1 - decay) * weights
// after every step of the optimiser, beginning with the weights as they are (Polyak and Juditsky,
// 1992).
class AveragedWeights {
 public:
  // options.decay: above 0.
  AveragedWeights(std::shared_ptr<Parameters> parameters, const AveragingOptions& options);

  // After the optimiser's step `step`, counted from 0.
  void update(std::int64_t step);

  // For plans that compute with the averages. Frozen weights and statistics are those of the last
  // refresh().
  const std::shared_ptr<Parameters>& parameters() const { return average_; }
  void refresh();

  // The average for a checkpoint: in the queue's memory, laid out as Parameters::block().
  ConstView state() const { return average_->block(); }
  // Takes it back. Throws Error (input) where the size is not that of these parameters.
  void restore(const ConstView& state);

 private:
  std::shared_ptr<Parameters> parameters_, average_;
  AveragingOptions options_;
  Buffer factor_;
};

}  // namespace ratnet::inline v1
