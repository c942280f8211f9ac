// How many steps of the optimiser a training takes.
#pragma once

#include "trainer.h"

namespace ratnet::inline v1 {

// That the first so many batches of an epoch make.
std::int64_t steps_of(std::int64_t batches, std::int64_t accumulate);

// In all epochs of a training on so many samples.
std::int64_t total_steps(const TrainerOptions& options, std::int64_t samples);

}  // namespace ratnet::inline v1
