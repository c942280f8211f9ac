#include "total_steps.h"

namespace ratnet::inline v1 {
namespace {

std::int64_t parts(std::int64_t n, std::int64_t of) {
  require(of >= 1,
          "training takes batches of at least 1 sample and steps of at least 1 batch, got ", of);
  return n / of + (n % of != 0);
}

}  // namespace

std::int64_t steps_of(std::int64_t batches, std::int64_t accumulate) {
  return parts(batches, accumulate);
}

std::int64_t total_steps(const TrainerOptions& options, std::int64_t samples) {
  return options.epochs * steps_of(parts(samples, options.loader.batch), options.accumulate);
}

}  // namespace ratnet::inline v1
