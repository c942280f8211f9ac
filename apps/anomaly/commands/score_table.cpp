#include "score_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "../../../core/version.h"
#include "../../program/tsv.h"
#include "../subject_slices.h"

namespace ratnet::inline v1 {
namespace {

std::vector<TsvColumn> slice_columns() {
  return {{"subject", "whose slice it is"},
          {"input", "the file it came from"},
          {"slice", "from 0, bottom to top"},
          {"position", "of the slice in the brain: 0 its bottom, 1 its top"},
          {"judged", "false outside of the zone that the model judges: skull base, vertex"},
          {"score", "mean of the highest pixels of the slice's map; n/a without brain"},
          {"p_value",
           "(1 + share of healthy slices that score as high, summed over the healthy subjects) / "
           "(1 + their number); n/a where not judged"}};
}

std::vector<TsvColumn> subject_columns() {
  return {{"subject", "who"},
          {"judged_slices", "how many slices were judged"},
          {"worst_slice", "from 0, bottom to top"},
          {"score", "of the worst slice"},
          {"p_value",
           "(1 + healthy subjects whose worst slice scores as high) / (1 + healthy subjects)"},
          {"above_threshold", "share of the judged brain whose map lies above the threshold"}};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace

bool SubjectSummary::unusual(const AnomalyModel& model) const {
  return p_value <= model.reference->smallest_rate() * (1 + 1e-9);
}

SubjectSummary summarise(const AnomalyModel& model, const PreparedSubject& subject,
                         const SubjectScores& scores) {
  SubjectSummary summary{
      .name = subject.name, .score = std::nan(""), .p_value = std::nan(""), .above = std::nan("")};
  std::vector<double> judged;
  std::int64_t brain = 0, above = 0;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const auto i = static_cast<std::size_t>(s);
    if (!subject.judged[i]) continue;
    judged.push_back(scores.slice_scores[i]);
    if (summary.worst_slice < 0 || scores.slice_scores[i] > summary.score) {
      summary.worst_slice = s;
      summary.score = scores.slice_scores[i];
    }
    const auto inside = slice_of<std::uint8_t>(subject.brain, s);
    const auto map = slice_of<float>(scores.maps, s);
    for (std::size_t p = 0; p < map.size(); ++p) {
      brain += inside[p];
      above += inside[p] && static_cast<double>(map[p]) >= model.model.threshold;
    }
  }
  summary.judged = static_cast<std::int64_t>(judged.size());
  if (judged.empty()) return summary;
  summary.p_value = model.reference->subject_p_value(judged);
  summary.above =
      static_cast<double>(above) / static_cast<double>(std::max<std::int64_t>(1, brain));
  return summary;
}

std::string sentence(const AnomalyModel& model, const SubjectSummary& summary) {
  if (summary.judged == 0) return summary.name + ": no slice can be judged: no brain was found";
  const std::int64_t n = model.reference->subjects();
  char figures[160];
  std::snprintf(figures, sizeof figures,
                "score %.4f (slice %lld), p %.3f, %.2f%% of the brain above the threshold",
                summary.score, static_cast<long long>(summary.worst_slice), summary.p_value,
                100 * summary.above);
  return summary.name + ": " +
         (summary.unusual(model)
              ? text("more unusual than all ", n, " healthy subjects of the model; ")
              : std::string()) +
         figures;
}

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

void ScoreTables::add(const PreparedSubject& subject, const SubjectScores& scores,
                      const SubjectSummary& summary, const std::string& input) {
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const auto i = static_cast<std::size_t>(s);
    const bool judged = subject.judged[i] != 0;
    const double score = scores.slice_scores[i];
    state_->slices.row(std::vector<TsvValue>{
        subject.name, std::filesystem::path(input).filename().string(), s, subject.positions[i],
        judged, score,
        judged ? TsvValue(state_->model.reference->sample_p_value(score)) : TsvValue()});
  }
  state_->subjects.push_back(summary);
}

std::vector<SubjectSummary> ScoreTables::ranked() const {
  std::vector<SubjectSummary> order = state_->subjects;
  std::stable_sort(order.begin(), order.end(),
                   [](const SubjectSummary& a, const SubjectSummary& b) {
                     if (std::isnan(a.score) || std::isnan(b.score))
                       return !std::isnan(a.score) && std::isnan(b.score);
                     return a.score > b.score;
                   });
  return order;
}

std::string ScoreTables::triage() const {
  const auto places = [&](const std::vector<SubjectSummary>& order) {
    std::vector<double> found;
    for (std::size_t i = 0; i < order.size(); ++i)
      if (order[i].unusual(state_->model)) found.push_back(static_cast<double>(i + 1));
    return found;
  };
  const std::vector<double> arrival = places(state_->subjects);
  if (arrival.empty() || state_->subjects.size() < 2) return "";
  return text(arrival.size(), " of ", state_->subjects.size(),
              " subjects are more unusual than all healthy ones of the model: read worst first, "
              "the median of them comes at place ",
              median(places(ranked())), ", in the order of arrival at ", median(arrival));
}

void ScoreTables::commit() {
  namespace fs = std::filesystem;
  const fs::path folder(state_->folder);
  const std::vector<std::pair<std::string, TsvValue>> facts = {
      {"GeneratedBy", "ratnet " + version()},
      {"Method", std::string(name_of(state_->model.method))},
      {"ModelTrainingData", state_->model.model.provenance.at("data_hash")},
      {"Threshold", state_->model.model.threshold},
      {"HealthySubjects", state_->model.reference->subjects()}};
  state_->slices.commit();
  write_file((folder / "slices.json").string(), tsv_sidecar(state_->columns, facts));
  const std::vector<TsvColumn> columns = subject_columns();
  TsvFile subjects((folder / "subjects.tsv").string(), columns);
  for (const SubjectSummary& s : ranked())
    subjects.row(std::vector<TsvValue>{s.name, s.judged,
                                       s.judged ? TsvValue(s.worst_slice) : TsvValue(), s.score,
                                       s.p_value, s.above});
  subjects.commit();
  write_file((folder / "subjects.json").string(), tsv_sidecar(columns, facts));
}

}  // namespace ratnet::inline v1
