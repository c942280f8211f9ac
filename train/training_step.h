// Training steps, one after the other: forward, loss, backward, optimiser.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <vector>

#include "../core/buffer.h"
#include "../core/captured.h"
#include "../core/event.h"
#include "../network/plan.h"
#include "loader.h"
#include "objective.h"
#include "optimiser.h"
#include "target_buffers.h"

namespace ratnet::inline v1 {

// Where the queue can capture, the whole step is captured once for every size of batch, and again
// with every part of a warm-up, and then replayed; a batch is uploaded beside the step before it,
// by a queue of its own.
class TrainingStep {
 public:
  // plan: for training, of one input, which is watched where the objective compares with images
  // (watch_for); optimiser: of its parameters. Both have to stay.
  // own_targets: the batches bring what images are compared with (SampleChange::makes_targets).
  TrainingStep(Plan& plan, Optimiser& optimiser, const Objective& objective,
               bool own_targets = false);
  ~TrainingStep();
  TrainingStep(const TrainingStep&) = delete;
  TrainingStep& operator=(const TrainingStep&) = delete;

  // Submits one batch; with the last of an optimiser step, that step at this rate. Until then the
  // gradients are averaged, each batch's with the weight that its samples have in the loss: all of
  // them make the step of one larger batch, exactly where all losses are means over the same
  // weights. The batch is read until release() returns.
  void submit(const Batch& batch, RandomKey key, double rate, bool last = true);
  // Waits until the last batch's memory may be overwritten.
  void release();

  // Of the batches on their way to the plan.
  std::size_t bytes() const;

  // The sum of the losses of all steps so far; waits for them.
  double loss_sum();
  // Lets it go on from that sum.
  void set_loss_sum(double sum);

 private:
  // A batch on the device, and when it is there and when it has been used. Where nothing goes on
  // beside it, the images are the plan's input at once.
  struct Slot {
    Buffer images;
    TargetBuffers targets;
    Event uploaded, used;
  };

  // What makes the submitted work differ from one batch to another.
  struct Variant {
    std::size_t slot;
    std::int64_t n;    // samples
    bool first, last;  // among the batches of an optimiser step
    auto operator<=>(const Variant&) const = default;
  };

  void upload(const Batch& batch, Slot& slot);
  // By the class weights or the weights of pixels that a loss reads; else by samples.
  double weight_in_loss(const Batch& batch) const;
  void submit_all(const Variant& variant);

  Plan& plan_;
  Optimiser& optimiser_;
  QueueHandle queue_;
  Objective objective_;
  PlannedLosses losses_;
  std::string compared_input_;        // where images are what a loss compares with
  std::vector<float> class_weights_;  // of the labels' cross-entropy
  Buffer loss_sum_;

  // Where several batches make a step: the mean of their gradients so far, what they weigh, and the
  // last batch's share of that, [1] f64.
  Buffer mean_;
  double weight_ = 0;
  Buffer share_;
  bool first_ = true;  // whether the next batch begins a step

  QueueHandle copies_;  // uploads go here; the plan's queue where that runs its work at once
  std::vector<Slot> slots_;
  std::size_t last_ = 0;   // the slot of the last batch
  std::vector<int> warm_;  // warm_up_at() of the last batch: that of all captured work
  // Empty after the first run, which is not captured: drivers load kernels, and libraries choose
  // theirs, when they first run.
  std::map<Variant, std::optional<Captured>> captured_;
};

}  // namespace ratnet::inline v1
