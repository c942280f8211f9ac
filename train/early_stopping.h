// Ends a training whose validation metric no longer improves.
#pragma once

#include <cmath>
#include <cstdint>

namespace ratnet::inline v1 {

struct EarlyStopping {
  int patience = 0;      // evaluations without improvement before stopping; 0 never stops
  double min_delta = 0;  // what counts as improvement: better than the best by more than this
  bool maximise = true;

  // Plain values, all a checkpoint needs.
  struct State {
    double best = 0;
    std::int64_t best_evaluation = -1;  // -1: none yet
    std::int64_t evaluations = 0;
    bool operator==(const State&) const = default;
  };
  State state{};

  // Takes one evaluation's metric; true when it is the best so far. What is not finite never is.
  bool update(double value) {
    const std::int64_t evaluation = state.evaluations++;
    if (!std::isfinite(value)) return false;
    const double gain = maximise ? value - state.best : state.best - value;
    if (state.best_evaluation >= 0 && !(gain > min_delta)) return false;
    state.best = value;
    state.best_evaluation = evaluation;
    return true;
  }

  bool should_stop() const {
    return patience > 0 && state.evaluations - 1 - state.best_evaluation >= patience;
  }
};

}  // namespace ratnet::inline v1
