#include "score_table.h"

#include <algorithm>
#include <filesystem>

#include "../../../core/version.h"
#include "../../program/tsv.h"
#include "verdict.h"

namespace ratnet::inline v1 {
namespace {

std::vector<TsvColumn> slice_columns() {
  return {{"subject", "whose slice it is, and of several scans of one subject, of which"},
          {"input", "the file it came from, below the folder that was given"},
          {"slice", "from 0, bottom to top"},
          {"position", "of the slice in the brain: 0 its bottom, 1 its top"},
          {"judged", "false outside of the zone that the model judges: skull base, vertex"},
          {"score", "mean of the highest pixels of the slice's map; n/a without brain"},
          {"p_value",
           "(1 + share of healthy slices that score as high, summed over the healthy subjects) / "
           "(1 + their number); n/a where not judged"}};
}

std::vector<TsvColumn> subject_columns() {
  return {
      {"subject", "who, and of several scans of one subject, which"},
      {"input", "the file it came from, below the folder that was given"},
      {"judged_slices", "how many slices were judged"},
      {"worst_slice", "from 0, bottom to top"},
      {"score", "of the worst slice"},
      {"p_value",
       "(1 + healthy subjects whose worst slice scores as high) / (1 + healthy subjects)"},
      {"above_threshold", "share of the judged brain whose map lies at or above the threshold"},
      {"learnt_slices",
       "how many of the slices the model learnt from or was calibrated on, known by their exact "
       "pixels: with any, the row is flattered; n/a where the model does not tell"}};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace

struct ScoreTables::State {
  const AnomalyModel& model;
  std::string folder;
  std::vector<TsvColumn> columns = slice_columns();
  TsvFile slices;
  std::vector<SubjectSummary> subjects;  // in the order of arrival

  State(const AnomalyModel& used, std::string where)
      : model(used),
        folder(std::move(where)),
        slices((std::filesystem::path(folder) / "slices.tsv").string(), columns) {}
};

ScoreTables::ScoreTables(const AnomalyModel& model, std::string folder)
    : state_(std::make_unique<State>(model, std::move(folder))) {}
ScoreTables::~ScoreTables() = default;

void ScoreTables::add(const SubjectSummary& summary) {
  for (std::int64_t s = 0; s < summary.slices(); ++s) {
    const auto i = static_cast<std::size_t>(s);
    state_->slices.row(std::vector<TsvValue>{summary.name, summary.input, s, summary.positions[i],
                                             summary.is_judged(s), summary.slice_scores[i],
                                             summary.slice_p_values[i]});
  }
  state_->subjects.push_back(summary);
}

std::vector<SubjectSummary> ScoreTables::ranked() const {
  std::vector<SubjectSummary> order = state_->subjects;
  std::ranges::stable_sort(order, ranks_before);
  return order;
}

std::vector<std::string> ScoreTables::subjects() const {
  std::vector<std::string> subjects;
  for (const SubjectSummary& summary : state_->subjects) subjects.push_back(summary.subject);
  return subjects;
}

std::string ScoreTables::triage() const {
  const auto places = [&](const std::vector<SubjectSummary>& order) {
    std::vector<double> found;
    for (std::size_t i = 0; i < order.size(); ++i)
      if (order[i].unusual) found.push_back(static_cast<double>(i + 1));
    return found;
  };
  const std::vector<double> arrival = places(state_->subjects);
  if (state_->subjects.size() < 2) return "";
  const std::string of = text(" of ", state_->subjects.size(), " ", noun_of(subjects()), "s"),
                    at = text(" unusual at a false-alarm rate of ",
                              percent(false_alarm_rate(state_->model)));
  if (arrival.empty()) return text("none", of, " is", at);
  return text(arrival.size(), of, " are", at,
              ": read worst first, the median of them comes at place ", median(places(ranked())),
              ", in the order of arrival at ", median(arrival));
}

void ScoreTables::commit() {
  namespace fs = std::filesystem;
  const fs::path folder(state_->folder);
  const std::vector<std::pair<std::string, TsvValue>> facts = {
      {"GeneratedBy", "ratnet " + version()},
      {"Method", std::string(name_of(state_->model.method))},
      {"ModelTrainingData", state_->model.model.provenance.at("data_hash")},
      {"Threshold", state_->model.model.threshold},
      {"HealthySubjects", state_->model.reference->subjects()},
      {"FalseAlarmRate", false_alarm_rate(state_->model)}};
  state_->slices.commit();
  write_file((folder / "slices.json").string(), tsv_sidecar(state_->columns, facts));
  const std::vector<TsvColumn> columns = subject_columns();
  TsvFile subjects((folder / "subjects.tsv").string(), columns);
  for (const SubjectSummary& s : ranked())
    subjects.row(std::vector<TsvValue>{
        s.name, s.input, s.judged, s.judged ? TsvValue(s.worst_slice) : TsvValue(), s.score,
        s.p_value, s.above, s.learnt_slices ? TsvValue(*s.learnt_slices) : TsvValue()});
  subjects.commit();
  write_file((folder / "subjects.json").string(), tsv_sidecar(columns, facts));
}

}  // namespace ratnet::inline v1
