// Simulated subjects with lesions, and maps of them that find some: for tests of the evaluation.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../../apps/anomaly/prepared_subject.h"
#include "../../core/random.h"

namespace anomaly_cohort {

using namespace ratnet;

// A brain of 2 x half pixels' width whose lesion is a rectangle in some slices; the first slice is
// not judged. More lesions in the middle of the brain than at its ends.
inline PreparedSubject subject(const std::string& name, std::uint64_t seed, std::int64_t slices,
                               std::int64_t half = 40) {
  Random random(seed);
  PreparedSubject made;
  made.name = name;
  const Shape shape{slices, kJudgedSize, kJudgedSize};
  made.images = Tensor(shape, DType::f32);
  made.brain = Tensor(shape, DType::u8);
  made.lesions = Tensor(shape, DType::u8);
  const auto paint = [](Tensor& mask, std::int64_t s, std::int64_t row, std::int64_t column,
                        std::int64_t rows, std::int64_t columns) {
    for (std::int64_t y = row; y < row + rows; ++y)
      for (std::int64_t x = column; x < column + columns; ++x)
        mask.values<std::uint8_t>()[static_cast<std::size_t>((s * kJudgedSize + y) * kJudgedSize +
                                                             x)] = 1;
  };
  for (std::int64_t s = 0; s < slices; ++s) {
    made.positions.push_back((static_cast<double>(s) + random.uniform()) /
                             static_cast<double>(slices));
    made.areas.push_back(random.uniform(0.8, 1.0));
    made.judged.push_back(s > 0);
    made.labels.push_back(255);
    paint(made.brain, s, 64 - half, 64 - half, 2 * half, 2 * half);
    const double middle = 1 - std::abs(2 * made.positions.back() - 1);
    if (!random.chance(0.2 + 0.6 * middle)) continue;
    // At least one pixel of every lesion may lie outside of the brain.
    const std::int64_t width = 1 + random.integer(half), height = 1 + random.integer(half);
    const std::int64_t left = 63 - half + random.integer(half);
    const std::int64_t top = 64 - half + random.integer(half);
    paint(made.lesions, s, top, left, height, width);
  }
  return made;
}

inline std::vector<PreparedSubject> cohort(std::uint64_t seed, int subjects, std::int64_t slices,
                                           std::int64_t half = 40) {
  std::vector<PreparedSubject> made;
  for (int i = 0; i < subjects; ++i)
    made.push_back(subject("p" + std::to_string(i), seed + static_cast<std::uint64_t>(i) * 1000,
                           slices, half));
  return made;
}

// Noise, raised by `signal` in lesions, on a level of the subject's own, in steps of 1/steps; a
// slice's score is its 101st highest pixel.
struct Scores {
  std::vector<Tensor> maps;
  std::vector<ConstView> views;
  std::vector<std::vector<double>> slices;
};

inline Scores scores(const std::vector<PreparedSubject>& subjects, std::uint64_t seed,
                     double signal, double steps) {
  Scores made;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    Random random(seed, i);
    const double level = random.uniform(-0.3, 0.3);
    Tensor map(subjects[i].images.shape(), DType::f32);
    const auto lesions = subjects[i].lesions.values<std::uint8_t>();
    const auto values = map.values<float>();
    for (std::size_t p = 0; p < values.size(); ++p)
      values[p] =
          static_cast<float>(std::floor(steps * (level + random.uniform() + random.uniform() +
                                                 (lesions[p] != 0 ? signal : 0.0))) /
                             steps);
    std::vector<double>& slices = made.slices.emplace_back();
    for (std::int64_t s = 0; s < subjects[i].slices(); ++s) {
      const std::size_t first = static_cast<std::size_t>(s * kJudgedSize * kJudgedSize);
      std::vector<float> slice(values.begin() + static_cast<std::ptrdiff_t>(first),
                               values.begin() + static_cast<std::ptrdiff_t>(first) + 16384);
      std::nth_element(slice.begin(), slice.begin() + 100, slice.end(), std::greater<>());
      slices.push_back(slice[100]);
    }
    made.maps.push_back(std::move(map));
  }
  for (const Tensor& map : made.maps) made.views.push_back(map.view());
  return made;
}

}  // namespace anomaly_cohort
