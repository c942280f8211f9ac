#include "comparison.h"

#include <cmath>

#include "asymmetry.h"
#include "label_free_threshold.h"

namespace ratnet::inline v1 {
namespace {

// The maps that one method makes of all subjects.
struct Method {
  std::string name;
  std::vector<SubjectScores> scores;
  double threshold = std::nan("");
};

MethodScores scores_of(const Method& method) {
  MethodScores scores{.name = method.name, .threshold = method.threshold};
  for (const SubjectScores& one : method.scores) {
    scores.maps.push_back(one.maps);
    scores.slice_scores.push_back(one.slice_scores);
  }
  return scores;
}

std::vector<BaselineMaps> maps_of(const std::optional<LearntBaselines>& learnt,
                                  const PreparedSubject& subject, Residual residual) {
  if (learnt) return baseline_maps(learnt->baselines, subject, residual);
  std::vector<BaselineMaps> maps;
  maps.push_back({"intensity", intensity_maps(subject, residual)});
  maps.push_back({"asymmetry", asymmetry_maps(subject, residual)});
  return maps;
}

void add(std::vector<Method>& methods, const std::optional<LearntBaselines>& learnt,
         const PreparedSubject& subject, const AnomalyScoreOptions& options) {
  std::size_t i = 0;
  for (const BaselineMaps& made : maps_of(learnt, subject, options.residual)) {
    if (i == methods.size()) methods.push_back({made.name, {}});
    methods[i++].scores.push_back(score_subject(subject, made.raw, options));
  }
}

}  // namespace

LearntBaselines learn_baselines(std::span<const PreparedSubject* const> training,
                                std::span<const PreparedSubject* const> validation,
                                const AnomalyScoreOptions& options) {
  std::optional<LearntBaselines> learnt(LearntBaselines{learn_baselines(training), {}});
  std::vector<Method> methods;
  for (const PreparedSubject* subject : validation) add(methods, learnt, *subject, options);
  for (const Method& method : methods)
    learnt->thresholds[method.name] = label_free_threshold(validation, scores_of(method).maps);
  return std::move(*learnt);
}

AnomalyEvaluation compare(Plan& plan, const AnomalyModel& model,
                          std::span<const PreparedSubject> subjects,
                          const std::optional<LearntBaselines>& learnt, Executor& executor,
                          const std::function<void(std::int64_t done)>& progress) {
  const std::string name(name_of(model.method));
  Method whole{model.combined ? name + " combined" : name, {}, model.model.threshold};
  Method network{name, {}, model.scales[0]};
  std::vector<Method> baselines;
  MethodScores position{.name = kPositionOnly, .position_only = true};
  for (const PreparedSubject& subject : subjects) {
    SubjectAnomalies found = find_anomalies(plan, model, subject);
    whole.scores.push_back(std::move(found.scores));
    network.scores.push_back(std::move(found.network));
    add(baselines, learnt, subject, model.score);
    position.slice_scores.push_back(position_scores(subject));
    if (progress) progress(static_cast<std::int64_t>(whole.scores.size()));
  }
  std::vector<MethodScores> methods = {scores_of(whole)};
  if (model.combined) methods.push_back(scores_of(network));
  for (Method& baseline : baselines) {
    if (learnt && learnt->thresholds.contains(baseline.name))
      baseline.threshold = learnt->thresholds.at(baseline.name);
    methods.push_back(scores_of(baseline));
  }
  methods.push_back(std::move(position));
  return evaluate_anomalies(subjects, methods, executor);
}

}  // namespace ratnet::inline v1
