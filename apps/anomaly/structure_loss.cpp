#include "structure_loss.h"

#include <algorithm>
#include <cmath>

#include "brain_blur.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

// In pixels of 128 x 128 (docs/decisions/0011-structure-loss.md).
constexpr double kFineSigma = 1, kCoarseSigma = 4, kWindowSigma = 4;
constexpr double kLeastStructure = 0.01;

// Less the median over the brain, which differs from scanner to scanner.
void centre(std::span<float> local, std::span<const float> brain) {
  std::vector<float> inside;
  for (std::size_t i = 0; i < local.size(); ++i)
    if (brain[i] > 0) inside.push_back(local[i]);
  if (inside.empty()) return;
  const auto middle = inside.begin() + static_cast<std::ptrdiff_t>(inside.size() / 2);
  std::ranges::nth_element(inside, middle);
  for (std::size_t i = 0; i < local.size(); ++i)
    if (brain[i] > 0) local[i] -= *middle;
}

}  // namespace

Tensor local_structure(const PreparedSubject& subject) {
  check_subject("structure", subject);
  const Tensor brains = brain_as_floats(subject);
  Tensor structure(subject.images.shape(), DType::f32);
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const std::span<const float> image = slice_of<float>(subject.images, s),
                                 brain = slice_of<float>(brains, s);
    const std::span<float> local = slice_of<float>(structure, s);
    std::vector<float> fine(image.begin(), image.end()), coarse = fine;
    blur_in_brain(fine, brain, kJudgedSize, kFineSigma);
    blur_in_brain(coarse, brain, kJudgedSize, kCoarseSigma);
    for (std::size_t i = 0; i < local.size(); ++i)
      local[i] = (fine[i] - coarse[i]) * (fine[i] - coarse[i]);
    blur_in_brain(local, brain, kJudgedSize, kWindowSigma);
    for (std::size_t i = 0; i < local.size(); ++i)
      if (brain[i] > 0)
        local[i] = static_cast<float>(
            std::log(std::sqrt(static_cast<double>(local[i])) + kLeastStructure));
    centre(local, brain);
  }
  return structure;
}

PositionZScore learn_structure(std::span<const PreparedSubject* const> subjects) {
  return learn_position_z_score(subjects, local_structure);
}

Tensor structure_loss_maps(const PositionZScore& learnt, const PreparedSubject& subject) {
  return position_z_score_maps(learnt, subject, Residual::negative, local_structure);
}

}  // namespace ratnet::inline v1
