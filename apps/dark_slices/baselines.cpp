#include "baselines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "../../core/error.h"
#include "../../core/quantile.h"

namespace ratnet::inline v1 {
namespace {

struct Features {
  double level, ghost;
};

// Logarithms with floors, so that a black slice or a spotless background has a finite one.
Features features_of(const SliceMeasures& m, double brain_level) {
  return {std::log(std::max(static_cast<double>(m.brain) / brain_level, 0.01)),
          std::log(std::max(static_cast<double>(m.ghost), 0.01))};
}

// Solves the symmetric positive definite system a x = b by Gaussian elimination.
std::array<double, 3> solve(std::array<std::array<double, 3>, 3> a, std::array<double, 3> b) {
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = i + 1; j < 3; ++j) {
      const double f = a[j][i] / a[i][i];
      for (std::size_t k = i; k < 3; ++k) a[j][k] -= f * a[i][k];
      b[j] -= f * b[i];
    }
  for (std::size_t i = 3; i-- > 0;) {
    for (std::size_t k = i + 1; k < 3; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

}  // namespace

double LogisticBaseline::score(const SliceMeasures& measures, double brain_level) const {
  const Features f = features_of(measures, brain_level);
  return intercept + level * f.level + ghost * f.ghost;
}

LogisticBaseline fit_logistic(std::span<const SliceMeasures> measures,
                              std::span<const std::uint8_t> labels, double brain_level) {
  require(measures.size() == labels.size(), measures.size(), " slices have ", labels.size(),
          " labels");
  require(brain_level > 0, "the brain level must be above 0, got ", brain_level);
  std::vector<std::pair<Features, double>> samples;
  double dark = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] <= 1 && !measures[i].empty) {
      samples.emplace_back(features_of(measures[i], brain_level), labels[i]);
      dark += labels[i];
    }
  require(dark > 0 && dark < static_cast<double>(samples.size()),
          "the logistic baseline needs good and dark slices to learn from");
  constexpr double kRidge = 1e-3;
  std::array<double, 3> w{};
  for (int step = 0; step < 50; ++step) {
    std::array<double, 3> gradient{};
    std::array<std::array<double, 3>, 3> hessian{};
    for (const auto& [f, y] : samples) {
      const std::array<double, 3> x = {1, f.level, f.ghost};
      const double p = 1 / (1 + std::exp(-(w[0] + w[1] * x[1] + w[2] * x[2])));
      for (std::size_t i = 0; i < 3; ++i) {
        gradient[i] += (y - p) * x[i];
        for (std::size_t j = 0; j < 3; ++j) hessian[i][j] += p * (1 - p) * x[i] * x[j];
      }
    }
    for (std::size_t i = 0; i < 3; ++i) {
      gradient[i] -= kRidge * w[i];
      hessian[i][i] += kRidge;
    }
    const std::array<double, 3> change = solve(hessian, gradient);
    // A Newton step that is too long overshoots where the classes are nearly separable.
    const double length = std::hypot(change[0], change[1], change[2]);
    const double shorten = std::min(1.0, 3 / std::max(length, 1e-12));
    for (std::size_t i = 0; i < 3; ++i) w[i] += shorten * change[i];
    if (length < 1e-8) break;
  }
  return {w[0], w[1], w[2]};
}

std::vector<double> darkness_through_time(std::span<const float> levels, std::int64_t slices) {
  require(slices >= 1 && levels.size() % static_cast<std::size_t>(slices) == 0, levels.size(),
          " values are not whole volumes of ", slices, " slices");
  std::vector<double> scores(levels.size(), 0);
  const auto step = static_cast<std::size_t>(slices);
  for (std::size_t s = 0; s < step; ++s) {
    std::vector<double> values;
    for (std::size_t i = s; i < levels.size(); i += step)
      if (std::isfinite(levels[i])) values.push_back(static_cast<double>(levels[i]));
    if (values.empty()) continue;
    const double middle = quantile(values, 0.5);
    for (double& v : values) v = std::abs(v - middle);
    const double deviation =
        std::max({1.4826 * quantile(values, 0.5), 0.01 * std::abs(middle), 1e-12});
    for (std::size_t i = s; i < levels.size(); i += step)
      if (std::isfinite(levels[i]))
        scores[i] = (middle - static_cast<double>(levels[i])) / deviation;
  }
  return scores;
}

std::vector<BaselineScores> baseline_scores(std::span<const SliceMeasures> measures,
                                            double brain_level, const LogisticBaseline& logistic) {
  require(brain_level > 0, "the brain level must be above 0, got ", brain_level);
  std::vector<BaselineScores> all = {
      {"whole-image mean", {}}, {"brain mean", {}}, {"ghost ratio", {}}, {"logistic", {}}};
  for (const SliceMeasures& m : measures) {
    const double lowest = std::numeric_limits<double>::lowest();
    all[0].scores.push_back(m.empty ? lowest : -static_cast<double>(m.mean));
    all[1].scores.push_back(m.empty ? lowest : -static_cast<double>(m.brain));
    all[2].scores.push_back(m.empty ? lowest : static_cast<double>(m.ghost));
    all[3].scores.push_back(m.empty ? lowest : logistic.score(m, brain_level));
  }
  return all;
}

}  // namespace ratnet::inline v1
