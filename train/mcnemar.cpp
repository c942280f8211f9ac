#include "mcnemar.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "../core/error.h"

namespace ratnet::inline v1 {

McnemarTest mcnemar_test(std::int64_t only_first, std::int64_t only_second) {
  require(only_first >= 0 && only_second >= 0, only_first, " and ", only_second,
          " discordant samples");
  McnemarTest test{.only_first = only_first, .only_second = only_second};
  const double n = static_cast<double>(only_first) + static_cast<double>(only_second);
  test.exact = n < static_cast<double>(kMcnemarExactBelow);
  if (test.exact) {
    // Both tails of a fair coin thrown n times; the numbers below are whole and exact.
    const std::int64_t fewer = std::min(only_first, only_second);
    double ways = 1, tail = 0;
    for (std::int64_t k = 0; k <= fewer; ++k) {
      tail += ways;
      ways = ways * (n - static_cast<double>(k)) / static_cast<double>(k + 1);
    }
    test.chi_square = std::numeric_limits<double>::quiet_NaN();
    test.p = std::min(1.0, 2 * tail * std::pow(0.5, n));
  } else {
    const double gap = std::max(
        0.0, std::abs(static_cast<double>(only_first) - static_cast<double>(only_second)) - 1);
    test.chi_square = gap * gap / n;
    test.p = std::erfc(std::sqrt(test.chi_square / 2));
  }
  return test;
}

McnemarTest mcnemar_test(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> first,
                         std::span<const std::uint8_t> second) {
  require(labels.size() == first.size() && labels.size() == second.size(), first.size(), " and ",
          second.size(), " predictions for ", labels.size(), " labels");
  std::int64_t only_first = 0, only_second = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool a = first[i] == labels[i], b = second[i] == labels[i];
    only_first += a && !b;
    only_second += b && !a;
  }
  return mcnemar_test(only_first, only_second);
}

}  // namespace ratnet::inline v1
