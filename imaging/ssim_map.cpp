#include "ssim_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kRadius = 5;
constexpr double kSigma = 1.5;

// Weighted means over the window of a, b, a^2, b^2 and ab.
using Moments = std::array<double, 5>;

std::array<double, kRadius + 1> taps() {
  std::array<double, kRadius + 1> of{};
  for (std::size_t i = 0; i < of.size(); ++i) {
    const double away = static_cast<double>(i) / kSigma;
    of[i] = std::exp(-away * away / 2);
  }
  return of;
}

// Along lines of n moments, `step` apart, of which there are `lines`, `next` apart.
void smooth(std::vector<Moments>& values, std::int64_t n, std::int64_t step, std::int64_t lines,
            std::int64_t next) {
  const auto weights = taps();
  std::vector<Moments> line(static_cast<std::size_t>(n));
  for (std::int64_t start = 0; start < lines * next; start += next) {
    for (std::int64_t i = 0; i < n; ++i)
      line[static_cast<std::size_t>(i)] = values[static_cast<std::size_t>(start + i * step)];
    for (std::int64_t i = 0; i < n; ++i) {
      Moments sum{};
      double total = 0;
      const std::int64_t end = std::min(i + kRadius, n - 1);
      for (std::int64_t j = std::max<std::int64_t>(i - kRadius, 0); j <= end; ++j) {
        const double weight = weights[static_cast<std::size_t>(std::abs(j - i))];
        total += weight;
        for (std::size_t m = 0; m < sum.size(); ++m)
          sum[m] += weight * line[static_cast<std::size_t>(j)][m];
      }
      for (double& moment : sum) moment /= total;
      values[static_cast<std::size_t>(start + i * step)] = sum;
    }
  }
}

}  // namespace

void ssim_map(std::span<const float> a, std::span<const float> b, std::int64_t rows,
              std::int64_t columns, double data_range, std::span<float> result) {
  require(rows >= 1 && columns >= 1 && static_cast<std::int64_t>(a.size()) / rows == columns &&
              static_cast<std::int64_t>(a.size()) % rows == 0 && b.size() == a.size() &&
              result.size() == a.size(),
          "ssim: ", a.size(), ", ", b.size(), " and ", result.size(), " values of ", rows, " x ",
          columns, " pixels");
  require(data_range > 0 && std::isfinite(data_range), "ssim: the data range must be above 0, got ",
          data_range);
  std::vector<Moments> moments(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    moments[i] = {x, y, x * x, y * y, x * y};
  }
  smooth(moments, columns, 1, rows, columns);
  smooth(moments, rows, columns, columns, 1);
  const double c1 = 1e-4 * data_range * data_range, c2 = 9e-4 * data_range * data_range;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto& [x, y, xx, yy, xy] = moments[i];
    result[i] = static_cast<float>((2 * x * y + c1) * (2 * (xy - x * y) + c2) /
                                   ((x * x + y * y + c1) * (xx - x * x + (yy - y * y) + c2)));
  }
}

}  // namespace ratnet::inline v1
