#include "subject_summary.h"

#include <cmath>

#include "../subject_slices.h"
#include "verdict.h"

namespace ratnet::inline v1 {

const char* noun_of(std::span<const std::string> subjects) {
  return people_in(subjects).count < subjects.size() ? "scan" : "subject";
}

std::string counted_scans(std::span<const std::string> subjects) {
  const std::size_t people = people_in(subjects).count;
  const std::string of = counted(static_cast<std::int64_t>(people), "subject");
  return people == subjects.size() ? of : text(subjects.size(), " scans of ", of);
}

bool ranks_before(const SubjectSummary& a, const SubjectSummary& b) {
  if (std::isnan(a.score) || std::isnan(b.score)) return !std::isnan(a.score);
  return a.score > b.score;
}

std::string leak_warning(const SubjectSummary& summary) {
  const std::int64_t learnt = summary.learnt_slices.value_or(0);
  if (learnt == 0) return "";
  return text("the model learnt from or was calibrated on ", counted(learnt, "slice"),
              " of this scan: what it says of it is flattered");
}

std::string leak_warning(std::span<const SubjectSummary> summaries) {
  constexpr std::size_t kNamed = 3;
  std::vector<std::string> subjects;
  std::string names;
  std::size_t learnt = 0;
  for (const SubjectSummary& summary : summaries) {
    subjects.push_back(summary.subject);
    if (leak_warning(summary).empty()) continue;
    if (learnt < kNamed) names += (learnt == 0 ? "" : ", ") + summary.name;
    ++learnt;
  }
  if (learnt == 0) return "";
  if (learnt > kNamed) names += text(" and ", learnt - kNamed, " more");
  return text("the model learnt from or was calibrated on slices of ", learnt, " of ",
              counted_scans(subjects), " (", names, "): what it says of ",
              learnt == 1 ? "it" : "them", " is flattered");
}

std::string sentence(const AnomalyModel& model, const SubjectSummary& summary) {
  if (summary.judged == 0)
    return summary.name +
           ": no slice can be judged: no brain was found, or one of a single brightness";
  char figures[160];
  std::snprintf(figures, sizeof figures,
                "score %.4f (slice %lld), p %.3f, %.2f%% of the brain at or above the threshold",
                summary.score, static_cast<long long>(summary.worst_slice), summary.p_value,
                100 * summary.above);
  return summary.name + ": " +
         (summary.unusual
              ? "unusual at a false-alarm rate of " + percent(false_alarm_rate(model)) + "; "
              : std::string()) +
         figures;
}

}  // namespace ratnet::inline v1
