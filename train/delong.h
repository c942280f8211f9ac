// Whether one classifier ranks better than another on the same samples, and how sure an AUROC is.
#pragma once

#include <cstdint>
#include <span>

namespace ratnet::inline v1 {

// An area under the ROC curve with its standard error and a normal confidence interval, cut to
// [0, 1]. NaN where undefined: the area without one sample of each class, the rest without two.
// Samples are taken as independent: where subjects have several, use bootstrap_interval().
struct AurocEstimate {
  double auroc = 0;
  double standard_error = 0;
  double low = 0;
  double high = 0;
};

// scores: [N], higher = more positive; labels: [N], 0 or 1. Method: DeLong, DeLong and
// Clarke-Pearson, Biometrics 1988, in O(N log N) after Sun and Xu, IEEE SPL 2014. Throws Error:
// usage (lengths, labels, a confidence outside (0, 1)), input (a NaN score).
AurocEstimate delong_interval(std::span<const double> scores, std::span<const std::uint8_t> labels,
                              double confidence = 0.95);

struct DelongTest {
  AurocEstimate first;
  AurocEstimate second;
  double difference = 0;  // first - second
  double standard_error = 0;
  double low = 0;  // of the difference
  double high = 0;
  double z = 0;
  double p = 0;  // two-sided, of equal areas
};

// Two classifiers' scores for the same samples. Where the difference has no variance, p is 1 for
// equal areas and NaN for others.
DelongTest delong_test(std::span<const double> first, std::span<const double> second,
                       std::span<const std::uint8_t> labels, double confidence = 0.95);

}  // namespace ratnet::inline v1
