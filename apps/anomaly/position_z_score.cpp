#include "position_z_score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "../../imaging/mri_artefacts.h"
#include "brain_blur.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kPositions = 41, kSize = 64, kPixels = kSize * kSize;
constexpr double kWidth = 0.04;
// In pixels of 64 x 64, chosen with kLeastDeviation by pixel AP on real tumours, which hardly
// depends on them: a coarser image or a deviation of 0.1 costs 0.02 to 0.03.
constexpr double kImageSigma = 0.5, kStatisticSigma = 1.5;
constexpr double kPresent = 0.02;  // least share of healthy slices that have brain there
constexpr double kLightest = 1e-4;

double position_of(std::int64_t n) {
  return static_cast<double>(n) / static_cast<double>(kPositions - 1);
}

struct Blurred {
  Tensor images, brain;  // [S, 64, 64] f32
};

Blurred blurred(const PreparedSubject& subject, const ComparedImages& compared) {
  Blurred result{
      compared ? resample_slices(compared(subject), kSize) : resample_slices(subject.images, kSize),
      resample_slices(brain_as_floats(subject.brain), kSize)};
  for (std::int64_t s = 0; s < subject.slices(); ++s)
    blur_in_brain(slice_of<float>(result.images, s),
                  slice_of<float>(std::as_const(result.brain), s), kSize, kImageSigma);
  return result;
}

// Weighted sums over slices, pixel by pixel.
struct Sums {
  double weight = 0;
  std::vector<double> brain, value, square;
};

void add(Sums& sums, double weight, std::span<const float> image, std::span<const float> brain) {
  sums.weight += weight;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double share = weight * brain[i], value = image[i];
    sums.brain[i] += share;
    sums.value[i] += share * value;
    sums.square[i] += share * value * value;
  }
}

std::vector<float> smooth(std::span<const double> sums, double weight) {
  std::vector<float> mean;
  for (const double sum : sums) mean.push_back(static_cast<float>(sum / weight));
  blur_gaussian(mean, {1, kSize, kSize}, kStatisticSigma);
  return mean;
}

}  // namespace

PositionZScore learn_position_z_score(std::span<const PreparedSubject* const> subjects,
                                      const ComparedImages& compared) {
  const std::vector<HealthySlice> healthy = healthy_slices("position z-score", subjects);
  const auto distance = [&](const HealthySlice& slice, std::int64_t n) {
    return (subjects[slice.subject]->positions[static_cast<std::size_t>(slice.slice)] -
            position_of(n)) /
           kWidth;
  };
  // Weights are relative to the nearest slice's, so that every position has some however far it is.
  std::vector<double> nearest(kPositions, std::numeric_limits<double>::infinity());
  for (const HealthySlice& slice : healthy)
    for (std::int64_t n = 0; n < kPositions; ++n) {
      double& least = nearest[static_cast<std::size_t>(n)];
      least = std::min(least, std::abs(distance(slice, n)));
    }

  const std::vector<double> none(kPixels);
  std::vector<Sums> sums(kPositions, Sums{0, none, none, none});
  Blurred subject;
  for (std::size_t i = 0; i < healthy.size(); ++i) {
    if (i == 0 || healthy[i].subject != healthy[i - 1].subject)
      subject = blurred(*subjects[healthy[i].subject], compared);
    for (std::int64_t n = 0; n < kPositions; ++n) {
      const auto at = static_cast<std::size_t>(n);
      const double away = distance(healthy[i], n);
      const double weight = std::exp((nearest[at] * nearest[at] - away * away) / 2);
      if (weight > kLightest)
        add(sums[at], weight, slice_of<float>(std::as_const(subject.images), healthy[i].slice),
            slice_of<float>(std::as_const(subject.brain), healthy[i].slice));
    }
  }

  PositionZScore learnt{Tensor(PositionZScore::shape(), DType::f32),
                        Tensor(PositionZScore::shape(), DType::f32)};
  for (std::int64_t n = 0; n < kPositions; ++n) {
    const Sums& sum = sums[static_cast<std::size_t>(n)];
    const std::vector<float> brain = smooth(sum.brain, sum.weight),
                             value = smooth(sum.value, sum.weight),
                             square = smooth(sum.square, sum.weight);
    const std::span<float> mean = slice_of<float>(learnt.mean, n),
                           deviation = slice_of<float>(learnt.deviation, n);
    for (std::size_t i = 0; i < brain.size(); ++i) {
      if (brain[i] < kPresent) continue;
      const double centre = static_cast<double>(value[i]) / brain[i];
      const double variance = static_cast<double>(square[i]) / brain[i] - centre * centre;
      mean[i] = static_cast<float>(centre);
      deviation[i] = static_cast<float>(
          std::sqrt(std::max(variance, 0.0) + kLeastDeviation * kLeastDeviation));
    }
  }
  return learnt;
}

Tensor position_z_score_maps(const PositionZScore& learnt, const PreparedSubject& subject,
                             Residual residual, const ComparedImages& compared) {
  check_subject("position z-score", subject);
  const Shape shape = PositionZScore::shape();
  require(learnt.mean.shape() == shape && learnt.deviation.shape() == shape,
          "position z-score: statistics of ", learnt.mean.shape(), " and ",
          learnt.deviation.shape(), ", expected ", shape);
  const Blurred images = blurred(subject, compared);
  Tensor scores(images.images.shape(), DType::f32);
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const double position = std::clamp(subject.positions[static_cast<std::size_t>(s)], 0.0, 1.0);
    const std::int64_t n = std::lround(position * (kPositions - 1));
    const std::span<const float> image = slice_of<float>(images.images, s),
                                 brain = slice_of<float>(images.brain, s),
                                 mean = slice_of<float>(learnt.mean, n),
                                 deviation = slice_of<float>(learnt.deviation, n);
    const std::span<float> score = slice_of<float>(scores, s);
    for (std::size_t i = 0; i < score.size(); ++i)
      if (brain[i] > 0 && deviation[i] > 0)
        score[i] = departure(residual, (image[i] - mean[i]) / deviation[i]);
  }
  return resample_slices(scores, kJudgedSize);
}

}  // namespace ratnet::inline v1
