// The time of work that a device does again and again.
#pragma once

#include <functional>
#include <vector>

#include "../../core/queue.h"

namespace ratnet::inline v1 {

// Queues have no clock, so a round is many calls and one wait, as many as take long enough for the
// wait not to matter.
class Repeated {
 public:
  // work: submits to the queues once. Calls it warm_ups times, then finds out how often it has to
  // be called for least_seconds (0: once).
  Repeated(std::vector<QueueHandle> queues, std::function<void()> work, double least_seconds,
           int warm_ups = 2);

  // Of one call, the mean over a round.
  double seconds() const { return seconds_of(calls_) / static_cast<double>(calls_); }

 private:
  double seconds_of(long calls) const;

  std::vector<QueueHandle> queues_;
  std::function<void()> work_;
  long calls_ = 1;
};

}  // namespace ratnet::inline v1
