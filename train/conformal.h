// How unusual a score is beside those of held-out healthy subjects: p-values and thresholds whose
// false-positive rate holds for any distribution of the scores.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace ratnet::inline v1 {

// Scores of n healthy subjects who took no part in training, each with one or more samples
// (slices); higher = less healthy. Samples of one subject resemble each other, so that pooling them
// all would promise more than n subjects can show: here every subject weighs the same.
//
// What holds, given a new healthy subject exchangeable with the n (drawn and handled like them, the
// number of samples included), on average over the draw of the n and for every rate in (0, 1):
// - P(sample_p_value <= rate) <= rate for a sample chosen at random among the new subject's. It is
//   the p-value of hierarchical conformal prediction: Lee, Barber and Willett, Distribution-free
//   inference with hierarchical data, arXiv 2306.06342, 2023. It does not hold for the worst of
//   several samples.
// - P(subject_p_value <= rate) <= rate: ordinary conformal prediction on one number a subject, his
//   worst sample (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005).
// Neither is a statement about one given set of n subjects, or about subjects of another scanner.
class ConformalReference {
 public:
  // scores: [n] subjects of any number of samples; NaN samples are left out, and subjects without
  // others too. Throws Error (input): no subject is left, or a score is infinite.
  explicit ConformalReference(std::span<const std::vector<double>> scores);

  std::int64_t subjects() const { return static_cast<std::int64_t>(scores_.size()); }

  // (1 + sum over subjects of the share of his samples with a score >= this one) / (n + 1); NaN for
  // NaN.
  double sample_p_value(double score) const;

  // (1 + number of subjects whose worst sample is >= the worst of these) / (n + 1). NaN scores are
  // left out; NaN where none remains.
  double subject_p_value(std::span<const double> scores) const;

  // The lowest score whose p-value is <= `rate`: call unhealthy what is >= this. Throws Error
  // (usage) unless 1 / (n + 1) <= rate < 1: below it no p-value of n subjects can lie.
  double sample_threshold(double rate) const;
  double subject_threshold(double rate) const;

  // The lowest score of the n with at least this share of the samples at or below it, every subject
  // weighing the same: 0.5 is the middle of what is healthy. Throws Error (usage) unless 0 <= share
  // <= 1.
  double sample_quantile(double share) const;

  // [n] the subjects' worst samples, ascending.
  std::span<const double> worst() const { return worst_; }

  double smallest_rate() const { return 1 / static_cast<double>(subjects() + 1); }

  // As a Model's coefficients keep it: "conformal_sizes" [n] and "conformal_scores", the subjects'
  // scores after one another. from_coefficients throws Error (input) where they are absent or do
  // not fit each other.
  std::map<std::string, std::vector<double>> coefficients() const;
  static ConformalReference from_coefficients(
      const std::map<std::string, std::vector<double>>& coefficients);

 private:
  void check_rate(double rate) const;

  std::vector<std::vector<double>> scores_;  // of every subject, ascending
  std::vector<double> worst_;                // [n], ascending
};

}  // namespace ratnet::inline v1
