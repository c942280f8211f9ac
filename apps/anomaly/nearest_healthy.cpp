#include "nearest_healthy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kSize = 64, kSmall = 32;
constexpr std::size_t kNeighbours = 8;
constexpr double kReach = 0.1;  // in position

double square_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    sum += difference * difference;
  }
  return sum;
}

// How far in position neighbours may be.
double reach(const std::vector<double>& positions, double position) {
  std::vector<double> away;
  for (const double other : positions) away.push_back(std::abs(other - position));
  const auto nth =
      away.begin() + static_cast<std::ptrdiff_t>(std::min(kNeighbours, away.size()) - 1);
  std::nth_element(away.begin(), nth, away.end());
  return std::max(kReach, *nth);
}

std::vector<float> mean_of_nearest(const NearestHealthy& learnt, std::span<const float> small,
                                   double position) {
  const double far = reach(learnt.positions, position);
  std::vector<std::pair<double, std::int64_t>> found;  // equal ones: the earlier
  for (std::size_t i = 0; i < learnt.positions.size(); ++i)
    if (std::abs(learnt.positions[i] - position) <= far) {
      const auto n = static_cast<std::int64_t>(i);
      found.emplace_back(square_distance(small, slice_of<float>(learnt.small, n)), n);
    }
  const std::size_t neighbours = std::min(kNeighbours, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(neighbours),
                    found.end());
  std::vector<float> mean(static_cast<std::size_t>(kSize * kSize));
  for (std::size_t k = 0; k < neighbours; ++k) {
    const std::span<const float> image = slice_of<float>(learnt.images, found[k].second);
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] += image[i] / static_cast<float>(neighbours);
  }
  return mean;
}

}  // namespace

NearestHealthy learn_nearest_healthy(std::span<const PreparedSubject* const> subjects) {
  const std::vector<HealthySlice> healthy = healthy_slices("nearest healthy", subjects);
  NearestHealthy learnt{
      Tensor({static_cast<std::int64_t>(healthy.size()), kSize, kSize}, DType::f32), {}, {}};
  Tensor slices;
  for (std::size_t i = 0; i < healthy.size(); ++i) {
    const PreparedSubject& subject = *subjects[healthy[i].subject];
    if (i == 0 || healthy[i].subject != healthy[i - 1].subject)
      slices = resample_slices(subject.images, kSize);
    std::ranges::copy(slice_of<float>(std::as_const(slices), healthy[i].slice),
                      slice_of<float>(learnt.images, static_cast<std::int64_t>(i)).begin());
    learnt.positions.push_back(subject.positions[static_cast<std::size_t>(healthy[i].slice)]);
  }
  learnt.small = resample_slices(learnt.images, kSmall);
  return learnt;
}

Tensor nearest_healthy_maps(const NearestHealthy& learnt, const PreparedSubject& subject,
                            Residual residual) {
  check_subject("nearest healthy", subject);
  const auto n = static_cast<std::int64_t>(learnt.positions.size());
  require(n > 0 && learnt.images.shape() == Shape{n, kSize, kSize} &&
              learnt.small.shape() == Shape{n, kSmall, kSmall},
          "nearest healthy: ", n, " positions, images of ", learnt.images.shape(), " and ",
          learnt.small.shape());
  const Tensor slices = resample_slices(subject.images, kSize);
  const Tensor small = resample_slices(slices, kSmall);
  Tensor residuals(slices.shape(), DType::f32);
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const std::vector<float> expected = mean_of_nearest(
        learnt, slice_of<float>(small, s), subject.positions[static_cast<std::size_t>(s)]);
    residual_map(residual, slice_of<float>(slices, s), expected, kSize, kSize,
                 slice_of<float>(residuals, s));
  }
  return resample_slices(residuals, kJudgedSize);
}

}  // namespace ratnet::inline v1
