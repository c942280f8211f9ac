#include "../../train/conformal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Subjects = std::vector<std::vector<double>>;

// Exchangeable subjects whose samples resemble each other: how many there are differs, and so does
// the subject's own level.
Subjects cohort(Random& random, int subjects) {
  Subjects scores;
  for (int i = 0; i < subjects; ++i) {
    const double level = random.normal(0, 2);
    std::vector<double>& samples = scores.emplace_back();
    const std::int64_t n = 1 + random.integer(15);
    for (std::int64_t s = 0; s < n; ++s) samples.push_back(level + random.normal());
  }
  return scores;
}

bool says(const Error& error, const std::string& words) {
  return std::string(error.what()).find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("conformal p-values are those of their definition") {
  const ConformalReference reference(Subjects{{1, 2, 3, kNaN}, {kNaN}, {5}, {2, 4}});
  CHECK(reference.subjects() == 3);
  // Shares >= 2: 2/3, 1, 1. >= 2.5: 1/3, 1, 1/2.
  CHECK(reference.sample_p_value(2) == Approx((1 + 2.0 / 3 + 1 + 1) / 4));
  CHECK(reference.sample_p_value(2.5) == Approx((1 + 1.0 / 3 + 1 + 0.5) / 4));
  CHECK(reference.sample_p_value(-9) == 1);
  CHECK(reference.sample_p_value(6) == 0.25);
  CHECK(std::isnan(reference.sample_p_value(kNaN)));
  // The worst are 3, 5 and 4.
  CHECK(reference.subject_p_value(std::vector{kNaN, 4.0, 1.0}) == 0.75);
  CHECK(reference.subject_p_value(std::vector{4.5}) == 0.5);
  CHECK(std::isnan(reference.subject_p_value(std::vector{kNaN})));
  CHECK(std::isnan(reference.subject_p_value({})));
}

TEST_CASE("quantiles of the healthy weigh subjects alike") {
  // One subject of many samples beside one of a single sample.
  const ConformalReference reference(Subjects{{4, 1, 3, 2}, {10}});
  CHECK(reference.sample_quantile(0) == 1);
  CHECK(reference.sample_quantile(0.125) == 1);
  CHECK(reference.sample_quantile(0.13) == 2);
  CHECK(reference.sample_quantile(0.5) == 4);
  CHECK(reference.sample_quantile(0.51) == 10);
  CHECK(reference.sample_quantile(1) == 10);
  CHECK(std::vector<double>(reference.worst().begin(), reference.worst().end()) ==
        std::vector<double>{4, 10});
  CHECK_THROWS_AS(reference.sample_quantile(-0.1), Error);
  CHECK_THROWS_AS(reference.sample_quantile(kNaN), Error);
}

TEST_CASE("a conformal threshold is the lowest score with its p-value") {
  Random random(3);
  for (const int n : {1, 2, 7, 19}) {
    const Subjects scores = cohort(random, n);
    const ConformalReference reference(scores);
    for (const double rate : {1.0 / (n + 1), 0.5, 0.77, 0.999}) {
      const double sample = reference.sample_threshold(rate);
      CHECK(reference.sample_p_value(sample) <= rate);
      CHECK(reference.sample_p_value(std::nextafter(sample, -1e9)) > rate);
      const double subject = reference.subject_threshold(rate);
      CHECK(reference.subject_p_value(std::vector{subject}) <= rate);
      CHECK(reference.subject_p_value(std::vector{std::nextafter(subject, -1e9)}) > rate);
    }
  }
  // Above all scores but the highest subject's: 1 + 1 of 20.
  Subjects one_each;
  for (int i = 0; i < 19; ++i) one_each.push_back({static_cast<double>(i)});
  CHECK(ConformalReference(one_each).subject_threshold(0.1) == std::nextafter(17.0, 99.0));
}

TEST_CASE("a rate that so few calibration subjects cannot promise is refused with the smallest") {
  const ConformalReference reference(Subjects{{1}, {2}, {3, 4}});
  for (const double rate : {0.2499, 0.0, -1.0, 1.0, kNaN}) {
    try {
      reference.subject_threshold(rate);
      FAIL("accepted " << rate);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      CHECK(says(error, "1/4 = 0.25"));
      CHECK(says(error, "3 calibration subjects"));
    }
    CHECK_THROWS_AS(reference.sample_threshold(rate), Error);
  }
  CHECK(reference.smallest_rate() == 0.25);
  CHECK_NOTHROW(reference.sample_threshold(0.25));
}

TEST_CASE("the false-positive rate holds for subjects whose samples resemble each other") {
  // Each trial draws its own calibration subjects: the promise is about that draw too.
  constexpr int kTrials = 4000, kSubjects = 9;
  constexpr double kRate = 0.1, kOften = 0.4;
  int sample_alarms = 0, often = 0, subject_alarms = 0, naive_alarms = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random(11, static_cast<std::uint64_t>(trial));
    const Subjects scores = cohort(random, kSubjects);
    const std::vector<double> subject = cohort(random, 1).front();
    const ConformalReference reference(scores);
    const auto any =
        static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(subject.size())));
    sample_alarms += reference.sample_p_value(subject[any]) <= kRate;
    often += reference.sample_p_value(subject[any]) <= kOften;
    subject_alarms += reference.subject_p_value(subject) <= kRate;

    // What one would do who takes samples as independent: the worst among all samples pooled.
    const double worst = *std::max_element(subject.begin(), subject.end());
    double above = 1, all = 1;
    for (const std::vector<double>& samples : scores)
      for (const double score : samples) {
        above += score >= worst;
        ++all;
      }
    naive_alarms += above / all <= kRate;
  }
  // Three standard errors of the trials at the stated rate.
  const auto spread = [](double rate) { return 3 * std::sqrt(rate * (1 - rate) / kTrials); };
  const auto rate = [](int alarms) { return static_cast<double>(alarms) / kTrials; };
  INFO("samples " << rate(sample_alarms) << " and " << rate(often) << ", subjects "
                  << rate(subject_alarms) << ", naive " << rate(naive_alarms));
  CHECK(rate(sample_alarms) < kRate + spread(kRate));
  CHECK(rate(often) < kOften + spread(kOften));
  CHECK(rate(subject_alarms) < kRate + spread(kRate));
  CHECK(rate(naive_alarms) > 1.5 * (kRate + spread(kRate)));
  // Nor is it held by never raising an alarm: 9 subjects allow exactly 1 in 10.
  CHECK(rate(subject_alarms) > kRate - spread(kRate));
  CHECK(rate(sample_alarms) > 0.03);
  CHECK(rate(often) > 0.3);
}

TEST_CASE("a conformal reference survives being stored, and damage is refused") {
  Random random(5);
  const ConformalReference reference(cohort(random, 7));
  auto stored = reference.coefficients();
  CHECK(stored.at("conformal_sizes").size() == 7);
  const auto again = ConformalReference::from_coefficients(stored);
  for (double score = -6; score < 6; score += 0.1) {
    CHECK(again.sample_p_value(score) == reference.sample_p_value(score));
    CHECK(again.subject_p_value(std::span(&score, 1)) ==
          reference.subject_p_value(std::span(&score, 1)));
  }
  const auto refused = [](std::map<std::string, std::vector<double>> coefficients) {
    try {
      ConformalReference::from_coefficients(coefficients);
      return false;
    } catch (const Error& error) {
      return error.kind() == ErrorKind::input;
    }
  };
  CHECK(refused({}));
  CHECK(refused({{"conformal_sizes", {}}, {"conformal_scores", {}}}));
  CHECK(refused({{"conformal_sizes", {2}}, {"conformal_scores", {1}}}));
  CHECK(refused({{"conformal_sizes", {1}}, {"conformal_scores", {1, 2}}}));
  CHECK(refused({{"conformal_sizes", {1.5}}, {"conformal_scores", {1, 2}}}));
  CHECK(refused({{"conformal_sizes", {0, 2}}, {"conformal_scores", {1, 2}}}));
  CHECK(refused({{"conformal_sizes", {kNaN}}, {"conformal_scores", {1}}}));
  CHECK(refused({{"conformal_sizes", {1e300}}, {"conformal_scores", {1}}}));
  CHECK(refused({{"conformal_sizes", {2}}, {"conformal_scores", {1, kNaN}}}));
  CHECK_FALSE(refused({{"conformal_sizes", {1, 1}}, {"conformal_scores", {1, 2}}}));
  CHECK_THROWS_AS(ConformalReference(Subjects{{std::numeric_limits<double>::infinity()}}), Error);
}
