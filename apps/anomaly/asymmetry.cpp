#include "asymmetry.h"

#include <algorithm>
#include <cmath>

#include "brain_blur.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kSigma = 3;

}  // namespace

std::int64_t twice_midsagittal_column(const PreparedSubject& subject) {
  check_subject("asymmetry", subject);
  std::int64_t columns = 0, pixels = 0;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const std::span<const std::uint8_t> brain = slice_of<std::uint8_t>(subject.brain, s);
    for (std::size_t i = 0; i < brain.size(); ++i) {
      if (!brain[i]) continue;
      columns += static_cast<std::int64_t>(i) % kJudgedSize;
      ++pixels;
    }
  }
  if (pixels == 0) return kJudgedSize - 1;
  return std::lround(2 * static_cast<double>(columns) / static_cast<double>(pixels));
}

Tensor asymmetry_maps(const PreparedSubject& subject, Residual residual) {
  const std::int64_t twice = twice_midsagittal_column(subject);
  const Tensor brains = brain_as_floats(subject.brain);
  Tensor images = subject.images.clone();
  Tensor maps(images.shape(), DType::f32);
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const std::span<const float> brain = slice_of<float>(brains, s);
    const std::span<float> image = slice_of<float>(images, s), map = slice_of<float>(maps, s);
    blur_in_brain(image, brain, kJudgedSize, kSigma);
    for (std::int64_t y = 0; y < kJudgedSize; ++y)
      for (std::int64_t x = std::max<std::int64_t>(twice - kJudgedSize + 1, 0);
           x <= std::min(twice, kJudgedSize - 1); ++x) {
        const auto i = static_cast<std::size_t>(y * kJudgedSize + x);
        const auto other = static_cast<std::size_t>(y * kJudgedSize + twice - x);
        if (brain[i] > 0 && brain[other] > 0) map[i] = departure(residual, image[i] - image[other]);
      }
  }
  return maps;
}

}  // namespace ratnet::inline v1
