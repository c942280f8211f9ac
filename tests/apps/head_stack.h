// A head of ellipsoids with its neck, as axial slices of the judged grid, and where its brain is.
#pragma once

#include <cmath>
#include <cstdint>

#include "../../apps/anomaly/prepared_subject.h"
#include "../../core/random.h"

struct HeadStack {
  ratnet::Tensor images;  // f32 [S, 128, 128], bottom to top
  ratnet::Tensor brain;   // u8, the same sizes
};

// Slices `thickness` mm apart, the vertex 20 mm below the top of the stack. Scalp 200, skull 20,
// brain 120 (+- 12: otherwise the quartiles are one value), ventricles 30, muscles 100.
inline HeadStack head_stack(std::int64_t slices, double thickness, std::uint64_t seed = 1) {
  using namespace ratnet;
  HeadStack stack{Tensor({slices, kJudgedSize, kJudgedSize}, DType::f32),
                  Tensor({slices, kJudgedSize, kJudgedSize}, DType::u8)};
  Random random(seed, 7);
  std::size_t i = 0;
  for (std::int64_t s = 0; s < slices; ++s)
    for (std::int64_t y = 0; y < kJudgedSize; ++y)
      for (std::int64_t x = 0; x < kJudgedSize; ++x, ++i) {
        const double below = static_cast<double>(slices - 1 - s) * thickness - 20;  // the vertex
        const double v = 1.875 * (static_cast<double>(y) - 63.5);
        const double u = 1.875 * (static_cast<double>(x) - 63.5);
        const auto inside = [&](double depth, double half, double length, double width) {
          return std::pow((below - depth) / half, 2) + std::pow(v / length, 2) +
                     std::pow(u / width, 2) <
                 1;
        };
        double value = 3;
        if (inside(90, 90, 95, 76) || (below > 90 && std::hypot(v / 95, u / 76) < 1)) value = 200;
        if (inside(90, 84, 89, 70)) value = 20;
        if (below > 158 && std::hypot(v / 89, u / 70) < 1) value = 100;
        if (inside(82, 70, 83, 64)) {
          value = 120 + 12 * (random.uniform() * 2 - 1);
          stack.brain.values<std::uint8_t>()[i] = 1;
        }
        if (inside(75, 12, 25, 14)) value = 30;
        const double imaginary = 3 * random.normal(), real = value + 3 * random.normal();
        stack.images.values<float>()[i] = static_cast<float>(std::hypot(real, imaginary));
      }
  return stack;
}
