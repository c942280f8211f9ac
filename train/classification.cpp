#include "classification.h"

#include <limits>
#include <numeric>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::int64_t ConfusionMatrix::at(int truth, int predicted) const {
  require(truth >= 0 && truth < classes && predicted >= 0 && predicted < classes, "class ", truth,
          " or ", predicted, " is not one of ", classes);
  return counts[static_cast<std::size_t>(truth) * static_cast<std::size_t>(classes) +
                static_cast<std::size_t>(predicted)];
}

std::int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::int64_t ConfusionMatrix::of_class(int truth) const {
  std::int64_t sum = 0;
  for (int predicted = 0; predicted < classes; ++predicted) sum += at(truth, predicted);
  return sum;
}

std::int64_t ConfusionMatrix::called_class(int predicted) const {
  std::int64_t sum = 0;
  for (int truth = 0; truth < classes; ++truth) sum += at(truth, predicted);
  return sum;
}

ConfusionMatrix confusion_matrix(std::span<const std::uint8_t> labels,
                                 std::span<const std::uint8_t> predictions, int classes) {
  require(classes >= 2 && classes <= 255, "a confusion matrix of ", classes, " classes");
  require(labels.size() == predictions.size(), labels.size(), " labels for ", predictions.size(),
          " predictions");
  const auto side = static_cast<std::size_t>(classes);
  ConfusionMatrix matrix{classes, std::vector<std::int64_t>(side * side)};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require(labels[i] < side && predictions[i] < side, "sample ", i, ": class ",
            int{labels[i] < side ? predictions[i] : labels[i]}, " is not one of ", classes);
    ++matrix.counts[labels[i] * side + predictions[i]];
  }
  return matrix;
}

double accuracy(const ConfusionMatrix& matrix) {
  std::int64_t right = 0;
  for (int i = 0; i < matrix.classes; ++i) right += matrix.at(i, i);
  return ratio(right, matrix.total());
}

double balanced_accuracy(const ConfusionMatrix& matrix) {
  double sum = 0;
  int present = 0;
  for (int i = 0; i < matrix.classes; ++i) {
    if (matrix.of_class(i) == 0) continue;
    sum += recall(matrix, i);
    ++present;
  }
  return present > 0 ? sum / present : std::numeric_limits<double>::quiet_NaN();
}

double precision(const ConfusionMatrix& matrix, int positive) {
  return ratio(matrix.at(positive, positive), matrix.called_class(positive));
}

double recall(const ConfusionMatrix& matrix, int positive) {
  return ratio(matrix.at(positive, positive), matrix.of_class(positive));
}

double f1(const ConfusionMatrix& matrix, int positive) {
  return ratio(2 * matrix.at(positive, positive),
               matrix.of_class(positive) + matrix.called_class(positive));
}

double macro_f1(const ConfusionMatrix& matrix) {
  double sum = 0;
  int present = 0;
  for (int i = 0; i < matrix.classes; ++i) {
    if (matrix.of_class(i) + matrix.called_class(i) == 0) continue;
    sum += f1(matrix, i);
    ++present;
  }
  return present > 0 ? sum / present : std::numeric_limits<double>::quiet_NaN();
}

double weighted_f1(const ConfusionMatrix& matrix) {
  double sum = 0, seen = 0;
  for (int i = 0; i < matrix.classes; ++i) {
    const auto weight = static_cast<double>(matrix.of_class(i));
    if (weight == 0) continue;
    sum += weight * f1(matrix, i);
    seen += weight;
  }
  return seen > 0 ? sum / seen : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace ratnet::inline v1
