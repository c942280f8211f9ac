#include "evaluation.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;  // writes null for numbers that are not finite

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kRate = 0.01;  // of false positives

Json figures(const BinaryMetrics& m) {
  return {{"auroc", m.auroc},
          {"auroc_ci", {m.auroc_interval.low, m.auroc_interval.high}},
          {"auprc", m.auprc},
          {"recall_at_1pct_fpr", m.at_1pct_fpr.recall},
          {"ece", m.calibration_error},
          {"threshold", m.at_threshold.threshold},
          {"recall", m.at_threshold.recall},
          {"fpr", m.at_threshold.false_positive_rate}};
}

// Which of the slices count, and what is known of them.
struct Judged {
  std::vector<std::size_t> positions;  // into the scores
  std::vector<std::uint8_t> labels;
  std::vector<std::string> subjects;
  std::vector<double> probability;

  std::vector<double> pick(const std::vector<double>& all) const {
    std::vector<double> picked;
    for (const std::size_t position : positions) picked.push_back(all[position]);
    return picked;
  }
};

void add_worst_subject(DarkSlicesEvaluation& e, const Judged& judged) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> by_subject;  // good, called dark
  for (std::size_t i = 0; i < judged.subjects.size(); ++i) {
    if (judged.labels[i] != 0) continue;
    auto& [good, called] = by_subject[judged.subjects[i]];
    ++good;
    called += judged.probability[i] >= e.threshold;
  }
  e.worst_subject_fpr = by_subject.empty() ? kNaN : 0;
  for (const auto& [subject, counts] : by_subject) {
    const double rate = static_cast<double>(counts.second) / static_cast<double>(counts.first);
    if (rate <= e.worst_subject_fpr && !e.worst_subject.empty()) continue;
    e.worst_subject_fpr = rate;
    e.worst_subject = subject;
  }
}

// The share of dark slices, clear or mild ones, that `probability` finds at `threshold`; NaN where
// there are none. `count` receives how many there are.
double recall_of(const Judged& judged, const std::vector<std::uint8_t>& clear, bool wanted,
                 const std::vector<double>& probability, double threshold, std::int64_t& count) {
  std::int64_t found = 0;
  count = 0;
  for (std::size_t i = 0; i < judged.positions.size(); ++i) {
    if (judged.labels[i] != 1 || (clear[judged.positions[i]] != 0) != wanted) continue;
    ++count;
    found += probability[i] >= threshold;
  }
  return count ? static_cast<double>(found) / static_cast<double>(count) : kNaN;
}

void add_clear_and_mild(DarkSlicesEvaluation& e, const Judged& judged, const SampleTable& truth,
                        const std::vector<double>& probability_in_time) {
  e.recall_clear = e.recall_mild = e.recall_mild_in_time = kNaN;
  const auto column = truth.columns.find("clear");
  if (column == truth.columns.end()) return;
  const std::vector<std::uint8_t>& clear = column->second;
  const double threshold = e.network.at_1pct_fpr.threshold;
  std::int64_t mild = 0;
  e.recall_clear = recall_of(judged, clear, true, judged.probability, threshold, e.clear);
  e.recall_mild = recall_of(judged, clear, false, judged.probability, threshold, mild);
  if (e.in_time)
    e.recall_mild_in_time = recall_of(judged, clear, false, probability_in_time,
                                      e.in_time->at_1pct_fpr.threshold, mild);
}

void add_ambiguous(DarkSlicesEvaluation& e, const SliceScores& scores, const SampleTable& truth) {
  const auto column = truth.columns.find("ambiguous");
  std::int64_t called = 0;
  for (std::size_t i = 0; i < truth.labels.size(); ++i) {
    if (truth.labels[i] <= 1 || std::isnan(scores.probability[i])) continue;
    ++e.unlabelled;
    if (column == truth.columns.end() || !column->second[i]) continue;
    ++e.ambiguous;
    called += scores.probability[i] >= e.threshold;
  }
  e.ambiguous_called_dark =
      e.ambiguous ? static_cast<double>(called) / static_cast<double>(e.ambiguous) : kNaN;
}

// The figures of a score that has no threshold of its own: one is chosen on these very slices.
BinaryMetrics metrics_at_rate(const std::vector<double>& scores, const Judged& judged,
                              bool are_probabilities, const BootstrapOptions& bootstrap) {
  const double threshold =
      point_at_false_positive_rate(rank_scores(scores, judged.labels), kRate).threshold;
  return binary_metrics(scores, judged.labels, judged.subjects,
                        {.threshold = threshold,
                         .scores_are_probabilities = are_probabilities,
                         .bootstrap = bootstrap});
}

}  // namespace

LogisticBaseline logistic_of(const Model& model) {
  const auto found = model.coefficients.find("logistic");
  if (found == model.coefficients.end() || found->second.size() != 3)
    fail(ErrorKind::input, "the model has no coefficients of the logistic rule beside it");
  return {found->second[0], found->second[1], found->second[2]};
}

DarkSlicesEvaluation evaluate_dark_slices(const SliceScores& scores, const SampleTable& truth,
                                          const std::string& name, const LogisticBaseline& logistic,
                                          const TimeOpinions& in_time,
                                          const BootstrapOptions& bootstrap) {
  check_table(truth, static_cast<std::int64_t>(scores.probability.size()));
  DarkSlicesEvaluation e;
  e.stretched = scores.stretched;
  e.notes = scores.notes;
  e.threshold = scores.threshold;
  Judged judged;
  std::int64_t unfamiliar = 0;
  for (std::size_t i = 0; i < truth.labels.size(); ++i) {
    if (truth.labels[i] > 1) continue;
    if (std::isnan(scores.probability[i])) {
      ++e.empty;
      continue;
    }
    unfamiliar += !scores.unfamiliar.empty() && scores.unfamiliar[i];
    judged.positions.push_back(i);
    judged.labels.push_back(truth.labels[i]);
    judged.probability.push_back(scores.probability[i]);
    if (!truth.subjects.empty()) judged.subjects.push_back(truth.subjects[i]);
  }
  const auto dark = std::count(judged.labels.begin(), judged.labels.end(), 1);
  if (dark == 0 || dark == static_cast<std::ptrdiff_t>(judged.labels.size()))
    fail(ErrorKind::input, name, ": has ", dark, " dark and ",
         judged.labels.size() - static_cast<std::size_t>(dark),
         " good slices to judge by; both are needed");

  const double share = static_cast<double>(dark) / static_cast<double>(judged.labels.size());
  if (share < 0.2 || share > 0.8)
    e.notes.push_back(text(std::round(1000 * share) / 10,
                           "% of these slices are dark; probabilities are calibrated for half of "
                           "them, so expect a larger calibration error"));

  e.network = binary_metrics(judged.probability, judged.labels, judged.subjects,
                             {.threshold = e.threshold, .bootstrap = bootstrap});
  std::vector<double> probability_in_time;
  if (!in_time.probability.empty()) {
    probability_in_time = judged.pick(in_time.probability);
    e.in_time = metrics_at_rate(probability_in_time, judged, true, bootstrap);
  }
  add_clear_and_mild(e, judged, truth, probability_in_time);
  add_worst_subject(e, judged);
  add_ambiguous(e, scores, truth);
  if (judged.subjects.empty())
    e.notes.push_back(
        "the file names no subjects: intervals treat slices as independent and are too narrow");
  if (unfamiliar > 0)
    e.notes.push_back(text(unfamiliar, unfamiliar == 1 ? " slice is" : " slices are",
                           " marked unfamiliar by predict; the figures count what their "
                           "probability says all the same"));

  std::vector<BaselineScores> rules =
      baseline_scores(scores.measures, scores.brain_level, logistic);
  if (!in_time.darkness.empty()) rules.push_back({"through time", in_time.darkness});
  for (const BaselineScores& rule : rules)
    e.baselines.push_back(
        {rule.name, metrics_at_rate(judged.pick(rule.scores), judged, false, bootstrap)});
  return e;
}

std::string to_json(const DarkSlicesEvaluation& e) {
  Json json = {{"n", e.network.n},
               {"n_dark", e.network.positives},
               {"n_empty", e.empty},
               {"n_unlabelled", e.unlabelled}};
  json.update(figures(e.network));
  json["auroc_ci_by_subject"] = e.network.auroc_interval.by_subject;
  json["recall_clear_at_1pct_fpr"] = e.recall_clear;
  json["n_clear"] = e.clear;
  json["recall_mild_at_1pct_fpr"] = e.recall_mild;
  if (e.in_time) {
    json["in_time"] = figures(*e.in_time);
    json["in_time"]["recall_mild_at_1pct_fpr"] = e.recall_mild_in_time;
  }
  json["worst_subject_fpr"] = e.worst_subject_fpr;
  json["worst_subject"] = e.worst_subject.empty() ? Json(nullptr) : Json(e.worst_subject);
  json["n_ambiguous"] = e.ambiguous;
  json["ambiguous_called_dark"] = e.ambiguous_called_dark;
  json["stretched"] = e.stretched;
  json["baselines"] = Json::object();
  for (const auto& rule : e.baselines) json["baselines"][rule.name] = figures(rule.metrics);
  json["notes"] = e.notes;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ratnet::inline v1
