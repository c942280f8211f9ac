#include "evaluation.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kRate = 0.01;  // of false positives

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json figures(const BinaryMetrics& m) {
  return {{"auroc", number(m.auroc)},
          {"auroc_ci", {number(m.auroc_interval.low), number(m.auroc_interval.high)}},
          {"auprc", number(m.auprc)},
          {"recall_at_1pct_fpr", number(m.at_1pct_fpr.recall)},
          {"ece", number(m.calibration_error)},
          {"threshold", number(m.at_threshold.threshold)},
          {"recall", number(m.at_threshold.recall)},
          {"fpr", number(m.at_threshold.false_positive_rate)}};
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

void add_clear(DarkSlicesEvaluation& e, const Judged& judged, const SampleTable& table,
               const std::vector<std::int64_t>& indices) {
  const auto column = table.columns.find("clear");
  e.recall_clear = kNaN;
  if (column == table.columns.end()) return;
  std::int64_t found = 0;
  for (std::size_t i = 0; i < judged.positions.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[judged.positions[i]]);
    if (judged.labels[i] != 1 || !column->second[index]) continue;
    ++e.clear;
    found += judged.probability[i] >= e.network.at_1pct_fpr.threshold;
  }
  if (e.clear) e.recall_clear = static_cast<double>(found) / static_cast<double>(e.clear);
}

void add_ambiguous(DarkSlicesEvaluation& e, const SliceScores& scores, const SampleTable& table,
                   const std::vector<std::int64_t>& indices) {
  const auto column = table.columns.find("ambiguous");
  std::int64_t called = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    if (table.labels[index] <= 1) continue;
    ++e.unlabelled;
    if (column == table.columns.end() || !column->second[index]) continue;
    ++e.ambiguous;
    called += scores.probability[i] >= e.threshold;
  }
  e.ambiguous_called_dark =
      e.ambiguous ? static_cast<double>(called) / static_cast<double>(e.ambiguous) : kNaN;
}

}  // namespace

LogisticBaseline logistic_of(const Model& model) {
  const auto found = model.coefficients.find("logistic");
  if (found == model.coefficients.end() || found->second.size() != 3)
    fail(ErrorKind::input, "the model has no coefficients of the logistic rule beside it");
  return {found->second[0], found->second[1], found->second[2]};
}

DarkSlicesEvaluation evaluate_dark_slices(const SliceScores& scores, const Dataset& dataset,
                                          const std::vector<std::int64_t>& indices,
                                          const LogisticBaseline& logistic,
                                          const BootstrapOptions& bootstrap) {
  const SampleTable& table = dataset.table();
  DarkSlicesEvaluation e;
  e.stretched = scores.stretched;
  e.notes = scores.notes;
  e.threshold = scores.threshold;
  Judged judged;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    if (table.labels[index] > 1) continue;
    if (std::isnan(scores.probability[i])) {
      ++e.empty;
      continue;
    }
    judged.positions.push_back(i);
    judged.labels.push_back(table.labels[index]);
    judged.probability.push_back(scores.probability[i]);
    if (!table.subjects.empty()) judged.subjects.push_back(table.subjects[index]);
  }
  const auto dark = std::count(judged.labels.begin(), judged.labels.end(), 1);
  if (dark == 0 || dark == static_cast<std::ptrdiff_t>(judged.labels.size()))
    fail(ErrorKind::input, dataset.name(), ": has ", dark, " dark and ",
         judged.labels.size() - static_cast<std::size_t>(dark),
         " good slices to judge by; both are needed");

  e.network = binary_metrics(judged.probability, judged.labels, judged.subjects,
                             {.threshold = e.threshold, .bootstrap = bootstrap});
  add_clear(e, judged, table, indices);
  add_worst_subject(e, judged);
  add_ambiguous(e, scores, table, indices);
  if (judged.subjects.empty())
    e.notes.push_back(
        "the file names no subjects: intervals treat slices as independent and are too narrow");

  for (const BaselineScores& rule :
       baseline_scores(scores.measures, scores.brain_level, logistic)) {
    const std::vector<double> picked = judged.pick(rule.scores);
    const double threshold =
        point_at_false_positive_rate(rank_scores(picked, judged.labels), kRate).threshold;
    e.baselines.push_back({rule.name, binary_metrics(picked, judged.labels, judged.subjects,
                                                     {.threshold = threshold,
                                                      .scores_are_probabilities = false,
                                                      .bootstrap = bootstrap})});
  }
  return e;
}

std::string to_json(const DarkSlicesEvaluation& e) {
  Json json = {{"n", e.network.n},
               {"n_dark", e.network.positives},
               {"n_empty", e.empty},
               {"n_unlabelled", e.unlabelled}};
  json.update(figures(e.network));
  json["auroc_ci_by_subject"] = e.network.auroc_interval.by_subject;
  json["recall_clear_at_1pct_fpr"] = number(e.recall_clear);
  json["n_clear"] = e.clear;
  json["worst_subject_fpr"] = number(e.worst_subject_fpr);
  json["worst_subject"] = e.worst_subject.empty() ? Json(nullptr) : Json(e.worst_subject);
  json["n_ambiguous"] = e.ambiguous;
  json["ambiguous_called_dark"] = number(e.ambiguous_called_dark);
  json["stretched"] = e.stretched;
  json["baselines"] = Json::object();
  for (const auto& rule : e.baselines) json["baselines"][rule.name] = figures(rule.metrics);
  json["notes"] = e.notes;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ratnet::inline v1
