#include "../../imaging/ssim_map.h"

#include <cmath>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

// Straight from the definition: variances about the window's means, in two passes.
double naive_ssim(const std::vector<float>& a, const std::vector<float>& b, int rows, int columns,
                  double range, int row, int column) {
  struct Tap {
    double weight, a, b;
  };
  std::vector<Tap> taps;
  double total = 0;
  for (int y = row - 5; y <= row + 5; ++y)
    for (int x = column - 5; x <= column + 5; ++x) {
      if (y < 0 || x < 0 || y >= rows || x >= columns) continue;
      const double square = (y - row) * (y - row) + (x - column) * (x - column);
      const auto i = static_cast<std::size_t>(y * columns + x);
      taps.push_back({std::exp(-square / (2 * 1.5 * 1.5)), a[i], b[i]});
      total += taps.back().weight;
    }
  double ma = 0, mb = 0, va = 0, vb = 0, cov = 0;
  for (const Tap& tap : taps) {
    ma += tap.weight / total * tap.a;
    mb += tap.weight / total * tap.b;
  }
  for (const Tap& tap : taps) {
    va += tap.weight / total * (tap.a - ma) * (tap.a - ma);
    vb += tap.weight / total * (tap.b - mb) * (tap.b - mb);
    cov += tap.weight / total * (tap.a - ma) * (tap.b - mb);
  }
  const double c1 = std::pow(0.01 * range, 2), c2 = std::pow(0.03 * range, 2);
  return (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

}  // namespace

TEST_CASE("ssim at every pixel is what its definition says") {
  Random random(8);
  for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 9}, {7, 3}, {23, 17}}) {
    const auto pixels = static_cast<std::size_t>(rows * columns);
    std::vector<float> a(pixels), b(pixels), map(pixels);
    for (std::size_t i = 0; i < pixels; ++i) {
      a[i] = static_cast<float>(random.uniform(0, 1.6));
      b[i] = static_cast<float>(0.6 * a[i] + random.uniform(0, 0.5));
    }
    ssim_map(a, b, rows, columns, 1.6, map);
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x)
        CHECK(map[static_cast<std::size_t>(y * columns + x)] ==
              Approx(naive_ssim(a, b, rows, columns, 1.6, y, x)).margin(1e-6));
    ssim_map(a, a, rows, columns, 1.6, map);
    for (const float value : map) CHECK(value == Approx(1));
  }
}

TEST_CASE("ssim refuses images that do not fit") {
  std::vector<float> a(12), b(12), map(12);
  CHECK_THROWS_AS(ssim_map(a, b, 3, 5, 1, map), Error);
  CHECK_THROWS_AS(ssim_map(a, b, 0, 12, 1, map), Error);
  CHECK_THROWS_AS(ssim_map(a, b, 3, 4, 0, map), Error);
  b.pop_back();
  CHECK_THROWS_AS(ssim_map(a, b, 3, 4, 1, map), Error);
}
