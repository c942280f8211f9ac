// Whether probabilities mean what they say, and one number that corrects them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

struct CalibrationBin {
  std::int64_t count = 0;
  double mean_probability = 0;   // NaN in an empty bin
  double positive_fraction = 0;  // NaN in an empty bin
};

struct Calibration {
  double error = 0;  // expected calibration error; NaN without samples
  std::vector<CalibrationBin> bins;
};

// Expected calibration error of P(positive) (Naeini et al. 2015, Guo et al. 2017): the mean over
// samples of |mean probability - fraction of positives| of the sample's bin. Bins are of equal
// width, (low, high], the first holds 0 too. probabilities: [N] in [0, 1]; labels: [N], 0 or 1.
// Throws Error: usage (lengths, labels, bins < 1), input (a probability outside [0, 1] or NaN).
Calibration calibration(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                        int bins = 15);

// P(class `which`) of every sample: softmax of logits / temperature. logits: [N, classes], finite.
// Throws Error: usage (sizes, temperature <= 0), input (a logit that is not finite).
std::vector<double> softmax_probabilities(std::span<const double> logits, int classes, int which,
                                          double temperature = 1);

struct TemperatureFit {
  double temperature = 1;
  double loss_before = 0;  // mean negative log-likelihood at temperature 1
  double loss_after = 0;
  bool at_bound = false;  // the best lies outside [kLeastTemperature, kGreatestTemperature]
};

constexpr double kLeastTemperature = 0.05;
constexpr double kGreatestTemperature = 20;

// Temperature scaling (Guo et al. 2017): the T that minimises the mean negative log-likelihood of
// softmax(logits / T) on validation data. The loss is convex in 1/T; Newton's steps, kept inside a
// bracket, find it to 1e-10. Never moves a sample across another: ranking figures do not change.
// logits: [N, classes], labels: [N] below classes. Throws Error: usage (sizes, labels), input (a
// logit that is not finite, or fewer than two classes among the labels).
TemperatureFit fit_temperature(std::span<const double> logits, std::span<const std::uint8_t> labels,
                               int classes);

}  // namespace ratnet::inline v1
