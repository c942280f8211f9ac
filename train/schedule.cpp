#include "schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::array<std::pair<ScheduleKind, std::string_view>, 5> kNames{
    {{ScheduleKind::constant, "constant"},
     {ScheduleKind::step, "step"},
     {ScheduleKind::cosine, "cosine"},
     {ScheduleKind::one_cycle, "one-cycle"},
     {ScheduleKind::plateau, "plateau"}}};

// From `start` to `end` along half a cosine; share in [0, 1].
double along_cosine(double start, double end, double share) {
  return end + (start - end) / 2 * (1 + std::cos(std::numbers::pi * share));
}

double one_cycle(const Schedule& s, double step) {
  const double start = s.rate / s.start_divisor;
  const double peak_step = s.warm_up * static_cast<double>(s.total_steps) - 1;
  const double last_step = static_cast<double>(s.total_steps) - 1;
  if (step < peak_step) return along_cosine(start, s.rate, step / peak_step);
  if (last_step <= peak_step) return s.rate;
  return along_cosine(s.rate, start / s.final_divisor,
                      (step - peak_step) / (last_step - peak_step));
}

}  // namespace

std::string_view name_of(ScheduleKind kind) {
  for (const auto& [known, name] : kNames)
    if (known == kind) return name;
  fail(ErrorKind::internal, "schedule ", static_cast<int>(kind), " has no name");
}

ScheduleKind parse_schedule_kind(std::string_view name) {
  for (const auto& [kind, known] : kNames)
    if (known == name) return kind;
  fail(ErrorKind::usage, "schedule '", name,
       "' is not known: use constant, step, cosine, one-cycle or plateau");
}

void Schedule::check() const {
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  name_of(kind);
  require(positive(rate), "schedule: a learning rate of ", rate);
  require(total_steps >= 1, "schedule: ", total_steps, " steps in total");
  require(step_every >= 1, "schedule: a step every ", step_every, " steps");
  require(positive(step_factor), "schedule: a step factor of ", step_factor);
  require(final_fraction >= 0 && final_fraction <= 1, "schedule: a final fraction of ",
          final_fraction, " is not between 0 and 1");
  require(warm_up >= 0 && warm_up <= 1, "schedule: a warm-up of ", warm_up,
          " is not between 0 and 1");
  require(positive(start_divisor) && positive(final_divisor), "schedule: divisors of ",
          start_divisor, " and ", final_divisor);
  require(plateau.factor > 0 && plateau.factor < 1, "schedule: a plateau's factor of ",
          plateau.factor, " is not between 0 and 1");
  require(plateau.patience >= 0 && plateau.cooldown >= 0, "schedule: a plateau's patience of ",
          plateau.patience, " and cooldown of ", plateau.cooldown);
  require(plateau.threshold >= 0 && plateau.threshold < 1, "schedule: a plateau's threshold of ",
          plateau.threshold, " is not between 0 and 1");
  require(plateau.least_rate >= 0 && plateau.least_rate <= rate,
          "schedule: a plateau's least rate of ", plateau.least_rate,
          " is not between 0 and the rate of ", rate);
}

double rate_at(const Schedule& schedule, std::int64_t step) {
  schedule.check();
  require(step >= 0, "schedule: step ", step);
  const std::int64_t last = schedule.total_steps - 1;
  const auto clamped = static_cast<double>(std::min(step, last));
  switch (schedule.kind) {
    case ScheduleKind::constant:
    case ScheduleKind::plateau: return schedule.rate;
    case ScheduleKind::step: {
      const std::int64_t drops = step / schedule.step_every;
      return schedule.rate * std::pow(schedule.step_factor, static_cast<double>(drops));
    }
    case ScheduleKind::cosine:
      return along_cosine(schedule.rate, schedule.rate * schedule.final_fraction,
                          last > 0 ? clamped / static_cast<double>(last) : 0);
    case ScheduleKind::one_cycle: return one_cycle(schedule, clamped);
  }
  return schedule.rate;
}

}  // namespace ratnet::inline v1
