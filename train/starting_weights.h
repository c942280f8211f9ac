// What a training starts with.
#pragma once

#include "trainer.h"

namespace ratnet::inline v1 {

// The weights of options.start that the graph has by their names, the others as the seed draws
// them, with those frozen that options.freeze names. Throws Error: input where one has another
// shape or the start has none of the graph's; usage where a pattern fits none or nothing is left
// to train.
Weights starting_weights(const Graph& graph, const TrainerOptions& options);

}  // namespace ratnet::inline v1
