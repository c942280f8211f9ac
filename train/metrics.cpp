#include "metrics.h"

#include <limits>
#include <vector>

namespace ratnet::inline v1 {

BinaryMetrics binary_metrics(std::span<const double> scores, std::span<const std::uint8_t> labels,
                             std::span<const std::string> subjects,
                             const BinaryMetricsOptions& options) {
  const Ranking ranking = rank_scores(scores, labels);
  std::vector<std::uint8_t> predictions;
  for (const double score : scores) predictions.push_back(score >= options.threshold ? 1 : 0);
  const auto n = static_cast<std::int64_t>(scores.size());
  const auto statistic = [&](std::span<const std::uint32_t> counts) {
    return auroc(ranking, counts);
  };

  BinaryMetrics metrics;
  metrics.n = n;
  metrics.confusion = confusion_matrix(labels, predictions, 2);
  metrics.positives = metrics.confusion.of_class(1);
  metrics.auroc = auroc(ranking);
  metrics.auroc_interval = bootstrap_interval(n, subjects, statistic, options.bootstrap);
  metrics.auprc = auprc(ranking);
  metrics.at_1pct_fpr = point_at_false_positive_rate(ranking, 0.01);
  metrics.calibration_error = options.scores_are_probabilities
                                  ? calibration(scores, labels).error
                                  : std::numeric_limits<double>::quiet_NaN();
  metrics.at_threshold = point_at_threshold(ranking, options.threshold);
  return metrics;
}

}  // namespace ratnet::inline v1
