#include "../../apps/dark_slices/time_opinion.h"

#include <cmath>
#include <limits>

#include "../../core/error.h"
#include "../catch.h"

using namespace ratnet;

TEST_CASE("dimming through time compares a slice with itself at other times") {
  std::vector<float> levels;
  for (int v = 0; v < 12; ++v) {
    levels.push_back(100);
    levels.push_back(20);  // a slice that is always dark has not dimmed
  }
  levels[2 * 5] = 80;
  levels[2 * 6] = 1;
  levels[2 * 7] = 200;
  levels[2 * 8] = std::numeric_limits<float>::quiet_NaN();
  const auto dimming = dimming_through_time(levels, 2);
  REQUIRE(dimming.size() == levels.size());
  CHECK(dimming[2 * 5] == Approx(-std::log(0.8)));
  CHECK(dimming[2 * 6] == 0.5);
  CHECK(dimming[2 * 7] == -0.3);
  CHECK(dimming[2 * 8] == 0);
  for (std::size_t v = 0; v < 12; ++v) CHECK(dimming[2 * v + 1] == 0);
  // Too short a run has no usual level.
  CHECK(dimming_through_time({levels.data() + 8, 10}, 2) == std::vector<double>(10, 0.0));
  CHECK_THROWS_AS(dimming_through_time(levels, 7), Error);
  CHECK_THROWS_AS(dimming_through_time(levels, 0), Error);
}

TEST_CASE("the second opinion raises what has dimmed and lowers what has not") {
  CHECK(add_time_opinion(0, 0) < 0);
  CHECK(add_time_opinion(0, 0.2) > 0);
  CHECK(add_time_opinion(2, 0.1) > add_time_opinion(1, 0.1));
  CHECK(add_time_opinion(1, 0.2) > add_time_opinion(1, 0.1));
}
