#include "../../core/random.h"

#include <cmath>
#include <vector>

#include "../catch.h"

using namespace ratnet;

TEST_CASE("philox gives the published known answers") {
  // The known-answer vectors that the authors publish for philox4x32, 10 rounds.
  CHECK(philox({0, 0, 0, 0}, 0) ==
        std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, ~0ull) ==
        std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822ull) ==
        std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random streams have the moments of their distributions") {
  Random random(7, 3);
  const int n = 200000;
  double normal = 0, square = 0, uniform = 0, gamma = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    normal += x;
    square += x * x;
    uniform += random.uniform();
    gamma += random.gamma(2.0);
  }
  CHECK(std::abs(normal / n) < 0.01);
  CHECK(square / n == Approx(1.0).margin(0.02));
  CHECK(uniform / n == Approx(0.5).margin(0.005));
  CHECK(gamma / n == Approx(2.0).margin(0.02));
}

TEST_CASE("random streams repeat and differ") {
  Random a(1, 2), b(1, 2), c(1, 3);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto x = a.bits();
    CHECK(x == b.bits());
    differs |= x != c.bits();
  }
  CHECK(differs);
}

TEST_CASE("random integers cover their range evenly") {
  Random random(5);
  std::vector<int> seen(7);
  for (int i = 0; i < 70000; ++i) ++seen[static_cast<std::size_t>(random.integer(7))];
  for (const int count : seen) CHECK(std::abs(count - 10000) < 500);
}
