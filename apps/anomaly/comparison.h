// A model on lesions, with every baseline beside it.
#pragma once

#include <map>
#include <optional>
#include <span>

#include "anomaly_model.h"
#include "baselines.h"
#include "evaluation.h"

namespace ratnet::inline v1 {

constexpr const char* kPositionOnly = "position_only";  // the control's name

// What the baselines learn from the subjects that a model learns from.
struct LearntBaselines {
  Baselines baselines;
  std::map<std::string, double> thresholds;  // label-free, by name; those without have none
};
// training, validation: subjects of the model's own splits. Throws Error (input) where they have no
// healthy slice.
LearntBaselines calibrated_baselines(std::span<const PreparedSubject* const> training,
                                     std::span<const PreparedSubject* const> validation,
                                     const AnomalyScoreOptions& options);

// The model first, then, where it combines, its network alone, then the baselines; those that have
// to learn only where they have learnt. plan: of the model. Throws Error as evaluate_anomalies
// does.
AnomalyEvaluation compare(Plan& plan, const AnomalyModel& model,
                          std::span<const PreparedSubject> subjects,
                          const std::optional<LearntBaselines>& learnt, Executor& executor,
                          const std::function<void(std::int64_t done)>& progress = {});

// The same where there is nobody to judge: the model's threshold and rate, no figures, and `why` as
// its warning.
AnomalyEvaluation no_comparison(const AnomalyModel& model, const std::string& why);

}  // namespace ratnet::inline v1
