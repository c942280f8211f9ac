// Training steps, one after the other: forward, loss, backward, optimiser.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "../core/buffer.h"
#include "../core/captured.h"
#include "../core/event.h"
#include "../network/plan.h"
#include "loader.h"
#include "optimiser.h"

namespace ratnet::inline v1 {

// Of a classifier's logits, with the mean cross-entropy as its loss. Where the queue can capture,
// the whole step is captured once for every size of batch and then replayed, and a batch is
// uploaded beside the step before it, by a queue of its own.
class TrainingStep {
 public:
  // plan: for training, one input and one output [N, classes]; optimiser: of its parameters. Both
  // have to stay. class_weights: of the loss; empty: all 1.
  TrainingStep(Plan& plan, Optimiser& optimiser, const std::vector<float>& class_weights);
  ~TrainingStep();
  TrainingStep(const TrainingStep&) = delete;
  TrainingStep& operator=(const TrainingStep&) = delete;

  // Submits one step. The batch is read until release() returns.
  void submit(const Batch& batch, RandomKey key, double rate);
  // Waits until the last batch's memory may be overwritten.
  void release();

  // The sum of the losses of all steps so far; waits for them.
  double loss_sum();
  // Lets it go on from that sum.
  void set_loss_sum(double sum);

 private:
  // A batch on the device, and when it is there and when it has been used. Where nothing goes on
  // beside it, the images are the plan's input at once.
  struct Slot {
    Buffer images, labels;
    Event uploaded, used;
  };

  void upload(const Batch& batch, Slot& slot);
  void submit_all(std::int64_t n, const Slot& slot);

  Plan& plan_;
  Optimiser& optimiser_;
  QueueHandle queue_;
  std::int64_t classes_;
  Buffer class_weights_, loss_, loss_sum_;

  QueueHandle copies_;  // uploads go here; the plan's queue where that runs its work at once
  std::vector<Slot> slots_;
  std::size_t last_ = 0;  // the slot of the last batch
  // By slot and number of samples; empty after the first run, which is not captured: drivers load
  // kernels, and libraries choose theirs, when they first run.
  std::map<std::pair<std::size_t, std::int64_t>, std::optional<Captured>> captured_;
};

}  // namespace ratnet::inline v1
