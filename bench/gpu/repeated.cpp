#include "repeated.h"

#include <algorithm>
#include <chrono>

namespace ratnet::inline v1 {

Repeated::Repeated(std::vector<QueueHandle> queues, std::function<void()> work,
                   double least_seconds, int warm_ups)
    : queues_(std::move(queues)), work_(std::move(work)) {
  for (int i = 0; i < warm_ups; ++i) seconds_of(1);
  if (least_seconds <= 0) return;
  for (double seconds; (seconds = seconds_of(calls_)) < least_seconds;) {
    // A fifth more than it seems to take, and no leap from one that was too short to go by.
    const double wanted = 1.2 * least_seconds / std::max(seconds, 1e-9);
    calls_ = static_cast<long>(static_cast<double>(calls_) * std::clamp(wanted, 2.0, 100.0));
  }
}

double Repeated::seconds_of(long calls) const {
  const auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < calls; ++i) work_();
  for (const QueueHandle& queue : queues_) wait(*queue);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace ratnet::inline v1
