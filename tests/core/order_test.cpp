// Floats in order, and what stands at a place of it.
#include <cmath>
#include <limits>
#include <vector>

#include "../../core/float_order.h"
#include "../../core/quantile.h"
#include "../catch.h"

using namespace ratnet;

TEST_CASE("floats as integers keep their order and come back") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float ascending[] = {-kInfinity, -3e38f, -1.5f, -1e-45f, -0.0f,    0.0f,
                             1e-45f,     1e-38f, 1.0f,  1.5f,    kInfinity};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    const float back = float_of_rank(float_rank(ascending[i]));
    CHECK(back == ascending[i]);
    CHECK(std::signbit(back) == std::signbit(ascending[i]));
    if (i > 0) CHECK(float_rank(ascending[i - 1]) < float_rank(ascending[i]));
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(float_rank(nan) > float_rank(kInfinity));
  CHECK(float_rank(-nan) < float_rank(-kInfinity));
}

TEST_CASE("quantiles, with and without interpolation") {
  // numpy.quantile([7, -1, 3, 2, 2.5], [0, 0.1, 0.25, 0.5, 0.9, 1])
  const double shares[] = {0, 0.1, 0.25, 0.5, 0.9, 1};
  const double linear[] = {-1, 0.2, 2, 2.5, 5.4, 7};
  for (std::size_t i = 0; i < std::size(shares); ++i) {
    std::vector<double> values = {7, -1, 3, 2, 2.5};
    CHECK(quantile_linear(values, shares[i]) == Approx(linear[i]));
    CHECK(quantile_linear(values, shares[i]) == Approx(linear[i]));  // in another order
  }
  std::vector<float> one = {4}, four = {4, 1, 3, 2}, none;
  CHECK(quantile_linear(one, 0.3) == 4);
  CHECK(quantile_linear(four, 0.5) == 2.5);
  CHECK(quantile(four, 0.5) == 3);
  CHECK(quantile(four, 0.25) == 2);
  CHECK(quantile(none, 0.5) == 0);
}
