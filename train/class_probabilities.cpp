#include "class_probabilities.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/error.h"
#include "roc.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kLeeway = 1e-3;  // a softmax in single precision is within 1e-6

// Calls visit(row of probabilities, label) for every sample, checked.
template <class Visit>
void for_each_sample(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                     int classes, Visit&& visit) {
  require(classes >= 2, "probabilities over ", classes, " classes");
  const auto width = static_cast<std::size_t>(classes);
  require(probabilities.size() % width == 0 && probabilities.size() / width == labels.size(),
          probabilities.size(), " probabilities are no ", labels.size(), " rows of ", classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require(labels[i] < width, "label ", int{labels[i]}, " is not one of ", classes, " classes");
    const auto row = probabilities.subspan(i * width, width);
    double sum = 0;
    for (const double p : row) {
      if (!(p >= 0 && p <= 1))
        fail(ErrorKind::input, "a probability of sample ", i, " is ", p, ", not in [0, 1]");
      sum += p;
    }
    if (std::abs(sum - 1) > kLeeway)
      fail(ErrorKind::input, "the probabilities of sample ", i, " add up to ", sum, ", not to 1");
    visit(row, labels[i]);
  }
}

}  // namespace

std::vector<double> auroc_by_class(std::span<const double> probabilities,
                                   std::span<const std::uint8_t> labels, int classes) {
  std::vector<std::vector<double>> scores(static_cast<std::size_t>(std::max(classes, 0)));
  for_each_sample(probabilities, labels, classes, [&](std::span<const double> row, std::uint8_t) {
    for (std::size_t c = 0; c < row.size(); ++c) scores[c].push_back(row[c]);
  });
  std::vector<double> areas;
  for (std::size_t c = 0; c < scores.size(); ++c) {
    std::vector<std::uint8_t> own;
    for (const std::uint8_t label : labels) own.push_back(label == c);
    areas.push_back(auroc(rank_scores(scores[c], own)));
  }
  return areas;
}

double macro_auroc(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                   int classes) {
  double sum = 0, defined = 0;
  for (const double area : auroc_by_class(probabilities, labels, classes)) {
    if (std::isnan(area)) continue;
    sum += area;
    ++defined;
  }
  return defined > 0 ? sum / defined : std::numeric_limits<double>::quiet_NaN();
}

double log_loss(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                int classes) {
  double sum = 0;
  for_each_sample(
      probabilities, labels, classes,
      [&](std::span<const double> row, std::uint8_t label) { sum -= std::log(row[label]); });
  return sum / static_cast<double>(labels.size());
}

double brier_score(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                   int classes) {
  double sum = 0;
  for_each_sample(probabilities, labels, classes,
                  [&](std::span<const double> row, std::uint8_t label) {
                    for (std::size_t c = 0; c < row.size(); ++c) {
                      const double gap = row[c] - (c == label ? 1 : 0);
                      sum += gap * gap;
                    }
                  });
  return sum / static_cast<double>(labels.size());
}

Calibration confidence_calibration(std::span<const double> probabilities,
                                   std::span<const std::uint8_t> labels, int classes, int bins) {
  std::vector<double> confidences;
  std::vector<std::uint8_t> right;
  for_each_sample(probabilities, labels, classes,
                  [&](std::span<const double> row, std::uint8_t label) {
                    const auto top = std::max_element(row.begin(), row.end());
                    confidences.push_back(*top);
                    right.push_back(top - row.begin() == label);
                  });
  return calibration(confidences, right, bins);
}

}  // namespace ratnet::inline v1
