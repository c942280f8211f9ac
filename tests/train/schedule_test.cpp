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
  for (const auto kind :
       {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine, ScheduleKind::one_cycle})
    CHECK(parse_schedule_kind(name_of(kind)) == kind);
  CHECK_THROWS_AS(parse_schedule_kind("onecycle"), Error);
  CHECK_THROWS_AS(rate_at({.rate = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({.rate = std::numeric_limits<double>::infinity()}, 0), Error);
  CHECK_THROWS_AS(rate_at({.total_steps = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({.step_every = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({.warm_up = 1.5}, 0), Error);
  CHECK_THROWS_AS(rate_at({.start_divisor = 0}, 0), Error);
  CHECK_THROWS_AS(rate_at({}, -1), Error);
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
