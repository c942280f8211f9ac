#include "../../apps/anomaly/score_map.h"

#include <algorithm>
#include <cmath>

#include "../../core/error.h"
#include "../catch.h"
#include "subject_maker.h"

using namespace ratnet;

namespace {

// Whether every pixel within the edge is brain.
bool naive_inner(const std::vector<std::uint8_t>& brain, std::int64_t row, std::int64_t column,
                 std::int64_t edge) {
  for (std::int64_t y = row - edge; y <= row + edge; ++y)
    for (std::int64_t x = column - edge; x <= column + edge; ++x) {
      const bool there = y >= 0 && x >= 0 && y < kJudgedSize && x < kJudgedSize;
      const bool inside = there && brain[static_cast<std::size_t>(y * kJudgedSize + x)];
      if (!inside && std::hypot(y - row, x - column) <= static_cast<double>(edge)) return false;
    }
  return true;
}

Tensor constant_maps(const PreparedSubject& subject, float value) {
  Tensor raw(subject.images.shape(), DType::f32);
  std::ranges::fill(raw.values<float>(), value);
  return raw;
}

}  // namespace

TEST_CASE("the inner brain is farther than the edge from all that is not brain") {
  Random random(4);
  // A brain with holes that touches two borders of the image.
  std::vector<std::uint8_t> brain(kJudgedSize * kJudgedSize);
  for (std::int64_t y = 0; y < kJudgedSize; ++y)
    for (std::int64_t x = 0; x < kJudgedSize; ++x)
      brain[static_cast<std::size_t>(y * kJudgedSize + x)] =
          x + y / 2 < 110 && !random.chance(0.004);
  for (const std::int64_t edge : {0, 1, 3, 5, 8}) {
    const std::vector<std::uint8_t> inner = inner_brain(brain, edge);
    int wrong = 0;
    for (std::int64_t y = 0; y < kJudgedSize; ++y)
      for (std::int64_t x = 0; x < kJudgedSize; ++x)
        wrong += (inner[static_cast<std::size_t>(y * kJudgedSize + x)] != 0) !=
                 naive_inner(brain, y, x, edge);
    CHECK(wrong == 0);
    CHECK(std::ranges::count(inner, 1) > 100);
  }
  CHECK(inner_brain(brain, 0) == brain);
}

TEST_CASE("a slice and its neighbours share a map, those that are not judged do not") {
  PreparedSubject subject = made_subject(6, [](auto...) { return 0.5; });
  subject.judged[3] = 0;
  Tensor raw(subject.images.shape(), DType::f32);
  const float levels[] = {8, 4, 16, 1000, 32, 64};
  for (std::int64_t s = 0; s < 6; ++s)
    for (std::size_t i = 0; i < kJudgedSize * kJudgedSize; ++i)
      raw.values<float>()[voxel(s, 0, 0) + i] = levels[s];
  const SubjectScores scores = score_subject(subject, raw);
  const double expected[] = {8 * 2. / 3 + 4. / 3,   8. / 4 + 4. / 2 + 16. / 4,
                             16 * 2. / 3 + 4. / 3,  0,
                             32 * 2. / 3 + 64. / 3, 64 * 2. / 3 + 32. / 3};
  for (std::int64_t s = 0; s < 6; ++s) {
    const auto i = static_cast<std::size_t>(s);
    CHECK(scores.maps.values<float>()[voxel(s, 64, 64)] == Approx(expected[i]));
    if (s == 3)
      CHECK(std::isnan(scores.slice_scores[i]));
    else
      CHECK(scores.slice_scores[i] == Approx(expected[i]));
    CHECK(scores.maps.values<float>()[voxel(s, 64, 22)] == 0);  // outside of the brain
    CHECK(scores.maps.values<float>()[voxel(s, 64, 26)] == 0);  // within 3 pixels of its border
  }
  const SubjectScores apart = score_subject(subject, raw, {.edge = 0, .smooth_slices = false});
  for (std::int64_t s = 0; s < 6; ++s) {
    const float level = s == 3 ? 0 : levels[s];
    CHECK(apart.maps.values<float>()[voxel(s, 64, 64)] == level);
    CHECK(apart.maps.values<float>()[voxel(s, 64, 26)] == level);
    CHECK(apart.maps.values<float>()[voxel(s, 64, 22)] == 0);
  }
  // A neighbour that is not judged leaves a lone slice as it is.
  subject.judged = {0, 1, 0, 0, 0, 0};
  CHECK(score_subject(subject, raw).slice_scores[1] == Approx(4));
}

TEST_CASE("the score of a slice is the mean of its brightest pixels") {
  const PreparedSubject subject = made_subject(1, [](auto...) { return 0.5; });
  Tensor raw = constant_maps(subject, 1);
  for (std::int64_t x = 50; x < 70; ++x) raw.values<float>()[voxel(0, 64, x)] = 3;
  raw.values<float>()[voxel(0, 2, 2)] = 1000;  // not brain
  const auto score = [&](const AnomalyScoreOptions& options) {
    return score_subject(subject, raw, options).slice_scores[0];
  };
  CHECK(score({.median = 1}) == Approx((20 * 3 + 80) / 100.));
  CHECK(score({.median = 1, .brightest = 10}) == Approx(3));
  CHECK(score({.median = 3}) == Approx(1));  // a line one pixel wide is no more than noise
  // Where fewer pixels are judged, the zeros around them count.
  PreparedSubject small = made_subject(1, [](auto...) { return 0.5; });
  std::ranges::fill(small.brain.values<std::uint8_t>(), std::uint8_t{0});
  for (std::int64_t y = 60; y < 67; ++y)
    for (std::int64_t x = 60; x < 67; ++x) small.brain.values<std::uint8_t>()[voxel(0, y, x)] = 1;
  CHECK(score_subject(small, constant_maps(small, 1), {.median = 1, .edge = 0}).slice_scores[0] ==
        Approx(0.49));
  // Zeros around a brain of 7 x 7 pixels are the most in a window of 11 x 11.
  CHECK(score_subject(small, constant_maps(small, 1), {.median = 11, .edge = 0}).slice_scores[0] ==
        0);
  CHECK(mean_of_brightest(std::vector<float>{1, 4, 2}, 2) == 3);
  CHECK(mean_of_brightest(std::vector<float>{1, 4, 1}, 10) == 2);
}

TEST_CASE("residuals are one-sided, or absolute, or of structure") {
  const std::vector<float> image{1, 0.25f, 0.5f, 0}, expected{0.5f, 0.5f, 0.5f, 0};
  std::vector<float> result(4);
  const auto is = [&](Residual residual, const std::vector<float>& values) {
    residual_map(residual, image, expected, 2, 2, result);
    return result == values;
  };
  CHECK(is(Residual::positive, {0.5f, 0, 0, 0}));
  CHECK(is(Residual::negative, {0, 0.25f, 0, 0}));
  CHECK(is(Residual::absolute, {0.5f, 0.25f, 0, 0}));
  residual_map(Residual::ssim, image, image, 2, 2, result);
  for (const float value : result) CHECK(value == Approx(0).margin(1e-6));
  residual_map(Residual::ssim, image, expected, 2, 2, result);
  CHECK(result[0] > 0.3f);
  CHECK_THROWS_AS(residual_map(Residual::positive, image, expected, 2, 3, result), Error);
}

TEST_CASE("scores refuse options and maps that make no sense") {
  PreparedSubject subject = made_subject(2, [](auto...) { return 0.5; });
  const Tensor raw = constant_maps(subject, 1);
  for (const AnomalyScoreOptions& options :
       {AnomalyScoreOptions{.median = 4}, AnomalyScoreOptions{.median = -1},
        AnomalyScoreOptions{.edge = -1}, AnomalyScoreOptions{.edge = 65},
        AnomalyScoreOptions{.brightest = 0}, AnomalyScoreOptions{.brightest = 128 * 128 + 1}})
    CHECK_THROWS_AS(score_subject(subject, raw, options), Error);
  CHECK_THROWS_AS(score_subject(subject, Tensor({1, kJudgedSize, kJudgedSize}, DType::f32)), Error);
  subject.judged.pop_back();
  CHECK_THROWS_AS(score_subject(subject, raw), Error);
}
