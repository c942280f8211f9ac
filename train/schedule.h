// How the learning rate changes over a training.
#pragma once

#include <cstdint>
#include <string_view>

#include "plateau.h"

namespace ratnet::inline v1 {

enum class ScheduleKind : int { constant, step, cosine, one_cycle, plateau };

// "constant", "step", "cosine", "one-cycle", "plateau".
std::string_view name_of(ScheduleKind kind);
// The inverse of name_of. Throws Error (usage) with the known names for any other.
ScheduleKind parse_schedule_kind(std::string_view name);

struct Schedule {
  ScheduleKind kind = ScheduleKind::one_cycle;
  double rate = 1e-3;            // the highest rate
  std::int64_t total_steps = 1;  // optimiser steps of the whole training

  // step: after every `step_every` steps the rate is multiplied by `step_factor`.
  std::int64_t step_every = 1;
  double step_factor = 0.1;

  // cosine: half a cosine from `rate` down to `rate * final_fraction` at the last step
  // (Loshchilov and Hutter, 2017).
  double final_fraction = 0;

  // one-cycle (Smith and Topin, 2018), the two cosine phases of PyTorch's OneCycleLR: from
  // rate / start_divisor up to rate over the first warm_up share of the steps, then down to
  // rate / start_divisor / final_divisor.
  double warm_up = 0.3;
  double start_divisor = 25;
  double final_divisor = 1e4;

  // plateau: lower whenever the validation samples' figure no longer improves.
  PlateauOptions plateau = {};

  // Throws Error (usage) for values that make no schedule.
  void check() const;
};

// The rate of optimiser step `step`, counted from 0. Past the last step it stays as it ended
// (constant and step go on). Of plateau it is the rate before any fall: Plateau knows the others.
// Throws Error (usage) when step < 0.
double rate_at(const Schedule& schedule, std::int64_t step);

}  // namespace ratnet::inline v1
