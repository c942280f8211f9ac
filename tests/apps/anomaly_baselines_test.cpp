#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "../../apps/anomaly/asymmetry.h"
#include "../../apps/anomaly/baselines.h"
#include "../../apps/anomaly/score_map.h"
#include "../../apps/anomaly/subject_slices.h"
#include "../../core/error.h"
#include "../catch.h"
#include "subject_maker.h"

using namespace ratnet;

namespace {

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

float value(const Tensor& maps, std::int64_t slice, std::int64_t row, std::int64_t column) {
  return maps.values<float>()[voxel(slice, row, column)];
}

}  // namespace

TEST_CASE("every baseline of brightness finds a bright disc in a subject it has not seen") {
  const std::vector<PreparedSubject> cohort = healthy_cohort(10, 7, 10);
  const Baselines learnt = learn_baselines(pointers(cohort));
  PreparedSubject subject = healthy_subject(7, 99);
  plant(subject, 3, 50, 84, 8, 0.7f);
  subject.judged[6] = 0;
  plant(subject, 6, 50, 84, 8, 0.7f);
  std::vector<std::string> names;
  for (const BaselineRule& rule : baseline_rules(&learnt)) {
    names.push_back(rule.name);
    if (rule.name == kStructureRule) continue;  // sees no brightness: structure_loss_test.cpp
    INFO(rule.name);
    const Tensor raw = rule.raw_maps(subject);
    const SubjectScores scores = score_subject(subject, raw, {.smooth_slices = false});
    const std::span<const float> map = scores.maps.values<float>();
    const auto top = static_cast<std::int64_t>(std::ranges::max_element(map) - map.begin());
    CHECK(top / (kJudgedSize * kJudgedSize) == 3);
    CHECK(std::hypot(static_cast<double>(top / kJudgedSize % kJudgedSize - 50),
                     static_cast<double>(top % kJudgedSize - 84)) <= 8);
    for (const int other : {0, 2, 5})
      CHECK(scores.slice_scores[3] > 1.5 * scores.slice_scores[static_cast<std::size_t>(other)]);
    const std::span<const float> last = slice_of<float>(raw, 6);
    CHECK(std::ranges::all_of(last, [](float v) { return v == 0; }));
  }
  CHECK(names == std::vector<std::string>{"intensity", "z_score", "asymmetry", "structure_loss",
                                          "pca", "nearest"});
  CHECK(baseline_rules(nullptr).size() == 2);
  // A dark disc is found by the other sign only.
  PreparedSubject dark = healthy_subject(7, 98);
  plant(dark, 3, 50, 84, 8, -0.4f);
  for (const BaselineRule& rule : baseline_rules(&learnt, Residual::negative)) {
    if (rule.name == kStructureRule) continue;
    INFO(rule.name);
    const SubjectScores scores = score_subject(dark, rule.raw_maps(dark), {.smooth_slices = false});
    CHECK(value(scores.maps, 3, 50, 84) > 0);
    CHECK(scores.slice_scores[3] > 1.3 * scores.slice_scores[0]);
  }
  for (const BaselineRule& rule : baseline_rules(&learnt))
    if (rule.name != kStructureRule) CHECK(value(rule.raw_maps(dark), 3, 50, 84) < 0.05f);
}

TEST_CASE("baselines learn from judged healthy slices alone") {
  std::vector<PreparedSubject> cohort = healthy_cohort(4, 6, 10);
  for (PreparedSubject& subject : cohort) {
    subject.labels = {0, 0, 1, 0, 255, 0};
    subject.judged[5] = 0;
  }
  const Baselines learnt = learn_baselines(pointers(cohort));
  CHECK(learnt.nearest.positions.size() == 4 * 3);
  for (PreparedSubject& subject : cohort)
    for (const std::int64_t s : {2, 4, 5}) plant(subject, s, 60, 60, 20, 1);
  const Baselines again = learn_baselines(pointers(cohort));
  CHECK(same(learnt.z_score.mean, again.z_score.mean));
  CHECK(same(learnt.z_score.deviation, again.z_score.deviation));
  CHECK(same(learnt.components.components, again.components.components));
  CHECK(same(learnt.nearest.images, again.nearest.images));
  for (PreparedSubject& subject : cohort) subject.labels = {1, 1, 1, 1, 1, 0};
  CHECK_THROWS_AS(learn_baselines(pointers(cohort)), Error);
  CHECK_THROWS_AS(learn_baselines({}), Error);
}

TEST_CASE("the z-score at a position counts deviations from the mean of the healthy there") {
  // Even brains of level 0.5 + c + 0.2 position: mean and deviation are known everywhere.
  std::vector<PreparedSubject> cohort;
  const double offsets[] = {-0.1, -0.06, 0, 0.04, 0.12};
  for (const double offset : offsets)
    cohort.push_back(made_subject(41, [&](std::int64_t s, auto, auto) {
      return 0.5 + offset + 0.2 * static_cast<double>(s) / 40;
    }));
  const PositionZScore learnt = learn_position_z_score(pointers(cohort));
  const auto level = [](const Tensor& of, std::int64_t n) {
    return static_cast<double>(slice_of<float>(of, n)[32 * 64 + 32]);
  };
  // Away from the ends the weights are even about the position, so that the slope cancels in the
  // mean and adds its variance, (0.2 * 0.04)^2, to that of the subjects, 0.00592.
  CHECK(level(learnt.mean, 20) == Approx(0.6).margin(1e-4));
  const double deviation = std::sqrt(0.00592 + 0.008 * 0.008 + 0.02 * 0.02);
  CHECK(level(learnt.deviation, 20) == Approx(deviation).epsilon(0.01));
  CHECK(level(learnt.mean, 30) == Approx(0.65).margin(1e-4));
  CHECK(slice_of<float>(learnt.deviation, 20)[0] == 0);  // a corner, never brain

  PreparedSubject subject = made_subject(3, [](auto...) { return 0.75; });
  plant(subject, 1, 0, 0, 6, 1);  // where no brain was ever seen
  for (std::int64_t x = 0; x < 5; ++x) subject.brain.values<std::uint8_t>()[voxel(1, 0, x)] = 1;
  const Tensor maps = position_z_score_maps(learnt, subject);
  CHECK(value(maps, 1, 64, 64) == Approx(0.15 / deviation).epsilon(0.01));
  CHECK(value(maps, 1, 0, 2) == 0);
  const Tensor darker = position_z_score_maps(learnt, subject, Residual::negative);
  CHECK(value(darker, 1, 64, 64) == 0);

  // With slices at the middle only, these stand for all positions.
  PreparedSubject single = made_subject(1, [](auto...) { return 0.4; });
  const PreparedSubject* one = &single;
  const PositionZScore alone = learn_position_z_score({&one, 1});
  CHECK(level(alone.mean, 0) == Approx(0.4));
  CHECK(level(alone.mean, 40) == Approx(0.4));
  CHECK(level(alone.deviation, 40) == Approx(0.02).epsilon(0.01));
}

TEST_CASE("asymmetry is about the subject's own midline") {
  PreparedSubject subject = healthy_subject(2, 3);
  CHECK(twice_midsagittal_column(subject) == 127);
  // The same brain, 6 columns to the right.
  PreparedSubject moved = made_subject(1, [](auto...) { return 0.5; });
  for (std::int64_t y = 0; y < kJudgedSize; ++y)
    for (std::int64_t x = 0; x < kJudgedSize; ++x) {
      const bool inside = in_ellipse(y, x - 6);
      moved.brain.values<std::uint8_t>()[voxel(0, y, x)] = inside;
      moved.images.values<float>()[voxel(0, y, x)] =
          inside ? 0.5f + 0.001f * static_cast<float>(std::abs(2 * x - 139)) : 0;
    }
  CHECK(twice_midsagittal_column(moved) == 139);
  CHECK(std::ranges::max(asymmetry_maps(moved, Residual::absolute).values<float>()) < 1e-5f);
  plant(moved, 0, 64, 90, 8, 0.5f);
  const Tensor maps = asymmetry_maps(moved);
  CHECK(value(maps, 0, 64, 90) > 0.4f);
  CHECK(value(maps, 0, 64, 139 - 90) == 0);
  CHECK(value(asymmetry_maps(moved, Residual::negative), 0, 64, 139 - 90) > 0.4f);
  subject.judged = {0, 0};
  CHECK(twice_midsagittal_column(subject) == 127);
}

TEST_CASE("principal components span the healthy slices") {
  // Three patterns with weights of decreasing spread: three components, and no residual.
  Random random(6);
  std::vector<PreparedSubject> cohort;
  const auto mixed = [&](double a, double b, double c) {
    return made_subject(1, [=](auto, std::int64_t y, std::int64_t x) {
      return 0.5 + a * std::sin(static_cast<double>(x) / 7) +
             b * std::cos(static_cast<double>(y) / 11) + c * (in_ellipse(y + 20, x) ? 1 : 0);
    });
  };
  for (int i = 0; i < 12; ++i) {
    const double c = random.normal(0, 0.05), b = random.normal(0, 0.1), a = random.normal(0, 0.2);
    cohort.push_back(mixed(a, b, c));
  }
  const PrincipalComponents learnt = learn_principal_components(pointers(cohort));
  REQUIRE(learnt.components.shape()[0] >= 3);
  const auto dot = [&](std::int64_t a, std::int64_t b) {
    const auto x = slice_of<float>(learnt.components, a), y = slice_of<float>(learnt.components, b);
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  for (std::int64_t a = 0; a < 3; ++a)
    for (std::int64_t b = 0; b <= a; ++b) CHECK(dot(a, b) == Approx(a == b ? 1 : 0).margin(1e-5));
  const PreparedSubject unseen = mixed(0.3, -0.2, 0.1);
  CHECK(std::ranges::max(
            principal_component_maps(learnt, unseen, Residual::absolute).values<float>()) < 1e-4f);
  // A pattern of no healthy slice stays.
  PreparedSubject odd = mixed(0.3, -0.2, 0.1);
  plant(odd, 0, 64, 50, 5, 0.5f);
  CHECK(value(principal_component_maps(learnt, odd), 0, 64, 50) > 0.35f);
  // A single slice is its mean alone.
  const PreparedSubject* one = &unseen;
  const PrincipalComponents alone = learn_principal_components({&one, 1});
  CHECK(alone.components.shape()[0] == 0);
  CHECK(value(principal_component_maps(alone, odd), 0, 64, 50) == Approx(0.5).margin(0.01));
}

TEST_CASE("the nearest healthy slices are the most similar ones near the position") {
  // Brains of one level each, all at position 0.5 but for two that are far away.
  std::vector<PreparedSubject> cohort;
  for (int i = 0; i < 20; ++i) {
    cohort.push_back(made_subject(1, [&](auto...) { return 0.3 + 0.02 * i; }));
    cohort.back().positions[0] = i == 5 || i == 6 ? 0.9 : 0.5 + 0.004 * (i % 3);
  }
  const NearestHealthy learnt = learn_nearest_healthy(pointers(cohort));
  PreparedSubject subject = made_subject(1, [](auto...) { return 0.401; });  // nearest: i = 5
  plant(subject, 0, 64, 64, 2, 0.5f);
  const double expected = 0.3 + 0.02 * (1 + 2 + 3 + 4 + 7 + 8 + 9 + 10) / 8.;
  const Tensor maps = nearest_healthy_maps(learnt, subject, Residual::absolute);
  CHECK(value(maps, 0, 40, 64) == Approx(expected - 0.401).margin(1e-5));
  // Far from all, the nearest in position serve: 5 and 6, the five at 0.508, and, being equally
  // far, all of those at 0.504; of them the most similar.
  subject.positions[0] = 2;
  const double far = 0.3 + 0.02 * (1 + 2 + 4 + 5 + 6 + 7 + 8 + 10) / 8.;
  CHECK(value(nearest_healthy_maps(learnt, subject, Residual::absolute), 0, 40, 64) ==
        Approx(far - 0.401).margin(1e-5));
  // Fewer than eight are all taken.
  const NearestHealthy few =
      learn_nearest_healthy(std::vector<const PreparedSubject*>{&cohort[0], &cohort[10]});
  CHECK(value(nearest_healthy_maps(few, subject), 0, 40, 64) ==
        Approx(0.401 - (0.3 + 0.5) / 2).margin(1e-5));
}

TEST_CASE("intensity and position see nothing else") {
  PreparedSubject subject =
      made_subject(5, [](std::int64_t s, auto, auto) { return 0.2 * static_cast<double>(s); });
  subject.judged[1] = 0;
  const Tensor maps = intensity_maps(subject);
  CHECK(value(maps, 4, 64, 64) == Approx(0.3));
  CHECK(value(maps, 2, 64, 64) == 0);
  CHECK(value(maps, 4, 0, 0) == 0);
  const Tensor darker = intensity_maps(subject, Residual::negative);
  CHECK(value(darker, 2, 64, 64) == Approx(0.1));
  CHECK(value(darker, 1, 64, 64) == 0);
  CHECK(value(darker, 2, 0, 0) == 0);
  const std::vector<double> scores = position_scores(subject);
  CHECK(scores[0] == 0);
  CHECK(std::isnan(scores[1]));
  CHECK(scores[2] == 1);
  CHECK(scores[3] == Approx(0.5));
}
