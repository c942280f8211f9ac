// What a batch is compared with, in the memory of a device.
#pragma once

#include "../core/buffer.h"
#include "loader.h"
#include "objective.h"

namespace ratnet::inline v1 {

class TargetBuffers {
 public:
  // As much as the objective reads of batches of up to n images [..., C]. own_targets: they bring
  // what they are compared with (SampleChange::makes_targets).
  TargetBuffers(const QueueHandle& queue, const Objective& objective, const Shape& image,
                std::int64_t n, bool own_targets);

  // Begins to copy; the batch has to stay until the queue is done.
  void upload(Queue& queue, const Batch& batch) const;
  // The first n of them; no image where the batches bring none.
  LossTargets first(std::int64_t n) const;
  std::size_t bytes() const;

 private:
  Shape image_;
  Buffer labels_, masks_, targets_, target_weights_;
};

}  // namespace ratnet::inline v1
