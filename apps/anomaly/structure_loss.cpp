#include "structure_loss.h"

#include <algorithm>
#include <cmath>

#include "brain_blur.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

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

ComparedImages structure_of(const StructureBand& band) {
  return [band](const PreparedSubject& subject) { return local_structure(subject, band); };
}

}  // namespace

Tensor local_structure(const PreparedSubject& subject, const StructureBand& band) {
  check_subject("structure", subject);
  const Tensor brains = brain_as_floats(subject.brain);
  Tensor structure(subject.images.shape(), DType::f32);
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const std::span<const float> image = slice_of<float>(subject.images, s),
                                 brain = slice_of<float>(brains, s);
    const std::span<float> local = slice_of<float>(structure, s);
    std::vector<float> fine(image.begin(), image.end()), coarse = fine;
    blur_in_brain(fine, brain, kJudgedSize, band.fine);
    blur_in_brain(coarse, brain, kJudgedSize, band.coarse);
    for (std::size_t i = 0; i < local.size(); ++i)
      local[i] = (fine[i] - coarse[i]) * (fine[i] - coarse[i]);
    blur_in_brain(local, brain, kJudgedSize, band.window);
    for (std::size_t i = 0; i < local.size(); ++i)
      if (brain[i] > 0)
        local[i] = static_cast<float>(
            std::log(std::sqrt(static_cast<double>(local[i])) + kLeastStructure));
    centre(local, brain);
  }
  return structure;
}

std::vector<LearntStructure> learn_structure(std::span<const PreparedSubject* const> subjects) {
  std::vector<LearntStructure> learnt;
  for (const StructureBand& band : kStructureBands)
    learnt.push_back({band, learn_position_z_score(subjects, structure_of(band))});
  return learnt;
}

Tensor structure_loss_maps(std::span<const LearntStructure> learnt,
                           const PreparedSubject& subject) {
  Tensor sum(subject.images.shape(), DType::f32);
  for (const LearntStructure& one : learnt) {
    const Tensor loss =
        position_z_score_maps(one.usual, subject, Residual::negative, structure_of(one.band));
    for (std::size_t i = 0; i < sum.values<float>().size(); ++i)
      sum.values<float>()[i] += loss.values<float>()[i];
  }
  return sum;
}

}  // namespace ratnet::inline v1
