#include "../../train/metrics.h"

#include <cmath>
#include <limits>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Labels = std::vector<std::uint8_t>;
using Values = std::vector<double>;

// The expected values below come from:
//   from sklearn import metrics as m
//   m.roc_auc_score(y, s), m.average_precision_score(y, s)
//   f, t, th = m.roc_curve(y, s, drop_intermediate=False); t[f <= rate].max()
//   m.balanced_accuracy_score(a, b), m.precision_recall_fscore_support(a, b)
//   k = np.clip(np.ceil(s * 15).astype(int) - 1, 0, 14)
//   sum(abs(s[k == i].mean() - y[k == i].mean()) * (k == i).mean() for i in set(k))
//   scipy.optimize.minimize_scalar(lambda T: -log_softmax(z / T, 1)[range(8), l].mean(),
//                                  bounds=(.05, 20), method='bounded', options={'xatol': 1e-12})
const Values kScores{.9, .8, .8, .7, .7, .7, .6, .55, .5, .5, .4, .35, .3, .3, .2, .1};
const Labels kLabels{1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0};

struct Sample {
  Values scores;
  Labels labels;
};

// Few distinct scores, so that ties are common.
Sample random_sample(std::uint64_t seed, int n) {
  Random random(seed);
  Sample sample;
  for (int i = 0; i < n; ++i) {
    const bool positive = random.chance(0.3);
    sample.labels.push_back(positive);
    sample.scores.push_back(
        std::floor(12 * (positive ? std::sqrt(random.uniform()) : random.uniform())) / 12);
  }
  return sample;
}

double auroc_by_pairs(const Sample& s) {
  double right = 0, pairs = 0;
  for (std::size_t i = 0; i < s.scores.size(); ++i)
    for (std::size_t j = 0; j < s.scores.size(); ++j) {
      if (s.labels[i] != 1 || s.labels[j] != 0) continue;
      ++pairs;
      right += s.scores[i] > s.scores[j] ? 1.0 : s.scores[i] == s.scores[j] ? 0.5 : 0.0;
    }
  return right / pairs;
}

struct Rates {
  double recall, fpr, precision;
};

Rates rates_at(const Sample& s, double threshold) {
  double tp = 0, fp = 0, p = 0, n = 0;
  for (std::size_t i = 0; i < s.scores.size(); ++i) {
    (s.labels[i] ? p : n) += 1;
    if (s.scores[i] >= threshold) (s.labels[i] ? tp : fp) += 1;
  }
  return {tp / p, fp / n, tp / (tp + fp)};
}

double auprc_by_thresholds(const Sample& s) {
  double area = 0, before = 0;
  for (int step = 12; step >= 0; --step) {
    const Rates rates = rates_at(s, step / 12.0);
    if (rates.recall > before) area += (rates.recall - before) * rates.precision;
    before = rates.recall;
  }
  return area;
}

double best_recall(const Sample& s, double rate) {
  double best = 0;
  for (int step = 0; step <= 12; ++step) {
    const Rates rates = rates_at(s, step / 12.0);
    if (rates.fpr <= rate) best = std::max(best, rates.recall);
  }
  return best;
}

}  // namespace

TEST_CASE("curves agree with scikit-learn") {
  const Ranking ranking = rank_scores(kScores, kLabels);
  CHECK(auroc(ranking) == Approx(0.7777777777777778).epsilon(1e-14));
  CHECK(auprc(ranking) == Approx(0.6996598639455782).epsilon(1e-14));

  const auto none = point_at_false_positive_rate(ranking, 0.0);
  CHECK(none.recall == Approx(1.0 / 7));
  CHECK(none.threshold == Approx(0.85));
  const auto fifth = point_at_false_positive_rate(ranking, 0.2);
  CHECK(fifth.recall == Approx(2.0 / 7));
  CHECK(fifth.false_positive_rate == Approx(1.0 / 9));
  CHECK(fifth.threshold == Approx(0.75));
  const auto four = point_at_false_positive_rate(ranking, 0.4);
  CHECK(four.recall == Approx(5.0 / 7));
  CHECK(four.false_positive_rate == Approx(3.0 / 9));
  const auto all = point_at_false_positive_rate(ranking, 1.0);
  CHECK(all.recall == 1);
  CHECK(all.threshold == 0.1);
}

TEST_CASE("curves agree with counting on random data with ties") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Sample s = random_sample(seed, 20 + 11 * static_cast<int>(seed));
    const Ranking ranking = rank_scores(s.scores, s.labels);
    CHECK(auroc(ranking) == Approx(auroc_by_pairs(s)).epsilon(1e-12));
    CHECK(auprc(ranking) == Approx(auprc_by_thresholds(s)).epsilon(1e-12));
    for (const double rate : {0.0, 0.01, 0.1, 0.3, 0.7}) {
      const auto point = point_at_false_positive_rate(ranking, rate);
      CHECK(point.recall == Approx(best_recall(s, rate)).epsilon(1e-12));
      CHECK(point.false_positive_rate <= rate);
      // The threshold it names does what it says.
      const auto again = point_at_threshold(ranking, point.threshold);
      CHECK(again.recall == point.recall);
      CHECK(again.false_positive_rate == point.false_positive_rate);
      CHECK(again.recall == Approx(rates_at(s, point.threshold).recall).epsilon(1e-12));
    }
  }
}

TEST_CASE("counts are the same as repeated samples") {
  const Sample s = random_sample(5, 60);
  Random random(9);
  std::vector<std::uint32_t> counts;
  Sample repeated;
  for (std::size_t i = 0; i < s.scores.size(); ++i) {
    counts.push_back(static_cast<std::uint32_t>(random.integer(4)));
    for (std::uint32_t k = 0; k < counts[i]; ++k) {
      repeated.scores.push_back(s.scores[i]);
      repeated.labels.push_back(s.labels[i]);
    }
  }
  const Ranking counted = rank_scores(s.scores, s.labels);
  const Ranking plain = rank_scores(repeated.scores, repeated.labels);
  CHECK(auroc(counted, counts) == Approx(auroc(plain)).epsilon(1e-12));
  CHECK(auprc(counted, counts) == Approx(auprc(plain)).epsilon(1e-12));
  const auto a = point_at_false_positive_rate(counted, 0.2, counts);
  const auto b = point_at_false_positive_rate(plain, 0.2);
  CHECK(a.threshold == b.threshold);
  CHECK(a.recall == Approx(b.recall));
  CHECK_THROWS_AS(auroc(counted, std::span(counts).first(3)), Error);
}

TEST_CASE("curves where something is missing") {
  const Labels one{1, 1, 1};
  const Values scores{0.1, 0.2, 0.3};
  CHECK(std::isnan(auroc(rank_scores(scores, one))));
  CHECK(auprc(rank_scores(scores, one)) == 1);
  CHECK(std::isnan(auprc(rank_scores(scores, Labels{0, 0, 0}))));
  CHECK(std::isnan(point_at_false_positive_rate(rank_scores(scores, one), 0.1).recall));
  CHECK(std::isnan(point_at_threshold(rank_scores(scores, one), 0.1).false_positive_rate));
  CHECK(std::isnan(auroc(rank_scores({}, {}))));
  CHECK(std::isnan(auprc(rank_scores({}, {}))));

  CHECK_THROWS_AS(rank_scores(scores, Labels{0, 1}), Error);
  CHECK_THROWS_AS(rank_scores(scores, Labels{0, 1, 255}), Error);
  CHECK_THROWS_AS(rank_scores(Values{0.1, kNaN, 0.2}, Labels{0, 1, 1}), Error);
  CHECK_THROWS_AS(point_at_false_positive_rate(rank_scores(scores, one), 1.5), Error);

  // A negative on top: nothing can be called positive without a false alarm.
  const auto none = point_at_false_positive_rate(rank_scores(scores, Labels{0, 1, 0}), 0.0);
  CHECK(none.recall == 0);
  CHECK(none.threshold > 0.3);
  CHECK(none.threshold == Approx(0.3));
  // Infinite scores rank, and give a usable threshold or none.
  const Values wide{-kInfinity, 0, 1, kInfinity};
  CHECK(auroc(rank_scores(wide, Labels{0, 0, 1, 1})) == 1);
  CHECK(point_at_false_positive_rate(rank_scores(wide, Labels{0, 1, 1, 1}), 0).threshold == 0);
  CHECK(
      std::isnan(point_at_false_positive_rate(rank_scores(wide, Labels{1, 1, 1, 0}), 0).threshold));
}

TEST_CASE("hard decisions agree with scikit-learn") {
  const Labels truth{0, 0, 1, 2, 2, 2, 1, 0, 1, 2, 0, 0};
  const Labels called{0, 1, 1, 2, 0, 2, 1, 0, 0, 2, 0, 2};
  const ConfusionMatrix m = confusion_matrix(truth, called, 3);
  CHECK(m.counts == std::vector<std::int64_t>{3, 1, 1, 1, 2, 0, 1, 0, 3});
  CHECK(m.total() == 12);
  CHECK(accuracy(m) == Approx(0.6666666666666666));
  CHECK(balanced_accuracy(m) == Approx(0.6722222222222222));
  CHECK(precision(m, 0) == Approx(0.6));
  CHECK(recall(m, 1) == Approx(0.6666666666666666));
  CHECK(f1(m, 2) == Approx(0.75));

  const ConfusionMatrix absent = confusion_matrix(Labels{0, 0, 1}, Labels{0, 0, 0}, 3);
  CHECK(std::isnan(precision(absent, 1)));
  CHECK(recall(absent, 1) == 0);
  CHECK(f1(absent, 1) == 0);
  CHECK(std::isnan(recall(absent, 2)));
  CHECK(std::isnan(f1(absent, 2)));
  CHECK(balanced_accuracy(absent) == Approx(0.5));
  CHECK(std::isnan(accuracy(confusion_matrix({}, {}, 2))));
  CHECK(std::isnan(balanced_accuracy(confusion_matrix({}, {}, 2))));
  CHECK_THROWS_AS(confusion_matrix(Labels{0, 2}, Labels{0, 0}, 2), Error);
  CHECK_THROWS_AS(confusion_matrix(Labels{0}, Labels{0, 0}, 2), Error);
  CHECK_THROWS_AS(m.at(3, 0), Error);
}

TEST_CASE("calibration error") {
  CHECK(calibration(kScores, kLabels).error == Approx(0.13125).epsilon(1e-12));
  const Calibration one = calibration(Values{0, 0, 1, 1}, Labels{0, 0, 1, 1});
  CHECK(one.error == 0);
  REQUIRE(one.bins.size() == 15);
  CHECK(one.bins[0].count == 2);
  CHECK(one.bins[14].count == 2);
  CHECK(one.bins[14].positive_fraction == 1);
  CHECK(std::isnan(one.bins[7].mean_probability));
  CHECK(calibration(Values{0.8, 0.8}, Labels{0, 1}).error == Approx(0.3));
  CHECK(std::isnan(calibration({}, {}).error));
  CHECK_THROWS_AS(calibration(Values{1.01}, Labels{1}), Error);
  CHECK_THROWS_AS(calibration(Values{kNaN}, Labels{1}), Error);
  CHECK_THROWS_AS(calibration(Values{0.5}, Labels{2}), Error);
}

TEST_CASE("temperature") {
  const Values logits{2, -1, 0.5, 0.4, -3, 1, 1, 2, 4, -2, -1, 3, 0.2, -2, -1, -1.5};
  const Labels labels{0, 1, 1, 0, 0, 1, 0, 1};
  const TemperatureFit fit = fit_temperature(logits, labels, 2);
  CHECK(fit.temperature == Approx(1.3039825103582097).epsilon(1e-7));
  CHECK(fit.loss_before == Approx(0.40302269301096105).epsilon(1e-12));
  CHECK(fit.loss_after == Approx(0.39374484304723717).epsilon(1e-12));
  CHECK_FALSE(fit.at_bound);

  SECTION("finds the temperature that made the labels") {
    Random random(3);
    Values z;
    Labels y;
    for (int i = 0; i < 60000; ++i) {
      const double logit = random.normal(0, 3);
      z.insert(z.end(), {0, logit, -1e3});  // a class that never happens
      y.push_back(random.chance(1 / (1 + std::exp(-logit / 2.5))));
    }
    CHECK(fit_temperature(z, y, 3).temperature == Approx(2.5).epsilon(0.03));
    const auto p = softmax_probabilities(z, 3, 1, 2.5);
    CHECK(calibration(p, y).error < 0.01);
  }
  SECTION("stays in bounds where the best is at infinity or nowhere") {
    const TemperatureFit sure = fit_temperature(Values{1, 0, 0, 1}, Labels{0, 1}, 2);
    CHECK(sure.at_bound);
    CHECK(sure.temperature == Approx(kLeastTemperature));
    const TemperatureFit wrong = fit_temperature(Values{1, 0, 0, 1}, Labels{1, 0}, 2);
    CHECK(wrong.at_bound);
    CHECK(wrong.temperature == Approx(kGreatestTemperature));
    const TemperatureFit flat = fit_temperature(Values{0, 0, 0, 0}, Labels{1, 0}, 2);
    CHECK(std::isfinite(flat.temperature));
    const TemperatureFit huge = fit_temperature(Values{1e300, 0, 0, 1e300}, Labels{1, 0}, 2);
    CHECK(std::isfinite(huge.temperature));
  }
  SECTION("refuses what it cannot fit") {
    CHECK_THROWS_AS(fit_temperature(logits, Labels{0, 1}, 2), Error);
    CHECK_THROWS_AS(fit_temperature(Values{1, 0, 0, 1}, Labels{1, 1}, 2), Error);
    CHECK_THROWS_AS(fit_temperature(Values{1, 0, 0, 1}, Labels{1, 2}, 2), Error);
    CHECK_THROWS_AS(fit_temperature(Values{1, 0, kNaN, 1}, Labels{1, 0}, 2), Error);
    CHECK_THROWS_AS(fit_temperature({}, {}, 2), Error);
    CHECK_THROWS_AS(softmax_probabilities(logits, 2, 2), Error);
    CHECK_THROWS_AS(softmax_probabilities(logits, 2, 1, 0), Error);
  }
  CHECK(softmax_probabilities(Values{-1000, 1000}, 2, 1)[0] == 1);
  CHECK(softmax_probabilities(Values{0, std::log(3)}, 2, 1)[0] == Approx(0.75));
}

TEST_CASE("bootstrap intervals") {
  const auto mean_of = [](const Values& values) {
    return [&values](std::span<const std::uint32_t> counts) {
      double sum = 0, n = 0;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        sum += counts[i] * values[i];
        n += counts[i];
      }
      return sum / n;
    };
  };
  SECTION("of independent samples are the textbook's") {
    Random random(1);
    Values values;
    for (int i = 0; i < 400; ++i) values.push_back(random.normal());
    const Interval interval = bootstrap_interval(400, {}, mean_of(values), {.resamples = 2000});
    CHECK_FALSE(interval.by_subject);
    CHECK(interval.units == 400);
    CHECK(interval.defined == 2000);
    CHECK(interval.high - interval.low == Approx(2 * 1.96 / 20).epsilon(0.1));
  }
  SECTION("are wider by subject when subjects differ") {
    Random random(2);
    Values values;
    std::vector<std::string> subjects;
    for (int subject = 0; subject < 20; ++subject) {
      const double own = random.normal();
      for (int i = 0; i < 50; ++i) {
        values.push_back(own + 0.1 * random.normal());
        subjects.push_back(std::to_string(subject));
      }
    }
    const Interval by_sample = bootstrap_interval(1000, {}, mean_of(values));
    const Interval by_subject = bootstrap_interval(1000, subjects, mean_of(values));
    CHECK(by_subject.by_subject);
    CHECK(by_subject.units == 20);
    CHECK(by_subject.high - by_subject.low > 4 * (by_sample.high - by_sample.low));
    // Whole subjects are drawn, as many as there are.
    bootstrap_interval(1000, subjects,
                       [&](std::span<const std::uint32_t> counts) {
                         std::uint32_t total = 0;
                         for (std::size_t i = 0; i < counts.size(); ++i) {
                           if (counts[i] != counts[i / 50 * 50]) return total = 0, 0.0;
                           total += counts[i];
                         }
                         CHECK(total == 1000);
                         return 0.0;
                       },
                       {.resamples = 20});
  }
  SECTION("repeat with their seed and change with it") {
    const Ranking ranking = rank_scores(kScores, kLabels);
    const auto statistic = [&](std::span<const std::uint32_t> c) { return auroc(ranking, c); };
    const Interval a = bootstrap_interval(16, {}, statistic, {.seed = 4});
    const Interval b = bootstrap_interval(16, {}, statistic, {.seed = 4});
    const Interval c = bootstrap_interval(16, {}, statistic, {.seed = 5});
    CHECK(a.low == b.low);
    CHECK(a.high == b.high);
    CHECK((a.low != c.low || a.high != c.high));
    CHECK(a.low < auroc(ranking));
    CHECK(a.high > auroc(ranking));
  }
  SECTION("leave out what is not defined") {
    const auto half = [](std::span<const std::uint32_t> c) { return c[0] > 0 ? 1.0 : kNaN; };
    const Interval some = bootstrap_interval(3, {}, half);
    CHECK(some.low == 1);
    CHECK(some.defined < 1000);
    CHECK(some.defined > 500);
    const Interval none =
        bootstrap_interval(3, {}, [](std::span<const std::uint32_t>) { return kNaN; });
    CHECK(std::isnan(none.low));
    CHECK(none.defined == 0);
    CHECK(std::isnan(bootstrap_interval(0, {}, half).high));
    CHECK_THROWS_AS(bootstrap_interval(3, std::vector<std::string>{"a"}, half), Error);
    CHECK_THROWS_AS(bootstrap_interval(3, {}, half, {.resamples = 0}), Error);
    CHECK_THROWS_AS(bootstrap_interval(3, {}, half, {.confidence = 1}), Error);
  }
}

TEST_CASE("all figures of a classifier in one call") {
  std::vector<std::string> subjects;
  for (std::size_t i = 0; i < kScores.size(); ++i) subjects.push_back(i % 2 ? "a" : "b");
  const BinaryMetrics m = binary_metrics(kScores, kLabels, subjects, {.threshold = 0.5});
  CHECK(m.n == 16);
  CHECK(m.positives == 7);
  CHECK(m.auroc == Approx(0.7777777777777778));
  CHECK(m.auroc_interval.by_subject);
  CHECK(m.auroc_interval.low <= m.auroc);
  CHECK(m.auroc_interval.high >= m.auroc);
  CHECK(m.at_1pct_fpr.recall == Approx(1.0 / 7));
  CHECK(m.calibration_error == Approx(0.13125));
  CHECK(m.at_threshold.recall == recall(m.confusion, 1));
  CHECK(m.at_threshold.recall == Approx(6.0 / 7));
  CHECK(m.at_threshold.false_positive_rate == Approx(4.0 / 9));
  CHECK(precision(m.confusion, 1) == Approx(0.6));

  const Values any{-3, 8, 2, 1};
  const BinaryMetrics scores = binary_metrics(
      any, Labels{0, 1, 1, 0}, {}, {.threshold = 1.5, .scores_are_probabilities = false});
  CHECK(scores.auroc == 1);
  CHECK(std::isnan(scores.calibration_error));
  CHECK_FALSE(scores.auroc_interval.by_subject);
  CHECK_THROWS_AS(binary_metrics(any, Labels{0, 1, 1, 0}, {}), Error);
}
