// Small subjects for tests of the anomaly system.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "../../apps/anomaly/prepared_subject.h"
#include "../../core/random.h"

namespace ratnet {

inline std::size_t voxel(std::int64_t slice, std::int64_t row, std::int64_t column) {
  return static_cast<std::size_t>((slice * kJudgedSize + row) * kJudgedSize + column);
}

// An ellipse about (63.5, 63.5) of half axes 50 and 40 pixels, the same in each slice.
inline bool in_ellipse(std::int64_t row, std::int64_t column) {
  const double y = (static_cast<double>(row) - 63.5) / 50,
               x = (static_cast<double>(column) - 63.5) / 40;
  return x * x + y * y < 1;
}

using Brightness = std::function<double(std::int64_t slice, std::int64_t row, std::int64_t column)>;

// Every slice is judged; positions from 0 to 1; no labels.
inline PreparedSubject made_subject(std::int64_t slices, const Brightness& brightness) {
  PreparedSubject subject;
  subject.name = "made";
  const Shape shape{slices, kJudgedSize, kJudgedSize};
  subject.images = Tensor(shape, DType::f32);
  subject.brain = Tensor(shape, DType::u8);
  for (std::int64_t s = 0; s < slices; ++s) {
    for (std::int64_t y = 0; y < kJudgedSize; ++y)
      for (std::int64_t x = 0; x < kJudgedSize; ++x)
        if (in_ellipse(y, x)) {
          subject.brain.values<std::uint8_t>()[voxel(s, y, x)] = 1;
          subject.images.values<float>()[voxel(s, y, x)] = static_cast<float>(brightness(s, y, x));
        }
    subject.positions.push_back(
        slices > 1 ? static_cast<double>(s) / static_cast<double>(slices - 1) : 0.5);
    subject.areas.push_back(1);
    subject.judged.push_back(1);
  }
  return subject;
}

// Tissue that varies with the place, mirror-symmetric about column 63.5, with noise. From one seed
// to another the pattern moves by up to 2 pixels.
inline PreparedSubject healthy_subject(std::int64_t slices, std::uint64_t seed) {
  Random random(seed);
  const double shift = random.uniform(-2, 2);
  return made_subject(slices, [&](std::int64_t s, std::int64_t y, std::int64_t x) {
    const double across = std::abs(static_cast<double>(x) - 63.5);
    const double pattern = std::sin((static_cast<double>(y) + shift) / 9) * std::cos(across / 8);
    return 0.5 + 0.15 * pattern + 0.01 * static_cast<double>(s) + random.normal(0, 0.03);
  });
}

// That many of them, of seeds from `first_seed` on, called s0, s1 and so on.
inline std::vector<PreparedSubject> healthy_cohort(int n, std::int64_t slices,
                                                   std::uint64_t first_seed = 0) {
  std::vector<PreparedSubject> subjects;
  for (int i = 0; i < n; ++i) {
    subjects.push_back(healthy_subject(slices, first_seed + static_cast<std::uint64_t>(i)));
    subjects.back().name = "s" + std::to_string(i);
  }
  return subjects;
}

inline std::vector<const PreparedSubject*> pointers(const std::vector<PreparedSubject>& subjects) {
  std::vector<const PreparedSubject*> all;
  for (const PreparedSubject& subject : subjects) all.push_back(&subject);
  return all;
}

// Adds `by` to a disc of `radius` pixels in one slice.
inline void plant(PreparedSubject& subject, std::int64_t slice, std::int64_t row,
                  std::int64_t column, double radius, float by) {
  for (std::int64_t y = 0; y < kJudgedSize; ++y)
    for (std::int64_t x = 0; x < kJudgedSize; ++x)
      if (static_cast<double>((y - row) * (y - row) + (x - column) * (x - column)) <=
          radius * radius)
        subject.images.values<float>()[voxel(slice, y, x)] += by;
}

}  // namespace ratnet
