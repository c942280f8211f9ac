#include "../../apps/dark_slices/baselines.h"

#include <cmath>
#include <limits>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

SliceMeasures slice(double level, double ghost) {
  SliceMeasures m;
  m.brain = static_cast<float>(level);
  m.mean = static_cast<float>(level / 2);
  m.ghost = static_cast<float>(ghost);
  return m;
}

}  // namespace

TEST_CASE("logistic regression finds the coefficients its data were drawn with") {
  Random random(17);
  std::vector<SliceMeasures> measures;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 20000; ++i) {
    const double level = 60 * std::exp(random.normal(-0.3, 0.4));
    const double ghost = std::exp(random.normal(-2, 0.7));
    const double odds = 1 - 3 * std::log(level / 60) + 2 * (std::log(ghost) + 2);
    measures.push_back(slice(level, ghost));
    labels.push_back(random.chance(1 / (1 + std::exp(-odds))));
  }
  measures.push_back(slice(0, 0));  // neither counts
  labels.push_back(255);
  SliceMeasures empty;
  empty.empty = true;
  measures.push_back(empty);
  labels.push_back(1);
  const LogisticBaseline fit = fit_logistic(measures, labels, 60);
  CHECK(fit.level == Approx(-3).margin(0.15));
  CHECK(fit.ghost == Approx(2).margin(0.12));
  CHECK(fit.intercept == Approx(5).margin(0.25));
  // The score depends on the level relative to the scale only.
  CHECK(fit.score(slice(30, 0.1), 60) == Approx(fit.score(slice(60, 0.1), 120)));
}

TEST_CASE("separable data have an answer; one class has none") {
  std::vector<SliceMeasures> measures;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 20; ++i) {
    measures.push_back(slice(i < 10 ? 60 : 20, i < 10 ? 0.05 : 0.5));
    labels.push_back(i >= 10);
  }
  const LogisticBaseline fit = fit_logistic(measures, labels, 60);
  CHECK(std::isfinite(fit.level));
  CHECK(fit.score(measures.back(), 60) > 2);
  CHECK(fit.score(measures.front(), 60) < -2);
  std::fill(labels.begin(), labels.end(), std::uint8_t{0});
  CHECK_THROWS_AS(fit_logistic(measures, labels, 60), Error);
  labels.pop_back();
  CHECK_THROWS_AS(fit_logistic(measures, labels, 60), Error);
}

TEST_CASE("darkness through time is a robust z-score per slice position") {
  // Two slices: one steady around 100 with an event, one that is always darker and steady.
  std::vector<float> levels;
  for (int v = 0; v < 21; ++v) {
    levels.push_back(100 + static_cast<float>(v % 5 - 2) * 2);
    levels.push_back(40);
  }
  levels[2 * 10] = 50;
  levels[2 * 7 + 1] = std::numeric_limits<float>::quiet_NaN();
  const auto z = darkness_through_time(levels, 2);
  CHECK(z[2 * 10] == Approx(50 / (1.4826 * 2)));
  CHECK(z[0] == Approx(4 / (1.4826 * 2)));
  CHECK(z[2 * 7 + 1] == 0);
  CHECK(z[1] == 0);
  CHECK_THROWS_AS(darkness_through_time(levels, 4), Error);
}

TEST_CASE("every baseline scores a dark slice above a good one and an empty one lowest") {
  SliceMeasures empty;
  empty.empty = true;
  const std::vector<SliceMeasures> measures = {slice(60, 0.05), slice(25, 0.6), empty};
  const auto all = baseline_scores(measures, 60, {.intercept = 4, .level = -3, .ghost = 2});
  REQUIRE(all.size() == 4);
  for (const BaselineScores& b : all) {
    REQUIRE(b.scores.size() == 3);
    CHECK(b.scores[1] > b.scores[0]);
    CHECK(b.scores[0] > b.scores[2]);
  }
  CHECK_THROWS_AS(baseline_scores(measures, 0, {}), Error);
}
