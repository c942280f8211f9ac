// What a checkpoint knows its training by.
#pragma once

#include <string>
#include <vector>

#include "trainer.h"

namespace ratnet::inline v1 {

// Everything that shapes the numbers of a run, in one line.
std::string training_fingerprint(const Graph& graph, const Objective& objective,
                                 const Dataset& dataset, const TrainerOptions& options,
                                 const std::vector<std::int64_t>& train,
                                 const std::vector<std::int64_t>& validation);

}  // namespace ratnet::inline v1
