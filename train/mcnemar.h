// Whether two classifiers differ in how often they are right on the same samples.
#pragma once

#include <cstdint>
#include <span>

namespace ratnet::inline v1 {

struct McnemarTest {
  std::int64_t only_first = 0;   // samples that only the first classifier has right
  std::int64_t only_second = 0;  // and only the second
  bool exact = false;            // by the binomial distribution, not by chi-square
  double chi_square = 0;         // one degree of freedom, with continuity correction; NaN if exact
  double p = 0;                  // two-sided, of equal shares; 1 where none differ
};

// With fewer discordant samples than this the exact test is made.
constexpr std::int64_t kMcnemarExactBelow = 25;

// McNemar 1947, corrected after Edwards 1948: (|b - c| - 1)^2 / (b + c), 0 for b = c. Samples are
// taken as independent. Throws Error (usage) for a negative count.
McnemarTest mcnemar_test(std::int64_t only_first, std::int64_t only_second);

// labels and the two classifiers' decisions: [N], class numbers. Throws Error (usage) where the
// lengths differ.
McnemarTest mcnemar_test(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> first,
                         std::span<const std::uint8_t> second);

}  // namespace ratnet::inline v1
