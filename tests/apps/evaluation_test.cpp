#include "../../apps/anomaly/evaluation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../apps/anomaly/label_free_threshold.h"
#include "../../core/error.h"
#include "../../train/roc.h"
#include "../catch.h"
#include "anomaly_cohort.h"

using namespace ratnet;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Subjects = std::vector<PreparedSubject>;
using anomaly_cohort::Scores;

MethodScores method(const std::string& name, const Scores& scores, double threshold = kNaN) {
  return {
      .name = name, .maps = scores.views, .slice_scores = scores.slices, .threshold = threshold};
}

MethodScores position_only(const Subjects& subjects) {
  MethodScores control{.name = "position only", .position_only = true};
  for (const PreparedSubject& subject : subjects) {
    std::vector<double>& scores = control.slice_scores.emplace_back();
    for (const double position : subject.positions) scores.push_back(-std::abs(position - 0.5));
  }
  return control;
}

AnomalyEvaluation evaluated(const Subjects& subjects, const std::vector<MethodScores>& methods,
                            int threads = 1, int resamples = 50) {
  ThreadPool pool(threads);
  return evaluate_anomalies(subjects, methods, pool, {.resamples = resamples, .seed = 4});
}

// The protocol in its plainest form: lists of pixels and slices for train/roc.h. size: the lesion
// slices' pixels, [from, to].
struct Plain {
  std::vector<double> pixels, slices;
  std::vector<std::uint8_t> pixel_labels, slice_labels;
};

Plain plainly(const Subjects& subjects, const Scores& scores, std::int64_t from, std::int64_t to,
              bool whole) {
  Plain plain;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    for (std::size_t s = 0; s < subjects[i].judged.size(); ++s) {
      if (subjects[i].judged[s] == 0) continue;
      const std::size_t n = 128 * 128, first = s * n;
      const auto lesions = subjects[i].lesions.values<std::uint8_t>().subspan(first, n);
      const auto brain = subjects[i].brain.values<std::uint8_t>().subspan(first, n);
      const auto map = scores.maps[i].values<float>().subspan(first, n);
      std::int64_t size = 0;
      for (const std::uint8_t lesion : lesions) size += lesion;
      const bool inside = size >= from && size <= to;
      if (size == 0 || (size > 12 && inside)) {
        plain.slices.push_back(scores.slices[i][s]);
        plain.slice_labels.push_back(size > 0);
      }
      if (!whole && !inside) continue;
      for (std::size_t p = 0; p < n; ++p)
        if (brain[p] + lesions[p] > 0) {
          plain.pixels.push_back(map[p]);
          plain.pixel_labels.push_back(lesions[p]);
        }
    }
  return plain;
}

void check_same(const Figure& a, const Figure& b) {
  CHECK(((a.value == b.value) || (std::isnan(a.value) && std::isnan(b.value))));
  CHECK(((a.interval.low == b.interval.low) ||
         (std::isnan(a.interval.low) && std::isnan(b.interval.low))));
  CHECK(a.interval.defined == b.interval.defined);
}

}  // namespace

TEST_CASE("an evaluation agrees with the plain protocol") {
  const Subjects subjects = anomaly_cohort::cohort(1, 5, 14, 25);
  const Scores scores = anomaly_cohort::scores(subjects, 2, 0.6, 50);
  const AnomalyEvaluation evaluation = evaluated(subjects, {method("a", scores, 1.5)});
  REQUIRE(evaluation.methods.size() == 1);
  CHECK(evaluation.patients == 5);
  CHECK(evaluation.judged_slices == 5 * 13);
  const AnomalyFigures& all = evaluation.methods[0].all;

  const Plain plain = plainly(subjects, scores, 0, 128 * 128, true);
  const Ranking pixels = rank_scores(plain.pixels, plain.pixel_labels);
  CHECK(all.pixels == static_cast<std::int64_t>(plain.pixels.size()));
  CHECK(all.pixel_auprc.value == Approx(auprc(pixels)).epsilon(1e-12));
  double best = 0, best_threshold = 0, at_threshold = 0;
  const auto truth = static_cast<double>(all.lesion_pixels);
  for (double threshold = -1; threshold < 4; threshold += 0.01) {
    double both = 0, called = 0;
    for (std::size_t p = 0; p < plain.pixels.size(); ++p)
      if (plain.pixels[p] >= threshold - 0.005) {
        ++called;
        both += plain.pixel_labels[p];
      }
    const double dice = 2 * both / (truth + called);
    if (dice > best) {
      best = dice;
      best_threshold = threshold;
    }
    if (std::abs(threshold - 1.5) < 0.001) at_threshold = dice;
  }
  CHECK(all.dice_best.value == Approx(best).epsilon(1e-12));
  CHECK(std::abs(all.dice_best_threshold - best_threshold) < 0.021);
  CHECK(all.dice_threshold.value == Approx(at_threshold).epsilon(1e-12));
  CHECK(all.slice_auroc.value ==
        Approx(auroc(rank_scores(plain.slices, plain.slice_labels))).epsilon(1e-12));
  CHECK(all.healthy_slices + all.lesion_slices == static_cast<std::int64_t>(plain.slices.size()));
  for (const Figure* figure : {&all.pixel_auprc, &all.dice_best, &all.dice_threshold,
                               &all.slice_auroc, &all.slice_auroc_matched}) {
    CHECK(figure->interval.low <= figure->value);
    CHECK(figure->value <= figure->interval.high);
    CHECK(figure->interval.by_subject);
    CHECK(figure->interval.units == 5);
  }

  std::int64_t lesion_slices = 0;
  for (std::size_t k = 0; k < kLesionSizes.size(); ++k) {
    const AnomalyFigures& size = evaluation.methods[0].by_size[k];
    const Plain part = plainly(subjects, scores, std::max<std::int64_t>(13, kLesionSizes[k].from),
                               kLesionSizes[k].to, false);
    CHECK(size.pixels == static_cast<std::int64_t>(part.pixels.size()));
    CHECK(size.pixel_auprc.value ==
          Approx(auprc(rank_scores(part.pixels, part.pixel_labels))).epsilon(1e-12));
    CHECK(size.slice_auroc.value ==
          Approx(auroc(rank_scores(part.slices, part.slice_labels))).epsilon(1e-12));
    CHECK(size.healthy_slices == all.healthy_slices);
    lesion_slices += size.lesion_slices;
  }
  CHECK(lesion_slices == all.lesion_slices);
}

TEST_CASE("figures by the kind of lesion are those of its own slices") {
  Subjects subjects = anomaly_cohort::cohort(1, 5, 14, 25);
  const Scores scores = anomaly_cohort::scores(subjects, 2, 0.6, 50);
  CHECK(evaluated(subjects, {method("a", scores)}).lesion_kinds.empty());
  // Kinds stand on slices of every truth; they count where there is a lesion. The first patient
  // tells none.
  for (std::size_t i = 1; i < subjects.size(); ++i)
    for (std::int64_t s = 0; s < subjects[i].slices(); ++s)
      subjects[i].lesion_kinds.emplace_back(s % 3 == 0 ? "" : s % 3 == 1 ? "wedge" : "blob");
  const AnomalyEvaluation evaluation =
      evaluated(subjects, {method("a", scores, 1.5), position_only(subjects)}, 3);
  REQUIRE(evaluation.lesion_kinds == std::vector<std::string>{"blob", "wedge"});
  REQUIRE(evaluation.methods[1].by_kind.size() == 2);
  for (std::size_t kind = 0; kind < 2; ++kind) {
    std::vector<double> pixels, slices;
    std::vector<std::uint8_t> pixel_labels, slice_labels;
    for (std::size_t i = 0; i < subjects.size(); ++i)
      for (std::size_t s = 1; s < subjects[i].judged.size(); ++s) {
        const TrueSlice truth = truth_of(subjects[i], static_cast<std::int64_t>(s));
        const bool of_kind = i > 0 && s % 3 == 2 - kind && truth.truth == LesionTruth::lesion;
        if (!of_kind && truth.truth != LesionTruth::healthy) continue;
        slices.push_back(scores.slices[i][s]);
        slice_labels.push_back(of_kind);
        if (!of_kind) continue;
        for (std::size_t p = s * 128 * 128; p < (s + 1) * 128 * 128; ++p) {
          const std::uint8_t lesion = subjects[i].lesions.values<std::uint8_t>()[p];
          if (subjects[i].brain.values<std::uint8_t>()[p] + lesion == 0) continue;
          pixels.push_back(scores.maps[i].values<float>()[p]);
          pixel_labels.push_back(lesion);
        }
      }
    const AnomalyFigures& figures = evaluation.methods[0].by_kind[kind];
    CHECK(figures.lesion_slices ==
          std::count(slice_labels.begin(), slice_labels.end(), std::uint8_t{1}));
    CHECK(figures.lesion_slices > 5);
    CHECK(figures.healthy_slices == evaluation.methods[0].all.healthy_slices);
    CHECK(figures.pixels == static_cast<std::int64_t>(pixels.size()));
    CHECK(figures.pixel_auprc.value ==
          Approx(auprc(rank_scores(pixels, pixel_labels))).epsilon(1e-12));
    CHECK(figures.slice_auroc.value ==
          Approx(auroc(rank_scores(slices, slice_labels))).epsilon(1e-12));
    CHECK(figures.pixel_auprc.interval.low <= figures.pixel_auprc.value);
    CHECK(figures.pixel_auprc.value <= figures.pixel_auprc.interval.high);
  }
}

TEST_CASE("pixel intervals are those of resampling the pixels themselves") {
  const Subjects subjects = anomaly_cohort::cohort(5, 5, 4, 20);
  const Scores scores = anomaly_cohort::scores(subjects, 6, 0.6, 1e4);
  const AnomalyEvaluation evaluation = evaluated(subjects, {method("a", scores)}, 1, 30);
  std::vector<std::string> names;
  std::vector<double> values;
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    for (std::size_t p = 128 * 128; p < 4 * 128 * 128; ++p) {
      const std::uint8_t lesion = subjects[i].lesions.values<std::uint8_t>()[p];
      if (subjects[i].brain.values<std::uint8_t>()[p] + lesion == 0) continue;
      names.push_back(subjects[i].name);
      values.push_back(scores.maps[i].values<float>()[p]);
      labels.push_back(lesion);
    }
  const Ranking ranking = rank_scores(values, labels);
  const Interval expected = bootstrap_interval(
      static_cast<std::int64_t>(values.size()), names,
      [&](std::span<const std::uint32_t> counts) { return auprc(ranking, counts); },
      {.resamples = 30, .seed = 4});
  const Interval& got = evaluation.methods[0].all.pixel_auprc.interval;
  CHECK(got.low == Approx(expected.low).epsilon(1e-4));
  CHECK(got.high == Approx(expected.high).epsilon(1e-4));
  REQUIRE(got.high > got.low);
}

TEST_CASE("a method is called better where the paired interval says so") {
  const Subjects subjects = anomaly_cohort::cohort(9, 9, 20);
  const Scores good = anomaly_cohort::scores(subjects, 2, 0.9, 1000);
  const Scores poor = anomaly_cohort::scores(subjects, 3, 0.3, 1000);
  const AnomalyEvaluation evaluation = evaluated(
      subjects,
      {method("good", good), method("poor", poor), method("same", good), position_only(subjects)});
  REQUIRE(evaluation.comparisons.size() == 3);
  const MethodComparison& poorer = evaluation.comparisons[0];
  CHECK(poorer.other == "poor");
  CHECK(poorer.pixel_auprc.beats);
  CHECK(poorer.slice_auroc_matched.beats);
  CHECK(poorer.pixel_auprc.difference.value ==
        evaluation.methods[0].all.pixel_auprc.value - evaluation.methods[1].all.pixel_auprc.value);
  // Paired: the same method on the same draws differs by nothing, in no resample.
  const MethodComparison& same = evaluation.comparisons[1];
  CHECK_FALSE(same.pixel_auprc.beats);
  CHECK(same.pixel_auprc.difference.interval.low == 0);
  CHECK(same.pixel_auprc.difference.interval.high == 0);
  // The control has no maps.
  const MethodComparison& control = evaluation.comparisons[2];
  CHECK(std::isnan(control.pixel_auprc.difference.value));
  CHECK_FALSE(control.pixel_auprc.beats);
  CHECK(control.slice_auroc_matched.beats);
  CHECK(evaluation.slice_auroc_position_only.present);

  const AnomalyEvaluation reversed =
      evaluated(subjects, {method("poor", poor), method("good", good)});
  CHECK_FALSE(reversed.comparisons[0].pixel_auprc.beats);
  CHECK_FALSE(reversed.slice_auroc_position_only.present);
}

TEST_CASE("an evaluation does not depend on threads or on the methods beside") {
  const Subjects subjects = anomaly_cohort::cohort(3, 3, 6);
  const Scores a = anomaly_cohort::scores(subjects, 2, 0.6, 100);
  const Scores b = anomaly_cohort::scores(subjects, 3, 0.4, 100);
  const AnomalyEvaluation one = evaluated(subjects, {method("a", a, 1), method("b", b, 1)}, 1);
  const AnomalyEvaluation three = evaluated(subjects, {method("b", b, 1), method("a", a, 1)}, 3);
  for (const std::size_t m : {0u, 1u}) {
    const AnomalyFigures &x = one.methods[m].all, &y = three.methods[1 - m].all;
    check_same(x.pixel_auprc, y.pixel_auprc);
    check_same(x.dice_best, y.dice_best);
    check_same(x.dice_threshold, y.dice_threshold);
    check_same(x.slice_auroc, y.slice_auroc);
    check_same(x.slice_auroc_matched, y.slice_auroc_matched);
  }
}

TEST_CASE("a control that gains by the position alone is called suspicious") {
  const Subjects subjects = anomaly_cohort::cohort(21, 12, 30);
  const AnomalyEvaluation honest = evaluated(subjects, {position_only(subjects)});
  const PositionOnly& control = honest.slice_auroc_position_only;
  INFO("pooled " << control.slice_auroc.value << " matched " << control.slice_auroc_matched.value);
  CHECK(control.slice_auroc.value > 0.6);
  CHECK_FALSE(control.suspicious);
  CHECK(honest.warnings.empty());

  // One that peeks at the lesions.
  MethodScores peeking = position_only(subjects);
  for (std::size_t i = 0; i < subjects.size(); ++i)
    for (std::size_t s = 0; s < subjects[i].judged.size(); ++s)
      peeking.slice_scores[i][s] +=
          truth_of(subjects[i], static_cast<std::int64_t>(s)).truth == LesionTruth::lesion ? 1 : 0;
  const AnomalyEvaluation wrong = evaluated(subjects, {peeking});
  CHECK(wrong.slice_auroc_position_only.suspicious);
  REQUIRE(wrong.warnings.size() == 1);
  CHECK(wrong.warnings[0].find("suspicious") != std::string::npos);
}

TEST_CASE("an evaluation without lesions says so and counts what it judged") {
  Subjects subjects = anomaly_cohort::cohort(5, 3, 6);
  for (PreparedSubject& subject : subjects)
    std::ranges::fill(subject.lesions.values<std::uint8_t>(), std::uint8_t{0});
  const Scores scores = anomaly_cohort::scores(subjects, 2, 0, 100);
  const auto judge = [&] {
    return evaluated(subjects, {method("m", scores, 1), position_only(subjects)});
  };
  const AnomalyEvaluation healthy = judge();
  CHECK_FALSE(healthy.methods[0].all.has_lesions());
  CHECK(healthy.methods[0].all.healthy_slices == healthy.judged_slices);
  CHECK(healthy.judged_slices > 10);
  CHECK(std::isnan(healthy.methods[0].all.slice_auroc.value));
  REQUIRE(healthy.warnings.size() == 1);
  CHECK(healthy.warnings[0].find("no slice judged has a lesion") == 0);
  for (PreparedSubject& subject : subjects) std::ranges::fill(subject.judged, std::uint8_t{0});
  const AnomalyEvaluation nothing = judge();
  CHECK(nothing.judged_slices == 0);
  CHECK(nothing.warnings == healthy.warnings);
}

TEST_CASE("labels serve where there are no masks, and slices without a score are left out") {
  Subjects subjects = anomaly_cohort::cohort(31, 4, 10);
  const Scores scores = anomaly_cohort::scores(subjects, 2, 0.8, 100);
  for (PreparedSubject& subject : subjects) {
    for (std::size_t s = 0; s < subject.labels.size(); ++s)
      subject.labels[s] = s % 3 == 2 ? 255 : static_cast<std::uint8_t>(s % 3);
    subject.lesions = Tensor();
  }
  MethodScores a = method("a", scores), b = method("b", scores);
  b.slice_scores[0][4] = kNaN;
  a.slice_scores[1][0] = kNaN;  // not judged anyway
  const AnomalyEvaluation evaluation = evaluated(subjects, {a, b});
  CHECK(evaluation.judged_slices == 35);
  CHECK(evaluation.unscored_slices == 1);
  CHECK(evaluation.unclear_slices == 4 * 3);
  for (const MethodEvaluation& judged : evaluation.methods) {
    CHECK(judged.all.healthy_slices == 4 * 3);
    CHECK(judged.all.lesion_slices == 4 * 3 - 1);
    CHECK(judged.all.pixels == 0);
    CHECK(std::isnan(judged.all.pixel_auprc.value));
    CHECK(std::isnan(judged.all.pixel_auprc.interval.low));
    CHECK_FALSE(std::isnan(judged.all.slice_auroc.value));
    CHECK(judged.by_size[0].lesion_slices == 0);
  }
  // Scans of one person are one patient.
  for (PreparedSubject& subject : subjects) subject.subject = "one";
  const AnomalyEvaluation one = evaluated(subjects, {a});
  CHECK(one.patients == 1);
  CHECK(std::isnan(one.methods[0].all.slice_auroc_matched.value));
  CHECK(one.methods[0].all.unmatched_slices == one.methods[0].all.lesion_slices);
}

TEST_CASE("what does not fit is refused") {
  const Subjects subjects = anomaly_cohort::cohort(1, 2, 3);
  const Scores scores = anomaly_cohort::scores(subjects, 2, 0.6, 10);
  const MethodScores good = method("a", scores);
  const auto kind_of = [&](const std::vector<MethodScores>& methods) {
    try {
      evaluated(subjects, methods);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  CHECK(kind_of({}) == ErrorKind::usage);
  CHECK(kind_of({good, good}) == ErrorKind::usage);
  MethodScores bad = good;
  bad.maps.pop_back();
  CHECK(kind_of({bad}) == ErrorKind::usage);
  bad = good;
  bad.slice_scores[1].push_back(0);
  CHECK(kind_of({bad}) == ErrorKind::usage);
  bad = position_only(subjects);
  MethodScores second = bad;
  second.name = "again";
  CHECK(kind_of({bad, second}) == ErrorKind::usage);

  Scores broken = anomaly_cohort::scores(subjects, 2, 0.6, 10);
  const std::size_t middle = (128 + 64) * 128 + 64;
  broken.maps[1].values<float>()[64 * 128 + 64] = std::nanf("");  // of a slice that is not judged
  CHECK_NOTHROW(evaluated(subjects, {method("a", broken)}));
  broken.maps[1].values<float>()[middle] = std::nanf("");
  CHECK(kind_of({method("a", broken)}) == ErrorKind::input);
}

namespace {
std::vector<const PreparedSubject*> pointers(const Subjects& subjects) {
  std::vector<const PreparedSubject*> all;
  for (const PreparedSubject& subject : subjects) all.push_back(&subject);
  return all;
}
}  // namespace

TEST_CASE("the label-free threshold is a percentile of healthy brain pixels") {
  Subjects subjects = anomaly_cohort::cohort(41, 3, 5, 11);
  const Scores scores = anomaly_cohort::scores(subjects, 2, 5, 1e6);
  std::vector<double> healthy;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    for (std::size_t s = 1; s < 5; ++s) {
      if (truth_of(subjects[i], static_cast<std::int64_t>(s)).truth != LesionTruth::healthy)
        continue;
      for (std::size_t p = s * 128 * 128; p < (s + 1) * 128 * 128; ++p)
        if (subjects[i].brain.values<std::uint8_t>()[p] != 0)
          healthy.push_back(scores.maps[i].values<float>()[p]);
    }
  REQUIRE(healthy.size() > 1000);
  std::sort(healthy.begin(), healthy.end());
  for (const double percentile : {0.0, 33.3, 99.5, 100.0}) {
    const double place = percentile / 100 * static_cast<double>(healthy.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, healthy.size() - 1);
    const double expected =
        healthy[below] + (place - std::floor(place)) * (healthy[above] - healthy[below]);
    CHECK(label_free_threshold(pointers(subjects), scores.views, percentile) ==
          Approx(expected).epsilon(1e-12));
  }
  CHECK_THROWS_AS(label_free_threshold(pointers(subjects), scores.views, 101), Error);
  // Labels say that nobody knows.
  for (PreparedSubject& subject : subjects) subject.lesions = Tensor();
  CHECK_THROWS_AS(label_free_threshold(pointers(subjects), scores.views), Error);
}
