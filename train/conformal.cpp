#include "conformal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kSizes = "conformal_sizes";
constexpr const char* kScores = "conformal_scores";

// How many of ascending values are >= the score.
double at_least(const std::vector<double>& ascending, double score) {
  return static_cast<double>(ascending.end() -
                             std::lower_bound(ascending.begin(), ascending.end(), score));
}

// The p-value falls as the score rises, and only just above a reference score.
template <class PValue>
double lowest_with(const std::vector<double>& ascending, double rate, PValue&& p_value) {
  const auto first = std::partition_point(ascending.begin(), ascending.end(),
                                          [&](double score) { return p_value(score) > rate; });
  return std::nextafter(*(first - 1), kInfinity);
}

const std::vector<double>& coefficient(
    const std::map<std::string, std::vector<double>>& coefficients, const char* name) {
  const auto found = coefficients.find(name);
  if (found == coefficients.end())
    fail(ErrorKind::input, "the coefficients have no ", name, ": calibrate the model first");
  return found->second;
}

}  // namespace

ConformalReference::ConformalReference(std::span<const std::vector<double>> scores) {
  for (std::size_t subject = 0; subject < scores.size(); ++subject) {
    std::vector<double> kept;
    for (const double score : scores[subject]) {
      if (std::isinf(score))
        fail(ErrorKind::input, "a score of calibration subject ", subject, " is infinite");
      if (!std::isnan(score)) kept.push_back(score);
    }
    if (kept.empty()) continue;
    std::sort(kept.begin(), kept.end());
    worst_.push_back(kept.back());
    scores_.push_back(std::move(kept));
  }
  if (scores_.empty())
    fail(ErrorKind::input, "none of ", scores.size(), " calibration subjects has a score");
  std::sort(worst_.begin(), worst_.end());
}

double ConformalReference::sample_p_value(double score) const {
  if (std::isnan(score)) return kNaN;
  double sum = 1;
  for (const std::vector<double>& subject : scores_)
    sum += at_least(subject, score) / static_cast<double>(subject.size());
  return sum / static_cast<double>(subjects() + 1);
}

double ConformalReference::subject_p_value(std::span<const double> scores) const {
  double worst = kNaN;
  for (const double score : scores) worst = std::fmax(worst, score);
  if (std::isnan(worst)) return kNaN;
  return (1 + at_least(worst_, worst)) / static_cast<double>(subjects() + 1);
}

void ConformalReference::check_rate(double rate) const {
  require(rate < 1 && rate >= smallest_rate(), "a false-positive rate of ", rate,
          " cannot be promised with ", subjects(),
          " calibration subjects: ask for less than 1 and at least 1/", subjects() + 1, " = ",
          smallest_rate(), ", or calibrate with more subjects");
}

double ConformalReference::sample_threshold(double rate) const {
  check_rate(rate);
  std::vector<double> all;
  for (const std::vector<double>& subject : scores_)
    all.insert(all.end(), subject.begin(), subject.end());
  std::sort(all.begin(), all.end());
  return lowest_with(all, rate, [&](double score) { return sample_p_value(score); });
}

double ConformalReference::subject_threshold(double rate) const {
  check_rate(rate);
  return lowest_with(worst_, rate,
                     [&](double score) { return subject_p_value(std::span(&score, 1)); });
}

double ConformalReference::sample_quantile(double share) const {
  require(share >= 0 && share <= 1, "a quantile of ", share, "; it goes from 0 to 1");
  std::vector<std::pair<double, double>> weighted;  // score and weight
  for (const std::vector<double>& subject : scores_)
    for (const double score : subject)
      weighted.emplace_back(score, 1 / static_cast<double>(subject.size() * scores_.size()));
  std::sort(weighted.begin(), weighted.end());
  double sum = 0;
  for (const auto& [score, weight] : weighted)
    if ((sum += weight) >= share - 1e-9) return score;  // weights do not add up to the last bit
  return weighted.back().first;
}

std::map<std::string, std::vector<double>> ConformalReference::coefficients() const {
  std::map<std::string, std::vector<double>> result;
  for (const std::vector<double>& subject : scores_) {
    result[kSizes].push_back(static_cast<double>(subject.size()));
    result[kScores].insert(result[kScores].end(), subject.begin(), subject.end());
  }
  return result;
}

ConformalReference ConformalReference::from_coefficients(
    const std::map<std::string, std::vector<double>>& coefficients) {
  const std::vector<double>& scores = coefficient(coefficients, kScores);
  std::vector<std::vector<double>> subjects;
  auto next = scores.begin();
  for (const double size : coefficient(coefficients, kSizes)) {
    const auto left = static_cast<double>(scores.end() - next);
    if (!(size >= 1 && size <= left && size == std::floor(size)))
      fail(ErrorKind::input, kSizes, " has ", size, " where ", left, " of ", scores.size(), " ",
           kScores, " are left");
    const auto end = next + static_cast<std::ptrdiff_t>(size);
    for (auto score = next; score != end; ++score)
      if (!std::isfinite(*score)) fail(ErrorKind::input, kScores, " has a value of ", *score);
    subjects.emplace_back(next, end);
    next = end;
  }
  if (next != scores.end())
    fail(ErrorKind::input, kSizes, " leaves ", scores.end() - next, " of ", scores.size(), " ",
         kScores, " to no subject");
  return ConformalReference(subjects);
}

}  // namespace ratnet::inline v1
