#include "baselines.h"

#include <cmath>
#include <limits>

#include "asymmetry.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr float kMedianLevel = 0.5f;

}  // namespace

Baselines learn_baselines(std::span<const PreparedSubject* const> subjects) {
  return {learn_position_z_score(subjects), learn_structure(subjects),
          learn_principal_components(subjects), learn_nearest_healthy(subjects)};
}

std::vector<BaselineRule> baseline_rules(const Baselines* learnt, Residual residual) {
  std::vector<BaselineRule> rules;
  rules.push_back(
      {"intensity", [=](const PreparedSubject& s) { return intensity_maps(s, residual); }});
  if (learnt)
    rules.push_back({kZScoreRule, [=](const PreparedSubject& s) {
                       return position_z_score_maps(learnt->z_score, s, residual);
                     }});
  rules.push_back(
      {kAsymmetryRule, [=](const PreparedSubject& s) { return asymmetry_maps(s, residual); }});
  if (!learnt) return rules;
  rules.push_back({kStructureRule, [=](const PreparedSubject& s) {
                     return structure_loss_maps(learnt->structure, s);
                   }});
  rules.push_back({"pca", [=](const PreparedSubject& s) {
                     return principal_component_maps(learnt->components, s, residual);
                   }});
  rules.push_back({"nearest", [=](const PreparedSubject& s) {
                     return nearest_healthy_maps(learnt->nearest, s, residual);
                   }});
  return rules;
}

Tensor intensity_maps(const PreparedSubject& subject, Residual residual) {
  check_subject("intensity", subject);
  Tensor maps(subject.images.shape(), DType::f32);
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const std::span<const float> image = slice_of<float>(subject.images, s);
    const std::span<const std::uint8_t> brain = slice_of<std::uint8_t>(subject.brain, s);
    const std::span<float> map = slice_of<float>(maps, s);
    for (std::size_t i = 0; i < map.size(); ++i)
      if (brain[i]) map[i] = departure(residual, image[i] - kMedianLevel);
  }
  return maps;
}

std::vector<double> position_scores(const PreparedSubject& subject) {
  check_subject("position", subject);
  std::vector<double> scores;
  for (std::size_t i = 0; i < subject.positions.size(); ++i)
    scores.push_back(subject.judged[i] ? 1 - std::abs(2 * subject.positions[i] - 1)
                                       : std::numeric_limits<double>::quiet_NaN());
  return scores;
}

}  // namespace ratnet::inline v1
