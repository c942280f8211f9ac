// The simple rules that a network has to beat, beside it in every evaluation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nearest_healthy.h"
#include "position_z_score.h"
#include "principal_components.h"
#include "structure_loss.h"

namespace ratnet::inline v1 {

// What those that learn have learnt; asymmetry and intensity learn nothing.
struct Baselines {
  PositionZScore z_score;
  std::vector<LearntStructure> structure;
  PrincipalComponents components;
  NearestHealthy nearest;
};

// From the healthy slices of the subjects (subject_slices.h). Throws Error (input) where there are
// none.
Baselines learn_baselines(std::span<const PreparedSubject* const> subjects);

constexpr const char* kZScoreRule = "z_score";
constexpr const char* kAsymmetryRule = "asymmetry";
constexpr const char* kStructureRule = "structure_loss";

struct BaselineRule {
  std::string name;
  // [S, 128, 128] f32, for score_subject().
  std::function<Tensor(const PreparedSubject&)> raw_maps;
};

// "intensity", "z_score", "asymmetry", "structure_loss", "pca" and "nearest", in this order;
// without `learnt` (null), which they borrow, those that learn nothing. residual: what counts as a
// departure, but to structure loss, which has one side; where one rule compares no structure, ssim
// counts as absolute does.
std::vector<BaselineRule> baseline_rules(const Baselines* learnt,
                                         Residual residual = Residual::positive);

// [S, 128, 128] f32: departure() of the image from the median of the brain, which preparation puts
// at 0.5, for the slices that can be judged; 0 in the others and outside of the brain.
Tensor intensity_maps(const PreparedSubject& subject, Residual residual = Residual::positive);

// [S]: a score that sees nothing but where the slice is, 1 - |2 position - 1|: lesions are found
// where there is most brain. NaN where not judged. Learns nothing, so it shows what a measure of
// slices owes to the place alone, not the most that could be had from it.
std::vector<double> position_scores(const PreparedSubject& subject);

}  // namespace ratnet::inline v1
