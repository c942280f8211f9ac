// Lowers the learning rate of a training whose validation metric no longer improves.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace ratnet::inline v1 {

// As torch.optim.lr_scheduler.ReduceLROnPlateau has them, threshold_mode "rel".
struct PlateauOptions {
  double factor = 0.1;  // what the rate is multiplied by
  int patience = 10;    // epochs without improvement that are borne
  // What counts as improvement: better than the best by more than this share of it.
  double threshold = 1e-4;
  int cooldown = 0;       // epochs after a fall that are not counted
  double least_rate = 0;  // it falls no further
};

struct Plateau {
  PlateauOptions options;
  bool maximise = false;

  // Plain values, all a checkpoint needs.
  struct State {
    double rate = 0;                                         // now
    double best = std::numeric_limits<double>::quiet_NaN();  // NaN: none yet
    int bad = 0;                                             // epochs without improvement
    int cooling = 0;                                         // epochs of cooldown left
  };
  State state{};

  // Takes one epoch's metric. What is not finite is no improvement.
  void update(double value) {
    // A fall by less would change nothing (PyTorch's eps).
    constexpr double kLeastFall = 1e-8;
    const double limit = state.best * (maximise ? 1 + options.threshold : 1 - options.threshold);
    const bool better = std::isfinite(value) && (std::isnan(limit) ? true
                                                 : maximise        ? value > limit
                                                                   : value < limit);
    if (better) state.best = value;
    state.bad = better ? 0 : state.bad + 1;
    if (state.cooling > 0) {
      --state.cooling;
      state.bad = 0;
    }
    if (state.bad <= options.patience) return;
    state.bad = 0;
    state.cooling = options.cooldown;
    const double lower = std::max(state.rate * options.factor, options.least_rate);
    if (state.rate - lower > kLeastFall) state.rate = lower;
  }
};

}  // namespace ratnet::inline v1
