#include "starting_weights.h"

#include <algorithm>

namespace ratnet::inline v1 {

Weights starting_weights(const Graph& graph, const TrainerOptions& options) {
  Weights weights = Weights::initialised(graph, options.loader.seed);
  if (options.start) {
    bool any = false;
    for (const Weights::Entry& from : options.start->entries())
      for (Weights::Entry& entry : weights.entries()) {
        if (entry.name != from.name) continue;
        any = true;
        if (entry.value.shape() != from.value.shape())
          fail(ErrorKind::input, "the weight '", from.name, "' to start with is ",
               to_string(from.value.shape()), ", the network's is ", to_string(entry.value.shape()),
               "; give its layer another name to have it drawn anew");
        entry.value = from.value.clone();
      }
    if (!any)
      fail(ErrorKind::input,
           "none of the weights to start with has the name of one of the "
           "network's");
  }
  for (const std::string& pattern : options.freeze)
    require(weights.freeze(pattern) > 0, "no weight fits '", pattern, "', which is to be frozen");
  require(std::ranges::any_of(
              weights.entries(),
              [](const Weights::Entry& entry) { return !entry.frozen && !entry.statistic; }),
          "all weights are frozen, and none is left to train");
  return weights;
}

}  // namespace ratnet::inline v1
