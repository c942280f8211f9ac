#include "../../train/schedule.h"

#include <limits>
#include <vector>

#include "../../core/error.h"
#include "../../train/early_stopping.h"
#include "../catch.h"

using namespace ratnet;

TEST_CASE("one-cycle has the shape of PyTorch's") {
  // q = torch.nn.Parameter(torch.zeros(1)); opt = torch.optim.SGD([q], lr=1)
  // s = torch.optim.lr_scheduler.OneCycleLR(opt, rate, total_steps=n)
  // s.get_last_lr()[0] before each of the n steps
  const std::vector<double> twenty{0.0004,
                                   0.001316718427,
                                   0.003716718427,
                                   0.006683281573,
                                   0.009083281573,
                                   0.01,
                                   0.00987464006235,
                                   0.00950484632013,
                                   0.00890916177571,
                                   0.0081174565395,
                                   0.00716943001791,
                                   0.00611262021936,
                                   0.00500002,
                                   0.00388741978064,
                                   0.00283060998209,
                                   0.0018825834605,
                                   0.00109087822429,
                                   0.000495193679865,
                                   0.000125399937649,
                                   4e-08};
  const Schedule schedule{.kind = ScheduleKind::one_cycle, .rate = 0.01, .total_steps = 20};
  for (std::size_t i = 0; i < twenty.size(); ++i)
    CHECK(rate_at(schedule, static_cast<std::int64_t>(i)) == Approx(twenty[i]).epsilon(1e-10));
  CHECK(rate_at(schedule, 1000) == rate_at(schedule, 19));

  const std::vector<double> three{0.994415435451, 0.462637102667, 4e-06};
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(rate_at({.rate = 1, .total_steps = 3}, i) ==
          Approx(three[static_cast<std::size_t>(i)]).epsilon(1e-10));
}

TEST_CASE("one-cycle is finite and within its bounds for any length and warm-up") {
  for (std::int64_t total = 1; total < 40; ++total)
    for (const double warm_up : {0.0, 0.1, 0.3, 0.5, 1.0}) {
      const Schedule s{.rate = 2, .total_steps = total, .warm_up = warm_up};
      for (std::int64_t i = 0; i < total; ++i) {
        const double rate = rate_at(s, i);
        CHECK(rate <= 2);
        CHECK(rate >= 2 / 25.0 / 1e4 * (1 - 1e-12));
      }
    }
}

TEST_CASE("constant, step and cosine") {
  CHECK(rate_at({.kind = ScheduleKind::constant, .rate = 0.5, .total_steps = 3}, 7) == 0.5);

  const Schedule step{.kind = ScheduleKind::step, .rate = 1, .total_steps = 30, .step_every = 10};
  CHECK(rate_at(step, 9) == 1);
  CHECK(rate_at(step, 10) == Approx(0.1));
  CHECK(rate_at(step, 29) == Approx(0.01));

  const Schedule cosine{
      .kind = ScheduleKind::cosine, .rate = 2, .total_steps = 101, .final_fraction = 0.1};
  CHECK(rate_at(cosine, 0) == 2);
  CHECK(rate_at(cosine, 50) == Approx(1.1));
  CHECK(rate_at(cosine, 100) == Approx(0.2));
  CHECK(rate_at(cosine, 500) == Approx(0.2));
  CHECK(rate_at({.kind = ScheduleKind::cosine, .rate = 2, .total_steps = 1}, 0) == 2);
}

TEST_CASE("schedules have names and refuse nonsense") {
  for (const auto kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine,
                          ScheduleKind::one_cycle, ScheduleKind::plateau})
    CHECK(parse_schedule_kind(name_of(kind)) == kind);
  CHECK_THROWS_AS(parse_schedule_kind("onecycle"), Error);
  CHECK_THROWS_AS(rate_at({.rate = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({.rate = std::numeric_limits<double>::infinity()}, 0), Error);
  CHECK_THROWS_AS(rate_at({.total_steps = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({.step_every = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({.warm_up = 1.5}, 0), Error);
  CHECK_THROWS_AS(rate_at({.start_divisor = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({}, -1), Error);
  for (const PlateauOptions& bad : {PlateauOptions{.factor = 1},
                                    {.factor = 0},
                                    {.patience = -1},
                                    {.threshold = -1e-9},
                                    {.threshold = 1},
                                    {.cooldown = -1},
                                    {.least_rate = -1},
                                    {.least_rate = 0.2},
                                    {.factor = std::numeric_limits<double>::quiet_NaN()}})
    CHECK_THROWS_AS(rate_at({.rate = 0.1, .plateau = bad}, 0), Error);
  CHECK(rate_at({.kind = ScheduleKind::plateau, .rate = 0.1}, 7) == 0.1);
}

TEST_CASE("on a plateau the rate falls as PyTorch's") {
  // o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
  // s = torch.optim.lr_scheduler.ReduceLROnPlateau(o, mode, factor=0.5, patience=1,
  //                                                threshold=1e-3, cooldown=1, min_lr=0.02)
  // s.step(value), then o.param_groups[0]["lr"]
  const PlateauOptions options{
      .factor = 0.5, .patience = 1, .threshold = 1e-3, .cooldown = 1, .least_rate = 0.02};
  struct Case {
    bool maximise;
    std::vector<double> values, rates;
  };
  const Case cases[] = {
      {false,
       {1, .9, .95, .9, .91, .89995, .5, .6, .6, .6, .6, .6, .6, .6, .6, .6},
       {.1, .1, .1, .05, .05, .05, .05, .05, .025, .025, .025, .02, .02, .02, .02, .02}},
      {true,
       {.5, .6, .55, .6, .6, .7, .70001, .7, .7, .7, .7, .7, .7, .7},
       {.1, .1, .1, .05, .05, .05, .05, .025, .025, .025, .02, .02, .02, .02}}};
  for (const Case& c : cases) {
    Plateau plateau{.options = options, .maximise = c.maximise, .state = {.rate = 0.1}};
    for (std::size_t i = 0; i < c.values.size(); ++i) {
      INFO(c.maximise << ", " << i);
      plateau.update(c.values[i]);
      CHECK(plateau.state.rate == Approx(c.rates[i]).epsilon(1e-12));
    }
  }
  // What is no number improves nothing, also as the first value.
  Plateau plateau{.options = {.factor = 0.5, .patience = 0}, .state = {.rate = 1}};
  plateau.update(std::numeric_limits<double>::quiet_NaN());
  CHECK(plateau.state.rate == 0.5);
  plateau.update(3);
  CHECK(plateau.state.best == 3);
  plateau.update(std::numeric_limits<double>::quiet_NaN());
  CHECK(plateau.state.rate == 0.25);
}

TEST_CASE("early stopping") {
  EarlyStopping stopping{.patience = 2, .min_delta = 0.01, .maximise = true};
  CHECK_FALSE(stopping.should_stop());
  CHECK(stopping.update(0.5));
  CHECK_FALSE(stopping.update(0.505));  // better, but not by min_delta
  CHECK_FALSE(stopping.should_stop());
  CHECK(stopping.update(0.52));
  CHECK_FALSE(stopping.update(0.4));
  CHECK_FALSE(stopping.should_stop());

  EarlyStopping resumed{.patience = 2, .min_delta = 0.01, .maximise = true};
  resumed.state = stopping.state;
  for (EarlyStopping* each : {&stopping, &resumed}) {
    CHECK_FALSE(each->update(std::numeric_limits<double>::quiet_NaN()));
    CHECK(each->should_stop());
    CHECK(each->state.best == 0.52);
    CHECK(each->state.best_evaluation == 2);
  }
  CHECK(stopping.state == resumed.state);

  EarlyStopping loss{.patience = 1, .maximise = false};
  CHECK(loss.update(3));
  CHECK(loss.update(-1));
  CHECK_FALSE(loss.should_stop());
  CHECK_FALSE(loss.update(-1));
  CHECK(loss.should_stop());

  EarlyStopping never{};
  for (int i = 0; i < 50; ++i) never.update(0);
  CHECK_FALSE(never.should_stop());
}
