// Two classifiers on the same samples: DeLong's and McNemar's tests.
#include <cmath>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../../train/delong.h"
#include "../../train/mcnemar.h"
#include "../../train/roc.h"
#include "../catch.h"

using namespace ratnet;

namespace {

using Labels = std::vector<std::uint8_t>;
using Values = std::vector<double>;

const Labels kLabels{1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0};
const Values kFirst{.9, .8, .8, .7, .7, .7, .6, .55, .5, .5, .4, .35, .3, .3, .2, .1};
const Values kSecond{.8, .3, .6, .9, .1, .4, .7, .65, .2, .55, .5, .6, .3, .2, .45, .15};

double psi(double positive, double negative) {
  return positive > negative ? 1.0 : positive == negative ? 0.5 : 0.0;
}

// The covariance of two areas as DeLong and others define it: every pair is compared.
double covariance(const Values& a, const Values& b, const Labels& labels) {
  double result = 0;
  for (const std::uint8_t own : {1, 0}) {
    Values of_a, of_b;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != own) continue;
      double sum_a = 0, sum_b = 0, others = 0;
      for (std::size_t j = 0; j < labels.size(); ++j) {
        if (labels[j] == own) continue;
        sum_a += own == 1 ? psi(a[i], a[j]) : psi(a[j], a[i]);
        sum_b += own == 1 ? psi(b[i], b[j]) : psi(b[j], b[i]);
        ++others;
      }
      of_a.push_back(sum_a / others);
      of_b.push_back(sum_b / others);
    }
    const auto n = static_cast<double>(of_a.size());
    double mean_a = 0, mean_b = 0, sum = 0;
    for (std::size_t i = 0; i < of_a.size(); ++i) mean_a += of_a[i] / n, mean_b += of_b[i] / n;
    for (std::size_t i = 0; i < of_a.size(); ++i) sum += (of_a[i] - mean_a) * (of_b[i] - mean_b);
    result += sum / (n - 1) / n;
  }
  return result;
}

}  // namespace

TEST_CASE("DeLong's test agrees with NumPy and SciPy") {
  // p = psi of all pairs; V10, V01 = p.mean(1), p.mean(0) of both; S = np.cov(V10) / m +
  // np.cov(V01) / n; sklearn.metrics.roc_auc_score; 2 * scipy.stats.norm.sf(abs(z));
  // auc -+ scipy.stats.norm.ppf(...) * sqrt(S). NumPy 2.4.6, SciPy 1.17.1, scikit-learn 1.9.1
  const DelongTest test = delong_test(kFirst, kSecond, kLabels);
  CHECK(test.first.auroc == Approx(0.7777777777777778).epsilon(1e-14));
  CHECK(test.second.auroc == Approx(0.7063492063492063).epsilon(1e-14));
  CHECK(test.first.standard_error == Approx(0.11950969).epsilon(1e-7));
  CHECK(test.second.standard_error == Approx(0.1433157).epsilon(1e-7));
  CHECK(test.standard_error == Approx(0.1714022368563541).epsilon(1e-12));
  CHECK(test.z == Approx(0.4167306841417312).epsilon(1e-12));
  CHECK(test.p == Approx(0.6768754079993058).epsilon(1e-12));
  CHECK(test.first.low == Approx(0.5435430988082188).epsilon(1e-12));
  CHECK(test.first.high == 1);
  CHECK(delong_interval(kSecond, kLabels, 0.9).high == Approx(0.9420825479964436).epsilon(1e-12));
  CHECK(test.high - test.low == Approx(2 * 1.959963984540054 * test.standard_error));
}

TEST_CASE("DeLong's variances are those of comparing all pairs") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    Labels labels{0, 1, 0, 1};
    for (std::uint64_t i = 0; i < 5 * seed; ++i) labels.push_back(random.chance(0.3));
    Values a, b;  // few distinct scores, so that ties are common
    for (const std::uint8_t label : labels) {
      const double common = random.normal();
      a.push_back(std::floor(2 * (label + common + random.normal())));
      b.push_back(std::floor(3 * (common + random.normal())));
    }
    const DelongTest test = delong_test(a, b, labels);
    const double aa = covariance(a, a, labels), bb = covariance(b, b, labels);
    const double variance = aa + bb - 2 * covariance(a, b, labels);
    CHECK(test.first.auroc == Approx(auroc(rank_scores(a, labels))).epsilon(1e-12));
    CHECK(test.first.standard_error == Approx(std::sqrt(aa)).epsilon(1e-10).margin(1e-9));
    CHECK(test.second.standard_error == Approx(std::sqrt(bb)).epsilon(1e-10).margin(1e-9));
    CHECK(test.standard_error * test.standard_error ==
          Approx(variance).epsilon(1e-9).margin(1e-12));
    const DelongTest turned = delong_test(b, a, labels);
    if (variance > 1e-12) CHECK(turned.p == Approx(test.p).epsilon(1e-12));
    CHECK(turned.difference == -test.difference);
  }
}

TEST_CASE("DeLong's test where there is no variance") {
  const DelongTest same = delong_test(kFirst, kFirst, kLabels);
  CHECK(same.p == 1);
  CHECK(same.z == 0);
  CHECK(same.standard_error == 0);
  const Labels labels{0, 0, 1, 1};
  const DelongTest opposite = delong_test(Values{1, 2, 3, 4}, Values{4, 3, 2, 1}, labels);
  CHECK(opposite.difference == 1);
  CHECK(std::isnan(opposite.z));
  CHECK(std::isnan(opposite.p));
  CHECK(opposite.first.low == 1);

  const AurocEstimate few = delong_interval(Values{1, 2, 3}, Labels{0, 0, 1});
  CHECK(few.auroc == 1);
  CHECK(std::isnan(few.standard_error));
  CHECK(std::isnan(few.low));
  CHECK(std::isnan(few.high));
  CHECK(std::isnan(delong_interval(Values{1, 2}, Labels{1, 1}).auroc));
  CHECK(std::isnan(delong_test({}, {}, {}).p));
  CHECK_THROWS_AS(delong_interval(Values{1}, labels), Error);
  CHECK_THROWS_AS(delong_interval(Values{1, NAN, 2, 3}, labels), Error);
  CHECK_THROWS_AS(delong_interval(Values{1, 2, 3, 4}, labels, 1), Error);
  CHECK_THROWS_AS(delong_interval(Values{1, 2, 3, 4}, labels, 0), Error);
}

TEST_CASE("McNemar's test agrees with statsmodels") {
  // mcnemar([[0, b], [c, 0]], exact=b + c < 25, correction=True).pvalue of statsmodels 0.15.0
  CHECK(mcnemar_test(3, 11).exact);
  CHECK(mcnemar_test(3, 11).p == Approx(0.057373046875).epsilon(1e-14));
  CHECK(mcnemar_test(24, 0).p == Approx(1.1920928955078125e-07).epsilon(1e-14));
  CHECK(mcnemar_test(0, 24).p == mcnemar_test(24, 0).p);
  CHECK(mcnemar_test(5, 5).p == 1);
  CHECK(mcnemar_test(0, 0).p == 1);
  CHECK(std::isnan(mcnemar_test(5, 5).chi_square));
  CHECK_FALSE(mcnemar_test(13, 12).exact);
  CHECK(mcnemar_test(30, 12).chi_square == Approx(6.880952380952381).epsilon(1e-14));
  CHECK(mcnemar_test(30, 12).p == Approx(0.008711912962379598).epsilon(1e-12));
  CHECK(mcnemar_test(13, 12).p == 1);
  CHECK(mcnemar_test(400, 300).p == Approx(0.0001826717911095503).epsilon(1e-12));
  CHECK(mcnemar_test(50, 50).p == 1);  // statsmodels corrects past zero there
  CHECK_THROWS_AS(mcnemar_test(-1, 3), Error);
}

TEST_CASE("McNemar's test counts who alone is right") {
  const Labels truth{0, 1, 2, 0, 1, 2, 0}, first{0, 1, 0, 1, 1, 2, 0}, second{0, 0, 2, 2, 1, 1, 1};
  const McnemarTest test = mcnemar_test(truth, first, second);
  CHECK(test.only_first == 3);
  CHECK(test.only_second == 1);
  CHECK(test.p == Approx(0.625));  // 2 (1 + 4) / 2^4
  CHECK_THROWS_AS(mcnemar_test(truth, first, Labels{0}), Error);
}
