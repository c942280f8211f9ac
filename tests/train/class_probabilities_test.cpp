#include "../../train/class_probabilities.h"

#include <cmath>
#include <limits>

#include "../../core/error.h"
#include "../../train/classification.h"
#include "../catch.h"

using namespace ratnet;

namespace {

using Labels = std::vector<std::uint8_t>;
using Values = std::vector<double>;

const Labels kLabels{0, 0, 1, 2, 2, 2, 1, 0, 1, 2, 0, 0};

// P = [[(5*k*k + 3*j*j + 7*k*j + 2) % 11 + 1 + 3 * (t[k] == j) for j in range(3)]
//      for k in range(12)]; P /= P.sum(1, keepdims=True)
Values probabilities() {
  Values result;
  for (int k = 0; k < 12; ++k) {
    double row[3], sum = 0;
    for (int j = 0; j < 3; ++j) {
      row[j] = (5 * k * k + 3 * j * j + 7 * k * j + 2) % 11 + 1 +
               (kLabels[static_cast<std::size_t>(k)] == j ? 3 : 0);
      sum += row[j];
    }
    for (const double p : row) result.push_back(p / sum);
  }
  return result;
}

}  // namespace

TEST_CASE("figures of several classes agree with scikit-learn") {
  // m.roc_auc_score(t == j, P[:, j]), m.roc_auc_score(t, P, multi_class='ovr'), m.log_loss(t, P),
  // ((P - np.eye(3)[t]) ** 2).sum(1).mean(); scikit-learn 1.9.1
  const Values p = probabilities();
  const Values areas = auroc_by_class(p, kLabels, 3);
  REQUIRE(areas.size() == 3);
  CHECK(areas[0] == Approx(0.8571428571428572).epsilon(1e-14));
  CHECK(areas[1] == 1);
  CHECK(areas[2] == Approx(0.921875).epsilon(1e-14));
  CHECK(macro_auroc(p, kLabels, 3) == Approx(0.9263392857142857).epsilon(1e-14));
  CHECK(log_loss(p, kLabels, 3) == Approx(0.7320429223806375).epsilon(1e-14));
  CHECK(brier_score(p, kLabels, 3) == Approx(0.43180260615173777).epsilon(1e-14));

  // c = P.max(1); r = P.argmax(1) == t; k = np.clip(np.ceil(c * 5).astype(int) - 1, 0, 4)
  // sum(abs(c[k == i].mean() - r[k == i].mean()) * (k == i).mean() for i in set(k))
  const Calibration sure = confidence_calibration(p, kLabels, 3, 5);
  CHECK(sure.error == Approx(0.3171209273182957).epsilon(1e-13));
  CHECK(sure.bins[1].count == 3);
  CHECK(sure.bins[2].count == 8);
  CHECK(sure.bins[4].count == 1);

  // m.f1_score(t, c, average='macro'), average='weighted'
  const Labels called{0, 1, 1, 2, 0, 2, 1, 0, 0, 2, 0, 2};
  const ConfusionMatrix matrix = confusion_matrix(kLabels, called, 3);
  CHECK(macro_f1(matrix) == Approx(0.6722222222222222).epsilon(1e-14));
  CHECK(weighted_f1(matrix) == Approx(0.6666666666666666).epsilon(1e-14));
}

TEST_CASE("figures of several classes where something is missing") {
  const Values p{0.5, 0.5, 0, 0.25, 0.75, 0};
  const Labels labels{0, 1};
  const Values areas = auroc_by_class(p, labels, 3);
  CHECK(areas[0] == 1);
  CHECK(std::isnan(areas[2]));
  CHECK(macro_auroc(p, labels, 3) == 1);
  CHECK(std::isnan(macro_auroc(p, Labels{0, 0}, 3)));
  CHECK(log_loss(p, Labels{0, 2}, 3) == std::numeric_limits<double>::infinity());
  CHECK(brier_score(Values{0, 1}, Labels{0}, 2) == 2);
  // Equal probabilities: the first class is taken.
  CHECK(confidence_calibration(Values{0.5, 0.5}, Labels{0}, 2, 1).bins[0].positive_fraction == 1);
  CHECK(confidence_calibration(Values{0.5, 0.5}, Labels{1}, 2, 1).bins[0].positive_fraction == 0);
  CHECK(std::isnan(log_loss({}, {}, 2)));
  CHECK(std::isnan(brier_score({}, {}, 2)));

  CHECK_THROWS_AS(log_loss(p, Labels{0}, 3), Error);
  CHECK_THROWS_AS(log_loss(p, Labels{0, 3}, 3), Error);
  CHECK_THROWS_AS(log_loss(Values{1, 1}, labels, 1), Error);
  CHECK_THROWS_AS(auroc_by_class({}, {}, -1), Error);
  CHECK_THROWS_AS(brier_score(Values{0.5, 0.4}, Labels{0}, 2), Error);
  CHECK_THROWS_AS(brier_score(Values{1.5, -0.5}, Labels{0}, 2), Error);
  CHECK_THROWS_AS(brier_score(Values{NAN, 1}, Labels{0}, 2), Error);

  // Classes neither seen nor called are left out; one that is only called counts as 0.
  const ConfusionMatrix some = confusion_matrix(Labels{0, 0}, Labels{0, 1}, 3);
  CHECK(macro_f1(some) == Approx((2 / 3.0 + 0) / 2));
  CHECK(weighted_f1(some) == Approx(2 / 3.0));
  CHECK(std::isnan(macro_f1(confusion_matrix({}, {}, 2))));
  CHECK(std::isnan(weighted_f1(confusion_matrix({}, {}, 2))));
}
