#include "comparison.h"

#include <cmath>

#include "label_free_threshold.h"
#include "subject_slices.h"

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

std::string name_beside_rules(const AnomalyModel& model) {
  return std::string(name_of(model.method)) + (model.combined ? " combined" : "");
}

// Which of SubjectAnomalies::rules a baseline is in the model; the network for none.
std::size_t place_in(const AnomalyModel& model, const std::string& baseline) {
  if (baseline == kStructureRule && model.has_structure()) return RulePlace::structure;
  if (baseline == kZScoreRule && model.combined) return RulePlace::z_score;
  if (baseline == kAsymmetryRule && model.combined) return RulePlace::asymmetry;
  return RulePlace::network;
}

// scores: of every scan.
Detection detection_of(const AnomalyModel& model, std::span<const PreparedSubject> scans,
                       const std::vector<SubjectScores>& scores) {
  std::vector<std::string> persons;
  for (const PreparedSubject& scan : scans) persons.push_back(scan.person());
  const People people = people_in(persons);
  std::vector<std::vector<JudgedScan>> of(people.count);
  for (std::size_t i = 0; i < scans.size(); ++i) of[people.of[i]].push_back({scans[i], scores[i]});
  Detection detection;
  for (const std::vector<JudgedScan>& one : of) detect(detection, model, one);
  return detection;
}

}  // namespace

LearntBaselines calibrated_baselines(std::span<const PreparedSubject* const> training,
                                     std::span<const PreparedSubject* const> validation,
                                     const AnomalyScoreOptions& options) {
  LearntBaselines learnt{learn_baselines(training), {}};
  // Of all the brain, as find_anomalies() does: a rule is the same beside a model and in it.
  std::vector<PreparedSubject> whole;
  for (const PreparedSubject* subject : validation) whole.push_back(with_all_brain(*subject));
  for (const BaselineRule& rule : baseline_rules(&learnt.baselines, options.residual)) {
    Method method{rule.name, {}};
    for (const PreparedSubject& subject : whole)
      method.scores.push_back(score_subject(subject, rule.raw_maps(subject), options));
    learnt.thresholds[rule.name] = label_free_threshold(validation, scores_of(method).maps);
  }
  return learnt;
}

AnomalyEvaluation compare(Plan& plan, const AnomalyModel& model,
                          std::span<const PreparedSubject> subjects,
                          const std::optional<LearntBaselines>& learnt, Executor& executor,
                          const std::function<void(std::int64_t done)>& progress) {
  Method whole{name_beside_rules(model), {}, model.model.threshold};
  Method network{std::string(name_of(model.method)), {}, model.scales[RulePlace::network]};
  const std::vector<BaselineRule> rules =
      baseline_rules(learnt ? &learnt->baselines : nullptr, model.score.residual);
  std::vector<Method> baselines;
  for (const BaselineRule& rule : rules) baselines.push_back({rule.name, {}});
  MethodScores position{.name = kPositionOnly, .position_only = true};
  for (const PreparedSubject& subject : subjects) {
    SubjectAnomalies found = find_anomalies(plan, model, subject);
    whole.scores.push_back(std::move(found.scores));
    network.scores.push_back(std::move(found.rules[RulePlace::network]));
    const PreparedSubject all = with_all_brain(subject);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const std::size_t place = place_in(model, rules[i].name);
      baselines[i].scores.push_back(place != RulePlace::network
                                        ? std::move(found.rules[place])
                                        : score_subject(all, rules[i].raw_maps(all), model.score));
    }
    position.slice_scores.push_back(position_scores(subject));
    if (progress) progress(static_cast<std::int64_t>(whole.scores.size()));
  }
  std::vector<MethodScores> methods = {scores_of(whole)};
  if (model.combined) methods.push_back(scores_of(network));
  for (Method& baseline : baselines) {
    // The model's own are of what it has learnt, which of older models is another band of
    // structure.
    if (const std::size_t place = place_in(model, baseline.name); place != RulePlace::network)
      baseline.threshold = model.scales[place];
    else if (learnt && learnt->thresholds.contains(baseline.name))
      baseline.threshold = learnt->thresholds.at(baseline.name);
    methods.push_back(scores_of(baseline));
  }
  methods.push_back(std::move(position));
  AnomalyEvaluation evaluation = evaluate_anomalies(subjects, methods, executor);
  if (model.reference) evaluation.detection = detection_of(model, subjects, whole.scores);
  return evaluation;
}

AnomalyEvaluation no_comparison(const AnomalyModel& model, const std::string& why) {
  AnomalyEvaluation evaluation;
  evaluation.methods.push_back(
      {.name = name_beside_rules(model), .threshold = model.model.threshold});
  if (model.reference) evaluation.detection = {.rate = false_alarm_rate(model)};
  evaluation.warnings.push_back(why);
  return evaluation;
}

}  // namespace ratnet::inline v1
